//! Whether a controller can do its work, and what is in its way.

use crate::controller::{Controller, Hearing};
use bellwether_proto::http::{Check, Readiness};
use bellwether_rpc::Link;
use std::{collections::BTreeMap, fmt::Display, future::Future, time::Duration};
use tokio::time::timeout;

/// How long a backend may take to answer before it counts as not there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks at everything the controller needs.
pub(crate) async fn readiness(controller: &Controller) -> Readiness {
    let (registry, store) =
        tokio::join!(answer(controller.registry.epoch()), answer(controller.store.head()));
    let checks = BTreeMap::from([
        ("broker".to_owned(), broker(&controller.connection.link().borrow())),
        ("registry".to_owned(), registry),
        ("store".to_owned(), store),
        ("presence".to_owned(), presence(*controller.hearing.borrow())),
    ]);
    Readiness {
        ready: checks.values().all(|check| check.ok),
        instance: controller.connection.instance(),
        checks,
    }
}

async fn answer<T, E: Display>(asking: impl Future<Output = Result<T, E>>) -> Check {
    match timeout(PATIENCE, asking).await {
        Ok(Ok(_)) => Check { ok: true, detail: "answers".to_owned() },
        Ok(Err(error)) => Check { ok: false, detail: error.to_string() },
        Err(_) => Check { ok: false, detail: format!("no answer within {PATIENCE:?}") },
    }
}

fn broker(link: &Link) -> Check {
    Check { ok: matches!(link, Link::Up { .. }), detail: link.to_string() }
}

/// A replica that must listen a little longer serves everything else: it is ready.
fn presence(hearing: Hearing) -> Check {
    match hearing {
        Hearing::Blind => {
            Check { ok: false, detail: "beats do not reach this replica, or cannot be recorded".into() }
        }
        Hearing::Listening { remaining, .. } => Check {
            ok: true,
            detail: format!("listening; calls nobody offline for another {} ms", remaining.as_millis()),
        },
        Hearing::Judging { .. } => Check { ok: true, detail: "hears the fleet".into() },
    }
}
