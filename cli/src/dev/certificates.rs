//! Self-signed certificates for the documents of a fleet that is tried out.

use anyhow::Context;
use bellwether_ingress::{CertificateName, IngressConfig, Protocol};
use rcgen::{CertificateParams, DnType, KeyPair};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Where they are.
pub(super) fn folder(of_fleet: &Path) -> PathBuf {
    of_fleet.join("certs")
}

/// Makes a certificate for every name in the document, for the hosts that it is shown to.
pub(super) fn make(of_fleet: &Path, document: &IngressConfig) -> anyhow::Result<()> {
    let folder = folder(of_fleet);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, hosts) in wanted(document) {
        let file = folder.join(format!("{name}.pem"));
        let pem = self_signed(name, hosts).with_context(|| format!("certificate {name}"))?;
        fs::write(&file, pem).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn wanted(document: &IngressConfig) -> BTreeMap<&CertificateName, BTreeSet<String>> {
    let mut wanted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for listener in document.spec().listeners() {
        if let Protocol::Https { default_certificate } = listener.protocol() {
            wanted.entry(default_certificate).or_default().insert("localhost".to_owned());
        }
    }
    for tls in document.spec().tls() {
        wanted.entry(tls.certificate()).or_default().extend(tls.hosts().iter().map(ToString::to_string));
    }
    wanted
}

/// The certificate and its key, one after the other.
fn self_signed(name: &CertificateName, hosts: BTreeSet<String>) -> anyhow::Result<String> {
    let mut params = CertificateParams::new(hosts.into_iter().collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, name.to_string());
    let key = KeyPair::generate()?;
    Ok(params.self_signed(&key)?.pem() + &key.serialize_pem())
}
