//! How `amqps://` is spoken: whom to trust, and who to be.

use async_rs::{Runtime, Tokio, traits::Reactor};
use lapin::{
    AsyncTcpStream,
    tcp::{AMQPUriTcpExt, RustlsConnector, RustlsConnectorConfig},
    uri::{AMQPScheme, AMQPUri},
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{fmt, fs, io, path::Path, sync::Arc};

type Socket = <Tokio as Reactor>::TcpStream;

/// Whom to trust, and who to be, where a URL says `amqps://`. The default trusts whom the system trusts, and shows no
/// certificate. Files are read once.
#[derive(Clone, Default)]
pub struct Tls {
    ca: Option<Vec<CertificateDer<'static>>>,
    identity: Option<Arc<Identity>>,
}

/// A certificate, followed by those between it and its root, and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why a file was refused; nothing of what stands in it is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct TlsError {
    file: String,
    why: String,
}

impl Tls {
    /// Trusts the certificates in this PEM file, and no others: the system's count no more.
    ///
    /// # Errors
    /// When the file cannot be read, or holds anything but certificates that can be trusted, or none.
    pub fn with_ca_file(self, file: &Path) -> Result<Self, TlsError> {
        let ca = certificates(file)?;
        let mut roots = RootCertStore::empty();
        for certificate in &ca {
            roots
                .add(certificate.clone())
                .map_err(|error| refused(file, format!("a certificate that cannot be trusted: {error}")))?;
        }
        Ok(Self { ca: Some(ca), ..self })
    }

    /// Shows a broker that asks for it this certificate, with those between it and its root, and proves to have its
    /// key: both PEM. A broker takes it for a login where the URL says `?auth_mechanism=external`.
    ///
    /// # Errors
    /// When a file cannot be read or holds nothing of the kind, or when the key is another certificate's.
    pub fn with_identity_files(self, certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let identity = Identity { chain: certificates(certificate)?, key: private_key(key)? };
        // Whom it trusts does not matter here.
        let trusting_anybody =
            RustlsConnectorConfig::default().with_parsable_certificates(identity.chain.clone());
        identity.connector(trusting_anybody).map_err(|error| {
            refused(key, format!("not the key of the certificate in {}: {error}", certificate.display()))
        })?;
        Ok(Self { identity: Some(Arc::new(identity)), ..self })
    }

    /// Opens the stream to a broker, as the URL's scheme says.
    pub(super) async fn open(
        &self,
        uri: AMQPUri,
        runtime: &Runtime<Tokio>,
    ) -> io::Result<AsyncTcpStream<Socket>> {
        let plain = AMQPUri { scheme: AMQPScheme::AMQP, ..uri.clone() };
        match uri.scheme {
            AMQPScheme::AMQP => plain.connect_async(runtime).await,
            AMQPScheme::AMQPS => {
                let connector = self.connector().map_err(explained)?;
                let stream = plain.connect_async(runtime).await?;
                stream.into_rustls(&connector, &uri.authority.host).await.map_err(explained)
            }
        }
    }

    /// The system's roots are read anew, for they change while a process runs.
    fn connector(&self) -> io::Result<RustlsConnector> {
        let trusted = match &self.ca {
            Some(ca) => RustlsConnectorConfig::default().with_parsable_certificates(ca.clone()),
            None => RustlsConnectorConfig::new_with_native_certs()?,
        };
        match &self.identity {
            Some(identity) => identity.connector(trusted),
            None => trusted.connector_with_no_client_auth(),
        }
    }
}

impl Identity {
    /// An error when the key is another certificate's.
    fn connector(&self, trusted: RustlsConnectorConfig) -> io::Result<RustlsConnector> {
        trusted.connector_with_single_cert(self.chain.clone(), self.key.clone_key())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trusts = if self.ca.is_some() { "the given CA" } else { "the system" };
        f.debug_struct("Tls")
            .field("trusts", &trusts)
            .field("has_identity", &self.identity.is_some())
            .finish()
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| refused(file, "no certificate in PEM"))
}

/// The parser's own words can hold a line of the file.
fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(file)?)
        .map_err(|_| refused(file, "no private key in PEM without a password"))
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(file).map_err(|error| refused(file, error))
}

fn refused(file: &Path, why: impl ToString) -> TlsError {
    TlsError { file: file.display().to_string(), why: why.to_string() }
}

/// Says that it is TLS that failed: its own errors do not.
fn explained(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let words = match cause {
        Some(rustls::Error::InvalidMessage(_)) => format!("no TLS is spoken there ({error})"),
        _ => format!("TLS: {error}"),
    };
    io::Error::new(error.kind(), words)
}
