//! What every Bellwether program does at its start: reads its settings, opens its log, listens to signals.
#![deny(missing_docs)]

pub mod log;
pub mod settings;
pub mod signals;
mod unrepeated;

pub use unrepeated::{Unrepeated, unrepeated};
