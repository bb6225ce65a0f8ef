//! Whether a controller can do its work, and what is in its way.

use crate::{
    behind::Behind,
    controller::{Controller, Hearing},
};
use bellwether_proto::http::{Check, Readiness};
use bellwether_rpc::Link;
use std::{collections::BTreeMap, fmt::Display, future::Future, time::Duration};
use tokio::time::timeout;

/// How long a backend may take to answer before it counts as not there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks at everything the controller needs.
pub(crate) async fn readiness(controller: &Controller) -> Readiness {
    let (registry, head) = tokio::join!(answer(controller.registry.epoch()), answer(controller.store.head()));
    let behind = head.as_ref().ok().and_then(|head| controller.store_watch.behind(head));
    let checks = BTreeMap::from([
        ("broker".to_owned(), broker(&controller.connection.link().borrow())),
        ("registry".to_owned(), answers(registry)),
        ("store".to_owned(), answers(head)),
        ("process".to_owned(), process(controller.tasks.is_closed())),
        ("fleet".to_owned(), fleet(behind.as_deref())),
        (
            "presence".to_owned(),
            presence(*controller.hearing.borrow(), controller.trouble.borrow().as_deref()),
        ),
    ]);
    Readiness {
        ready: checks.values().all(|check| check.ok),
        instance: controller.connection.instance(),
        checks,
    }
}

/// What it answered, or how it did not.
async fn answer<T, E: Display>(asking: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match timeout(PATIENCE, asking).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}

fn answers<T>(answer: Result<T, String>) -> Check {
    match answer {
        Ok(_) => Check { ok: true, detail: "answers".to_owned() },
        Err(detail) => Check { ok: false, detail },
    }
}

/// A store that is behind the fleet may not be served from.
fn fleet(behind: Option<&Behind>) -> Check {
    match behind {
        None => Check { ok: true, detail: "follows the store".to_owned() },
        Some(behind) => Check { ok: false, detail: behind.to_string() },
    }
}

/// Once shutdown has begun, no more requests should be sent here.
fn process(stopping: bool) -> Check {
    Check { ok: !stopping, detail: if stopping { "shutting down" } else { "runs" }.to_owned() }
}

fn broker(link: &Link) -> Check {
    Check { ok: matches!(link, Link::Up { .. }), detail: link.to_string() }
}

/// A replica that must listen a little longer serves everything else: it is ready.
fn presence(hearing: Hearing, trouble: Option<&str>) -> Check {
    match hearing {
        Hearing::Blind => {
            let why = trouble.map(|trouble| format!(": {trouble}")).unwrap_or_default();
            let detail = format!("beats do not reach this replica, or cannot be recorded{why}");
            Check { ok: false, detail }
        }
        Hearing::Listening { remaining, .. } => Check {
            ok: true,
            detail: format!("listening; calls nobody offline for another {} ms", remaining.as_millis()),
        },
        Hearing::Judging { .. } => Check { ok: true, detail: "hears the fleet".into() },
    }
}
