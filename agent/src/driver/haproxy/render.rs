//! Writes a merged set in HAProxy's language: purely, and to the same bytes each time.

mod backend;
mod frontend;
mod maps;

use crate::driver::StagedFile;
use bellwether_ingress::{Digest, ListenerAddress, effective::Effective};
use std::{fmt::Write as _, path::Path, time::Duration};

/// The main file of a set.
pub(super) const CONFIG: &str = "haproxy.cfg";

/// The sockets of a proxy, in the agent's folder.
pub(super) const ADMIN_SOCKET: &str = "admin.sock";
pub(super) const PROBE_SOCKET: &str = "probe.sock";

/// Where the state of servers is kept over a reload, in the agent's folder.
pub(super) const SERVERS_STATE: &str = "servers.state";

/// The digits of a digest by which a probe knows its set.
const PROBE_DIGITS: usize = 16;

/// Where the files of a proxy stand. None of it has characters that mean something to HAProxy.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The agent's folder.
    pub(super) root: &'a Path,
    /// The set's folder.
    pub(super) folder: &'a Path,
}

/// What an operator chose for every set.
#[derive(Clone, Copy)]
pub(super) struct Choices {
    /// How long workers of old sets may finish what they have begun.
    pub(super) hard_stop_after: Duration,
}

/// What a probe of this set answers.
pub(super) fn probe_answer(digest: Digest) -> String {
    digest.to_string().chars().take(PROBE_DIGITS).collect()
}

/// The files of a set, but for the certificates that they name.
pub(super) fn render(
    effective: &Effective<'_>,
    digest: Digest,
    place: Place<'_>,
    choices: Choices,
) -> Vec<StagedFile> {
    let mut config = String::new();
    global(&mut config, digest, place, choices);
    let mut files = Vec::new();
    for (address, port, listener) in effective.listeners() {
        let name = listener_name(address, port);
        frontend::write(&mut config, (address, port), listener, place);
        files.extend(maps::of(&name, listener, place));
    }
    for ((document, _), backend) in effective.http_backends() {
        backend::http(&mut config, document, backend);
    }
    for ((document, _), backend) in effective.tcp_backends() {
        backend::tcp(&mut config, document, backend);
    }
    files.insert(0, StagedFile::plain(CONFIG, config));
    files
}

/// Names of files and frontends begin with what no document's name holds.
fn listener_name(address: ListenerAddress, port: u16) -> String {
    format!("_{address}:{port}")
}

fn global(out: &mut String, digest: Digest, place: Place<'_>, choices: Choices) {
    let root = place.root.display();
    let hard_stop_ms = choices.hard_stop_after.as_millis();
    let probe = probe_answer(digest);
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "\
global
    description {digest}
    hard-stop-after {hard_stop_ms}ms
    stats socket {root}/{ADMIN_SOCKET} mode 600 level admin expose-fd listeners
    stats timeout 10s
    server-state-file {root}/{SERVERS_STATE}
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode http
    load-server-state-from-file global
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s
    timeout queue 5s
    timeout tunnel 1h
    timeout check 2s
    retries 2
    option redispatch
frontend _probe
    bind unix@{root}/{PROBE_SOCKET} mode 600
    http-request return status 200 content-type text/plain string {probe}
backend _404
    http-request return status 404 content-type text/plain string no-route
"
    );
}

#[cfg(test)]
mod tests;
