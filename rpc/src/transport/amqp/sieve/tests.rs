//! The sieve on frames as lapin writes them, and on frames that it would not survive.

use super::*;
use crate::{CorrelationId, Encoding, Instance, Message, transport::amqp::wire};
use bytes::Bytes;
use lapin::{
    BasicProperties,
    types::{AMQPValue, DecimalValue, FieldTable},
};
use std::time::Duration;

const FRAME_MAX: usize = 8_192;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&[kind, 0, 7], &size[..], payload, &[END]].concat()
}

/// The header of a message with a body of 5 bytes.
fn header(properties: &[u8]) -> Vec<u8> {
    frame(HEADER, &[&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5], properties].concat())
}

fn deliver(exchange: &[u8], key: &[u8]) -> Vec<u8> {
    let lengths = [exchange, key].map(|name| u8::try_from(name.len()).expect("short"));
    let numbers = [0, 0, 0, 0, 0, 0, 0, 1, 0];
    frame(
        METHOD,
        &[&DELIVER, &b"\x03tag"[..], &numbers, &lengths[..1], exchange, &lengths[1..], key].concat(),
    )
}

/// What comes through, all at once and byte by byte.
fn sifted(stream: &[u8]) -> Vec<u8> {
    let (mut sieve, mut out) = (Sieve::new(FRAME_MAX), Vec::new());
    sieve.sift(stream, &mut out);
    let (mut sieve, mut slowly) = (Sieve::new(FRAME_MAX), Vec::new());
    stream.iter().for_each(|byte| sieve.sift(&[*byte], &mut slowly));
    assert_eq!(out, slowly);
    out
}

fn nested(levels: usize) -> Vec<u8> {
    let value = (0..levels).fold(b"V".to_vec(), |inner, _| {
        [b"A", &u32::try_from(inner.len()).expect("short").to_be_bytes()[..], &inner].concat()
    });
    let table = [b"\x01h", &value[..]].concat();
    [&[0x20, 0], &u32::try_from(table.len()).expect("short").to_be_bytes()[..], &table].concat()
}

/// As lapin writes them.
fn written(properties: &BasicProperties) -> Vec<u8> {
    let writing = lapin::protocol::basic::gen_properties(properties);
    let written = writing(Vec::new().into()).expect("a vector takes anything");
    let (bytes, _) = written.into_inner();
    bytes
}

#[test]
fn what_our_programs_send_and_anything_else_that_can_be_read_passes_as_it_is() {
    let (id, second) = (CorrelationId("c".into()), Duration::from_secs(1));
    let (me, you) = (Instance::new(), Instance::new());
    let request = Message::request("Ping", Some(id), me, Some(you), second, Encoding::Json, Bytes::new());
    let mut headers = FieldTable::default();
    for (index, value) in [
        AMQPValue::Boolean(true),
        AMQPValue::ShortShortInt(-1),
        AMQPValue::ShortShortUInt(1),
        AMQPValue::ShortInt(-1),
        AMQPValue::ShortUInt(1),
        AMQPValue::LongInt(-1),
        AMQPValue::LongUInt(1),
        AMQPValue::LongLongInt(-1),
        AMQPValue::Float(1.5),
        AMQPValue::Double(1.5),
        AMQPValue::DecimalValue(DecimalValue { scale: 1, value: 2 }),
        AMQPValue::LongString(vec![0xff; 300].into()),
        AMQPValue::FieldArray(vec![AMQPValue::Void].into()),
        AMQPValue::Timestamp(1),
        AMQPValue::FieldTable(FieldTable::default()),
        AMQPValue::ByteArray(vec![1, 2].into()),
    ]
    .into_iter()
    .enumerate()
    {
        headers.insert(format!("h{index}").into(), value);
    }
    let all = wire::write(&request).expect("short names").with_headers(headers);
    let all = all.with_content_encoding("é".into()).with_delivery_mode(2).with_priority(9);
    let all = all.with_timestamp(1).with_user_id("u".into()).with_cluster_id("c".into());
    let all = all.with_reply_to("r".into());
    let written = [BasicProperties::default(), wire::write(&request).expect("short names"), all];
    let headers = written.iter().map(|properties| header(&self::written(properties)));
    let mut stream: Vec<u8> = headers.collect::<Vec<_>>().concat();
    stream.extend(header(&nested(properties_deepest())));
    stream.extend(deliver("é".as_bytes(), b"key"));
    stream.extend(frame(3, b"hello"));
    stream.extend(frame(8, b""));
    stream.extend(frame(METHOD, &[0, 10, 0, 50, 0xff]));
    assert_eq!(sifted(&stream), stream);
}

fn properties_deepest() -> usize {
    16
}

#[test]
fn properties_that_cannot_be_read_are_taken_away_and_the_message_goes_on() {
    for (what, properties) in [
        ("a type that is not UTF-8", &b"\x00\x20\x02\xff\xfe"[..]),
        ("a header's name that is not UTF-8", b"\x20\x00\x00\x00\x00\x03\x01\xffV"),
        ("a header of an unknown type", b"\x20\x00\x00\x00\x00\x03\x01hZ"),
        ("a text that is cut off", b"\x00\x20\x09x"),
        ("a table that is cut off", b"\x20\x00\xff\xff\xff\xff\x01h"),
        ("more than the flags say", b"\x00\x00x"),
        ("flags of properties that do not exist", b"\x00\x01"),
        ("deep arrays", &nested(properties_deepest() + 1)),
        ("very deep arrays", &nested(1_500)),
        (
            "too much",
            &[&[0x20, 0, 0, 0, 0x27, 0x17, 1, b'h', b'x', 0, 0, 0x27, 0x10][..], &[0; 10_000]].concat(),
        ),
    ] {
        let (before, after) = (deliver(b"", b"key"), frame(3, b"hello"));
        let stream = [&before[..], &header(properties), &after, &header(b"\x00\x00")].concat();
        let expected = [&before[..], &header(b"\x00\x00"), &after, &header(b"\x00\x00")].concat();
        assert_eq!(sifted(&stream), expected, "{what}");
    }
}

#[test]
fn names_in_a_delivery_that_are_not_utf8_are_made_printable() {
    assert_eq!(sifted(&deliver(b"e\xff", b"\xfe\xfek")), deliver(b"e?", b"??k"));
}

#[test]
fn a_broker_of_another_protocol_is_heard_and_nonsense_is_no_panic() {
    assert_eq!(sifted(b"AMQP\x00\x01\x00\x00 and so on"), b"AMQP\x00\x01\x00\x00 and so on");
    for nonsense in [&[METHOD, 0, 1, 0, 0, 0, 0, END][..], &[HEADER, 0, 1, 0, 0, 0, 1, 60, END], &[0xff; 64]]
    {
        sifted(nonsense);
    }
    assert_eq!(sifted(&frame(METHOD, &DELIVER)), frame(METHOD, &DELIVER));
    assert_eq!(sifted(&frame(METHOD, b"\0\x3c\0\x3c\xff")), frame(METHOD, b"\0\x3c\0\x3c\xff"));
}
