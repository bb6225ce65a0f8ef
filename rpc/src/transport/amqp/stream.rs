//! The stream that lapin reads from: TCP or TLS, behind the [`Sieve`].

use super::{settings::AmqpSettings, sieve::Sieve};
use async_rs::{
    Runtime, Tokio,
    traits::{Executor, Reactor, RuntimeKit},
    util::Task,
};
use futures_util::{
    Stream,
    io::{AsyncRead, AsyncWrite},
};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties, uri::AMQPUri};
use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// The most bytes that are read at a time.
const READ_BYTES: usize = 64 * 1024;

/// Connects to a broker.
pub(super) async fn connect(
    uri: AMQPUri,
    properties: ConnectionProperties,
    settings: &AmqpSettings,
) -> lapin::Result<Connection> {
    let tokio = Tokio::current();
    let frame_max = settings.frame_max as usize;
    let sifting = Sifting { tokio: tokio.clone(), frame_max };
    let (tls, limit) = (settings.tls.clone(), settings.connect_timeout);
    let open = async move |uri: AMQPUri, _: Runtime<Sifting>| {
        let runtime = Runtime::new(tokio.clone());
        // lapin waits for it on a thread of its own, which would not end with us.
        let stream = timeout(limit, tls.open(uri, &runtime)).await.map_err(io::Error::from).flatten()?;
        Ok(AsyncTcpStream::Plain(Sifted::new(stream, frame_max)))
    };
    Connection::connector(uri, Runtime::new(sifting), open, properties).await
}

/// What is read has passed the sieve; what is written goes out as it is.
#[derive(Debug)]
pub(super) struct Sifted<S> {
    inner: S,
    sieve: Sieve,
    unsifted: Box<[u8]>,
    sifted: Vec<u8>,
    /// How much of that was read.
    read: usize,
}

impl<S> Sifted<S> {
    fn new(inner: S, frame_max: usize) -> Self {
        let unsifted = vec![0; frame_max.min(READ_BYTES)].into();
        Self { inner, sieve: Sieve::new(frame_max), unsifted, sifted: Vec::new(), read: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Sifted<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        while this.read == this.sifted.len() {
            this.sifted.clear();
            this.read = 0;
            let count = ready!(Pin::new(&mut this.inner).poll_read(cx, &mut this.unsifted))?;
            if count == 0 {
                return Poll::Ready(Ok(0));
            }
            this.sieve.sift(&this.unsifted[..count], &mut this.sifted);
        }
        let unread = &this.sifted[this.read..];
        let count = unread.len().min(buffer.len());
        buffer[..count].copy_from_slice(&unread[..count]);
        this.read += count;
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Sifted<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_close(cx)
    }
}

/// Tokio, whose streams are sifted: lapin takes the type of its stream from its runtime.
#[derive(Clone, Debug)]
struct Sifting {
    tokio: Tokio,
    frame_max: usize,
}

impl RuntimeKit for Sifting {}

impl Executor for Sifting {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        self.tokio.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        future: F,
    ) -> Task<Self::Task<T>> {
        self.tokio.spawn(future)
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        work: F,
    ) -> Task<Self::Task<T>> {
        self.tokio.spawn_blocking(work)
    }
}

impl Reactor for Sifting {
    type TcpStream = Sifted<AsyncTcpStream<<Tokio as Reactor>::TcpStream>>;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let (connecting, frame_max) = (self.tokio.tcp_connect_addr(address), self.frame_max);
        async move { Ok(Sifted::new(AsyncTcpStream::Plain(connecting.await?), frame_max)) }
    }
}
