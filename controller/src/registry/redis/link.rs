//! A connection to Redis that comes and goes: made at the first use, made anew after a failure, bounded in time.
//!
//! The client's own `ConnectionManager` keeps a connection on which commands only time out, so a peer that vanished
//! without a word (a lost host, a forgotten NAT entry) would be asked until the kernel gives up, a quarter of an
//! hour later. Here every such failure costs the connection.

use crate::redis_url::RedisUrl;
use redis::{
    Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, Pipeline, RedisError, RedisResult, Script,
    ServerErrorKind, Value, aio::MultiplexedConnection, io::tcp::TcpSettings,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout},
};

/// How long one question may take, connecting included.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// How long no connection is tried after one failed: a random while, at most this long, so that not all controllers that
/// a Redis turned away come back at once. Whoever asks meanwhile is told of the failure.
const LONGEST_REST: Duration = Duration::from_millis(500);
const SHORTEST_REST: Duration = Duration::from_millis(50);

/// One connection to Redis, shared by all who ask.
pub(crate) struct Link {
    client: Client,
    host: String,
    answer_within: Duration,
    connection: Mutex<Slot>,
    rest: Mutex<Option<Rest>>,
}

/// What came of the last attempt to connect, and until when there is no other.
struct Rest {
    until: Instant,
    cause: String,
}

/// A connection, once somebody has made it.
type Slot = Arc<OnceCell<MultiplexedConnection>>;

/// Why Redis did not do what was asked: its host and the cause.
#[derive(Debug, thiserror::Error)]
#[error("Redis at {host}: {cause}")]
pub(crate) struct LinkError {
    host: String,
    cause: String,
    /// Whether a key holds something that Bellwether never puts there.
    pub(crate) wrong_type: bool,
}

impl Link {
    /// A link that connects when it is first asked.
    pub(crate) fn new(url: &RedisUrl) -> Result<Self, LinkError> {
        let host = url.host();
        let client = client(url).map_err(|error| LinkError::of(&host, error))?;
        Ok(Self {
            client,
            host,
            answer_within: ANSWER_WITHIN,
            connection: Mutex::default(),
            rest: Mutex::default(),
        })
    }

    /// The same, with another bound.
    pub(crate) fn answer_within(self, answer_within: Duration) -> Self {
        Self { answer_within, ..self }
    }

    /// Asks one command.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, LinkError> {
        self.within(async |mut connection| command.query_async(&mut connection).await).await
    }

    /// Asks several commands in one round trip; the first failure fails all.
    pub(crate) async fn ask_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, LinkError> {
        self.within(async |mut connection| commands.query_async(&mut connection).await).await
    }

    /// Runs calls of one script in one round trip, in order; two more when Redis does not have the script.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        calls: &[ScriptCall],
    ) -> Result<Vec<T>, LinkError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.within(async |connection| run(connection, script, calls).await).await?;
        let parsed = answers.into_iter().map(|answer| T::from_redis_value(answer).map_err(RedisError::from));
        parsed.collect::<RedisResult<_>>().map_err(|error| LinkError::of(&self.host, error))
    }

    async fn within<T>(
        &self,
        ask: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, LinkError> {
        let slot = self.slot();
        if !slot.initialized() {
            self.may_connect(Instant::now())?;
        }
        let connected = async {
            let connecting = slot.get_or_try_init(|| self.connect()).await;
            connecting.inspect_err(|error| self.rest(error.to_string())).cloned()
        };
        let asked = async { ask(connected.await?).await };
        match timeout(self.answer_within, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                if costs_the_connection(&error) {
                    self.replace(&slot);
                }
                Err(LinkError::of(&self.host, error))
            }
            Err(_) => {
                let cause = format!("no answer within {:?}", self.answer_within);
                if !slot.initialized() {
                    self.rest(cause.clone());
                }
                self.replace(&slot);
                Err(LinkError { host: self.host.clone(), cause, wrong_type: false })
            }
        }
    }

    /// Tells of the last failure while it is too early for another attempt.
    fn may_connect(&self, now: Instant) -> Result<(), LinkError> {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        match rest.as_ref().filter(|rest| now < rest.until) {
            Some(rest) => {
                Err(LinkError { host: self.host.clone(), cause: rest.cause.clone(), wrong_type: false })
            }
            None => Ok(()),
        }
    }

    /// An attempt to connect has failed.
    fn rest(&self, cause: String) {
        let until = Instant::now() + rand::random_range(SHORTEST_REST..=LONGEST_REST);
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Rest { until, cause });
    }

    /// Bounded by the caller, so the client's own bounds are off.
    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let unbounded =
            redis::AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        self.client.get_multiplexed_async_connection_with_config(&unbounded).await
    }

    fn slot(&self) -> Slot {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whoever asks next connects anew, unless somebody else has replaced the failed one already.
    fn replace(&self, failed: &Slot) {
        let mut slot = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&slot, failed) {
            *slot = Slot::default();
        }
    }
}

