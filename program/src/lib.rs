//! What every Bellwether program does alike: reads its settings, opens its log, listens to signals, answers HTTP, and
//! shows what it measures.
#![deny(missing_docs)]

mod amqp_files;
pub mod healthcheck;
pub mod http;
pub mod log;
pub mod metrics;
pub mod settings;
pub mod signals;
mod unrepeated;

pub use amqp_files::AmqpFiles;
pub use unrepeated::{Unrepeated, unrepeated};
