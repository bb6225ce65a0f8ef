//! A client that sends requests as they are written, and reads what comes back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// What the echo told; null where the proxy answered by itself.
    pub(crate) echo: Value,
    /// The certificate that was shown, in TLS.
    pub(crate) certificate: Option<Vec<u8>>,
}

/// Sends `request`, which has to ask for the connection to be closed, and reads to the end.
pub(crate) async fn send(at: SocketAddr, request: &[u8]) -> std::io::Result<Reply> {
    exchange(TcpStream::connect(at).await?, request).await
}

/// The same over TLS, asking for `sni`.
pub(crate) async fn send_tls(at: SocketAddr, sni: &str, request: &[u8]) -> std::io::Result<Reply> {
    let shown = Arc::new(Shown::default());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(shown.clone())
        .with_no_client_auth();
    let stream = TcpStream::connect(at).await?;
    let name = ServerName::try_from(sni.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let reply = exchange(stream, request).await?;
    let certificate = shown.0.lock().unwrap().take();
    Ok(Reply { certificate, ..reply })
}

/// The first piece that comes back, from who does not end the connection.
pub(crate) async fn first(at: SocketAddr, request: &[u8]) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(at).await?;
    stream.write_all(request).await?;
    let mut answer = [0; 4_096];
    let length = timeout(PATIENCE, stream.read(&mut answer)).await.unwrap_or(Ok(0))?;
    Ok(read(&String::from_utf8_lossy(&answer[..length])))
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> std::io::Result<Reply> {
    let exchanging = async {
        stream.write_all(request).await?;
        let mut answer = Vec::new();
        // TLS may end without a goodbye.
        if let Err(error) = stream.read_to_end(&mut answer).await
            && answer.is_empty()
        {
            return Err(error);
        }
        Ok(read(&String::from_utf8_lossy(&answer)))
    };
    timeout(PATIENCE, exchanging).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}

fn read(answer: &str) -> Reply {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    Reply { status, echo: serde_json::from_str(body).unwrap_or_default(), certificate: None }
}

/// Takes every certificate, and keeps it to be looked at.
#[derive(Debug, Default)]
struct Shown(Mutex<Option<Vec<u8>>>);

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().unwrap() = Some(certificate.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
