//! The service `Controller`: what agents may ask, and which part answers it.

use crate::{
    beats::{CAPACITY, record_beats},
    controller::Controller,
    desired::page,
};
use bellwether_proto::controller::{
    CONFIGS_BYTES, ConfigsPage, Empty, GetConfigs, GetIngressConfigs, Goodbye, OfflineAgent, OnlineAgent,
    address,
};
use bellwether_rpc::{Fault, Limits, Router, Server};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Deliveries that the broker may have outstanding here: mostly beats.
const PREFETCH: u16 = 1_024;

/// The server of the shared queue, and what records its beats until the server ends.
pub(crate) fn server(controller: &Arc<Controller>) -> (Server, impl Future<Output = ()> + Send + use<>) {
    let (beats, intake) = mpsc::channel(CAPACITY);
    let recording = record_beats(controller.clone(), intake);
    let (fetching, leaving) = (controller.clone(), controller.clone());
    let router = Router::new()
        .queued::<OnlineAgent>(beats)
        .on::<GetIngressConfigs, _, _>(move |_, have| get_ingress_configs(fetching.clone(), have))
        .on::<OfflineAgent, _, _>(move |_, goodbye| offline_agent(leaving.clone(), goodbye));
    let limits = Limits { prefetch: PREFETCH, ..Limits::default() };
    (controller.connection.server(address(), router, limits), recording)
}

async fn get_ingress_configs(controller: Arc<Controller>, have: GetConfigs) -> Result<ConfigsPage, Fault> {
    let snapshot =
        controller.store.snapshot().await.map_err(|error| Fault::unavailable(error.to_string()))?;
    if let Some(behind) = controller.store_watch.behind(&snapshot.head) {
        return Err(Fault::unavailable(behind.to_string()));
    }
    Ok(page(&snapshot, &have.labels, &have.have, CONFIGS_BYTES))
}

async fn offline_agent(controller: Arc<Controller>, goodbye: Goodbye) -> Result<Empty, Fault> {
    let Goodbye { name, instance } = goodbye;
    let went = controller.registry.goodbye(&name, instance).await;
    if went.map_err(|error| Fault::unavailable(error.to_string()))? {
        tracing::info!(agent = %name, "offline: it said goodbye");
        controller.pool.remove(&name, instance);
    }
    Ok(Empty {})
}
