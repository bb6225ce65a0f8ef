//! Backends: endpoints, how load is spread over them, and how their health is seen.

use serde::Serialize;

use crate::address::EndpointAddress;
use crate::host::Host;
use crate::name::BackendName;
use crate::path::HttpPath;
use crate::status::ExpectStatus;
use crate::time_span::TimeSpan;

/// A named group of servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    pub(crate) name: BackendName,
    pub(crate) balance: Balance,
    #[serde(skip_serializing_if = "Timeouts::is_empty")]
    pub(crate) timeouts: Timeouts,
    pub(crate) endpoints: Vec<Endpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) health_check: Option<HealthCheck>,
}

/// One server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    pub(crate) address: EndpointAddress,
    pub(crate) port: u16,
    pub(crate) weight: u16,
}

/// How load is spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Balance {
    /// In turn, by weight.
    #[default]
    RoundRobin,
    /// To the one with the fewest connections, by weight.
    LeastConn,
}

/// How long a proxy waits; what is absent is the proxy driver's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Timeouts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connect: Option<TimeSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response: Option<TimeSpan>,
}

/// How a proxy sees whether an endpoint is healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    #[serde(flatten)]
    pub(crate) probe: HealthProbe,
    pub(crate) interval: TimeSpan,
    pub(crate) timeout: TimeSpan,
    pub(crate) rise: u8,
    pub(crate) fall: u8,
}

/// What is tried on an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum HealthProbe {
    /// A TCP connection.
    Tcp,
    /// A GET.
    Http {
        /// The path asked for, `/` by default.
        path: HttpPath,
        /// The Host header, if one is to be sent; never a wildcard.
        #[serde(skip_serializing_if = "Option::is_none")]
        host: Option<Host>,
        /// The statuses that are healthy.
        expect_status: ExpectStatus,
    },
}

impl Backend {
    /// The name, unique within the document.
    pub fn name(&self) -> &BackendName {
        &self.name
    }

    /// How load is spread.
    pub fn balance(&self) -> Balance {
        self.balance
    }

    /// How long to wait.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// The servers; their addresses and ports are unique. There may be none.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// How health is seen, if it is checked at all.
    pub fn health_check(&self) -> Option<&HealthCheck> {
        self.health_check.as_ref()
    }

    /// Whether any endpoint takes new requests.
    pub fn is_available(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.weight > 0)
    }
}

impl Endpoint {
    /// The weight of an endpoint that names none.
    pub const DEFAULT_WEIGHT: u16 = 100;

    /// The server's address.
    pub fn address(&self) -> EndpointAddress {
        self.address
    }

    /// The server's port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its share of the load, 0 to 256; 0 drains it.
    pub fn weight(&self) -> u16 {
        self.weight
    }
}

impl Timeouts {
    /// To establish a connection.
    pub fn connect(&self) -> Option<TimeSpan> {
        self.connect
    }

    /// Between two reads of a response.
    pub fn response(&self) -> Option<TimeSpan> {
        self.response
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl HealthCheck {
    pub(crate) const DEFAULT_INTERVAL: TimeSpan = TimeSpan::from_ms(2_000);
    pub(crate) const DEFAULT_TIMEOUT: TimeSpan = TimeSpan::from_ms(2_000);
    pub(crate) const DEFAULT_RISE: u8 = 2;
    pub(crate) const DEFAULT_FALL: u8 = 3;

    /// What is tried.
    pub fn probe(&self) -> &HealthProbe {
        &self.probe
    }

    /// How often, 2 s by default.
    pub fn interval(&self) -> TimeSpan {
        self.interval
    }

    /// How long one try may take, 2 s by default.
    pub fn timeout(&self) -> TimeSpan {
        self.timeout
    }

    /// How many good tries in a row make an endpoint healthy, 2 by default.
    pub fn rise(&self) -> u8 {
        self.rise
    }

    /// How many bad tries in a row make it unhealthy, 3 by default.
    pub fn fall(&self) -> u8 {
        self.fall
    }
}
