//! The replicated controller: it knows who is online, what they should serve, and who does.
//!
//! [`run`] is the whole of it. Beats come in through `service` and are recorded by `beats`; `presence` calls the silent
//! offline; an operator's push comes in through `http`, is planned in `plan`, carried out by `push` and counted in
//! `ledger`; `behind` keeps it from sending what an emptied store holds. What all replicas share is behind two traits: [`registry::Registry`] and
//! [`store::Store`].

mod access;
mod adoption;
mod api_keys;
mod beats;
mod behind;
mod controller;
mod desired;
mod fan_out;
mod guard;
mod http;
mod ledger;
pub mod metrics;
mod pace;
mod plan;
mod pool;
mod presence;
mod push;
mod readiness;
mod redis_url;
pub mod registry;
mod resync;
mod rivals;
mod rollouts;
mod run;
mod service;
mod settings;
pub mod store;
mod suspects;
mod timing;

pub use access::{Access, Contradiction, Exposed};
pub use api_keys::{ApiKeys, ApiKeysError};
pub use redis_url::{RedisUrl, RedisUrlError};
pub use run::{Backends, RunError, run};
pub use settings::Settings;
