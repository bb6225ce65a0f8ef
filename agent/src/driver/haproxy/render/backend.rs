//! The section of one backend.

use bellwether_ingress::{Backend, BackendName, Balance, ConfigName, Endpoint, HealthCheck, HealthProbe};
use std::{fmt::Write as _, net::IpAddr};

/// No name has `_`, so these two are together as unique as each is alone.
pub(super) fn http_name(document: &ConfigName, backend: &BackendName) -> String {
    format!("{document}_{backend}")
}

/// A backend may serve bytes and requests: these are two sections.
pub(super) fn tcp_name(document: &ConfigName, backend: &BackendName) -> String {
    format!("{document}_{backend}_tcp")
}

pub(super) fn http(out: &mut String, document: &ConfigName, backend: &Backend) {
    let _ = writeln!(out, "backend {}", http_name(document, backend.name()));
    if !backend.is_available() {
        out.push_str("    http-request return status 503 content-type text/plain string no-endpoints\n");
    }
    body(out, backend);
}

pub(super) fn tcp(out: &mut String, document: &ConfigName, backend: &Backend) {
    let _ = writeln!(out, "backend {}\n    mode tcp", tcp_name(document, backend.name()));
    body(out, backend);
}

fn body(out: &mut String, backend: &Backend) {
    let balance = match backend.balance() {
        Balance::RoundRobin => "roundrobin",
        Balance::LeastConn => "leastconn",
    };
    let _ = writeln!(out, "    balance {balance}");
    if let Some(connect) = backend.timeouts().connect() {
        let _ = writeln!(out, "    timeout connect {connect}");
    }
    if let Some(response) = backend.timeouts().response() {
        let _ = writeln!(out, "    timeout server {response}");
    }
    if let Some(check) = backend.health_check() {
        health_check(out, check);
    }
    for endpoint in backend.endpoints() {
        server(out, endpoint, backend.health_check());
    }
}

fn health_check(out: &mut String, check: &HealthCheck) {
    let _ = writeln!(out, "    timeout check {}", check.timeout());
    let HealthProbe::Http { path, host, expect_status } = check.probe() else { return };
    out.push_str("    option httpchk\n");
    // Without a host it is HTTP/1.0, which needs none.
    let version = host.as_ref().map(|host| format!(" ver HTTP/1.1 hdr Host {host}")).unwrap_or_default();
    let _ = writeln!(out, "    http-check send meth GET uri {path}{version}");
    let _ = writeln!(out, "    http-check expect status {expect_status}");
}

/// A server has the name of its place: what is remembered of one place is not believed of another.
fn server(out: &mut String, endpoint: &Endpoint, check: Option<&HealthCheck>) {
    let (ip, port) = (endpoint.address().ip(), endpoint.port());
    let at = match ip {
        IpAddr::V4(ip) => format!("{ip}:{port}"),
        IpAddr::V6(ip) => format!("[{ip}]:{port}"),
    };
    let _ = write!(out, "    server {ip}_{port} {at} weight {}", endpoint.weight());
    if let Some(check) = check {
        let (interval, rise, fall) = (check.interval(), check.rise(), check.fall());
        let _ = write!(out, " check inter {interval} rise {rise} fall {fall}");
    }
    out.push('\n');
}
