//! Typed request and reply over AMQP: every call ends once, by its deadline, in an outcome with a name.
//!
//! One trait defines a service. [`service`] makes a typed client of it, and what a server needs to answer:
//!
//! ```
//! use bellwether_rpc::{Address, Connection, Context, Deadline, Fault, Limits, service, transport::memory::Memory};
//! use std::time::Duration;
//! use tokio_util::sync::CancellationToken;
//!
//! /// Calculates.
//! #[service]
//! pub trait Calculator {
//!     /// Divides one number by another.
//!     async fn divide(&self, cx: &Context, numbers: (u32, u32)) -> Result<u32, Fault>;
//! }
//!
//! struct Abacus;
//!
//! impl Calculator for Abacus {
//!     async fn divide(&self, _cx: &Context, (a, b): (u32, u32)) -> Result<u32, Fault> {
//!         a.checked_div(b).ok_or_else(|| Fault::rejected("by zero"))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let broker = Memory::new();
//! let address = Address::shared("calculator");
//!
//! let server = Connection::new(broker.connect()).server(address.clone(), Abacus.router(), Limits::default());
//! let mut bound = server.bound();
//! let shutdown = CancellationToken::new();
//! let serving = tokio::spawn(server.run(shutdown.clone()));
//! bound.wait_for(|generation| generation.is_some()).await.unwrap();
//!
//! let calculator = CalculatorClient::new(Connection::new(broker.connect()), address);
//! let deadline = Deadline::after(Duration::from_secs(5));
//! assert_eq!(calculator.divide(&(6, 3), deadline).await, Ok(2));
//! let refused = calculator.divide(&(6, 0), deadline).await.unwrap_err();
//! assert_eq!(refused.to_string(), "Rejected: by zero");
//! assert!(!refused.is_safe_to_resend());
//! # shutdown.cancel();
//! # serving.await.unwrap();
//! # }
//! ```
//!
//! Over RabbitMQ, the transport is [`transport::amqp::Amqp::start`] instead of `broker.connect()`; nothing else changes.
//!
//! # In ten minutes
//!
//! - **Whom to call.** [`Address::shared`]: any one server of a service, the broker balances the load.
//!   [`Address::peer`]: one process by name; that it is not there is known at once. Everyone: the generated `Every…`
//!   client, or [`Connection::call_everyone`]: one publish, one outcome for each [`Peer`] that is expected.
//! - **How a call ends.** In its reply or in a [`CallError`], exactly once, never later than its [`Deadline`];
//!   [`CallError::is_safe_to_resend`] says whether a handler can have run. Dropping a call's future frees its place.
//! - **How long.** A deadline covers connecting, publishing, queueing, handling and the reply. It travels as what
//!   remains of it; a request that nobody waits for any more is dropped before its handler runs. A handler passes its
//!   [`Context`] on as the [`Scope`] of its own calls: they have what remains, and belong to the same trace.
//! - **Who answers.** [`Connection::server`] serves one address within [`Limits`], over any number of reconnects. A
//!   request beyond them is answered `Overloaded` at once; panics, unknown methods and bodies that cannot be read are
//!   [`Fault`]s. On shutdown it finishes what runs, within a bound, and hands the rest back to the broker.
//! - **Without an answer.** A method marked `notification` may be sent with `notify_…`.
//! - **As what.** JSON, or MessagePack where [`Connection::encoding`] says so; a server answers as it was asked.
//! - **Seen.** [`Connection::link`] tells how the connection stands, [`metrics`](mod@metrics) what is counted; calls and
//!   handlers are `tracing` spans at debug level, joined across the broker by `traceparent`. In a collector they are one
//!   trace with the feature `opentelemetry`: see below.
//! - **In tests.** [`transport::memory`] is a broker in the process, which can lose, delay and repeat messages by a seed.
//!
//! One process needs one [`Connection`]: a constant number of AMQP connections, channels and queues, however many
//! clients and peers there are.
//!
//! # Features
//!
//! None is on by itself.
//!
//! - `opentelemetry`: where the program's subscriber has a layer of `tracing-opentelemetry` 0.34, the span of a handler
//!   becomes the child of its call's span, in whichever process that is, and calls that the handler makes with its
//!   [`Context`] become the handler span's children. They bear their methods' names, and are client and server spans. The
//!   layer has to let spans of `bellwether_rpc` at debug level through: `info,bellwether_rpc=debug`. The example `traced`
//!   shows all of it:
//!
//!   ```sh
//!   cargo run -p bellwether-rpc --features opentelemetry --example traced
//!   ```
#![deny(missing_docs)]

mod address;
mod complaints;
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
/// Makes a typed client and a server's dispatch of one trait.
///
/// Each method is an `async fn` of `&self`, a context and at most one request, that returns `Result<Reply, Fault>`. Of a
/// trait `Shop` with a method `order` become:
///
/// - the trait itself, for servers to implement; `shop.router()` is what [`Connection::server`] takes;
/// - `ShopClient`, which calls one [`Address`]: `client.order(&request, deadline)`; `ShopClient::METHODS` are the names;
/// - `EveryShop`, which calls every peer: `everyone.order(&request, peers, deadline)` gives [`Outcomes`];
/// - a type `Order` that stands for the method, a [`Method`]. So a request is better named otherwise.
///
/// `#[method(…)]` on a method takes
///
/// - `name = "…"`: its name on the wire, where it is not to be the function's in `PascalCase`;
/// - `notification`: it may be sent without asking for an answer, by `client.notify_order(&request, deadline)`;
/// - `queued`: the server's method takes the [`Call`] itself, in order of arrival and past all limits, to be answered
///   later: for messages that are dealt with in batches. In the trait it reads as any other method; a server implements
///   `fn order(&self, call: Call<Order>)`, which must not wait: see [`Call::hand_to`];
/// - `largest = …`: the most bytes of a request's body, a constant. A larger one is refused before it is decoded; without
///   this, only beyond [`Limits::body_bytes`].
///
/// A method without a request, or with `()` for a reply, sends `{}`, so that fields may be added.
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
pub use router::{Call, Responder, Router};
pub use scope::Scope;
pub use server::{Limits, Server};
pub use trace::{TraceParent, TraceParentError};
pub use transport::{Link, Transport};
