//! Typed request and reply over AMQP: every call ends once, by its deadline, in an outcome with a name.
//!
//! A [`Method`] names a request and its reply. A [`Connection`] calls methods at an [`Address`] (a service's shared
//! queue, one peer, or every peer) and serves them through a [`Router`]. It sits on a [`Transport`]:
//! [`transport::amqp`] for RabbitMQ, [`transport::memory`] for one process.
//!
//! ```
//! use bellwether_rpc::{Address, Connection, Context, Deadline, Limits, Method, Router, transport::memory::Memory};
//! use std::time::Duration;
//! use tokio_util::sync::CancellationToken;
//!
//! /// Adds two numbers.
//! struct Add;
//! impl Method for Add {
//!     const NAME: &'static str = "Add";
//!     type Request = (u32, u32);
//!     type Reply = u32;
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let hub = Memory::new();
//! let calculator = Address::shared("calculator");
//!
//! let router = Router::new().on::<Add, _, _>(|_cx: Context, (a, b)| async move { Ok(a + b) });
//! let server = Connection::new(hub.connect()).server(calculator.clone(), router, Limits::default());
//! let mut bound = server.bound();
//! let stop = CancellationToken::new();
//! let serving = tokio::spawn(server.run(stop.clone()));
//! bound.wait_for(|generation| generation.is_some()).await.unwrap();
//!
//! let client = Connection::new(hub.connect());
//! let sum = client.call::<Add>(&calculator, &(2, 3), Deadline::after(Duration::from_secs(5))).await;
//! assert_eq!(sum.unwrap(), 5);
//! # stop.cancel();
//! # serving.await.unwrap();
//! # }
//! ```
#![deny(missing_docs)]

mod address;
mod connection;
mod context;
mod deadline;
mod empty;
mod encoding;
mod fault;
mod identity;
mod in_flight;
mod message;
mod method;
pub mod metrics;
mod outcome;
mod peer;
mod router;
mod scope;
mod server;
mod stall;
mod trace;
pub mod transport;

pub use address::{Address, ReplyTo};
pub use bellwether_rpc_macros::service;
pub use connection::{Connection, Outcomes};
pub use context::Context;
pub use deadline::Deadline;
pub use empty::Empty;
pub use encoding::Encoding;
pub use fault::{Fault, FaultKind};
pub use identity::{Generation, Instance};
pub use message::{CorrelationId, DEFAULT_DEADLINE, Message, PROTOCOL};
pub use method::Method;
pub use outcome::CallError;
pub use peer::Peer;
pub use router::{Call, Router};
pub use scope::Scope;
pub use server::{Limits, Server};
pub use trace::{TraceParent, TraceParentError};
pub use transport::{Link, Transport};
