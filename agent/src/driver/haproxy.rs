//! The `haproxy` driver: renders a set for HAProxy 2.6 and later, and sees it serve.

mod certificates;
mod check;
mod keeper;
mod pid;
mod ports;
mod probe;
mod processes;
mod render;
mod socket;
mod words;

use super::{EffectiveSet, Failure, Limits, Listening, Proxy, ProxyDriver, Refused, Rendered, Staged};
use crate::{disk, words::bounded};
use async_trait::async_trait;
use bellwether_ingress::{ListenerAddress, effective::Effective};
use keeper::{Keeper, Launch};
use processes::{Loaded, Processes, Sockets};
use render::{ADMIN_SOCKET, Choices, Place, SERVERS_STATE};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// How often to look whether a set serves.
const LOOK: Duration = Duration::from_millis(10);

/// How long a worker of an older set may keep a port that is wanted.
const LEAVING: Duration = Duration::from_secs(1);

/// The longest path of a Unix socket, less what HAProxy adds to it for a while.
const LONGEST_SOCKET: usize = 92;

/// How the `haproxy` driver is set up.
#[derive(Clone, Debug)]
pub struct HaproxyOptions {
    /// The program; `haproxy` is looked for on the path.
    pub program: PathBuf,
    /// Where certificates are: `<name>.pem`, with the chain and the key.
    pub cert_dir: Option<PathBuf>,
    /// Where every listener listens, instead of at its own address.
    pub bind: Option<ListenerAddress>,
    /// The master socket of an HAProxy that somebody else runs on `<state-dir>/current/haproxy.cfg`. Without it the
    /// agent runs one of its own.
    pub master_socket: Option<PathBuf>,
    /// How long workers of old sets may finish what they have begun.
    pub hard_stop_after: Duration,
    /// Whether an HAProxy of our own ends with the agent.
    pub stop_proxy: bool,
    /// How long each step may take.
    pub limits: Limits,
    /// What time it is, by which certificates expire.
    pub now: fn() -> SystemTime,
}

impl Default for HaproxyOptions {
    fn default() -> Self {
        Self {
            program: "haproxy".into(),
            cert_dir: None,
            bind: None,
            master_socket: None,
            hard_stop_after: Duration::from_secs(30),
            stop_proxy: false,
            limits: Limits::default(),
            now: SystemTime::now,
        }
    }
}

/// Has HAProxy serve each set.
pub type HaproxyDriver = ProxyDriver<Haproxy>;

/// Why the driver cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HaproxyError {
    /// There is no such program.
    #[error(
        "{program} is neither on the path nor in /usr/sbin: install HAProxy 2.6 or later, or say where it is with --haproxy"
    )]
    NotInstalled {
        /// The name that was looked for.
        program: String,
    },
    /// The state folder's path is none that HAProxy can be told.
    #[error("--state-dir {path}: {reason}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// One HAProxy, and how it is reached.
pub struct Haproxy {
    root: PathBuf,
    options: HaproxyOptions,
    master: Master,
    /// Who loaded the last set.
    loaded: Mutex<Option<Loaded>>,
}

/// Who runs HAProxy.
enum Master {
    Owned(Keeper),
    Adopted(PathBuf),
}

impl HaproxyDriver {
    /// A driver that works in the state folder `root`, an absolute path. It is to be called within a runtime.
    ///
    /// # Errors
    /// When HAProxy is not installed, or the folder's path will not do.
    pub fn new(root: &Path, mut options: HaproxyOptions) -> Result<Self, HaproxyError> {
        options.program = installed(options.program)?;
        let wrong = |reason| HaproxyError::Folder { path: root.to_owned(), reason };
        let text = root.to_str().unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
        if text.is_empty() || !text.chars().all(is_plain) {
            return Err(wrong("the haproxy driver needs a path of letters, digits and /._-+"));
        }
        if text.len() + 1 + ADMIN_SOCKET.len().max("master.sock".len()) > LONGEST_SOCKET {
            return Err(wrong(
                "the path is too long for the sockets of the haproxy driver: choose a shorter one",
            ));
        }
        let master = match &options.master_socket {
            Some(socket) => Master::Adopted(socket.clone()),
            None => Master::Owned(Keeper::new(Launch::new(options.program.clone(), root.to_owned()))),
        };
        Ok(Self::of(root, Haproxy { root: root.to_owned(), options, master, loaded: Mutex::new(None) }))
    }
}

