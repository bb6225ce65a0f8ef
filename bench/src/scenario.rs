//! The scenarios.

pub(crate) mod apply;
pub(crate) mod beats;
pub(crate) mod push;
pub(crate) mod rpc;
