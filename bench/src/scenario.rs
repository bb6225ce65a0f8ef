//! The scenarios.

pub(crate) mod rpc;
