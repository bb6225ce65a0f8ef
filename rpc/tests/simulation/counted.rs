//! Counts what the framework counts: the answers that nobody waited for.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What one run has counted.
#[derive(Clone, Default)]
pub(crate) struct Counted {
    answers_dropped: Arc<AtomicU64>,
}

impl Counted {
    pub(crate) fn answers_dropped(&self) -> u64 {
        self.answers_dropped.load(Ordering::Relaxed)
    }
}

impl Recorder for Counted {
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match key.name() {
            "bellwether_rpc_answers_dropped_total" => Counter::from_arc(self.answers_dropped.clone()),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }

    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
}
