//! Fetches a whole set page by page, and checks that it is the one that the controller means.

use crate::set::{ConfigSet, Documents, Held, Relation, WholeSet, digest_of};
use bellwether_ingress::{Digest, Labels};
use bellwether_proto::{
    AgentName, StoreHead, StoreId,
    controller::{ConfigsPage, ControllerClient, GetConfigs},
};
use bellwether_rpc::{CallError, Deadline, Instance};
use std::{sync::Arc, time::Duration};

/// How long one page may take.
const PAGE_DEADLINE: Duration = Duration::from_secs(10);

/// Why a whole set was not fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// A page did not come.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It comes from a store that may not be followed.
    #[error("store {theirs} is not store {ours}, which this agent follows: what serves stays as it is")]
    Foreign {
        /// The store that is followed.
        ours: StoreId,
        /// The store of the pages.
        theirs: StoreId,
    },
    /// The pages do not make up the set that they name.
    #[error("{0}")]
    Inconsistent(&'static str),
}

/// Asks any controller for what this agent should serve.
pub(crate) struct Fetcher {
    pub(crate) client: ControllerClient,
    pub(crate) name: AgentName,
    pub(crate) instance: Instance,
    pub(crate) labels: Labels,
}

impl Fetcher {
    /// The whole set that this agent should serve, and its digest. What is `held` is not sent again, unless it turns
    /// out to be of another store or not to add up.
    pub(crate) async fn whole_set(&self, held: &ConfigSet) -> Result<(WholeSet, Digest), FetchError> {
        match self.pages(held, held.documents().clone()).await {
            Err(FetchError::Inconsistent(reason)) if !held.documents().is_empty() => {
                tracing::debug!(reason, "fetching the whole set anew");
                self.pages(held, Documents::new()).await
            }
            fetched => fetched,
        }
    }

    async fn pages(&self, held: &ConfigSet, have: Documents) -> Result<(WholeSet, Digest), FetchError> {
        let mut pages = Pages::new(held, have);
        loop {
            let request = self.request(&pages.documents);
            let page = self.client.get_ingress_configs(&request, Deadline::after(PAGE_DEADLINE)).await?;
            if let Some(fetched) = pages.add(page)? {
                return Ok(fetched);
            }
        }
    }

    fn request(&self, have: &Documents) -> GetConfigs {
        GetConfigs {
            name: self.name.clone(),
            instance: self.instance,
            labels: self.labels.clone(),
            have: have.iter().map(|(name, held)| (name.clone(), held.revision)).collect(),
        }
    }
}

/// What the pages so far make up.
struct Pages<'a> {
    held: &'a ConfigSet,
    documents: Documents,
    head: Option<StoreHead>,
    /// Whether revisions of the held set were named to the controller.
    named_held: bool,
}

impl<'a> Pages<'a> {
    fn new(held: &'a ConfigSet, have: Documents) -> Self {
        Self { held, named_held: !have.is_empty(), documents: have, head: None }
    }

    /// Adds a page; with the last one the whole set is there.
    fn add(&mut self, page: ConfigsPage) -> Result<Option<(WholeSet, Digest)>, FetchError> {
        let ConfigsPage { head, digest, configs, removed, more } = page;
        self.check_store(&head)?;
        if more && configs.is_empty() && removed.is_empty() {
            return Err(FetchError::Inconsistent("a page that says nothing promises more"));
        }
        for name in removed {
            self.documents.remove(&name);
        }
        for config in configs {
            if config.name != *config.config.name() {
                return Err(FetchError::Inconsistent("a document stands under another name than its own"));
            }
            let held = Held { revision: config.revision, document: Arc::new(config.config) };
            self.documents.insert(config.name, held);
        }
        self.head = Some(head.clone());
        match more {
            true => Ok(None),
            false if digest_of(&self.documents) != digest => Err(FetchError::Inconsistent(
                "the documents do not have the digest that the controller names",
            )),
            false => Ok(Some((WholeSet { head, documents: std::mem::take(&mut self.documents) }, digest))),
        }
    }

    fn check_store(&self, head: &StoreHead) -> Result<(), FetchError> {
        let theirs = head.store_id;
        if self.head.as_ref().is_some_and(|before| before.store_id != theirs) {
            return Err(FetchError::Inconsistent("two pages come from different stores"));
        }
        match self.held.relation(head) {
            Relation::Foreign { ours } => Err(FetchError::Foreign { ours, theirs }),
            // One number can stand for different documents in two stores.
            Relation::Succeeds if self.named_held => {
                Err(FetchError::Inconsistent("the set comes from another store than what is held"))
            }
            Relation::First | Relation::Same | Relation::Succeeds => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
