//! An agent over the memory transport, with a small controller and a driver that does as it is told.
#![expect(clippy::unwrap_used, reason = "a helper that panics fails the test")]

mod controller;
mod driver;
mod fixture;
mod life;
mod presence;
mod push;
mod resync;
mod stores;
