//! A certificate authority of one's own.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use uuid::Uuid;

use crate::folder;

/// A certificate authority; its files go with the value.
#[derive(Debug)]
pub struct CertificateAuthority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM files of their authority.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// The file of the key.
    pub key: PathBuf,
}

impl CertificateAuthority {
    /// A new one, whom nobody trusts yet.
    ///
    /// # Panics
    /// When it cannot be made; so for the others.
    pub fn new() -> Self {
        // One is told from another by its name.
        let mut params = params(&format!("authority {}", Uuid::new_v4()), &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("an authority");
        let folder = folder("certificates");
        write(&folder.path().join("ca.pem"), &issuer.pem());
        Self { folder, issuer }
    }

    /// Its own certificate: who trusts that trusts all it issues.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Issues a certificate with this common name, for this machine.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn issue(&self, name: &str) -> Certificate {
        let key = key();
        let hosts = ["localhost", "127.0.0.1"];
        let issued = params(name, &hosts).signed_by(&key, &self.issuer).expect("a certificate");
        let file = |kind: &str| self.folder.path().join(format!("{name}.{kind}.pem"));
        let files = Certificate { certificate: file("certificate"), key: file("key") };
        write(&files.certificate, &issued.pem());
        write(&files.key, &key.serialize_pem());
        files
    }
}

impl Default for CertificateAuthority {
    fn default() -> Self {
        Self::new()
    }
}

fn params(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("good names");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
