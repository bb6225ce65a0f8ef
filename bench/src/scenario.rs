//! The scenarios.

pub(crate) mod push;
pub(crate) mod rpc;
