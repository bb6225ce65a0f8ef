//! A store whose every operation is timed.

use super::{Snapshot, Store, StoreError, StoredConfig, Succession};
use crate::timing::Timing;
use async_trait::async_trait;
use bellwether_ingress::{ConfigName, IngressConfig, Revision};
use bellwether_proto::{RolloutId, StoreHead, http::RolloutView};
use std::sync::Arc;

const TIMING: Timing = Timing {
    duration: "bellwether_controller_store_duration_seconds",
    errors: "bellwether_controller_store_errors_total",
};

/// A store whose every operation is timed.
pub(crate) struct TimedStore(pub(crate) Arc<dyn Store>);

async fn timed<T>(
    operation: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    TIMING.of(operation, work, is_failure).await
}

/// A clash and a name that is not there are answers.
fn is_failure(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_) | StoreError::Corrupt(_))
}

#[async_trait]
impl Store for TimedStore {
    async fn head(&self) -> Result<StoreHead, StoreError> {
        timed("head", self.0.head()).await
    }

    async fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        timed("snapshot", self.0.snapshot()).await
    }

    async fn put(
        &self,
        config: IngressConfig,
        author: &str,
        now: &str,
    ) -> Result<Arc<StoredConfig>, StoreError> {
        timed("put", self.0.put(config, author, now)).await
    }

    async fn delete(&self, name: &ConfigName) -> Result<(Arc<StoredConfig>, Revision), StoreError> {
        timed("delete", self.0.delete(name)).await
    }

    async fn adopt(&self, succession: &Succession) -> Result<StoreHead, StoreError> {
        timed("adopt", self.0.adopt(succession)).await
    }

    async fn save_rollout(&self, rollout: &RolloutView) -> Result<(), StoreError> {
        timed("save_rollout", self.0.save_rollout(rollout)).await
    }

    async fn rollout(&self, id: RolloutId) -> Result<RolloutView, StoreError> {
        timed("rollout", self.0.rollout(id)).await
    }

    async fn rollouts(&self, limit: usize) -> Result<Vec<RolloutView>, StoreError> {
        timed("rollouts", self.0.rollouts(limit)).await
    }
}
