//! Decides when to beat, and which beats ask for an answer.

use bellwether_rpc::Generation;
use std::time::Duration;
use tokio::time::Instant;

/// Of this many beats, one asks for an answer: the first over a connection, and then every fifth.
const ASKING_EVERY: u64 = 5;

/// The bounds of an assigned interval.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);

/// How long news may wait at most: after a push to the whole fleet, its beats do not all come with its answers.
const NEWS_SPREAD: Duration = Duration::from_millis(200);

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
    news: Option<Instant>,
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

    /// The agent can be reached over another connection, or over none. The first beat over a new one is due at once.
    pub(super) fn connected(&mut self, generation: Option<Generation>, now: Instant) {
        self.connection = generation.map(|generation| Connected {
            generation,
            beats: 0,
            last: None,
            next: now,
            news: None,
        });
    }

    /// What serves is not what was last said: brings a beat forward, by a `jitter` of 0 to 1. Whatever beat is sent
    /// until then has said it; without a connection, the first beat over the next one says it.
    pub(super) fn tell_soon(&mut self, jitter: f64, now: Instant) {
        let wait = NEWS_SPREAD.min(self.interval / 5).mul_f64(jitter.clamp(0.0, 1.0));
        if let Some(connection) = &mut self.connection {
            connection.news.get_or_insert(now + wait);
        }
    }

    /// When the next beat is due; never without a connection.
    pub(super) fn next(&self) -> Option<Instant> {
        let connection = self.connection.as_ref()?;
        Some(connection.news.map_or(connection.next, |news| news.min(connection.next)))
    }

    /// Takes the beat that is due at `now`. Beats that were missed altogether are not made up for.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Kind, Generation)> {
        let connection = self.connection.as_mut()?;
        let has_news = connection.news.take_if(|news| *news <= now).is_some();
        if connection.next > now {
            return has_news.then_some((Kind::OneWay, connection.generation));
        }
        connection.news = None;
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
        schedule.tell_soon(0.0, now);
        assert_eq!((schedule.next(), schedule.take(now)), (None, None));
    }

    #[test]
    fn news_are_told_once_and_soon_and_the_beats_after_stay_where_they_are() {
        let now = Instant::now();
        let mut schedule = schedule(now);
        schedule.take(now);
        schedule.tell_soon(0.5, now);
        schedule.tell_soon(0.0, now);
        assert_eq!(schedule.next(), Some(now + NEWS_SPREAD / 2), "later news go with what waits");
        assert_eq!(schedule.take(now + NEWS_SPREAD), Some((Kind::OneWay, 1)));
        assert_eq!((schedule.next(), schedule.take(now + NEWS_SPREAD)), (Some(now + SECOND), None));
    }

    #[test]
    fn a_beat_on_schedule_tells_the_news_that_wait() {
        let now = Instant::now();
        let mut schedule = schedule(now);
        schedule.take(now);
        schedule.tell_soon(1.0, now + SECOND - NEWS_SPREAD / 2);
        assert_eq!(schedule.take(now + SECOND), Some((Kind::OneWay, 1)));
        assert_eq!(schedule.next(), Some(now + 2 * SECOND));
    }

    #[test]
    fn news_wait_no_longer_than_a_fifth_of_the_interval() {
        let now = Instant::now();
        let mut schedule = schedule(now);
        schedule.take(now);
        schedule.assign(SHORTEST);
        schedule.tell_soon(f64::INFINITY, now);
        assert_eq!(schedule.next(), Some(now + SHORTEST / 5));
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
