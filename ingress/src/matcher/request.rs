//! A request as a proxy reads it: its host and path, or why it is refused.

/// The parts of a request that decide where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The HTTP version.
    pub version: Version,
    /// The values of every Host header, or the one `:authority`.
    pub hosts: &'a [&'a str],
    /// The request target as sent.
    pub target: &'a str,
}

/// The HTTP version, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0, which may leave Host out.
    Http10,
    /// HTTP/1.1 and later.
    Http11,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadRequest {
    /// HTTP/1.1 without Host.
    NoHost,
    /// Two Hosts that differ, or one that differs from an absolute target.
    DifferentHosts,
    /// A Host that is empty, or neither a name nor a bracketed address.
    InvalidHost,
    /// A target that is neither a path nor an absolute URL.
    InvalidTarget,
    /// `%2f`, `%5c`, `%00` or a `%` without two hex digits.
    InvalidEscape,
    /// A `.` or `..` segment, plain or encoded.
    DotSegment,
}

/// What the rules are compared with.
pub(super) struct Parsed {
    /// Lower-case, without port and trailing dot; none only in HTTP/1.0.
    pub(super) host: Option<String>,
    /// Decoded, never empty.
    pub(super) path: Vec<u8>,
}

impl Request<'_> {
    pub(super) fn parse(&self) -> Result<Parsed, BadRequest> {
        let (authority, path) = split_target(self.target)?;
        let host = self.host()?;
        if let Some(authority) = authority {
            let authority = normal_host(authority).ok_or(BadRequest::InvalidHost)?;
            if host.as_ref().is_some_and(|host| *host != authority) {
                return Err(BadRequest::DifferentHosts);
            }
            return Ok(Parsed { host: Some(authority), path: decode_path(path)? });
        }
        Ok(Parsed { host, path: decode_path(path)? })
    }

    fn host(&self) -> Result<Option<String>, BadRequest> {
        let Some((first, rest)) = self.hosts.split_first() else {
            return match self.version {
                Version::Http10 => Ok(None),
                Version::Http11 => Err(BadRequest::NoHost),
            };
        };
        if rest.iter().any(|other| !other.eq_ignore_ascii_case(first)) {
            return Err(BadRequest::DifferentHosts);
        }
        normal_host(first).map(Some).ok_or(BadRequest::InvalidHost)
    }
}

/// The authority of an absolute target, and the path without query.
fn split_target(target: &str) -> Result<(Option<&str>, &str), BadRequest> {
    let (authority, rest) = match strip_scheme(target) {
        None => (None, target),
        Some(after) => {
            let end = after.find(['/', '?', '#']).unwrap_or(after.len());
            let (authority, rest) = after.split_at(end);
            (Some(authority), rest)
        }
    };
    match rest.split('?').next() {
        None | Some("") => Ok((authority, "/")),
        Some(path) if path.starts_with('/') => Ok((authority, path)),
        Some(_) => Err(BadRequest::InvalidTarget),
    }
}

fn strip_scheme(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")).then_some(rest)
}

/// A host without port and one trailing dot, lower-cased, if it is a name or a bracketed address.
pub(super) fn normal_host(host: &str) -> Option<String> {
    let (name, port) = split_port(host)?;
    let digits = port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some(address) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        let plain = address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.');
        return (digits && plain && !address.is_empty()).then(|| name.to_ascii_lowercase());
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    (digits && name.split('.').all(is_host_label)).then(|| name.to_ascii_lowercase())
}

/// The host and what stands after its colon, if there is one.
fn split_port(host: &str) -> Option<(&str, Option<&str>)> {
    if host.starts_with('[') {
        let end = host.find(']')?;
        let (address, rest) = host.split_at(end + 1);
        return if rest.is_empty() {
            Some((address, None))
        } else {
            Some((address, Some(rest.strip_prefix(':')?)))
        };
    }
    Some(host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))))
}

