//! The registry in Redis, shared by all controllers of a fleet. Redis's clock is the only one that counts.

mod event;
mod keys;
mod known;
pub(crate) mod link;
mod scripts;

use super::{
    AgentEntry, AgentRecord, Event, Forgetting, Presence, Recorded, Registry, RegistryError, Replica,
    event_id::EventId,
};
use super::{CLOCKS_DIFFER, EVENTS_KEPT, GONE_FOR};
use crate::redis_url::RedisUrl;
use async_trait::async_trait;
use bellwether_proto::{AgentName, Fleet};
use bellwether_rpc::Instance;
use event::StreamEntry;
use keys::Keys;
use known::Listed;
use link::{Link, LinkError, ScriptCall};
use redis::{Script, cmd, pipe};
use scripts::Scripts;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tracing::warn;

/// Agents in one call of a script: Redis serves nobody else meanwhile.
const AGENTS_A_CALL: usize = 128;
/// Agents in one step through all that are known.
const AGENTS_A_STEP: usize = 512;
/// Replicas that are looked up at most.
const MOST_REPLICAS: isize = 1_024;

/// A part of all agents that are known.
#[derive(Default)]
struct Part {
    agents: Vec<AgentEntry>,
    /// The names of entries that cannot be read.
    unreadable: Vec<String>,
    /// Where the next part begins; 0 after the last.
    next: u64,
}

/// The registry of one fleet. It connects when it is first asked, and again after a failure.
pub struct RedisRegistry {
    link: Link,
    keys: Keys,
    scripts: Scripts,
    /// So that an entry that cannot be read is not complained of every second.
    unreadable: AtomicUsize,
}

impl RedisRegistry {
    /// The registry of `fleet` in the Redis at `url`. Does not connect yet.
    ///
    /// # Errors
    /// When `url` is nothing that can be connected to.
    pub fn new(url: &RedisUrl, fleet: &Fleet) -> Result<Self, RegistryError> {
        Ok(Self {
            link: Link::new(url)?,
            keys: Keys::new(fleet),
            scripts: Scripts::new(),
            unreadable: AtomicUsize::new(0),
        })
    }

    /// The same, but waiting this long for an answer, and not one second.
    #[must_use]
    pub fn answer_within(self, answer_within: Duration) -> Self {
        Self { link: self.link.answer_within(answer_within), ..self }
    }

    /// The keys of the hash's scripts, and where a step through it begins.
    fn step(&self, cursor: u64) -> ScriptCall {
        let Keys { online, known, conflicts, agent_prefix, .. } = &self.keys;
        ScriptCall::new(&[online, known, conflicts]).with(cursor).with(AGENTS_A_STEP).with(agent_prefix)
    }

    async fn list_from(&self, cursor: u64) -> Result<Part, RegistryError> {
        let steps: Vec<(u64, u64, Vec<Listed>)> =
            self.link.run(&self.scripts.list, &[self.step(cursor)]).await?;
        let mut part = Part::default();
        for (next, now_ms, listed) in steps {
            part.next = next;
            for agent in listed {
                match agent.read(now_ms) {
                    Some(entry) => part.agents.push(entry),
                    None => part.unreadable.push(agent.name),
                }
            }
        }
        Ok(part)
    }

    /// The keys of the scripts that look at one agent.
    fn about(&self, name: &AgentName) -> ScriptCall {
        let Keys { online, known, conflicts, .. } = &self.keys;
        ScriptCall::new(&[online, known, conflicts, &self.keys.agent(name)]).with(name)
    }

    /// Runs a script for many agents, some at a time, and returns those whose positions it answers with.
    async fn each<'a, T>(
        &self,
        script: &Script,
        call: impl Fn() -> ScriptCall,
        agents: &'a [T],
        put: impl Fn(&mut ScriptCall, &T),
    ) -> Result<Vec<&'a T>, RegistryError> {
        let chunks: Vec<&[T]> = agents.chunks(AGENTS_A_CALL).collect();
        let calls: Vec<_> = chunks
            .iter()
            .map(|some| {
                let mut call = call();
                some.iter().for_each(|agent| put(&mut call, agent));
                call
            })
            .collect();
        let positions: Vec<Vec<usize>> = self.link.run(script, &calls).await?;
        let answered = positions.into_iter().zip(chunks);
        Ok(answered
            .flat_map(|(positions, some)| positions.into_iter().filter_map(|at| some.get(at)))
            .collect())
    }

    fn complain_of_unreadable(&self, count: usize, example: Option<&str>) {
        let before = self.unreadable.swap(count, Ordering::Relaxed);
        if let Some(example) = example.filter(|_| count != before) {
            warn!(count, example, key = self.keys.known, "agents whose entry cannot be read are left out");
        }
    }
}

