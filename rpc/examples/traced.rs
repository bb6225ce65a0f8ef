//! Both sides of a call as spans of one OpenTelemetry trace, written to standard output as they would go to a collector.
//!
//!     cargo run -p bellwether-rpc --features opentelemetry --example traced

use bellwether_rpc::{
    Address, Connection, Context, Deadline, Fault, Limits, service, transport::memory::Memory,
};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::{error::Error, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// Cooks.
#[service]
pub trait Kitchen {
    /// Makes a dish.
    async fn cook(&self, cx: &Context, dish: String) -> Result<String, Fault>;
}

struct Chef;

impl Kitchen for Chef {
    async fn cook(&self, _cx: &Context, dish: String) -> Result<String, Fault> {
        Ok(format!("{dish}, hot"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // With an exporter of the crate opentelemetry-otlp instead, they go to a collector.
    let exporter = opentelemetry_stdout::SpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
    tracing_subscriber::registry()
        .with(EnvFilter::new("info,bellwether_rpc=debug"))
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("restaurant")))
        .init();

    let (broker, shutdown) = (Memory::new(), CancellationToken::new());
    let address = Address::shared("kitchen");
    let server = Connection::new(broker.connect()).server(address.clone(), Chef.router(), Limits::default());
    let mut bound = server.bound();
    let serving = tokio::spawn(server.run(shutdown.clone()));
    bound.wait_for(Option::is_some).await?;

    // Its trace has three spans: the order, the call, and the handling of it, wherever that runs.
    let kitchen = KitchenClient::new(Connection::new(broker.connect()), address);
    let soup = "soup".to_owned();
    let cooking = kitchen.cook(&soup, Deadline::after(Duration::from_secs(5)));
    println!("{}", cooking.instrument(tracing::info_span!("order")).await?);

    shutdown.cancel();
    serving.await?;
    Ok(provider.shutdown()?)
}
