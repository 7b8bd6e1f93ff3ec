//! A serverless bridge between Norwegian web shops and Front Payment Go.
//!
//! Six use cases rest on the domain in [`order`]: [`submit`], [`cancel`], [`status`], [`notify`], [`reconcile`] and
//! [`operator`]. They reach the outside through [`front_payment`], [`store`] and [`secrets`]. [`http`] turns requests into
//! the first three, and their outcomes into replies; [`worker`] runs the other three.

pub mod aws;
pub mod bridge;
pub mod cancel;
pub mod clock;
pub mod cold_start;
pub mod config;
pub mod deadline;
pub mod environment;
pub mod front_payment;
pub mod http;
pub mod http_client;
pub mod notify;
pub mod operator;
pub mod order;
pub mod order_view;
pub mod reconcile;
pub mod secrets;
pub mod status;
pub mod store;
pub mod submit;
pub mod telemetry;
pub mod worker;

/// The source that this was built from, as `git describe` names it: `v0.2.0`, or `v0.2.0-3-g1a2b3c4` three commits later.
pub const REVISION: &str = env!("FRONT_PAYMENT_BRIDGE_REVISION");
