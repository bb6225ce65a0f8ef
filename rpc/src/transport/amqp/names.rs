//! What the queues and exchanges of a namespace are called, and which way an address leads.

use crate::{Address, Generation, Instance, transport::SendError};
use lapin::{
    Channel, ExchangeKind,
    options::ExchangeDeclareOptions,
    types::{FieldTable, ShortString},
};

/// The longest name that AMQP can carry, in bytes.
const LONGEST: usize = 255;

/// The names of one namespace.
#[derive(Clone, Debug)]
pub(super) struct Names {
    namespace: String,
}

/// Where to publish.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) exchange: ShortString,
    pub(super) key: ShortString,
    /// The service whose exchanges must exist first.
    pub(super) exchanges_of: Option<String>,
    /// Whether it leads to one peer.
    pub(super) direct: bool,
}

/// An exchange of a service.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) name: ShortString,
    kind: ExchangeKind,
}

impl Exchange {
    /// Durable. Without effect where it exists.
    pub(super) async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel.exchange_declare(self.name.clone(), self.kind.clone(), durable, FieldTable::default()).await
    }
}

impl Names {
    pub(super) fn new(namespace: String) -> Self {
        Self { namespace }
    }

    /// The shared queue of a service.
    pub(super) fn shared_queue(&self, service: &str) -> String {
        format!("{}.{service}", self.namespace)
    }

    /// The exchange that reaches one peer of a service, by routing key.
    pub(super) fn peer_exchange(&self, service: &str) -> String {
        format!("{}.{service}", self.namespace)
    }

    /// The exchange that reaches every peer of a service.
    pub(super) fn everyone_exchange(&self, service: &str) -> String {
        format!("{}.{service}.all", self.namespace)
    }

    /// Both exchanges of a service: to one peer, to all.
    pub(super) fn exchanges(&self, service: &str) -> Result<[Exchange; 2], String> {
        let peer = Exchange { name: short(&self.peer_exchange(service))?, kind: ExchangeKind::Direct };
        let everyone =
            Exchange { name: short(&self.everyone_exchange(service))?, kind: ExchangeKind::Fanout };
        Ok([peer, everyone])
    }

    /// A peer's own queue: its name is never used twice, so that an old one cannot be in the way.
    pub(super) fn peer_queue(
        &self,
        service: &str,
        name: &str,
        me: Instance,
        generation: Generation,
    ) -> String {
        format!("{}.{service}.{name}.{me}.{generation}", self.namespace)
    }

    /// The queue on which a caller's answers arrive.
    pub(super) fn reply_queue(&self, me: Instance, generation: Generation) -> String {
        format!("{}.reply.{me}.{generation}", self.namespace)
    }

    /// Which way an address leads.
    pub(super) fn route(&self, to: &Address) -> Result<Route, SendError> {
        match to {
            Address::Shared { service } => Route::new("", &self.shared_queue(service), None, false),
            Address::Peer { service, name, .. } => {
                Route::new(&self.peer_exchange(service), name, Some(service), true)
            }
            Address::Everyone { service } => {
                Route::new(&self.everyone_exchange(service), "", Some(service), false)
            }
        }
    }
}

impl Route {
    fn new(exchange: &str, key: &str, exchanges_of: Option<&str>, direct: bool) -> Result<Self, SendError> {
        let exchange = short(exchange).map_err(SendError::Invalid)?;
        let key = short(key).map_err(SendError::Invalid)?;
        Ok(Self { exchange, key, exchanges_of: exchanges_of.map(str::to_owned), direct })
    }
}

/// A name as AMQP carries it; a longer one is refused here, before it costs the channel.
pub(super) fn short(name: &str) -> Result<ShortString, String> {
    ShortString::try_new(name).map_err(|_| format!("a name of more than {LONGEST} bytes: {name:.64}…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_protocol() {
        let names = Names::new("bellwether.default".into());
        let me = Instance::new();
        assert_eq!(names.shared_queue("controller"), "bellwether.default.controller");
        assert_eq!(names.peer_exchange("agent"), "bellwether.default.agent");
        assert_eq!(names.everyone_exchange("agent"), "bellwether.default.agent.all");
        assert_eq!(
            names.peer_queue("agent", "node-7", me, 3),
            format!("bellwether.default.agent.node-7.{me}.3")
        );
        assert_eq!(names.reply_queue(me, 3), format!("bellwether.default.reply.{me}.3"));
    }

    #[test]
    fn a_name_that_amqp_cannot_carry_is_refused_first() {
        let names = Names::new("n".into());
        let error = names.route(&Address::peer("agent", "x".repeat(256))).expect_err("too long");
        assert!(matches!(error, SendError::Invalid(_)));
    }
}