/// Where a program is that is given by its name alone. Debian's servers are not on everybody's path.
fn installed(program: PathBuf) -> Result<PathBuf, HaproxyError> {
    if program.components().count() > 1 {
        return Ok(program);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.find_map(|folder| Some(folder.join(&program)).filter(|it| it.is_file()));
    found.ok_or_else(|| HaproxyError::NotInstalled { program: program.display().to_string() })
}

#[async_trait]
impl Proxy for Haproxy {
    fn limits(&self) -> Limits {
        self.options.limits
    }

    fn render(
        &self,
        set: &EffectiveSet,
        folder: &Path,
        serving: Option<&Staged>,
    ) -> Result<Rendered, Failure> {
        let effective = Effective::merge(set.by_age(), self.options.bind).map_err(|refused| {
            let refused = refused
                .into_iter()
                .map(|it| Refused { document: it.document.name().clone(), words: it.clash.to_string() });
            Failure::of_documents(refused.collect())
        })?;
        let (place, choices) = (Place { root: &self.root, folder }, self.choices());
        let mut files = render::render(&effective, set.digest, place, choices);
        let now = (self.options.now)();
        let certificates = certificates::collect(set, self.options.cert_dir.as_deref(), serving, now);
        files.extend(certificates.map_err(Failure::of_documents)?);
        let listeners = effective.listeners().map(|(address, port, listener)| Listening {
            at: SocketAddr::new(address.ip(), port),
            documents: listener.documents().iter().map(|name| (*name).clone()).collect(),
        });
        let needs =
            set.documents.iter().map(|document| (document.name().clone(), certificates::files_of(document)));
        Ok(Rendered { files, listeners: listeners.collect(), needs: needs.collect() })
    }

    async fn check(&self, staged: &Staged, serving: Option<&Staged>) -> Result<(), Failure> {
        check::check(&self.options.program, staged).await?;
        let before = serving.map(|it| it.record.listeners.as_slice());
        let end = Instant::now() + LEAVING;
        loop {
            match ports::taken(&staged.record.listeners, before) {
                taken if taken.is_empty() => return Ok(()),
                taken if Instant::now() >= end => return Err(Failure::of_documents(taken)),
                // It may be a worker of an older set, which is about to leave.
                _ => sleep(LOOK).await,
            }
        }
    }

    async fn reload(&self, staged: &Staged) -> Result<(), Failure> {
        self.save_servers_state().await;
        let patience = self.options.limits.reload.mul_f64(0.9);
        let loaded = match &self.master {
            Master::Owned(keeper) => keeper.load(staged.record.digest, patience).await,
            Master::Adopted(master) => {
                let sockets = Sockets { master: master.clone(), admin: self.root.join(ADMIN_SOCKET) };
                processes::reload(&sockets, staged.record.digest, patience).await
            }
        };
        self.note_loaded(Some(loaded?));
        Ok(())
    }

    async fn verify(&self, staged: &Staged) -> Result<(), Failure> {
        let end = Instant::now() + self.options.limits.verify.mul_f64(0.9);
        loop {
            let seen = match self.is_alive().await {
                Ok(()) => probe::look(&self.root, &staged.record).await,
                Err(Gone::Replaced) => {
                    return Err(Failure::of_set("HAProxy died right after it had loaded it"));
                }
                Err(Gone::Silent(error)) => Err(format!("HAProxy's master does not answer: {error}")),
            };
            match seen {
                Ok(()) => return Ok(()),
                Err(words) if Instant::now() >= end => return Err(Failure::of_set(bounded(words))),
                Err(_) => sleep(LOOK).await,
            }
        }
    }

    async fn serves(&self, staged: &Staged) -> bool {
        probe::look(&self.root, &staged.record).await.is_ok()
    }

    async fn revive(&self, _: &Staged) -> Result<(), Failure> {
        match &self.master {
            Master::Owned(keeper) => {
                let loaded = keeper.start_anew(self.options.limits.reload.mul_f64(0.9)).await?;
                self.note_loaded(Some(loaded));
                Ok(())
            }
            Master::Adopted(_) => Err(Failure::of_proxy("it is not ours to start")),
        }
    }

    fn trouble(&self) -> Option<watch::Receiver<Option<String>>> {
        match &self.master {
            Master::Owned(keeper) => Some(keeper.trouble()),
            Master::Adopted(_) => None,
        }
    }

    async fn unload(&self) {
        if let Master::Owned(keeper) = &self.master {
            keeper.stop().await;
        }
    }

    async fn close(&self) {
        if self.options.stop_proxy {
            self.unload().await;
        }
    }
}

/// How HAProxy is not what it was when it loaded a set.
enum Gone {
    /// Other processes have taken over.
    Replaced,
    /// Nobody answers.
    Silent(io::Error),
}

impl Haproxy {
    fn choices(&self) -> Choices {
        Choices { hard_stop_after: self.options.hard_stop_after }
    }

    fn master_socket(&self) -> PathBuf {
        match &self.master {
            Master::Owned(_) => self.root.join("master.sock"),
            Master::Adopted(socket) => socket.clone(),
        }
    }

    fn note_loaded(&self, loaded: Option<Loaded>) {
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// Whether those who loaded the last set are still there.
    async fn is_alive(&self) -> Result<(), Gone> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(loaded) = loaded else { return Ok(()) };
        let now =
            Processes::ask(&self.master_socket()).await.map_err(|error| match pid::runs(loaded.master) {
                true => Gone::Silent(error),
                false => Gone::Replaced,
            })?;
        let same =
            now.master == loaded.master && now.failed == 0 && !now.workers.is_disjoint(&loaded.workers);
        if same { Ok(()) } else { Err(Gone::Replaced) }
    }

    /// Keeps which servers are down over a reload: without that, requests go to them until a check has failed again.
    async fn save_servers_state(&self) {
        let saved = match socket::ask(&self.root.join(ADMIN_SOCKET), "show servers state").await {
            Ok(state) => {
                let path = self.root.join(SERVERS_STATE);
                let saving =
                    tokio::task::spawn_blocking(move || disk::replace_for_now(&path, state.as_bytes()));
                saving.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
            }
            Err(error) => Err(error),
        };
        if let Err(error) = saved {
            tracing::debug!(%error, "which servers are down is forgotten");
        }
    }
}
