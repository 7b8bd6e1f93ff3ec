//! Shared by `processes` and `instructions`: the Lambda binaries, and stubs of the services that they call.
#![allow(dead_code)] // each of the two uses only a part

pub mod authority;
pub mod events;
pub mod function;
pub mod items;
pub mod neighbours;
pub mod program;
pub mod runtime_api;
pub mod table;
pub mod wire;
pub mod world;
