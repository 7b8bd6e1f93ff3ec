//! A serverless bridge between Norwegian web shops and Front Payment Go.
//!
//! Four use cases rest on the domain in [`order`]: [`submit`], [`status`], [`notify`] and [`reconcile`]. They reach the
//! outside through [`front_payment`], [`store`] and [`secrets`]. [`http`] turns requests into the first two, and their
//! outcomes into replies; [`worker`] runs the other two.

pub mod aws;
pub mod bridge;
pub mod clock;
pub mod cold_start;
pub mod config;
pub mod deadline;
pub mod environment;
pub mod front_payment;
pub mod http;
pub mod http_client;
pub mod local;
pub mod notify;
pub mod order;
pub mod order_view;
pub mod reconcile;
pub mod secrets;
pub mod status;
pub mod store;
pub mod submit;
pub mod telemetry;
pub mod worker;