#[async_trait]
impl Registry for RedisRegistry {
    async fn record(&self, beats: &[AgentRecord], ttl: Duration) -> Result<Vec<Recorded>, RegistryError> {
        let Keys { online, known, conflicts, events, .. } = &self.keys;
        let mut calls = Vec::new();
        for some in beats.chunks(AGENTS_A_CALL) {
            let call = ScriptCall::new(&[online, known, conflicts, events]);
            let mut call = call.with(ms(ttl)).with(EVENTS_KEPT).with(ms(CLOCKS_DIFFER));
            for beat in some {
                call.key(self.keys.agent(&beat.name));
                call.key(self.keys.gone(beat.instance));
                call.argument(&beat.name);
                call.argument(beat.instance);
                call.argument(json(beat)?);
            }
            calls.push(call);
        }
        let verdicts: Vec<Vec<u8>> = self.link.run(&self.scripts.record, &calls).await?;
        let verdicts: Vec<Recorded> = verdicts.into_iter().flatten().map(recorded).collect();
        if verdicts.len() == beats.len() {
            Ok(verdicts)
        } else {
            Err(RegistryError("Redis answered for another number of beats".to_owned()))
        }
    }

    async fn goodbye(&self, name: &AgentName, instance: Instance) -> Result<bool, RegistryError> {
        let Keys { online, known, events, .. } = &self.keys;
        let (key, gone) = (self.keys.agent(name), self.keys.gone(instance));
        let call = ScriptCall::new(&[online, known, events, &key, &gone]);
        let call = call.with(name).with(instance).with(ms(GONE_FOR)).with(EVENTS_KEPT);
        let went: Vec<bool> = self.link.run(&self.scripts.goodbye, &[call]).await?;
        Ok(went == [true])
    }

    async fn list(&self) -> Result<Vec<AgentEntry>, RegistryError> {
        let mut agents = BTreeMap::new();
        let mut unreadable = Vec::new();
        let mut cursor = 0;
        loop {
            let part = self.list_from(cursor).await?;
            agents.extend(part.agents.into_iter().map(|entry| (entry.record.name.clone(), entry)));
            unreadable.extend(part.unreadable);
            cursor = part.next;
            if cursor == 0 {
                break;
            }
        }
        self.complain_of_unreadable(unreadable.len(), unreadable.first().map(String::as_str));
        Ok(agents.into_values().collect())
    }

    async fn count_there(&self) -> Result<usize, RegistryError> {
        match self.link.ask(cmd("ZCARD").arg(&self.keys.online)).await {
            // What stands there is none of ours, and is replaced by the next beat.
            Err(error) if error.wrong_type => Ok(0),
            counted => Ok(counted?),
        }
    }

    async fn list_some(&self, cursor: u64) -> Result<(Vec<AgentEntry>, u64), RegistryError> {
        let part = self.list_from(cursor).await?;
        Ok((part.agents, part.next))
    }

    async fn find(&self, name: &AgentName) -> Result<Option<AgentEntry>, RegistryError> {
        let call = self.about(name);
        let found: Vec<Option<(u64, Listed)>> = self.link.run(&self.scripts.find, &[call]).await?;
        let Some((now_ms, listed)) = found.into_iter().flatten().next() else { return Ok(None) };
        let entry = listed.read(now_ms);
        let unreadable =
            || RegistryError(format!("the entry of {name} in {} cannot be read", self.keys.known));
        entry.map(Some).ok_or_else(unreadable)
    }

    async fn forget(&self, name: &AgentName) -> Result<Forgetting, RegistryError> {
        let verdicts: Vec<u8> = self.link.run(&self.scripts.forget, &[self.about(name)]).await?;
        let verdict = verdicts.first().copied();
        verdict.map(forgetting).ok_or_else(|| RegistryError("Redis did not say what became of it".to_owned()))
    }

    async fn silent(&self, limit: usize) -> Result<Vec<AgentName>, RegistryError> {
        let call = ScriptCall::new(&[&self.keys.online]).with(limit.min(isize::MAX as usize));
        let names: Vec<Vec<Vec<u8>>> = self.link.run(&self.scripts.silent, &[call]).await?;
        let (mut silent, mut foreign) = (Vec::new(), Vec::new());
        for name in names.into_iter().flatten() {
            match std::str::from_utf8(&name).ok().and_then(|name| name.parse().ok()) {
                Some(name) => silent.push(name),
                None => foreign.push(name),
            }
        }
        if !foreign.is_empty() {
            warn!(count = foreign.len(), key = self.keys.online, "removed what cannot be an agent's name");
            self.link.ask::<()>(cmd("ZREM").arg(&self.keys.online).arg(foreign)).await?;
        }
        Ok(silent)
    }

    async fn suspect(&self, names: &[AgentName], hold: Duration) -> Result<Vec<AgentName>, RegistryError> {
        let call = || ScriptCall::new(&[&self.keys.online]).with(ms(hold));
        self.each(&self.scripts.suspect, call, names, |call, name| {
            call.key(self.keys.agent(name));
            call.argument(name);
        })
        .await
        .map(|suspects| suspects.into_iter().cloned().collect())
    }

    async fn vouch(
        &self,
        answered: &[(AgentName, Instance)],
        ttl: Duration,
    ) -> Result<Vec<AgentName>, RegistryError> {
        let call = || ScriptCall::new(&[&self.keys.online, &self.keys.known]).with(ms(ttl));
        self.each(&self.scripts.vouch, call, answered, |call, (name, instance)| {
            call.key(self.keys.agent(name));
            call.argument(name);
            call.argument(instance);
        })
        .await
        .map(|vouched| vouched.into_iter().map(|(name, _)| name.clone()).collect())
    }

