//! The maps of one listener, by which a request finds its backend, and the list of its certificates.

use super::{Place, backend::http_name};
use crate::driver::{StagedFile, haproxy::certificates::file_name};
use bellwether_ingress::effective::{Certificates, EffectiveListener, Routing, Service};
use std::fmt::Write as _;

/// Stands for rules without a host.
const ANY_HOST: &str = "*";

/// No request asks for it: a certificate that is listed for this name alone is shown as the default only.
const NO_HOST: &str = "default.invalid";

pub(super) fn hosts_file(listener: &str) -> String {
    format!("{listener}.hosts.map")
}

pub(super) fn exact_file(listener: &str) -> String {
    format!("{listener}.exact.map")
}

pub(super) fn prefix_file(listener: &str) -> String {
    format!("{listener}.prefix.map")
}

pub(super) fn certificates_file(listener: &str) -> String {
    format!("{listener}.crt-list")
}

pub(super) fn of(name: &str, listener: &EffectiveListener<'_>, place: Place<'_>) -> Vec<StagedFile> {
    let Service::Http(routing) = listener.service() else { return Vec::new() };
    let mut files = routes(name, routing);
    if let Some(tls) = routing.tls() {
        files.push(StagedFile::plain(certificates_file(name), certificates(tls, place)));
    }
    files
}

/// A key is a host and a path; that of a prefix ends in `/`, so that the beginning of a key with `/` added is whole
/// elements.
fn routes(name: &str, routing: &Routing<'_>) -> Vec<StagedFile> {
    let (mut hosts, mut exact, mut prefix) = (String::new(), String::new(), String::new());
    for (host, routes) in routing.hosts() {
        let host = host.map_or(ANY_HOST, |host| host.as_str());
        let _ = writeln!(hosts, "{host} {host}");
        for (path, target) in routes.exact() {
            let _ = writeln!(exact, "{host}{path} {}", http_name(target.config, target.backend.name()));
        }
        for (path, target) in routes.prefix() {
            let _ = writeln!(prefix, "{host}{path}/ {}", http_name(target.config, target.backend.name()));
        }
    }
    let files = [(hosts_file(name), hosts), (exact_file(name), exact), (prefix_file(name), prefix)];
    files.map(|(name, text)| StagedFile::plain(name, text)).into()
}

/// The first is the default. Listed with names of ours, a certificate is not shown for the names within it.
fn certificates(tls: &Certificates<'_>, place: Place<'_>) -> String {
    let path = |name| place.folder.join(file_name(name)).display().to_string();
    let mut list = format!("{} {NO_HOST}\n", path(tls.default_certificate()));
    for (host, certificate) in tls.hosts() {
        let _ = writeln!(list, "{} {host}", path(certificate));
    }
    list
}
