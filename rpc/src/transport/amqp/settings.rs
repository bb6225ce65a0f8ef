//! Where the broker is, and how to be seen there.

use super::tls::Tls;
use lapin::uri::{AMQPScheme, AMQPUri};
use std::{fmt, str::FromStr, time::Duration};

/// A broker's address, `amqp://user:password@host:port/vhost` or `amqps://…`. It is shown without its password. With
/// `?auth_mechanism=external` the login is the certificate of [`Tls`], and no password is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl(pub(super) AMQPUri);

/// Why a broker's address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an AMQP URL such as amqp://user:password@host:5672/%2f: {0}")]
pub struct AmqpUrlError(String);

impl FromStr for AmqpUrl {
    type Err = AmqpUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(AmqpUrlError)
    }
}

impl AmqpUrl {
    /// `host:port`, for messages to people.
    #[must_use]
    pub fn host_and_port(&self) -> String {
        format!("{}:{}", self.0.authority.host, self.0.authority.port)
    }

    /// Whether it says `amqps://`.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self.0.scheme, AMQPScheme::AMQPS)
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        let scheme = match scheme {
            AMQPScheme::AMQP => "amqp",
            AMQPScheme::AMQPS => "amqps",
        };
        let vhost = vhost.replace('/', "%2f");
        write!(f, "{scheme}://{}@{}:{}/{vhost}", authority.userinfo.username, authority.host, authority.port)
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How many connections one process opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// One for everything: what an agent needs.
    Shared,
    /// One to publish and one to consume: when the broker stops publishers, acknowledgements and deliveries go on.
    Split,
}

/// Where the broker is, and how to be seen there.
#[derive(Clone, Debug)]
pub struct AmqpSettings {
    /// The brokers; each new connection tries the next of them.
    pub urls: Vec<AmqpUrl>,
    /// How those that say `amqps://` are spoken to.
    pub tls: Tls,
    /// What every queue and exchange begins with.
    pub namespace: String,
    /// The connection's name in the broker's listings.
    pub connection_name: String,
    /// How often either side shows that it is alive; a peer that is cut off is missed after two or three of them.
    pub heartbeat: Duration,
    /// The largest AMQP frame, in bytes: small ones keep a connection's buffers small.
    pub frame_max: u32,
    /// One connection, or two.
    pub connections: Connections,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// How long it may pause between two attempts. Each pause is random, and the bound doubles up to this.
    pub longest_pause: Duration,
}

impl AmqpSettings {
    /// One connection, to any of these brokers, a heartbeat of 5 s and small frames: right for an agent.
    #[must_use]
    pub fn new(urls: impl IntoIterator<Item = AmqpUrl>, namespace: String, connection_name: String) -> Self {
        Self {
            urls: urls.into_iter().collect(),
            tls: Tls::default(),
            namespace,
            connection_name,
            heartbeat: Duration::from_secs(5),
            frame_max: 8_192,
            connections: Connections::Shared,
            connect_timeout: Duration::from_secs(5),
            longest_pause: Duration::from_secs(5),
        }
    }

    /// The same, with two connections, a heartbeat of 10 s and large frames: right for a controller.
    #[must_use]
    pub fn for_controller(self) -> Self {
        Self {
            heartbeat: Duration::from_secs(10),
            frame_max: 131_072,
            connections: Connections::Split,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let url: AmqpUrl = "amqp://me:sesame@rabbit:5673/%2f".parse().expect("a good url");
        assert_eq!(url.to_string(), "amqp://me@rabbit:5673/%2f");
        assert!(!format!("{url:?}").contains("sesame"));
    }

    #[test]
    fn what_is_no_amqp_url_is_refused_without_repeating_it() {
        let error = "http://me:sesame@rabbit".parse::<AmqpUrl>().expect_err("not AMQP").to_string();
        assert!(!error.contains("sesame"), "{error}");
    }
}
