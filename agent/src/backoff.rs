//! How long to leave alone what has failed.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// The pause after so many failures in a row: 1 s, doubling up to 5 min, spread by a `jitter` of 0 to 1 over three
/// quarters to five quarters of that, and never above 5 min.
pub(crate) fn pause(failures: u32, jitter: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let nominal = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    nominal.mul_f64(0.75 + 0.5 * jitter.clamp(0.0, 1.0)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_one_second_to_five_minutes() {
        let seconds: Vec<_> = (1..=11).map(|failures| pause(failures, 0.5).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pause(u32::MAX, 1.0), LONGEST);
    }

    #[test]
    fn jitter_spreads_a_pause_around_its_length() {
        assert_eq!(pause(2, 0.0), Duration::from_millis(1_500));
        assert_eq!(pause(2, 1.0), Duration::from_millis(2_500));
        assert_eq!(pause(2, f64::INFINITY), Duration::from_millis(2_500));
    }
}
