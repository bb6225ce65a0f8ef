//! Both sides of a call are spans of one trace in what an OpenTelemetry exporter gets.

use bellwether_rpc::{
    Address, Connection, Context, Deadline, Fault, Limits, Router, service, transport::memory::Memory,
};
use opentelemetry::trace::{SpanId, SpanKind, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

/// Greets.
#[service]
pub trait Greeter {
    /// Says hello.
    async fn greet(&self, cx: &Context, name: String) -> Result<String, Fault>;
}

/// Knows how to greet.
struct Polite;

impl Greeter for Polite {
    async fn greet(&self, _cx: &Context, name: String) -> Result<String, Fault> {
        Ok(format!("Hello, {name}"))
    }
}

/// Leaves it to another server, from within a span of its own if it is told so.
struct Deputy {
    polite: GreeterClient,
    looks_up: bool,
}

impl Greeter for Deputy {
    async fn greet(&self, cx: &Context, name: String) -> Result<String, Fault> {
        let span = if self.looks_up { tracing::info_span!("look up") } else { tracing::Span::none() };
        let greeted = self.polite.greet(&name, cx).instrument(span).await;
        greeted.map_err(|error| Fault::unavailable(error.to_string()))
    }
}

/// A server, until it is told to stop.
struct Serving {
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Serving {
    async fn start(broker: &Memory, address: &str, router: Router) -> Self {
        let connection = Connection::new(broker.connect());
        let server = connection.server(Address::shared(address), router, Limits::default());
        let (mut bound, stop) = (server.bound(), CancellationToken::new());
        let running = tokio::spawn(server.run(stop.clone()));
        bound.wait_for(Option::is_some).await.expect("it binds");
        Self { stop, running }
    }

    /// Waits until its handlers have ended, and so have their spans.
    async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("no panic");
    }
}

fn client(broker: &Memory, address: &str) -> GreeterClient {
    GreeterClient::new(Connection::new(broker.connect()), Address::shared(address))
}

/// What an exporter gets of a call to a server that calls another.
async fn exported(looks_up: bool) -> Vec<SpanData> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("a test"));
    let collecting =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(LevelFilter::DEBUG).with(layer));

    let broker = Memory::new();
    let polite = Serving::start(&broker, "polite", Polite.router()).await;
    let deputy = Deputy { polite: client(&broker, "polite"), looks_up };
    let deputy = Serving::start(&broker, "deputy", deputy.router()).await;
    let (greeter, ada) = (client(&broker, "deputy"), "Ada".to_owned());
    let greeting = greeter.greet(&ada, Deadline::after(Duration::from_secs(30)));
    let greeted = greeting.instrument(tracing::info_span!("a program")).await;
    assert_eq!(greeted.as_deref(), Ok("Hello, Ada"));

    deputy.stop().await;
    polite.stop().await;
    drop(collecting);
    exporter.get_finished_spans().expect("it exports")
}

/// The one span of this name and kind that is a child of `parent`.
fn child<'a>(spans: &'a [SpanData], parent: SpanId, name: &str, kind: SpanKind) -> &'a SpanData {
    let wanted =
        |span: &&SpanData| span.parent_span_id == parent && span.name == name && span.span_kind == kind;
    spans.iter().find(wanted).unwrap_or_else(|| panic!("no {kind:?} {name} below {parent} in {spans:#?}"))
}

fn id(span: &SpanData) -> SpanId {
    span.span_context.span_id()
}

#[tokio::test]
async fn a_handlers_span_is_the_child_of_its_callers_and_so_are_those_of_nested_calls() {
    let spans = exported(false).await;
    let program = child(&spans, SpanId::INVALID, "a program", SpanKind::Internal);
    let calling = child(&spans, id(program), "Greet", SpanKind::Client);
    let handling = child(&spans, id(calling), "Greet", SpanKind::Server);
    let nested = child(&spans, id(handling), "Greet", SpanKind::Client);
    child(&spans, id(nested), "Greet", SpanKind::Server);
    assert!(handling.parent_span_is_remote && !nested.parent_span_is_remote);
    let trace = program.span_context.trace_id();
    assert!(spans.iter().all(|span| span.span_context.trace_id() == trace), "{spans:#?}");
}

#[tokio::test]
async fn a_span_that_a_handler_has_around_its_call_is_the_calls_parent() {
    let spans = exported(true).await;
    let looking_up = spans.iter().find(|span| span.name == "look up").expect("it is exported");
    let nested = child(&spans, id(looking_up), "Greet", SpanKind::Client);
    child(&spans, id(nested), "Greet", SpanKind::Server);
}
