//! `haproxy.cfg`, as far as it is looked at.

/// A backend.
#[derive(Debug, Default)]
pub(crate) struct Backend<'a> {
    pub(crate) name: &'a str,
    /// The path that a server's health is asked by.
    pub(crate) checks: &'a str,
    /// The servers: name and address.
    pub(crate) servers: Vec<(&'a str, &'a str)>,
}

/// The port that it listens on.
pub(crate) fn port(haproxy: &str) -> Option<&str> {
    lines(haproxy).find_map(|line| line.strip_prefix("bind :"))
}

/// Its backends.
pub(crate) fn backends(haproxy: &str) -> Vec<Backend<'_>> {
    let mut backends: Vec<Backend<'_>> = Vec::new();
    for line in lines(haproxy) {
        if let Some(name) = line.strip_prefix("backend ") {
            backends.push(Backend { name, ..Backend::default() });
        }
        let Some(backend) = backends.last_mut() else { continue };
        if let Some(path) = line.strip_prefix("option httpchk GET ") {
            backend.checks = path;
        }
        backend.servers.extend(line.strip_prefix("server ").and_then(|server| server.split_once(' ')));
    }
    backends
}

fn lines(haproxy: &str) -> impl Iterator<Item = &str> {
    haproxy.lines().map(str::trim).filter(|line| !line.starts_with('#'))
}
