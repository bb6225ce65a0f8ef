//! What Bellwether's programs say to each other: two services over AMQP, and the bodies of the HTTP API.
#![deny(missing_docs)]

pub mod agent;
pub mod controller;
pub mod http;
mod id;
mod store;

pub use id::{AgentName, Fleet, IdError, RolloutId, StoreId};
pub use store::{Known, StoreHead};

/// The largest request that may hold a document, or the names of all that an agent has; in bytes.
pub const DOCUMENT_BYTES: usize = 2 * 1024 * 1024;
/// The largest of any other request, in bytes. A beat with all its labels is below half of that.
pub const SMALL_BYTES: usize = 64 * 1024;

/// The AMQP namespace of a fleet: every queue and exchange of it begins with this.
#[must_use]
pub fn namespace(fleet: &Fleet) -> String {
    format!("bellwether.{fleet}")
}
