//! What all parts of one controller share.

use crate::{
    Settings,
    adoption::StoreWatch,
    guard::BlindGuard,
    pace::Pace,
    pool::Pool,
    registry::{Registry, RegistryError, Replica, TimedRegistry},
    rollouts::Rollouts,
    run::Backends,
    store::{Store, TimedStore},
};
use bellwether_rpc::Connection;
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, SystemTime},
};
use tokio::{sync::watch, time::Instant};
use tokio_util::task::TaskTracker;

/// What all parts of one controller share.
pub(crate) struct Controller {
    pub(crate) settings: Settings,
    pub(crate) connection: Connection,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) pool: Pool,
    pub(crate) pace: Pace,
    pub(crate) rollouts: Rollouts,
    /// Whether this replica may call the silent offline, as the presence task last saw it.
    pub(crate) hearing: watch::Sender<Hearing>,
    /// Whether the last beats that came could be recorded.
    pub(crate) records_beats: AtomicBool,
    /// Why presence could not be read or written when that was last tried; none when it could.
    pub(crate) trouble: watch::Sender<Option<String>>,
    /// Whether the store is behind the fleet.
    pub(crate) store_watch: StoreWatch,
    /// Work that was begun for somebody and is finished before the controller ends.
    pub(crate) tasks: TaskTracker,
}

/// Whether silence proves anything to this replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// Beats do not reach it, or it cannot record them.
    Blind,
    /// It listens, but has to listen longer.
    Listening {
        /// Since when.
        since: Instant,
        /// How much longer.
        remaining: Duration,
    },
    /// It would have heard whoever is there.
    Judging {
        /// Since when it has listened.
        since: Instant,
    },
}

impl Hearing {
    pub(crate) fn of(guard: &BlindGuard, now: Instant) -> Self {
        match (guard.listening_since(), guard.must_listen_for(now)) {
            (Some(since), Some(Duration::ZERO)) => Self::Judging { since },
            (Some(since), Some(remaining)) => Self::Listening { since, remaining },
            _ => Self::Blind,
        }
    }

    fn since(self) -> Option<Instant> {
        match self {
            Self::Blind => None,
            Self::Listening { since, .. } | Self::Judging { since } => Some(since),
        }
    }
}

impl Controller {
    pub(crate) fn new(settings: Settings, backends: Backends) -> Self {
        let Backends { connection, registry, store } = backends;
        let registry: Arc<dyn Registry> = Arc::new(TimedRegistry(registry));
        let store: Arc<dyn Store> = Arc::new(TimedStore(store));
        Self {
            pool: Pool::new(connection.clone()),
            pace: Pace::new(settings.beat_interval, settings.time_to_live, settings.beat_budget),
            rollouts: Rollouts::new(store.clone()),
            hearing: watch::Sender::new(Hearing::Blind),
            records_beats: AtomicBool::new(true),
            trouble: watch::Sender::new(None),
            store_watch: StoreWatch::default(),
            tasks: TaskTracker::new(),
            settings,
            connection,
            registry,
            store,
        }
    }

    /// Tells the other replicas that this one is there, and since when it listens.
    pub(crate) async fn announce(&self) -> Result<(), RegistryError> {
        let since = self.hearing.borrow().since();
        let replica = Replica {
            instance: self.connection.instance(),
            version: self.settings.version.clone(),
            listening_since: since.map(milliseconds_since_1970),
        };
        self.registry.announce(&replica, self.settings.time_to_live).await
    }
}

fn milliseconds_since_1970(moment: Instant) -> u64 {
    let then = SystemTime::now().checked_sub(moment.elapsed()).unwrap_or(SystemTime::UNIX_EPOCH);
    let since = then.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
