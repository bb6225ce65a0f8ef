//! Placeholder.

pub mod redis_url;
pub mod registry;
pub mod store;
