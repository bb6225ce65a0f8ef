//! Private servers, processes of the product and ways to wait, for end-to-end tests.
//!
//! Whatever is started here ends with its value, and with the test's process at the latest: see `scripts/guardian`.

mod binary;
mod certificates;
mod fleet;
mod fleet_of_programs;
mod folder;
mod guardian;
pub mod imports;
mod installed;
mod launch;
mod log;
mod port;
mod program;
mod rabbitmq;
mod redis;
mod relay;
mod resident;
mod server;
mod wait;
pub mod workspace;

pub use binary::Binary;
pub use certificates::{Certificate, CertificateAuthority};
pub use fleet::fleet;
pub use fleet_of_programs::{Agent, Answer, Controller, Event, Fleet, FleetBuilder, Process, Pushed};
pub use folder::{folder, root};
pub use launch::{Launch, Output};
pub use port::Port;
pub use program::Program;
pub use rabbitmq::RabbitMq;
pub use redis::Redis;
pub use relay::Relay;
pub use resident::Resident;
pub use wait::{Attempt, BOUND, always_for, eventually, eventually_within};
