//! A serverless bridge between Norwegian web shops and Front Payment Go.
//!
//! [`submit`] is the way of an order, [`apply`] that of a status; both rest on [`order`], the
//! domain, and on three neighbours: [`front_payment`], [`store`] and [`secrets`]. [`http`] turns
//! requests into use cases and what became of them into replies.

pub mod apply;
pub mod bridge;
pub mod budget;
pub mod clock;
pub mod cold_start;
pub mod config;
pub mod front_payment;
pub mod http;
pub mod http_client;
pub mod local;
pub mod order;
pub mod sdk;
pub mod secrets;
pub mod store;
pub mod submit;
pub mod telemetry;
