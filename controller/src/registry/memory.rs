//! The registry within one process, with the same promises as the shared one: for `dev`, simulations and tests.

use super::{
    AgentEntry, AgentRecord, Event, Forgetting, Presence, Recorded, Registry, RegistryError, Replica,
    event_id::EventId,
};
use super::{CLOCKS_DIFFER, EVENTS_KEPT, GONE_FOR};
use async_trait::async_trait;
use bellwether_proto::AgentName;
use bellwether_rpc::Instance;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// A registry that all controllers of one process share. Time is tokio's, so tests can pause it.
pub struct MemoryRegistry {
    started: Instant,
    started_ms: u64,
    epoch: Instance,
    state: Mutex<State>,
}

/// Instants are milliseconds since 1970.
#[derive(Default)]
struct State {
    agents: BTreeMap<AgentName, Agent>,
    gone_until: HashMap<Instance, u64>,
    replicas: BTreeMap<Instance, (Replica, u64)>,
    events: VecDeque<(EventId, Event)>,
    last_event: EventId,
}

struct Agent {
    record: AgentRecord,
    last_seen: u64,
    alive_until: u64,
    /// Until when it is the suspect of one replica.
    suspected_until: u64,
    offline_since: Option<u64>,
    conflict_until: u64,
}

impl Default for MemoryRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryRegistry {
    /// A registry that knows nobody.
    #[must_use]
    pub fn new() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            started: Instant::now(),
            started_ms: ms(since_1970),
            epoch: Instance::new(),
            state: Mutex::default(),
        }
    }

    fn now(&self) -> u64 {
        self.started_ms.saturating_add(ms(self.started.elapsed()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn record(&self, beats: &[AgentRecord], ttl: Duration) -> Result<Vec<Recorded>, RegistryError> {
        let (now, mut state) = (self.now(), self.state());
        let until = now.saturating_add(ms(ttl).max(1));
        Ok(beats.iter().map(|beat| state.record(beat, now, until)).collect())
    }

    async fn goodbye(&self, name: &AgentName, instance: Instance) -> Result<bool, RegistryError> {
        let (now, mut state) = (self.now(), self.state());
        state.gone_until.retain(|_, until| *until > now);
        state.gone_until.insert(instance, now.saturating_add(ms(GONE_FOR)));
        let known = state.agents.get(name);
        let on_record =
            known.is_some_and(|agent| agent.record.instance == instance && agent.offline_since.is_none());
        if on_record {
            state.call_offline(name, now);
        }
        Ok(on_record)
    }

    async fn list(&self) -> Result<Vec<AgentEntry>, RegistryError> {
        let (now, state) = (self.now(), self.state());
        Ok(state.agents.values().map(|agent| agent.entry(now)).collect())
    }

    async fn count_there(&self) -> Result<usize, RegistryError> {
        Ok(self.state().agents.values().filter(|agent| agent.offline_since.is_none()).count())
    }

    async fn list_some(&self, _cursor: u64) -> Result<(Vec<AgentEntry>, u64), RegistryError> {
        Ok((self.list().await?, 0))
    }

    async fn find(&self, name: &AgentName) -> Result<Option<AgentEntry>, RegistryError> {
        let (now, state) = (self.now(), self.state());
        Ok(state.agents.get(name).map(|agent| agent.entry(now)))
    }

    async fn forget(&self, name: &AgentName) -> Result<Forgetting, RegistryError> {
        let (now, mut state) = (self.now(), self.state());
        Ok(match state.agents.get(name).map(|agent| agent.presence(now)) {
            None => Forgetting::Unknown,
            Some(Presence::Offline) => {
                state.agents.remove(name);
                Forgetting::Done
            }
            Some(there) => Forgetting::StillThere(there),
        })
    }

    async fn silent(&self, limit: usize) -> Result<Vec<AgentName>, RegistryError> {
        let (now, state) = (self.now(), self.state());
        let silent = |(_, agent): &(&AgentName, &Agent)| agent.is_silent(now) && !agent.is_suspected(now);
        let mut silent: Vec<_> = state.agents.iter().filter(silent).collect();
        silent.sort_by_key(|(_, agent)| agent.alive_until);
        Ok(silent.into_iter().take(limit).map(|(name, _)| name.clone()).collect())
    }

    async fn suspect(&self, names: &[AgentName], hold: Duration) -> Result<Vec<AgentName>, RegistryError> {
        let (now, mut state) = (self.now(), self.state());
        let mut suspects = Vec::new();
        for name in names {
            let Some(agent) = state.agents.get_mut(name) else { continue };
            if agent.is_silent(now) && !agent.is_suspected(now) {
                agent.suspected_until = now.saturating_add(ms(hold));
                suspects.push(name.clone());
            }
        }
        Ok(suspects)
    }

    async fn vouch(
        &self,
        answered: &[(AgentName, Instance)],
        ttl: Duration,
    ) -> Result<Vec<AgentName>, RegistryError> {
        let (now, mut state) = (self.now(), self.state());
        let mut vouched = Vec::new();
        for (name, instance) in answered {
            let Some(agent) = state.agents.get_mut(name) else { continue };
            if agent.is_silent(now) && agent.record.instance == *instance {
                agent.alive_until = now.saturating_add(ms(ttl).max(1));
                vouched.push(name.clone());
            }
        }
        Ok(vouched)
    }

    async fn take_offline(&self, names: &[AgentName]) -> Result<Vec<AgentName>, RegistryError> {
        let (now, mut state) = (self.now(), self.state());
        let mut taken = Vec::new();
        for name in names {
            if state.agents.get(name).is_some_and(|agent| agent.is_silent(now)) {
                state.call_offline(name, now);
                taken.push(name.clone());
            }
        }
        Ok(taken)
    }

    async fn forget_offline(&self, after: Duration) -> Result<usize, RegistryError> {
        let (now, mut state) = (self.now(), self.state());
        let before = state.agents.len();
        let expired = |since: u64| since.saturating_add(ms(after)) < now;
        state.agents.retain(|_, agent| !agent.offline_since.is_some_and(expired));
        Ok(before - state.agents.len())
    }

    async fn announce(&self, replica: &Replica, ttl: Duration) -> Result<(), RegistryError> {
        let (now, mut state) = (self.now(), self.state());
        state.replicas.retain(|_, (_, until)| *until > now);
        let until = now.saturating_add(ms(ttl).max(1));
        state.replicas.insert(replica.instance, (replica.clone(), until));
        Ok(())
    }

    async fn withdraw(&self, instance: Instance) -> Result<(), RegistryError> {
        self.state().replicas.remove(&instance);
        Ok(())
    }

    async fn replicas(&self) -> Result<Vec<Replica>, RegistryError> {
        let (now, state) = (self.now(), self.state());
        let there = state.replicas.values().filter(|(_, until)| *until > now);
        Ok(there.map(|(replica, _)| replica.clone()).collect())
    }

    async fn events(&self, after: Option<&str>, limit: usize) -> Result<Vec<Event>, RegistryError> {
        let after = after.map(str::parse::<EventId>).transpose()?;
        let state = self.state();
        let newer = state.events.iter().filter(|(id, _)| after.is_none_or(|after| *id > after));
        Ok(newer.take(limit).map(|(_, event)| event.clone()).collect())
    }

    async fn epoch(&self) -> Result<String, RegistryError> {
        Ok(self.epoch.to_string())
    }
}

impl State {
    fn record(&mut self, beat: &AgentRecord, now: u64, until: u64) -> Recorded {
        if self.gone_until.get(&beat.instance).is_some_and(|until| *until > now) {
            return Recorded::Gone;
        }
        let before = self.agents.get_mut(&beat.name);
        let indexed = before.as_ref().is_some_and(|agent| agent.offline_since.is_none());
        let mut conflict_until = 0;
        if let Some(agent) = before {
            if agent.is_alive(now) && is_newer(agent.record.instance, beat.instance, now) {
                agent.conflict_until = until;
                return Recorded::Conflict;
            }
            conflict_until = agent.conflict_until;
        }
        let record = beat.clone();
        let agent = Agent {
            record,
            last_seen: now,
            alive_until: until,
            suspected_until: 0,
            offline_since: None,
            conflict_until,
        };
        self.agents.insert(beat.name.clone(), agent);
        if !indexed {
            self.tell("agent.online", &beat.name, beat.instance, now);
        }
        Recorded::Online
    }

    /// Once for each time that the agent was online.
    fn call_offline(&mut self, name: &AgentName, now: u64) {
        let Some(agent) = self.agents.get_mut(name) else { return };
        agent.offline_since = Some(now);
        let instance = agent.record.instance;
        self.tell("agent.offline", name, instance, now);
    }

    fn tell(&mut self, kind: &str, agent: &AgentName, instance: Instance, now: u64) {
        let id = self.last_event.following(now);
        self.last_event = id;
        let event =
            Event { id: id.to_string(), kind: kind.to_owned(), agent: agent.clone(), instance, at: now };
        self.events.push_back((id, event));
        if self.events.len() > EVENTS_KEPT {
            self.events.pop_front();
        }
    }
}

impl Agent {
    fn is_alive(&self, now: u64) -> bool {
        self.offline_since.is_none() && now < self.alive_until
    }

    fn is_silent(&self, now: u64) -> bool {
        self.offline_since.is_none() && self.alive_until <= now
    }

    fn is_suspected(&self, now: u64) -> bool {
        self.suspected_until > now
    }

    fn presence(&self, now: u64) -> Presence {
        match self.offline_since {
            Some(_) => Presence::Offline,
            None if self.is_alive(now) => Presence::Online,
            None => Presence::Silent,
        }
    }

    fn entry(&self, now: u64) -> AgentEntry {
        AgentEntry {
            record: self.record.clone(),
            presence: self.presence(now),
            last_seen_age: Duration::from_millis(now.saturating_sub(self.last_seen)),
            conflict: self.conflict_until > now,
        }
    }
}

/// One of the future is older than any other.
fn is_newer(one: Instance, other: Instance, now: u64) -> bool {
    let latest = now.saturating_add(ms(CLOCKS_DIFFER));
    let rank = |instance: Instance| (instance.made_at_ms() <= latest, instance);
    rank(one) > rank(other)
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
