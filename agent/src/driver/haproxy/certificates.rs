//! The certificates that documents name: read from the operator's folder, and refused before HAProxy stumbles on them.

use crate::driver::{EffectiveSet, Refused, Staged, StagedFile};
use bellwether_ingress::{CertificateName, IngressConfig, Protocol};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};
use x509_parser::pem::Pem;

/// The file of a certificate in a set's folder. A set has copies: what changes in the operator's folder, or is gone
/// from it, does not break the way back to the last good set.
pub(super) fn file_name(name: &CertificateName) -> String {
    format!("cert-{name}.pem")
}

/// The certificates that a document needs, each once.
pub(super) fn of(document: &IngressConfig) -> impl Iterator<Item = &CertificateName> {
    let spec = document.spec();
    let defaults = spec.listeners().iter().filter_map(|it| match it.protocol() {
        Protocol::Https { default_certificate } => Some(default_certificate),
        Protocol::Http | Protocol::Tcp { .. } => None,
    });
    let defaults: BTreeSet<_> = defaults.collect();
    let by_host = spec.tls().iter().filter(|_| !defaults.is_empty()).map(|tls| tls.certificate());
    let all: BTreeSet<_> = by_host.chain(defaults.iter().copied()).collect();
    all.into_iter()
}

/// The names of their files.
pub(super) fn files_of(document: &IngressConfig) -> BTreeSet<String> {
    of(document).map(file_name).collect()
}

/// Copies of all certificates of a set, or the documents whose certificates are missing, broken or expired at `now`.
/// One that has expired is no reason to take down who was served with it before.
pub(super) fn collect(
    set: &EffectiveSet,
    folder: Option<&Path>,
    serving: Option<&Staged>,
    now: SystemTime,
) -> Result<Vec<StagedFile>, Vec<Refused>> {
    let mut read: BTreeMap<&CertificateName, Result<Certificate, String>> = BTreeMap::new();
    let mut refused = Vec::new();
    for document in set.by_age() {
        for name in of(document) {
            let found = read.entry(name).or_insert_with(|| Certificate::read(folder, name));
            let served = |it: &Certificate| {
                let before = serving.filter(|serving| serving.record.holds(set, document.name()));
                before.is_some_and(|before| {
                    fs::read(before.path.join(file_name(name))).is_ok_and(|pem| pem == it.pem)
                })
            };
            let wrong = match found {
                Err(words) => Some(words.clone()),
                Ok(it) if it.has_expired(now) && !served(it) => {
                    Some(format!("certificate {name} has expired"))
                }
                Ok(_) => None,
            };
            if let Some(words) = wrong {
                refused.push(Refused { document: document.name().clone(), words });
                break;
            }
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let files = read.into_iter().filter_map(|(name, it)| Some((name, it.ok()?)));
    Ok(files.map(|(name, it)| StagedFile { name: file_name(name), bytes: it.pem, secret: true }).collect())
}

/// A file that holds a certificate, and what belongs to it.
struct Certificate {
    pem: Vec<u8>,
    /// Seconds since 1970.
    not_after: i64,
}

impl Certificate {
    fn read(folder: Option<&Path>, name: &CertificateName) -> Result<Self, String> {
        let folder = folder.ok_or_else(|| format!("certificate {name}: this agent has no --cert-dir"))?;
        let pem = fs::read(folder.join(format!("{name}.pem")))
            .map_err(|error| format!("certificate {name} cannot be read: {error}"))?;
        let broken = |what: &str| format!("certificate {name} is broken: {what}");
        let (mut not_after, mut has_key) = (None, false);
        for block in Pem::iter_from_buffer(&pem) {
            let block = block.map_err(|_| broken("it is no PEM"))?;
            has_key |= block.label.ends_with("PRIVATE KEY");
            if block.label == "CERTIFICATE" && not_after.is_none() {
                let parsed =
                    block.parse_x509().map_err(|_| broken("its first certificate cannot be parsed"))?;
                not_after = Some(parsed.validity().not_after.timestamp());
            }
        }
        let not_after = not_after.ok_or_else(|| broken("there is no certificate in it"))?;
        if !has_key {
            return Err(broken("there is no private key in it"));
        }
        Ok(Self { pem, not_after })
    }

    fn has_expired(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        u64::try_from(self.not_after).unwrap_or(0) < now
    }
}
