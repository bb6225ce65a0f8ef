//! A server that takes a request and hangs up without an answer, as a controller that dies does.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

/// Answers one request after the other, each on a connection of its own; `None` hangs up.
pub(crate) struct Dropping {
    listener: TcpListener,
    url: String,
}

/// What was asked.
pub(crate) struct Answered {
    /// The first lines of the requests.
    pub(crate) lines: Vec<String>,
    _listener: TcpListener,
}

impl Dropping {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, url }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Answers as often as there are answers; after that it takes connections and is silent.
    pub(crate) fn answer(self, answers: Vec<Option<String>>) -> JoinHandle<Answered> {
        thread::spawn(move || {
            let lines = answers.into_iter().map(|body| exchange(&self.listener, body)).collect();
            Answered { lines, _listener: self.listener }
        })
    }
}

fn exchange(listener: &TcpListener, body: Option<String>) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let line = read(&stream);
    if let Some(body) = body {
        let head =
            format!("HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    }
    line
}

/// Reads a whole request; returns its first line.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let head: Vec<String> =
        reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    head.into_iter().next().unwrap()
}
