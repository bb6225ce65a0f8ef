//! One life of the connection: what was opened with it is lost with it.

use super::{
    names::{Names, Route, short},
    returns::{Requests, await_confirm, poll_returns},
    settings::{AmqpSettings, AmqpUrl, Connections},
    stream, wire,
};
use crate::{
    Address, Generation, Instance, Link, Message, ReplyTo,
    transport::{Inbound, InboxSlot, SendError},
};
use futures_util::StreamExt;
use lapin::{
    Channel, Connection, ConnectionProperties, Event,
    options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::{FieldTable, ShortString},
};
use std::{
    collections::HashSet,
    sync::{Arc, MutexGuard, OnceLock, PoisonError, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a polite goodbye to the broker may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What every life of the connection is opened with.
pub(super) struct Environment {
    pub(super) settings: AmqpSettings,
    pub(super) instance: Instance,
    pub(super) names: Names,
    pub(super) inbox: InboxSlot,
    pub(super) link: watch::Sender<Link>,
    /// Numbers every queue that is ever named after this process.
    pub(super) generations: AtomicU64,
}

impl Environment {
    pub(super) fn next_generation(&self) -> Generation {
        self.generations.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// One life of the connection.
pub(super) struct Session {
    pub(super) environment: Arc<Environment>,
    pub(super) generation: Generation,
    publishing: Arc<Connection>,
    pub(super) consuming: Arc<Connection>,
    /// Shared queues, replies, notifications: without confirms.
    bulk: Channel,
    /// Requests to one peer: with confirms.
    direct: Channel,
    reply_queue: ReplyTo,
    /// The services whose exchanges are known to exist: publishing to a missing one costs the channel.
    declared: Mutex<HashSet<String>>,
    requests: Requests,
    /// Acknowledgements that are on their way to the broker.
    pub(super) telling: TaskTracker,
    /// Why the broker takes no messages now.
    blocked: std::sync::Mutex<Option<String>>,
    over: CancellationToken,
    reason: OnceLock<String>,
}

impl Session {
    /// Connects, opens the channels, and consumes a reply queue of its own.
    pub(super) async fn open(
        environment: Arc<Environment>,
        url: &AmqpUrl,
        tasks: &mut JoinSet<()>,
    ) -> lapin::Result<Arc<Self>> {
        let settings = &environment.settings;
        let generation = environment.next_generation();
        let publishing = Arc::new(connect(url, settings).await?);
        let consuming = match settings.connections {
            Connections::Shared => publishing.clone(),
            Connections::Split => Arc::new(connect(url, settings).await?),
        };
        let bulk = publishing.create_channel().await?;
        let direct = publishing.create_channel().await?;
        direct.confirm_select(ConfirmSelectOptions::default()).await?;
        let reply_queue = environment.names.reply_queue(environment.instance, generation);
        let session = Arc::new(Self {
            generation,
            publishing,
            consuming,
            bulk,
            direct,
            reply_queue: ReplyTo(reply_queue.as_str().into()),
            declared: Mutex::default(),
            requests: Requests::new(),
            telling: TaskTracker::new(),
            blocked: std::sync::Mutex::default(),
            over: CancellationToken::new(),
            reason: OnceLock::new(),
            environment,
        });
        session.read_replies(tasks).await?;
        session.watch_connections(tasks);
        session.drain_returns(tasks);
        Ok(session)
    }

    /// Waits until this life is over, and says why.
    pub(super) async fn over(&self) -> String {
        self.over.cancelled().await;
        self.reason.get().cloned().unwrap_or_default()
    }

    /// Waits until the broker knows of everything that is dealt with: it would deliver the rest again.
    pub(super) async fn settle(&self) {
        self.telling.close();
        let _ = timeout(CLOSE_TIMEOUT, self.telling.wait()).await;
    }

    /// Says goodbye to the broker. A consumer's channel would keep a connection open without it.
    pub(super) async fn close(&self) {
        self.end("closed");
        tokio::join!(goodbye(&self.publishing), async {
            if !Arc::ptr_eq(&self.publishing, &self.consuming) {
                goodbye(&self.consuming).await;
            }
        });
    }

    /// Sends a request or a notification.
    pub(super) async fn send(self: &Arc<Self>, to: &Address, mut message: Message) -> Result<(), SendError> {
        let route = self.environment.names.route(to)?;
        self.ensure_open()?;
        if let Some(service) = &route.exchanges_of {
            self.ensure_exchanges(service).await?;
        }
        let mandatory = message.expects_reply();
        if mandatory {
            message.reply_to = Some(self.reply_queue.clone());
        }
        self.publish(route, mandatory, &message).await
    }

    /// Where answers to this process arrive.
    pub(super) fn reply_to(&self) -> ReplyTo {
        self.reply_queue.clone()
    }

    /// Sends an answer: never mandatory, since its caller may have gone.
    pub(super) async fn reply(self: &Arc<Self>, to: &ReplyTo, message: Message) -> Result<(), SendError> {
        let key = short(&to.0).map_err(SendError::Invalid)?;
        let route = Route { exchange: ShortString::default(), key, exchanges_of: None, direct: false };
        self.publish(route, false, &message).await
    }

    async fn publish(
        self: &Arc<Self>,
        route: Route,
        mandatory: bool,
        message: &Message,
    ) -> Result<(), SendError> {
        self.ensure_open()?;
        let properties = wire::write(message)?;
        let options = BasicPublishOptions { mandatory, immediate: false };
        let confirmed = route.direct && mandatory;
        let channel = if confirmed { &self.direct } else { &self.bulk };
        let publishing = channel.basic_publish(route.exchange, route.key, options, &message.body, properties);
        let held_back = HeldBack(self);
        let published = publishing.await;
        std::mem::forget(held_back);
        match published {
            Ok(confirm) if confirmed => {
                let environment = self.environment.clone();
                tokio::spawn(async move { await_confirm(confirm, &environment.inbox).await });
            }
            Ok(_) if mandatory => self.requests.sent(),
            Ok(_) => {}
            Err(error) => {
                self.end(error);
                return Err(SendError::Lost);
            }
        }
        Ok(())
    }

    /// Whether messages are taken: a session that is over takes none, nor does a broker that is short of memory.
    fn ensure_open(&self) -> Result<(), SendError> {
        if self.over.is_cancelled() {
            return Err(SendError::NotConnected);
        }
        self.lock_blocked().clone().map_or(Ok(()), |reason| Err(SendError::Blocked(reason)))
    }

    /// Makes sure that a service's exchanges exist, on a channel of its own: a refusal would cost it. Not on the
    /// connection that publishes, which a blocked broker does not read.
    async fn ensure_exchanges(&self, service: &str) -> Result<(), SendError> {
        let mut declared = self.declared.lock().await;
        if declared.contains(service) {
            return Ok(());
        }
        let refused = |error: lapin::Error| match error.is_amqp_error() {
            true => SendError::Invalid(format!("the exchanges of {service:?} cannot be declared: {error}")),
            false => SendError::Lost,
        };
        let exchanges = self.environment.names.exchanges(service).map_err(SendError::Invalid)?;
        let channel = self.consuming.create_channel().await.map_err(refused)?;
        for exchange in exchanges {
            exchange.declare(&channel).await.map_err(refused)?;
        }
        let _ = channel.close(200, "declared".into()).await;
        declared.insert(service.to_owned());
        Ok(())
    }

    /// Ends this life, for the first reason that is given.
    pub(super) fn end(&self, reason: impl ToString) {
        let _ = self.reason.set(reason.to_string());
        self.over.cancel();
    }

    async fn read_replies(self: &Arc<Self>, tasks: &mut JoinSet<()>) -> lapin::Result<()> {
        let channel = self.consuming.create_channel().await?;
        let queue = ShortString::from(&*self.reply_queue.0);
        let exclusive =
            QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.clone(), exclusive, FieldTable::default()).await?;
        // Answers need no acknowledgement: there are never more of them than calls in flight.
        let no_ack = BasicConsumeOptions { no_ack: true, exclusive: true, ..BasicConsumeOptions::default() };
        let mut replies =
            channel.basic_consume(queue, ShortString::default(), no_ack, FieldTable::default()).await?;
        let session = self.clone();
        tasks.spawn(async move {
            while let Some(Ok(delivery)) = replies.next().await {
                let answer = wire::read(&delivery.properties, delivery.data);
                session.environment.inbox.put(Inbound::Answer(answer));
            }
            session.end("the reply queue was lost");
            drop(channel);
        });
        Ok(())
    }

    /// lapin's event streams compete for events: there is one for each connection, here.
    fn watch_connections(self: &Arc<Self>, tasks: &mut JoinSet<()>) {
        self.watch(&self.publishing, tasks);
        if !Arc::ptr_eq(&self.publishing, &self.consuming) {
            self.watch(&self.consuming, tasks);
        }
    }

    fn watch(self: &Arc<Self>, connection: &Arc<Connection>, tasks: &mut JoinSet<()>) {
        let publishes = Arc::ptr_eq(connection, &self.publishing);
        let mut events = connection.events_listener();
        let (session, connection) = (self.clone(), connection.clone());
        tasks.spawn(async move {
            // It can have been lost before there was anybody to be told.
            while connection.status().connected() {
                match events.next().await {
                    Some(Event::ConnectionBlocked(reason)) if publishes => session.set_blocked(Some(reason)),
                    Some(Event::ConnectionUnblocked) if publishes => session.set_blocked(None),
                    Some(Event::Error(error)) if session.has_lost_a_part() => session.end(error),
                    Some(_) => {}
                    None => break,
                }
            }
            session.end("the connection was lost");
        });
    }

    /// lapin reports an error of any channel as the connection's. One that ends a consumer's channel, or that was
    /// made to ask for something, costs no more than that channel.
    fn has_lost_a_part(&self) -> bool {
        let connections = [&self.publishing, &self.consuming];
        let channels = [&self.bulk, &self.direct];
        !connections.iter().all(|connection| connection.status().connected())
            || !channels.iter().all(|channel| channel.status().connected())
    }

    /// Says to everyone that this is the link now.
    pub(super) fn show_link(&self) {
        let blocked = self.lock_blocked();
        self.environment.link.send_replace(self.link(&blocked));
    }

    /// Says so as far as this still is the link, or is about to be.
    fn set_blocked(&self, reason: Option<String>) {
        let mut blocked = self.lock_blocked();
        *blocked = reason;
        self.environment.link.send_if_modified(|link| {
            let current = link.generation() == Some(self.generation);
            if current {
                *link = self.link(&blocked);
            }
            current
        });
    }

    fn link(&self, blocked: &Option<String>) -> Link {
        let generation = self.generation;
        match blocked {
            Some(reason) => Link::Blocked { generation, reason: reason.clone() },
            None => Link::Up { generation },
        }
    }

    fn lock_blocked(&self) -> MutexGuard<'_, Option<String>> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drain_returns(self: &Arc<Self>, tasks: &mut JoinSet<()>) {
        let session = self.clone();
        tasks.spawn(async move {
            poll_returns(session.bulk.clone(), &session.requests, &session.environment.inbox).await;
            session.end("the publishing channel was closed by the broker");
        });
    }
}

/// Ends the session when a publish is given up that a blocked broker holds back: lapin would send it once the
/// broker takes messages again, long after its deadline.
struct HeldBack<'a>(&'a Session);

impl Drop for HeldBack<'_> {
    fn drop(&mut self) {
        if self.0.publishing.status().blocked() {
            self.0.end("a message was held back beyond its deadline");
        }
    }
}

async fn goodbye(connection: &Connection) {
    let _ = timeout(CLOSE_TIMEOUT, connection.close(200, "goodbye".into())).await;
}

async fn connect(url: &AmqpUrl, settings: &AmqpSettings) -> lapin::Result<Connection> {
    let mut uri = url.0.clone();
    uri.query.heartbeat = Some(u16::try_from(settings.heartbeat.as_secs()).unwrap_or(u16::MAX).max(1));
    uri.query.frame_max = Some(settings.frame_max);
    let properties =
        ConnectionProperties::default().with_connection_name(settings.connection_name.as_str().into());
    stream::connect(uri, properties, settings).await
}
