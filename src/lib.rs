//! A serverless bridge between Norwegian web shops and Front Payment Go.
//!
//! Two use cases, [`submit`] and [`status`], rest on the domain in [`order`]. They reach the outside through
//! [`front_payment`], [`store`] and [`secrets`]. [`http`] turns requests into use cases, and their outcomes into replies.

pub mod aws;
pub mod bridge;
pub mod clock;
pub mod config;
pub mod deadline;
pub mod environment;
pub mod front_payment;
pub mod http;
pub mod http_client;
pub mod local;
pub mod notify;
pub mod order;
pub mod secrets;
pub mod status;
pub mod store;
pub mod submit;
pub mod telemetry;
