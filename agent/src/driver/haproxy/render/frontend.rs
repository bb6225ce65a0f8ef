//! The section of one listener: which requests are refused, and how the others find their backend.

use super::{
    Place,
    backend::{http_name, tcp_name},
    listener_name,
    maps::{certificates_file, exact_file, hosts_file, prefix_file},
};
use bellwether_ingress::{
    ListenerAddress,
    effective::{EffectiveListener, Routing, Service},
};
use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
};

/// 400 for what proxies and servers read differently; then the host and the path that rules are compared with.
const READ_REQUEST: &str = r#"    option idle-close-on-response
    http-request deny deny_status 400 if METH_CONNECT
    http-request deny deny_status 400 if { req.fhdr_cnt(host) gt 1 }
    http-request deny deny_status 400 if { req.ver 1.1 } !{ req.fhdr(host) -m found }
    http-request deny deny_status 400 if { req.fhdr(host) -m found } !{ req.fhdr(host) -m reg '^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?)(:[0-9]*)?$' }
    http-request deny deny_status 400 if { path -m reg -i '%(2f|5c|00)' } || { path -m reg '%([^0-9A-Fa-f]|.[^0-9A-Fa-f]|.?$)' }
    http-request deny deny_status 400 if { path -m found } !{ path -m len 0 } !{ path -m beg / }
    http-request set-var(txn.path) path,url_dec
    http-request set-var(txn.path) str(/) if !{ path -m found } || { path -m len 0 }
    http-request deny deny_status 400 if { var(txn.path) -m reg '(^|/)\.\.?(/|$)' }
    http-request set-var(txn.host) 'req.fhdr(host),host_only,lower,regsub("\.$","")'
"#;

pub(super) fn write(
    out: &mut String,
    (address, port): (ListenerAddress, u16),
    listener: &EffectiveListener<'_>,
    place: Place<'_>,
) {
    let name = listener_name(address, port);
    let bind = bind(address.ip(), port);
    let _ = writeln!(out, "frontend {name}");
    match listener.service() {
        Service::Tcp(target) => {
            let backend = tcp_name(target.config, target.backend.name());
            let _ = writeln!(out, "    mode tcp\n    bind {bind}\n    default_backend {backend}");
        }
        Service::Http(routing) => {
            let file = |name: String| place.folder.join(name).display().to_string();
            let tls = match routing.tls() {
                Some(_) => format!(" ssl crt-list {} alpn h2,http/1.1", file(certificates_file(&name))),
                None => String::new(),
            };
            let _ = writeln!(out, "    bind {bind}{tls}");
            out.push_str(READ_REQUEST);
            route(out, routing, [hosts_file, exact_file, prefix_file].map(|of| file(of(&name))));
        }
    }
}

/// An address as `bind` reads it.
fn bind(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip, port)
}

/// The host first, and no falling through: exact, a wildcard of one label, rules without one. Then the path.
fn route(out: &mut String, routing: &Routing<'_>, [hosts, exact, prefix]: [String; 3]) {
    let fallback = routing.fallback();
    let fallback = fallback.map_or_else(|| "_404".to_owned(), |it| http_name(it.config, it.backend.name()));
    let _ = write!(
        out,
        r#"    http-request set-var(txn.hk) var(txn.host),map_str({hosts})
    http-request set-var(txn.hk) 'var(txn.host),regsub("^[^.]+[.]","*."),map_str({hosts})' if !{{ var(txn.hk) -m found }}
    http-request set-var(txn.hk) str(*) if !{{ var(txn.hk) -m found }}
    http-request set-var(txn.key) var(txn.hk),concat(,txn.path)
    http-request set-var(txn.be) var(txn.key),map_str({exact})
    http-request set-var(txn.be) var(txn.key),concat(/),map_beg({prefix}) if !{{ var(txn.be) -m found }}
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    use_backend %[var(txn.be)] if {{ var(txn.be) -m found }}
    default_backend {fallback}
"#
    );
}
