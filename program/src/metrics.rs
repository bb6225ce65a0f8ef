//! Keeps what the program measures, and shows it in Prometheus' text format.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::{fmt, time::Duration};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

/// From a quick round trip to the longest push, in seconds.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Numbers of things.
const SIZES: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// How often samples are gathered while nobody asks for them: until then they take memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// The content type of what [`Metrics::render`] gives.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What this process has measured.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Begins to keep what this process measures: once in a process, in its `main`, within a tokio runtime. The task
    /// that is returned bounds the memory for it until it is dropped.
    ///
    /// # Errors
    /// When something else keeps it already.
    pub fn install(version: &'static str) -> Result<(Self, AbortOnDropHandle<()>), BuildError> {
        let handle = builder()?.install_recorder()?;
        metrics::describe_gauge!(BUILD_INFO, "Always 1; its label says which version runs");
        metrics::gauge!(BUILD_INFO, "version" => version).set(1);
        let kept = handle.clone();
        let upkeep = tokio::spawn(async move {
            let mut tick = interval(UPKEEP);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                kept.run_upkeep();
            }
        });
        Ok((Self(handle), AbortOnDropHandle::new(upkeep)))
    }

    /// All of it as it stands, in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// What every program shows.
const BUILD_INFO: &str = "bellwether_build_info";

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), SIZES)
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_have_buckets() {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("a_seconds").record(0.2);
            metrics::histogram!("b_size").record(3.0);
        });
        let text = recorder.handle().render();
        assert!(text.contains("a_seconds_bucket{le=\"0.25\"} 1"), "{text}");
        assert!(text.contains("b_size_bucket{le=\"5\"} 1"), "{text}");
    }
}
