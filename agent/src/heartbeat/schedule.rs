//! Decides when to beat, and which beats ask for an answer.

use bellwether_rpc::Generation;
use std::time::Duration;
use tokio::time::Instant;

/// Of this many beats, one asks for an answer: the first over a connection, and then every fifth.
const ASKING_EVERY: u64 = 5;

/// The bounds of an assigned interval.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);

/// Whether a beat asks for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    OneWay,
    Asking,
}

impl Kind {
    /// Its name, as metrics have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OneWay => "one_way",
            Self::Asking => "asking",
        }
    }
}

/// When to beat next.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    connection: Option<Connected>,
}

/// The beats over one connection.
#[derive(Debug)]
struct Connected {
    generation: Generation,
    beats: u64,
    last: Option<Instant>,
    next: Instant,
}

impl Schedule {
    /// No connection yet, so no beats.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval: interval.clamp(SHORTEST, LONGEST), connection: None }
    }

    /// How long it is from one beat to the next.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Over which connection the agent can be reached, if it can.
    pub(super) fn generation(&self) -> Option<Generation> {
        self.connection.as_ref().map(|connection| connection.generation)
    }

    /// The agent can be reached over another connection, or over none. The first beat over a new one is due at once.
    pub(super) fn connected(&mut self, generation: Option<Generation>, now: Instant) {
        self.connection =
            generation.map(|generation| Connected { generation, beats: 0, last: None, next: now });
    }

    /// When the next beat is due; never without a connection.
    pub(super) fn next(&self) -> Option<Instant> {
        self.connection.as_ref().map(|connection| connection.next)
    }

    /// Takes the beat that is due at `now`. Beats that were missed altogether are not made up for.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Kind, Generation)> {
        let connection = self.connection.as_mut().filter(|connection| connection.next <= now)?;
        let kind = if connection.beats % ASKING_EVERY == 0 { Kind::Asking } else { Kind::OneWay };
        connection.beats += 1;
        connection.last = Some(connection.next);
        connection.next += self.interval;
        if connection.next <= now {
            connection.last = Some(now);
            connection.next = now + self.interval;
        }
        Some((kind, connection.generation))
    }

    /// Beats this often from the last beat on.
    pub(super) fn assign(&mut self, interval: Duration) {
        self.interval = interval.clamp(SHORTEST, LONGEST);
        if let Some(connection) = &mut self.connection
            && let Some(last) = connection.last
        {
            connection.next = last + self.interval;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule(now: Instant) -> Schedule {
        let mut schedule = Schedule::new(SECOND);
        schedule.connected(Some(1), now);
        schedule
    }

    fn kinds(schedule: &mut Schedule, beats: usize) -> Vec<Kind> {
        (0..beats).filter_map(|_| schedule.take(schedule.next()?)).map(|(kind, _)| kind).collect()
    }

    #[test]
    fn there_is_no_beat_without_a_connection() {
        let now = Instant::now();
        let mut schedule = Schedule::new(SECOND);
        assert_eq!((schedule.next(), schedule.take(now)), (None, None));
        schedule.connected(Some(3), now);
        assert_eq!(schedule.take(now), Some((Kind::Asking, 3)));
        schedule.connected(None, now);
        assert_eq!((schedule.next(), schedule.generation()), (None, None));
    }

    #[test]
    fn the_first_beat_and_every_fifth_ask() {
        use Kind::{Asking, OneWay};
        let now = Instant::now();
        let mut schedule = schedule(now);
        let expected = [Asking, OneWay, OneWay, OneWay, OneWay, Asking, OneWay];
        assert_eq!(kinds(&mut schedule, 7), expected);
        schedule.connected(Some(2), now);
        assert_eq!(kinds(&mut schedule, 2), [Asking, OneWay]);
    }

    #[test]
    fn beats_that_come_late_do_not_shift_those_after() {
        let now = Instant::now();
        let mut schedule = schedule(now);
        schedule.take(now + SECOND / 4);
        assert_eq!(schedule.next(), Some(now + SECOND));
        assert_eq!(schedule.take(now + SECOND / 2), None);
        schedule.take(now + 7 * SECOND);
        assert_eq!(schedule.next(), Some(now + 8 * SECOND), "what was missed is not made up for");
    }

    #[test]
    fn an_assigned_interval_counts_from_the_last_beat_within_bounds() {
        let now = Instant::now();
        let mut schedule = schedule(now);
        schedule.take(now);
        for (assigned, taken) in
            [(5 * SECOND, 5 * SECOND), (Duration::ZERO, SHORTEST), (1_000 * SECOND, LONGEST)]
        {
            schedule.assign(assigned);
            assert_eq!((schedule.interval(), schedule.next()), (taken, Some(now + taken)));
        }
    }
}
