//! The embedded database, and the orders in it.

mod database;
mod orders;

pub use database::{EmbeddedDatabase, OpenError, database_error};
pub use orders::EmbeddedStore;
