//! A message as AMQP properties and headers, and back.

use crate::{
    CorrelationId, Encoding, Message, PROTOCOL, ReplyTo,
    transport::{SendError, amqp::names::short},
};
use bytes::Bytes;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};
use std::time::Duration;

const DEADLINE: &str = "bw-deadline-ms";
const PROTOCOL_HEADER: &str = "bw-protocol";
const INSTANCE: &str = "bw-instance";
const TRACEPARENT: &str = "traceparent";

/// The longest deadline off the wire that is believed, in milliseconds.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1_000;

/// The properties of a message that is sent.
pub(super) fn write(message: &Message) -> Result<BasicProperties, SendError> {
    let text = |text: &str| short(text).map_err(SendError::Invalid);
    let mut properties = BasicProperties::default()
        .with_type(text(&message.kind)?)
        .with_content_type(ShortString::from(message.encoding.unwrap_or_default().content_type()))
        .with_message_id(text(&message.message_id)?)
        .with_headers(headers(message));
    if let Some(CorrelationId(id)) = &message.correlation_id {
        properties = properties.with_correlation_id(text(id)?);
    }
    if let Some(ReplyTo(queue)) = &message.reply_to {
        properties = properties.with_reply_to(text(queue)?);
    }
    if let Some(sender) = message.sender {
        properties = properties.with_app_id(text(&sender.to_string())?);
    }
    if let Some(deadline) = message.deadline {
        properties = properties.with_expiration(text(&milliseconds(deadline).to_string())?);
    }
    Ok(properties)
}

fn headers(message: &Message) -> FieldTable {
    let protocol = i32::try_from(message.protocol).unwrap_or(i32::MAX);
    let mut headers = FieldTable::default();
    headers.insert(PROTOCOL_HEADER.into(), AMQPValue::LongInt(protocol));
    if let Some(deadline) = message.deadline {
        headers.insert(DEADLINE.into(), AMQPValue::LongLongInt(milliseconds(deadline)));
    }
    if let Some(target) = message.target {
        headers.insert(INSTANCE.into(), AMQPValue::LongString(target.to_string().into()));
    }
    if let Some(trace) = message.trace {
        headers.insert(TRACEPARENT.into(), AMQPValue::LongString(trace.to_string().into()));
    }
    headers
}

/// At least one: the broker closes the channel over an expiration of less.
fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(1)
}

/// Reads a message that arrived. Whatever is missing or absurd has its default.
pub(super) fn read(properties: &BasicProperties, body: Vec<u8>) -> Message {
    let text = |property: &Option<ShortString>| property.as_ref().map(|text| text.as_str().to_owned());
    let header = |name: &str| properties.headers().as_ref().and_then(|headers| headers.inner().get(name));
    Message {
        kind: text(properties.kind()).unwrap_or_default(),
        correlation_id: text(properties.correlation_id()).map(CorrelationId),
        reply_to: text(properties.reply_to()).map(|queue| ReplyTo(queue.into())),
        message_id: text(properties.message_id()).unwrap_or_default(),
        sender: text(properties.app_id()).and_then(|id| id.parse().ok()),
        target: header(INSTANCE).and_then(as_text).and_then(|id| id.parse().ok()),
        deadline: header(DEADLINE).and_then(as_unsigned).map(|ms| Duration::from_millis(ms.min(LONGEST_MS))),
        protocol: header(PROTOCOL_HEADER)
            .and_then(as_unsigned)
            .map_or(PROTOCOL, |protocol| u32::try_from(protocol).unwrap_or(u32::MAX)),
        trace: header(TRACEPARENT).and_then(as_text).and_then(|text| text.parse().ok()),
        encoding: properties
            .content_type()
            .as_ref()
            .map_or(Some(Encoding::default()), |it| Encoding::of(it.as_str())),
        body: Bytes::from(body),
    }
}

fn as_text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok().map(str::to_owned),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