/// Requests may use underscores and capitals, which rules may not.
fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn decode_path(path: &str) -> Result<Vec<u8>, BadRequest> {
    let decoded = decode(path)?;
    if decoded.split(|byte| *byte == b'/').any(|segment| matches!(segment, b"." | b"..")) {
        return Err(BadRequest::DotSegment);
    }
    Ok(decoded)
}

fn decode(path: &str) -> Result<Vec<u8>, BadRequest> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        match (hex_value(bytes.next()), hex_value(bytes.next())) {
            (Some(high), Some(low)) => match high << 4 | low {
                b'/' | b'\\' | 0 => return Err(BadRequest::InvalidEscape),
                byte => decoded.push(byte),
            },
            _ => return Err(BadRequest::InvalidEscape),
        }
    }
    Ok(decoded)
}

fn hex_value(digit: Option<u8>) -> Option<u8> {
    let value = char::from(digit?).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(hosts: &[&str], target: &str) -> Result<(Option<String>, String), BadRequest> {
        let parsed = Request { version: Version::Http11, hosts, target }.parse()?;
        Ok((parsed.host, String::from_utf8_lossy(&parsed.path).into_owned()))
    }

    fn host_of(host: &str) -> Option<String> {
        parse(&[host], "/").ok().and_then(|(host, _)| host)
    }

    #[test]
    fn a_host_loses_its_port_one_dot_and_its_capitals() {
        for (sent, read) in [
            ("Shop.Example.com.", "shop.example.com"),
            ("a:80", "a"),
            ("a.:80", "a"),
            ("a:", "a"),
            ("[::1]:80", "[::1]"),
            ("[2001:DB8::1]", "[2001:db8::1]"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(host_of(sent).as_deref(), Some(read), "{sent}");
        }
    }

    #[test]
    fn a_host_that_is_no_name_is_refused() {
        for bad in [
            "", ".", "a..", "a..b", ".a", "a b", "a/b", "a:80:81", "a:x", "[::1", "[]", "::1", "a@b", "*.a",
            "é",
        ] {
            assert_eq!(parse(&[bad], "/"), Err(BadRequest::InvalidHost), "{bad:?}");
        }
    }

    #[test]
    fn two_hosts_must_be_the_same() {
        assert!(parse(&["a", "A"], "/").is_ok());
        assert_eq!(parse(&["a", "b"], "/"), Err(BadRequest::DifferentHosts));
        assert_eq!(parse(&["a"], "http://b/"), Err(BadRequest::DifferentHosts));
        assert_eq!(parse(&[], "/"), Err(BadRequest::NoHost));
    }

    #[test]
    fn a_path_is_decoded_once_and_without_its_query() {
        for (sent, read) in [
            ("/%61%2520b?%2f", "/a%20b"),
            ("http://a", "/"),
            ("http://a?x", "/"),
            ("/a;v=1", "/a;v=1"),
            ("/...", "/..."),
            ("/a//b", "/a//b"),
        ] {
            assert_eq!(parse(&["a"], sent).map(|(_, path)| path).as_deref(), Ok(read), "{sent}");
        }
    }

    #[test]
    fn what_proxies_read_differently_is_refused() {
        for (sent, why) in [
            ("/a%2Fb", BadRequest::InvalidEscape),
            ("/a%5cb", BadRequest::InvalidEscape),
            ("/%00", BadRequest::InvalidEscape),
            ("/%", BadRequest::InvalidEscape),
            ("/%4", BadRequest::InvalidEscape),
            ("/%zz", BadRequest::InvalidEscape),
            ("/a/../b", BadRequest::DotSegment),
            ("/a/%2e%2E", BadRequest::DotSegment),
            ("/.", BadRequest::DotSegment),
            ("*", BadRequest::InvalidTarget),
            ("a:80", BadRequest::InvalidTarget),
        ] {
            assert_eq!(parse(&["a"], sent), Err(why), "{sent}");
        }
    }
}
