//! The agent on a node: it beats, takes documents and removals, and has a proxy serve them.
//!
//! [`run`] is all of it. It is told who it is by [`Settings`], speaks over a [`bellwether_rpc::Connection`] that it
//! may share with others, has a [`driver::Driver`] make a proxy serve, and remembers in a [`StateDir`] what serves.
//! Within it are four tasks: the heartbeat, the server of the service `Agent`, the sync that fetches what is missing,
//! and the apply loop that alone owns the driver; and a fifth that says over HTTP how it is, if that is wanted.
#![deny(missing_docs)]

mod apply;
mod backoff;
mod clock;
mod disk;
pub mod driver;
mod error;
mod health;
mod heartbeat;
mod label;
pub mod metrics;
mod refusals;
mod run;
mod service;
mod set;
mod settings;
mod state;
mod sync;
#[cfg(test)]
mod testing;
mod words;

pub use error::AgentError;
pub use label::Label;
pub use run::run;
pub use settings::Settings;
pub use state::{State, StateDir, StateError};
