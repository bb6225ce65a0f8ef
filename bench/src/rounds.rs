//! Product and baseline in turn, round by round: what is compared was measured under the same weather.

use std::time::Duration;

/// One figure of every round, of the product and of the baseline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds {
    pairs: Vec<(f64, f64)>,
}

/// The middle of a figure, and how far it strayed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Rounds {
    pub(crate) const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    pub(crate) fn add(&mut self, product: f64, baseline: f64) {
        self.pairs.push((product, baseline));
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    pub(crate) fn product(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(product, _)| *product))
    }

    pub(crate) fn baseline(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(_, baseline)| *baseline))
    }

    pub(crate) fn ratio(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(product, baseline)| product / baseline))
    }
}

impl Spread {
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        Self { median: (at(last / 2) + at(sorted.len() / 2)) / 2.0, min: at(0), max: at(last) }
    }
}

/// The time below which this share of calls stayed, in milliseconds.
pub(crate) fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let index = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len().max(1)) - 1;
    times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_own_ratios() {
        let mut rounds = Rounds::default();
        for (product, baseline) in [(1.0, 2.0), (30.0, 10.0), (9.0, 10.0)] {
            rounds.add(product, baseline);
        }
        let ratio = rounds.ratio();
        assert_eq!((ratio.median, ratio.min, ratio.max), (0.9, 0.5, 3.0));
    }

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let mut times: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 0.5), 50.0);
        assert_eq!(percentile(&mut times, 0.99), 99.0);
        assert_eq!(percentile(&mut times[..1], 0.99), 1.0);
    }
}
