//! Asks a program of this machine whether it is ready, for containers that have no `curl`.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

/// How long connecting and each part of the answer may take: longer than `/readyz` waits for what it looks at.
const PATIENCE: Duration = Duration::from_secs(4);

/// The most bytes of an answer that are read.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Asks `/readyz` of the program that listens on `listen`. Ends with 0 when it answers 200; else with 1, and says why
/// on standard error.
#[must_use]
pub fn healthcheck(listen: SocketAddr) -> ExitCode {
    let address = reachable(listen);
    match ask(address) {
        Ok(answer) if is_ok(&answer) => ExitCode::SUCCESS,
        Ok(answer) => {
            eprintln!("error: {address} is not ready: {}", body(&answer));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {address} does not answer: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Who listens on every address is asked by way of loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // In one piece: who closes with a part of it unread resets the connection.
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn is_ok(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200 ")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or(answer, |(_, body)| body).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, thread};

    /// A program that gives everyone the same answer.
    fn answering(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn only_200_is_healthy() {
        let code = |answer| format!("{:?}", healthcheck(answering(answer)));
        let (healthy, unhealthy) = (format!("{:?}", ExitCode::SUCCESS), format!("{:?}", ExitCode::FAILURE));
        assert_eq!(code("HTTP/1.1 200 OK\r\n\r\n{}"), healthy);
        assert_eq!(code("HTTP/1.1 503 Service Unavailable\r\n\r\n{}"), unhealthy);
        assert_eq!(code("SSH-2.0-OpenSSH 200"), unhealthy);
        assert_eq!(code(""), unhealthy);
    }

    #[test]
    fn who_listens_everywhere_is_asked_by_loopback() {
        for (listen, asked) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("10.0.0.5:1", "10.0.0.5:1")]
        {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
