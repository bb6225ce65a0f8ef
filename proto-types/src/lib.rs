//! What Bellwether's programs say to each other: two services over AMQP, and the bodies of the HTTP API.
#![deny(missing_docs)]

pub mod agent;
pub mod controller;
pub mod http;
mod id;
mod store;

pub use id::{AgentName, Fleet, IdError, RolloutId, StoreId};
pub use store::{Known, StoreHead};

/// The AMQP namespace of a fleet: every queue and exchange of it begins with this.
#[must_use]
pub fn namespace(fleet: &Fleet) -> String {
    format!("bellwether.{fleet}")
}
