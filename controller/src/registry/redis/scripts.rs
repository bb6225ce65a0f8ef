//! What Redis decides by itself, at its own time and at once: the scripts beside this file.

use redis::Script;

pub(super) struct Scripts {
    pub(super) record: Script,
    pub(super) goodbye: Script,
    pub(super) list: Script,
    pub(super) find: Script,
    pub(super) forget: Script,
    pub(super) silent: Script,
    pub(super) suspect: Script,
    pub(super) vouch: Script,
    pub(super) take_offline: Script,
    pub(super) forget_offline: Script,
    pub(super) announce: Script,
}

macro_rules! script {
    ($file:literal) => {
        Script::new(concat!(include_str!("prelude.lua"), include_str!($file)))
    };
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            record: script!("record.lua"),
            goodbye: script!("goodbye.lua"),
            list: script!("list.lua"),
            find: script!("find.lua"),
            forget: script!("forget.lua"),
            silent: script!("silent.lua"),
            suspect: script!("suspect.lua"),
            vouch: script!("vouch.lua"),
            take_offline: script!("take_offline.lua"),
            forget_offline: script!("forget_offline.lua"),
            announce: script!("announce.lua"),
        }
    }
}
