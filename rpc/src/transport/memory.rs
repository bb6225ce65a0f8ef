//! A broker within the process: for tests, simulations and `dev`, with the same promises as the real one.
//!
//! On its own it is a quiet broker. With [`Faults`] it does by chance what networks and brokers do: it loses and
//! delays messages, delivers them again, cancels consumers, cuts links. Chance is drawn from a seed, so that under
//! tokio's paused time a test that fails for a seed fails for it again, at the same step. (As long as the test draws
//! nothing from elsewhere. Beware of many tasks that wait on one `watch` channel: tokio wakes them in any order.)
//!
//! ```
//! use bellwether_rpc::{Address, CallError, Connection, Deadline, Method, transport::memory::{Faults, Memory}};
//! use std::time::Duration;
//!
//! /// Says whether anybody is there.
//! struct Ping;
//! impl Method for Ping {
//!     const NAME: &'static str = "Ping";
//!     type Request = ();
//!     type Reply = ();
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let broker = Memory::with_faults(Faults { cut: 1.0, ..Faults::seeded(42) });
//! let client = Connection::new(broker.connect());
//! let nobody = Address::peer("calculator", "abacus-7");
//!
//! let outcome = client.call::<Ping>(&nobody, &(), Deadline::after(Duration::from_secs(5))).await;
//! assert_eq!(outcome, Err(CallError::Disconnected));
//!
//! broker.calm();
//! let outcome = client.call::<Ping>(&nobody, &(), Deadline::after(Duration::from_secs(5))).await;
//! assert!(matches!(outcome, Err(CallError::Unroutable { .. })));
//! # }
//! ```
//!
//! `rpc/tests/simulation.rs` is made of it: thousands of seeds, each a small world of callers and servers.

mod faults;
mod hub;
mod links;
mod process;
mod queues;
mod wire;

pub use faults::Faults;

use super::Transport;
use crate::Instance;
use hub::Hub;
use process::MemoryTransport;
use std::{sync::Arc, time::Duration};

/// The broker: every link made by the same one reaches every other.
#[derive(Clone)]
pub struct Memory {
    hub: Arc<Hub>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// A broker that nobody is connected to.
    #[must_use]
    pub fn new() -> Self {
        Self::with_faults(Faults::seeded(0))
    }

    /// A broker that nobody is connected to, on which things go wrong.
    #[must_use]
    pub fn with_faults(faults: Faults) -> Self {
        Self { hub: Arc::new(Hub::new(faults)) }
    }

    /// From now on nothing goes wrong by chance. What is on its way still arrives when it would have; a link that is
    /// cut comes back when it would have.
    pub fn calm(&self) {
        self.hub.calm();
    }

    /// A new link, of a new process as far as anyone can tell.
    #[must_use]
    pub fn connect(&self) -> Arc<dyn Transport> {
        Arc::new(MemoryTransport::connect(self.hub.clone()))
    }

    /// Cuts the link of `instance`, as a broker's restart would: its consumers, peer queues and reply queue are gone,
    /// and it is connected again at once, as a new generation.
    pub fn cut(&self, instance: Instance) {
        self.hub.cut(instance, Duration::ZERO);
    }

    /// Cuts the link of `instance` as [`Memory::cut`] does, for a while.
    pub fn cut_for(&self, instance: Instance, outage: Duration) {
        self.hub.cut(instance, outage);
    }

    /// Ends the link of `instance` for good, as if the process had been killed: what it has not finished is delivered
    /// again to others, and whatever it still sends goes nowhere.
    pub fn crash(&self, instance: Instance) {
        self.hub.detach(instance);
    }

    /// Takes no messages for `reason` from now on, or takes them again.
    pub fn block(&self, reason: Option<&str>) {
        self.hub.block(reason);
    }
}
