//! What happens to the fleet, one act at a time.

use std::collections::BTreeSet;
use std::fmt;

use bellwether_tests::{Fleet, Process};

use crate::dice::Dice;
use crate::noise::Noise;

/// Configs that come and go.
const NAMES: [&str; 6] = ["api", "docs", "mail", "shop", "static", "wiki"];
/// Never killed, so that their memory can be watched: the first controller, and the first two agents.
pub(crate) const KEPT: [&str; 3] = ["controller 0", "node-1", "node-2"];
/// Of so many acts each kind, out of a hundred.
const PUSHES: u64 = 30;
const DELETES: u64 = 40;
const AGENTS: u64 = 46;
const CONTROLLERS: u64 = 48;

/// How often each thing was done, and who is down.
#[derive(Default)]
pub(crate) struct Story {
    pushes: u32,
    deletes: u32,
    refused: u32,
    kills: u32,
    noises: u32,
    down: BTreeSet<String>,
}

impl Story {
    pub(crate) async fn act(&mut self, fleet: &Fleet, noise: &mut Noise, dice: &mut Dice) {
        match dice.below(100) {
            act if act < PUSHES => self.push(fleet, dice).await,
            act if act < DELETES => self.delete(fleet, dice).await,
            act if act < AGENTS => self.kill(fleet, dice, "node-").await,
            act if act < CONTROLLERS => self.kill(fleet, dice, "controller").await,
            _ => {
                noise.make(dice).await;
                self.noises += 1;
            }
        }
        if dice.below(10) == 0 {
            self.end(fleet);
        }
    }

    /// Starts whoever is down.
    pub(crate) fn end(&mut self, fleet: &Fleet) {
        for (name, process) in fleet.processes() {
            if self.down.remove(&name) {
                process.start_again();
            }
        }
    }

    async fn push(&mut self, fleet: &Fleet, dice: &mut Dice) {
        let (name, port) = (*dice.one_of(&NAMES), 1_024 + dice.below(60_000));
        let yaml = format!(
            "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  \
             listeners: [{{name: web, port: {port}, protocol: HTTP}}]\n"
        );
        let path = format!("/v1/configs/{name}?timeout=2s");
        let answer = dice.one_of(fleet.controllers()).put(&path, "application/yaml", yaml).await;
        self.pushes += 1;
        self.refused += u32::from(!answer.is_ok_and(|answer| answer.status == 202));
    }

    async fn delete(&mut self, fleet: &Fleet, dice: &mut Dice) {
        let path = format!("/v1/configs/{}?timeout=2s", dice.one_of(&NAMES));
        let answer = dice.one_of(fleet.controllers()).delete(&path).await;
        self.deletes += 1;
        self.refused += u32::from(!answer.is_ok_and(|answer| matches!(answer.status, 202 | 404)));
    }

    /// SIGKILL to one that may be killed; it stays down for a while.
    async fn kill(&mut self, fleet: &Fleet, dice: &mut Dice, kind: &str) {
        let may = |name: &str| name.starts_with(kind) && !KEPT.contains(&name) && !self.down.contains(name);
        let victims: Vec<(String, &Process)> = fleet.processes().filter(|(name, _)| may(name)).collect();
        if victims.is_empty() {
            return;
        }
        let (name, process) = dice.one_of(&victims);
        process.kill().await;
        self.down.insert(name.clone());
        self.kills += 1;
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pushes, deletes, refused, kills, noises, down } = self;
        write!(
            f,
            "{pushes} pushes and {deletes} deletes ({refused} refused), {kills} kills, {noises} noises"
        )?;
        if down.is_empty() { Ok(()) } else { write!(f, "; down: {down:?}") }
    }
}
