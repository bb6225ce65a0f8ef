//! The command as an operator runs it, against controllers that the tests play.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod adopt;
mod check;
mod command;
mod completion;
mod controller;
mod delete;
mod dev;
mod dropping;
mod forget;
mod get;
mod interrupt;
mod lists;
mod push;
mod servers;
mod status;
