//! Listeners and their certificates.

use serde::Serialize;

use super::write;
use crate::address::ListenerAddress;
use crate::certificate::CertificateName;
use crate::host::Host;
use crate::name::{BackendName, ListenerName};

/// Where and how a proxy listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    pub(crate) name: ListenerName,
    pub(crate) address: ListenerAddress,
    pub(crate) port: u16,
    #[serde(flatten)]
    pub(crate) protocol: Protocol,
}

/// What a listener speaks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "protocol", rename_all = "UPPERCASE", rename_all_fields = "camelCase")]
pub enum Protocol {
    /// Plain HTTP/1.1.
    Http,
    /// HTTP over TLS.
    Https {
        /// The certificate for a name that no entry under `tls` is for.
        #[serde(serialize_with = "write::reference")]
        default_certificate: CertificateName,
    },
    /// Bytes, forwarded as they come.
    Tcp {
        /// Where they go.
        #[serde(serialize_with = "write::reference")]
        backend: BackendName,
    },
}

/// A certificate and the hosts it is shown to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    pub(crate) hosts: Vec<Host>,
    #[serde(rename = "certificateRef", serialize_with = "write::reference")]
    pub(crate) certificate: CertificateName,
}

impl Listener {
    /// The name, unique within the document.
    pub fn name(&self) -> &ListenerName {
        &self.name
    }

    /// The address, `0.0.0.0` by default.
    pub fn address(&self) -> ListenerAddress {
        self.address
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it speaks.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// Whether rules apply here.
    pub fn is_http(&self) -> bool {
        !matches!(self.protocol, Protocol::Tcp { .. })
    }

    /// Whether both cannot be bound unless they are one and the same.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.port == other.port && self.address.overlaps(other.address)
    }
}

impl Protocol {
    /// The word in the document.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https { .. } => "HTTPS",
            Self::Tcp { .. } => "TCP",
        }
    }
}

impl Tls {
    /// The hosts, at least one.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The certificate.
    pub fn certificate(&self) -> &CertificateName {
        &self.certificate
    }
}