/// Clients of other languages choose the integer's width as they like.
fn as_unsigned(value: &AMQPValue) -> Option<u64> {
    match value {
        AMQPValue::ShortShortInt(n) => u64::try_from(*n).ok(),
        AMQPValue::ShortShortUInt(n) => Some(u64::from(*n)),
        AMQPValue::ShortInt(n) => u64::try_from(*n).ok(),
        AMQPValue::ShortUInt(n) => Some(u64::from(*n)),
        AMQPValue::LongInt(n) => u64::try_from(*n).ok(),
        AMQPValue::LongUInt(n) => Some(u64::from(*n)),
        AMQPValue::LongLongInt(n) => u64::try_from(*n).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Instance, TraceParent};

    #[test]
    fn a_request_reads_as_it_was_written() {
        let (me, you) = (Instance::new(), Instance::new());
        let (id, left) = (CorrelationId("c".into()), Duration::from_millis(1500));
        let body = Bytes::from_static(b"{}");
        let mut request =
            Message::request("Ping", Some(id), me, Some(you), left, Encoding::MessagePack, body);
        request.reply_to = Some(ReplyTo("n.reply.1".into()));
        request.trace = Some(TraceParent::new());
        let properties = write(&request).expect("short names");
        assert_eq!(properties.expiration().as_ref().map(ShortString::as_str), Some("1500"));
        let read = read(&properties, b"{}".to_vec());
        assert_eq!(read.kind, "Ping");
        assert_eq!(read.correlation_id, request.correlation_id);
        assert_eq!(read.reply_to, request.reply_to);
        assert_eq!((read.sender, read.target), (Some(me), Some(you)));
        assert_eq!(read.deadline, Some(Duration::from_millis(1500)));
        assert_eq!(read.protocol, PROTOCOL);
        assert_eq!((read.trace, read.encoding), (request.trace, Some(Encoding::MessagePack)));
    }

    #[test]
    fn headers_of_absurd_types_are_as_if_they_were_missing() {
        let mut headers = FieldTable::default();
        headers.insert(DEADLINE.into(), AMQPValue::FieldTable(FieldTable::default()));
        headers.insert(PROTOCOL_HEADER.into(), AMQPValue::Boolean(true));
        headers.insert(INSTANCE.into(), AMQPValue::LongInt(7));
        headers.insert(TRACEPARENT.into(), AMQPValue::LongString(vec![0xff, 0xfe].into()));
        let read = read(&BasicProperties::default().with_headers(headers), Vec::new());
        assert_eq!((read.deadline, read.protocol), (None, PROTOCOL));
        assert!(!read.expects_reply() && read.reply_to.is_none());
        assert_eq!((read.target, read.trace), (None, None));
    }

    #[test]
    fn an_integer_of_any_width_is_a_deadline_and_a_negative_one_is_none() {
        let deadline = |value| {
            let mut headers = FieldTable::default();
            headers.insert(DEADLINE.into(), value);
            read(&BasicProperties::default().with_headers(headers), Vec::new()).deadline
        };
        assert_eq!(deadline(AMQPValue::ShortShortUInt(9)), Some(Duration::from_millis(9)));
        assert_eq!(deadline(AMQPValue::LongLongInt(9)), Some(Duration::from_millis(9)));
        assert_eq!(deadline(AMQPValue::LongLongInt(i64::MAX)), Some(Duration::from_millis(LONGEST_MS)));
        assert_eq!(deadline(AMQPValue::LongInt(-9)), None);
    }

    #[test]
    fn what_is_left_of_a_deadline_is_never_written_as_nothing() {
        let (me, nothing) = (Instance::new(), Duration::ZERO);
        let late = Message::request("Resync", None, me, None, nothing, Encoding::Json, Bytes::new());
        let properties = write(&late).expect("short names");
        assert_eq!(properties.expiration().as_ref().map(ShortString::as_str), Some("1"));
    }
}