    async fn take_offline(&self, names: &[AgentName]) -> Result<Vec<AgentName>, RegistryError> {
        let Keys { online, known, events, .. } = &self.keys;
        let call = || ScriptCall::new(&[online, known, events]).with(EVENTS_KEPT);
        self.each(&self.scripts.take_offline, call, names, |call, name| {
            call.key(self.keys.agent(name));
            call.argument(name);
        })
        .await
        .map(|taken| taken.into_iter().cloned().collect())
    }

    async fn forget_offline(&self, after: Duration) -> Result<usize, RegistryError> {
        let (mut forgotten, mut cursor) = (0, 0);
        loop {
            let call = self.step(cursor).with(after.as_millis());
            let steps: Vec<(u64, usize)> = self.link.run(&self.scripts.forget_offline, &[call]).await?;
            for (next, count) in steps {
                cursor = next;
                forgotten += count;
            }
            if cursor == 0 {
                return Ok(forgotten);
            }
        }
    }

    async fn announce(&self, replica: &Replica, ttl: Duration) -> Result<(), RegistryError> {
        let call = ScriptCall::new(&[&self.keys.replicas, &self.keys.replica(replica.instance)]);
        let call = call.with(replica.instance).with(json(replica)?).with(ms(ttl));
        self.link.run::<()>(&self.scripts.announce, &[call]).await?;
        Ok(())
    }

    async fn withdraw(&self, instance: Instance) -> Result<(), RegistryError> {
        let mut both = pipe();
        both.atomic().cmd("DEL").arg(self.keys.replica(instance)).ignore();
        both.cmd("ZREM").arg(&self.keys.replicas).arg(instance.to_string()).ignore();
        Ok(self.link.ask_all::<()>(&both).await?)
    }

    async fn replicas(&self) -> Result<Vec<Replica>, RegistryError> {
        let index = cmd("ZRANGE").arg(&self.keys.replicas).arg(0).arg(MOST_REPLICAS - 1).take();
        let names: Vec<Vec<u8>> = self.link.ask(&index).await?;
        let named = names.iter().filter_map(|name| std::str::from_utf8(name).ok()?.parse().ok());
        let keys: Vec<String> = named.map(|instance| self.keys.replica(instance)).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let there: Vec<Option<Vec<u8>>> = self.link.ask(cmd("MGET").arg(keys)).await?;
        let read = there.iter().flatten().filter_map(|replica| serde_json::from_slice(replica).ok());
        let mut replicas: Vec<Replica> = read.collect();
        replicas.sort_by_key(|replica| replica.instance);
        Ok(replicas)
    }

    async fn events(&self, after: Option<&str>, limit: usize) -> Result<Vec<Event>, RegistryError> {
        let mut after: Option<EventId> = after.map(str::parse).transpose()?;
        let limit = limit.min(EVENTS_KEPT);
        if limit == 0 {
            return Ok(Vec::new());
        }
        loop {
            let start = after.map_or_else(|| "-".to_owned(), |id| format!("({id}"));
            let range =
                cmd("XRANGE").arg(&self.keys.events).arg(start).arg("+").arg("COUNT").arg(limit).take();
            let entries: Vec<StreamEntry> = self.link.ask(&range).await?;
            let events: Vec<Event> = entries.iter().filter_map(StreamEntry::read).collect();
            // Foreign entries must not look like the end to someone who asks for what follows.
            match entries.last() {
                Some(last) if events.is_empty() => after = Some(last.id.parse()?),
                _ => return Ok(events),
            }
        }
    }

    async fn epoch(&self) -> Result<String, RegistryError> {
        let info: String = self.link.ask(cmd("INFO").arg("server")).await?;
        let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:"));
        let run_id = run_id.ok_or_else(|| RegistryError("Redis does not say its run_id".to_owned()))?;
        Ok(run_id.trim().to_owned())
    }
}

impl From<LinkError> for RegistryError {
    fn from(error: LinkError) -> Self {
        Self(error.to_string())
    }
}

/// As `record.lua` has it.
fn recorded(verdict: u8) -> Recorded {
    match verdict {
        0 => Recorded::Online,
        1 => Recorded::Conflict,
        _ => Recorded::Gone,
    }
}

/// As `forget.lua` has it.
fn forgetting(verdict: u8) -> Forgetting {
    match verdict {
        0 => Forgetting::Done,
        1 => Forgetting::StillThere(Presence::Online),
        2 => Forgetting::StillThere(Presence::Silent),
        _ => Forgetting::Unknown,
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, RegistryError> {
    serde_json::to_string(value).map_err(|error| RegistryError(format!("it cannot be written: {error}")))
}

/// A time to live in milliseconds, of which Redis wants at least one.
fn ms(duration: Duration) -> u64 {
    duration.as_millis().clamp(1, u128::from(u32::MAX)) as u64
}
