//! What the tests share: the bridge over scripted services, and the built binaries over servers on this machine.

pub mod disturbed;
pub mod documents;
pub mod faulty_store;
pub mod lambda;
pub mod log;
pub mod moto;
pub mod peer;
pub mod proxy;
pub mod scripted;
pub mod shell;
pub mod shops;
pub mod test_bridge;
pub mod worker;
pub mod world;
