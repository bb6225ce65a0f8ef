//! The service `Agent`: what controllers ask of this agent.

use crate::{
    apply::{Applier, NotApplied, Served},
    set::{Change, Content},
    sync::{SyncTrigger, Wanted},
};
use bellwether_proto::{
    AgentName, StoreHead,
    agent::{
        Applied, DelConfig, DelIngressConfig, Describe, Description, Ping, Pong, Resync, SetConfig,
        SetIngressConfig, Stale,
    },
    controller::Empty,
};
use bellwether_rpc::{Context, Deadline, Fault, FaultKind, Instance, Method, PROTOCOL, Router};
use std::sync::Arc;
use tokio::{sync::watch, time::timeout_at};
use tokio_util::sync::CancellationToken;

/// What the handlers share.
pub(crate) struct Service {
    pub(crate) name: AgentName,
    pub(crate) version: String,
    pub(crate) instance: Instance,
    pub(crate) applier: Applier,
    pub(crate) served: watch::Receiver<Served>,
    pub(crate) sync: SyncTrigger,
    /// When the agent stops, nothing more is fetched.
    pub(crate) shutdown: CancellationToken,
}

impl Service {
    /// The methods of the service, answered by this.
    pub(crate) fn router(self) -> Router {
        let service = Arc::new(self);
        let (set, del, resync, ping, describe) =
            (service.clone(), service.clone(), service.clone(), service.clone(), service);
        Router::new()
            .on::<SetIngressConfig, _, _>(move |cx, request| set.clone().set_config(cx, request))
            .on::<DelIngressConfig, _, _>(move |cx, request| del.clone().del_config(cx, request))
            .on::<Resync, _, _>(move |_cx, stale| resync.clone().resync(stale))
            .on::<Ping, _, _>(move |_cx, Empty {}| ping.clone().ping())
            .on::<Describe, _, _>(move |_cx, Empty {}| describe.clone().describe())
    }

    async fn set_config(self: Arc<Self>, cx: Context, request: SetConfig) -> Result<Applied, Fault> {
        let SetConfig { at, name, config } = request;
        if config.name() != &name {
            return Err(Fault::bad_request(format!(
                "the document is named {}, and not {name}",
                config.name()
            )));
        }
        let change = Change { name, revision: at.revision, content: Content::Document(Arc::new(config)) };
        self.apply(at, change, cx.deadline).await
    }

    async fn del_config(self: Arc<Self>, cx: Context, request: DelConfig) -> Result<Applied, Fault> {
        let DelConfig { at, name } = request;
        let change = Change { name, revision: at.revision, content: Content::Removed };
        self.apply(at, change, cx.deadline).await
    }

    async fn resync(self: Arc<Self>, stale: Stale) -> Result<Empty, Fault> {
        self.sync.request(Wanted { head: stale.head, digest: Some(stale.digest) });
        Ok(Empty {})
    }

    async fn ping(self: Arc<Self>) -> Result<Pong, Fault> {
        Ok(Pong { instance: self.instance })
    }

    async fn describe(self: Arc<Self>) -> Result<Description, Fault> {
        Ok(Description {
            name: self.name.clone(),
            instance: self.instance,
            version: self.version.clone(),
            protocol: PROTOCOL,
            methods: methods(),
        })
    }

    /// Has a change applied, and waits for that up to the caller's deadline.
    async fn apply(&self, at: StoreHead, change: Change, deadline: Deadline) -> Result<Applied, Fault> {
        let revision = change.revision;
        match timeout_at(deadline.instant(), self.apply_in_time(at, change)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let message = format!("revision {revision} does not serve yet; it is still being applied");
                Err(Fault::new(FaultKind::DeadlineExceeded, message))
            }
        }
    }

    /// Has a change applied. One of a store whose whole set is not known yet waits until it is.
    async fn apply_in_time(&self, at: StoreHead, change: Change) -> Result<Applied, Fault> {
        let mut served = self.served.clone();
        loop {
            served.mark_unchanged();
            match self.applier.change(at.clone(), change.clone()).await {
                Ok(known) => return Ok(Applied { revision: known.revision, digest: known.digest }),
                Err(NotApplied::SyncFirst) => self.sync.request(Wanted { head: at.clone(), digest: None }),
                Err(outcome) => return Err(outcome.into()),
            }
            tokio::select! {
                changed = served.changed() => changed.map_err(|_| Fault::from(NotApplied::Stopping))?,
                () = self.shutdown.cancelled() => return Err(NotApplied::Stopping.into()),
            }
        }
    }
}

/// The names of the methods, sorted.
fn methods() -> Vec<String> {
    let mut names =
        [SetIngressConfig::NAME, DelIngressConfig::NAME, Resync::NAME, Ping::NAME, Describe::NAME]
            .map(str::to_owned);
    names.sort_unstable();
    names.to_vec()
}
