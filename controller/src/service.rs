//! The service `Controller`: what agents may ask, and which part answers it.

use crate::{
    beats::{CAPACITY, record_beats},
    controller::Controller,
    desired::page,
};
use bellwether_proto::controller::{
    self, CONFIGS_BYTES, ConfigsPage, Controller as Service, GetConfigs, Goodbye, OnlineAgent,
};
use bellwether_rpc::{Call, Context, Fault, Limits, Server};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Deliveries that the broker may have outstanding here: mostly beats.
const PREFETCH: u16 = 1_024;

/// The server of the shared queue, and what records its beats until the server ends.
pub(crate) fn server(controller: &Arc<Controller>) -> (Server, impl Future<Output = ()> + Send + use<>) {
    let (beats, intake) = mpsc::channel(CAPACITY);
    let recording = record_beats(controller.clone(), intake);
    let router = Desk { controller: controller.clone(), beats }.router();
    let limits = Limits { prefetch: PREFETCH, ..Limits::default() };
    (controller.connection.server(controller::address(), router, limits), recording)
}

/// Where agents are heard.
struct Desk {
    controller: Arc<Controller>,
    beats: mpsc::Sender<Call<OnlineAgent>>,
}

impl Service for Desk {
    fn online_agent(&self, beat: Call<OnlineAgent>) {
        beat.hand_to(&self.beats);
    }

    async fn offline_agent(&self, _cx: &Context, goodbye: Goodbye) -> Result<(), Fault> {
        let Goodbye { name, instance } = goodbye;
        let went = self.controller.registry.goodbye(&name, instance).await;
        if went.map_err(|error| Fault::unavailable(error.to_string()))? {
            tracing::info!(agent = %name, "offline: it said goodbye");
            self.controller.pool.remove(&name, instance);
        }
        Ok(())
    }

    async fn get_ingress_configs(&self, _cx: &Context, have: GetConfigs) -> Result<ConfigsPage, Fault> {
        let Controller { store, store_watch, .. } = &*self.controller;
        let snapshot = store.snapshot().await.map_err(|error| Fault::unavailable(error.to_string()))?;
        if let Some(behind) = store_watch.behind(&snapshot.head) {
            return Err(Fault::unavailable(behind.to_string()));
        }
        Ok(page(&snapshot, &have.labels, &have.have, CONFIGS_BYTES))
    }
}
