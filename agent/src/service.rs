//! The service `Agent`: what controllers ask of this agent.

use crate::{
    apply::{Applier, NotApplied, Served},
    set::{Change, Content},
    sync::{SyncTrigger, Wanted},
};
use bellwether_proto::{
    AgentName, StoreHead,
    agent::{Agent, AgentClient, Applied, DelConfig, Description, Pong, SetConfig, Stale},
};
use bellwether_rpc::{Context, Deadline, Fault, FaultKind, Instance, PROTOCOL};
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

impl Agent for Service {
    async fn set_ingress_config(&self, cx: &Context, config: SetConfig) -> Result<Applied, Fault> {
        let SetConfig { at, name, config } = config;
        if config.name() != &name {
            return Err(Fault::bad_request(format!(
                "the document is named {}, and not {name}",
                config.name()
            )));
        }
        let change = Change { name, revision: at.revision, content: Content::Document(Arc::new(config)) };
        self.apply(at, change, cx.deadline).await
    }

    async fn del_ingress_config(&self, cx: &Context, config: DelConfig) -> Result<Applied, Fault> {
        let DelConfig { at, name } = config;
        let change = Change { name, revision: at.revision, content: Content::Removed };
        self.apply(at, change, cx.deadline).await
    }

    async fn resync(&self, _cx: &Context, stale: Stale) -> Result<(), Fault> {
        self.sync.request(Wanted { head: stale.head, digest: Some(stale.digest) });
        Ok(())
    }

    async fn ping(&self, _cx: &Context) -> Result<Pong, Fault> {
        Ok(Pong { instance: self.instance })
    }

    async fn describe(&self, _cx: &Context) -> Result<Description, Fault> {
        Ok(Description {
            name: self.name.clone(),
            instance: self.instance,
            version: self.version.clone(),
            protocol: PROTOCOL,
            methods: AgentClient::METHODS.iter().map(|method| (*method).to_owned()).collect(),
        })
    }
}

impl Service {
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
