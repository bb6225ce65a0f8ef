//! The process of HAProxy's master, started by this agent or by one before it.

use crate::driver::{
    Failure,
    haproxy::{
        pid,
        processes::{Loaded, Processes, Sockets},
        render, socket,
    },
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// How often to look whether a process is up.
const LOOK: Duration = Duration::from_millis(10);

/// How often to look whether a process is there that is not our child.
const WATCH: Duration = Duration::from_millis(100);

/// What HAProxy may take to end by SIGTERM, and any process by SIGKILL.
const ENDING: Duration = Duration::from_secs(5);

/// How HAProxy is started.
pub(in crate::driver::haproxy) struct Launch {
    pub(in crate::driver::haproxy) program: PathBuf,
    pub(in crate::driver::haproxy) root: PathBuf,
    pub(super) log: Log,
}

/// The file that HAProxy writes to.
pub(super) struct Log(PathBuf);

/// A master that runs, or did.
pub(super) struct Process {
    pid: Pid,
    /// When it began, by the kernel's count: another process of this number has another.
    began: pid::Began,
    /// Where it is our own child, which has to be reaped.
    child: Option<Child>,
    since: Instant,
}

impl Launch {
    /// How `program` is started on the sets below `root`.
    pub(in crate::driver::haproxy) fn new(program: PathBuf, root: PathBuf) -> Self {
        let log = Log(root.join("haproxy.log"));
        Self { program, root, log }
    }

    /// Where its master is asked.
    pub(super) fn master_socket(&self) -> PathBuf {
        self.root.join("master.sock")
    }

    /// All of its sockets.
    pub(super) fn sockets(&self) -> Sockets {
        Sockets { master: self.master_socket(), admin: self.root.join(render::ADMIN_SOCKET) }
    }

    fn config(&self) -> PathBuf {
        self.root.join("current").join(render::CONFIG)
    }

    /// Whether there is a set to start it on.
    pub(super) fn has_config(&self) -> bool {
        self.config().is_file()
    }

    /// The process that an agent before has left running. One that it left in the middle of its start is ended: two
    /// would share the ports.
    pub(super) async fn adopt(&self) -> Option<Process> {
        let end = Instant::now() + ENDING;
        loop {
            let running = pid::with_argument(&self.socket_argument());
            let master = socket::peer(&self.master_socket()).await.ok().and_then(Pid::from_raw);
            match master {
                Some(master) => {
                    let is_other =
                        |(it, parent): &&(Pid, Option<Pid>)| *it != master && *parent != Some(master);
                    kill_all(running.iter().filter(is_other).map(|(pid, _)| *pid));
                    return Process::of(master, None).ok();
                }
                // It may be about to listen.
                None if !running.is_empty() && Instant::now() < end => sleep(LOOK).await,
                None => {
                    kill_all(running.into_iter().map(|(pid, _)| pid));
                    return None;
                }
            }
        }
    }

    /// What no process but ours is started with.
    fn socket_argument(&self) -> String {
        format!("{},mode,600", self.master_socket().display())
    }

    /// Starts it, and waits until it serves what `current` points to.
    pub(super) async fn start(&self, patience: Duration) -> Result<(Process, Loaded), Failure> {
        let end = Instant::now() + patience;
        kill_all(pid::with_argument(&self.socket_argument()).into_iter().map(|(pid, _)| pid));
        let mut process = self.spawn().map_err(|error| {
            Failure::of_proxy(format!("{} cannot be started: {error}", self.program.display()))
        })?;
        loop {
            if let Ok(now) = Processes::ask(&self.master_socket()).await
                && now.master == process.pid()
                && !now.workers.is_empty()
            {
                return Ok((process, now.loaded()));
            }
            if process.has_ended() {
                return Err(Failure::of_set("HAProxy ends at once"));
            }
            if Instant::now() >= end {
                process.kill().await;
                return Err(Failure::of_proxy(format!("HAProxy is not up after {patience:?}")));
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                () = process.ended() => {}
            }
        }
    }

    /// Its own process group keeps it from signals that are meant for the agent.
    fn spawn(&self) -> io::Result<Process> {
        let log = self.log.open()?;
        let child = Command::new(&self.program)
            .arg("-W")
            .arg("-S")
            .arg(self.socket_argument())
            .arg("-f")
            .arg(self.config())
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Process::of(pid.ok_or_else(|| io::Error::other("it has no process id"))?, Some(child))
    }
}

impl Log {
    /// More than this is thrown away when HAProxy is loaded the next time.
    const LONGEST: u64 = 1 << 20;

    fn open(&self) -> io::Result<File> {
        File::options().create(true).append(true).open(&self.0)
    }

    /// Where it ends now.
    pub(super) fn mark(&self) -> u64 {
        let length = fs::metadata(&self.0).map_or(0, |it| it.len());
        if length > Self::LONGEST && self.open().and_then(|file| file.set_len(0)).is_ok() {
            return 0;
        }
        length
    }

    /// What was written after `mark`, as far as it is of interest.
    pub(super) fn since(&self, mark: u64) -> String {
        let mut bytes = Vec::new();
        let read = File::open(&self.0).and_then(|mut file| {
            file.seek(SeekFrom::Start(mark))?;
            file.take(64 * 1024).read_to_end(&mut bytes)
        });
        if let Err(error) = read {
            tracing::debug!(%error, "HAProxy's log cannot be read");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Process {
    fn of(pid: Pid, child: Option<Child>) -> io::Result<Self> {
        let began = pid::began(pid).ok_or_else(|| io::Error::other("it has ended"))?;
        Ok(Self { pid, began, child, since: Instant::now() })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Waits for its end.
    pub(super) async fn ended(&mut self) {
        match &mut self.child {
            Some(child) => drop(child.wait().await),
            None => {
                while !self.has_ended() {
                    sleep(WATCH).await;
                }
            }
        }
    }

    /// Whether it is no more, or nothing but a name.
    pub(super) fn has_ended(&self) -> bool {
        pid::began(self.pid) != Some(self.began)
    }

    /// Ends it in good order; by force when that takes long.
    pub(super) async fn stop(mut self) {
        self.signal(Signal::TERM);
        if timeout(ENDING, self.ended()).await.is_err() {
            self.kill().await;
        }
    }

    /// Ends it and its workers, even those that stand still.
    pub(super) async fn kill(mut self) {
        let workers = self.workers();
        self.signal(Signal::KILL);
        for worker in workers {
            let _ = kill_process(worker, Signal::KILL);
        }
        let _ = timeout(ENDING, self.ended()).await;
    }

    fn signal(&self, signal: Signal) {
        // A number of a process that has ended may be another's by now.
        if !self.has_ended() {
            let _ = kill_process(self.pid, signal);
        }
    }

    fn workers(&self) -> Vec<Pid> {
        let file = format!("/proc/{0}/task/{0}/children", self.pid());
        let children = fs::read_to_string(file).unwrap_or_default();
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).filter_map(Pid::from_raw).collect()
    }
}

fn kill_all(pids: impl Iterator<Item = Pid>) {
    for pid in pids {
        tracing::warn!(pid = pid.as_raw_nonzero().get(), "an HAProxy that nobody keeps is ended");
        let _ = kill_process(pid, Signal::KILL);
    }
}