/// The keys and arguments of a script's call.
#[derive(Default)]
pub(crate) struct ScriptCall {
    keys: Vec<String>,
    arguments: Vec<String>,
}

impl ScriptCall {
    pub(crate) fn new(keys: &[&str]) -> Self {
        Self { keys: keys.iter().map(|key| (*key).to_owned()).collect(), arguments: Vec::new() }
    }

    pub(crate) fn key(&mut self, key: String) {
        self.keys.push(key);
    }

    pub(crate) fn argument(&mut self, argument: impl ToString) {
        self.arguments.push(argument.to_string());
    }

    pub(crate) fn with(mut self, argument: impl ToString) -> Self {
        self.argument(argument);
        self
    }

    fn command(&self, script: &Script) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.get_hash()).arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
        command
    }
}

/// A call that Redis has no script for was not run, and is sent again by itself.
async fn run(
    mut connection: MultiplexedConnection,
    script: &Script,
    calls: &[ScriptCall],
) -> RedisResult<Vec<Value>> {
    let mut answers = send(&mut connection, script, calls.iter()).await?;
    let unknown: Vec<usize> = (0..calls.len()).filter(|index| lacks_script(&answers[*index])).collect();
    if !unknown.is_empty() {
        script.load_async(&mut connection).await?;
        let again = send(&mut connection, script, unknown.iter().map(|index| &calls[*index])).await?;
        for (index, answer) in unknown.into_iter().zip(again) {
            answers[index] = answer;
        }
    }
    answers.into_iter().collect()
}

/// As many answers as calls.
async fn send(
    connection: &mut MultiplexedConnection,
    script: &Script,
    calls: impl Iterator<Item = &ScriptCall>,
) -> RedisResult<Vec<RedisResult<Value>>> {
    let mut pipeline = redis::pipe();
    for call in calls {
        pipeline.add_command(call.command(script));
    }
    let expected = pipeline.len();
    let answers: Vec<RedisResult<Value>> = pipeline.ignore_errors().query_async(connection).await?;
    if answers.len() == expected {
        Ok(answers)
    } else {
        Err((ErrorKind::UnexpectedReturnType, "another number of answers than of calls").into())
    }
}

fn lacks_script(answer: &RedisResult<Value>) -> bool {
    answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
}

fn client(url: &RedisUrl) -> RedisResult<Client> {
    let info = url.with_password().clone().into_connection_info()?;
    Client::open(info.set_tcp_settings(TcpSettings::default().set_nodelay(true)))
}

/// A read-only server was the master before a failover: the next connection may reach the new one.
fn costs_the_connection(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

impl LinkError {
    fn of(host: &str, error: RedisError) -> Self {
        let cause = error.to_string();
        let answers = error.into_server_errors();
        let wrong_type =
            answers.is_some_and(|errors| errors.iter().any(|(_, error)| error.code() == "WRONGTYPE"));
        Self { host: host.to_owned(), cause, wrong_type }
    }
}
