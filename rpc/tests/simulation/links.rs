//! A link with many watchers, who hear of its changes in the order in which they came.
//!
//! Those who wait on one watch channel are woken in an order that tokio draws by lot, and no seed is asked: so each
//! has a channel of its own.

use bellwether_rpc::Link;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

pub(crate) struct Links {
    link: watch::Receiver<Link>,
    watchers: Watchers,
}

type Watchers = Arc<Mutex<Vec<watch::Sender<Link>>>>;

impl Links {
    pub(crate) fn follow(link: watch::Receiver<Link>) -> Self {
        let watchers = Watchers::default();
        let (mut following, told) = (link.clone(), watchers.clone());
        tokio::spawn(async move {
            while following.changed().await.is_ok() {
                tell(&told, &following.borrow_and_update());
            }
        });
        Self { link, watchers }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Link> {
        let (sender, watcher) = watch::channel(self.link.borrow().clone());
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        watcher
    }
}

fn tell(watchers: &Watchers, link: &Link) {
    let mut watchers = watchers.lock().unwrap_or_else(PoisonError::into_inner);
    watchers.retain(|watcher| !watcher.is_closed());
    for watcher in watchers.iter() {
        watcher.send_if_modified(|known| {
            let news = known != link;
            known.clone_from(link);
            news
        });
    }
}
