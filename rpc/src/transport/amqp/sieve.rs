//! Takes out of what the broker sends whatever lapin would not survive, frame by frame.
//!
//! A publisher may put anything into a message's properties, and the broker hands it on unread. lapin gives up the whole
//! connection over a text that is not UTF-8 or a type it does not know, falls deaf over properties that are larger than a
//! frame may be, and ends the process over tables that are nested deeply (it recurses, on a small stack). From a shared
//! queue such a message would come again and again, to one consumer after the other. So properties that cannot be read
//! are taken away, and the message goes on without any: it is then dropped and acknowledged like other nonsense.

mod properties;

use properties::are_readable;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
/// What the broker begins with when it does not speak this version of AMQP: not a frame.
const OTHER_PROTOCOL: u8 = b'A';

/// Type, channel and size.
const HEAD_BYTES: usize = 7;
/// The end mark.
const END_BYTES: usize = 1;
const END: u8 = 0xce;

/// The class, a weight that is always 0, and the size of the body: what a header is besides its properties.
const FIXED_BYTES: usize = 12;
/// `basic.deliver`
const DELIVER: [u8; 4] = [0, 60, 0, 60];

/// Knows where in a frame the stream is.
#[derive(Debug)]
pub(super) struct Sieve {
    /// The largest header that is let through, in bytes of its whole frame.
    frame_max: usize,
    /// The beginning of a frame that is looked at when it is whole.
    held: Vec<u8>,
    /// How many bytes of the current frame still pass as they are.
    passing: usize,
}

impl Sieve {
    pub(super) fn new(frame_max: usize) -> Self {
        Self { frame_max, held: Vec::new(), passing: 0 }
    }

    /// Takes in the next bytes of the stream, and appends to `out` what may be read now.
    pub(super) fn sift(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        while !input.is_empty() {
            if self.passing > 0 {
                let (passes, rest) = input.split_at(self.passing.min(input.len()));
                out.extend_from_slice(passes);
                self.passing -= passes.len();
                input = rest;
            } else {
                input = self.hold(input, out);
            }
        }
    }

    /// Holds what belongs to the frame that begins, until it is known what becomes of it. Returns the rest.
    fn hold<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let (head, rest) = input.split_at((self.wanted() - self.held.len()).min(input.len()));
        self.held.extend_from_slice(head);
        if self.held.len() == self.wanted() {
            match self.held[0] {
                METHOD => out.extend(with_printable_names(std::mem::take(&mut self.held))),
                HEADER => self.let_header_through(out),
                kind => {
                    let whole = HEAD_BYTES + payload_bytes(&self.held) + END_BYTES;
                    self.passing = if kind == OTHER_PROTOCOL { usize::MAX } else { whole - HEAD_BYTES };
                    out.append(&mut self.held);
                }
            }
        }
        rest
    }

    /// How much of the frame has to be there to decide: of methods and headers all of it.
    fn wanted(&self) -> usize {
        match self.held.first() {
            Some(&(METHOD | HEADER)) if self.held.len() >= HEAD_BYTES => {
                HEAD_BYTES + payload_bytes(&self.held) + END_BYTES
            }
            _ => HEAD_BYTES,
        }
    }

    fn let_header_through(&mut self, out: &mut Vec<u8>) {
        let payload = self.held.get(HEAD_BYTES..self.held.len() - END_BYTES).unwrap_or_default();
        match payload.split_at_checked(FIXED_BYTES) {
            Some((fixed, properties)) if self.held.len() > self.frame_max || !are_readable(properties) => {
                out.extend_from_slice(&self.held[..3]);
                out.extend_from_slice(&(FIXED_BYTES as u32 + 2).to_be_bytes());
                out.extend_from_slice(fixed);
                out.extend_from_slice(&[0, 0, END]);
            }
            _ => out.extend_from_slice(&self.held),
        }
        self.held.clear();
    }
}

/// The size of a frame's payload, from its head.
fn payload_bytes(frame: &[u8]) -> usize {
    let size = frame.get(3..HEAD_BYTES).and_then(|size| size.try_into().ok()).map_or(0, u32::from_be_bytes);
    size.try_into().unwrap_or(usize::MAX / 2)
}

/// The frame of a method; of a delivery with the exchange and the routing key in ASCII, if they are not UTF-8: they are a
/// publisher's.
fn with_printable_names(mut frame: Vec<u8>) -> Vec<u8> {
    if frame.get(HEAD_BYTES..HEAD_BYTES + DELIVER.len()) != Some(&DELIVER) {
        return frame;
    }
    let after = |frame: &[u8], at: usize| frame.get(at).map(|length| at + 1 + usize::from(*length));
    // After the consumer's tag stand the number of the delivery and whether it was delivered before.
    let exchange = after(&frame, HEAD_BYTES + DELIVER.len()).map(|at| at + 9);
    let key = exchange.and_then(|at| after(&frame, at));
    for start in [exchange, key].into_iter().flatten() {
        let end = after(&frame, start).unwrap_or_default();
        let Some(text) = frame.get_mut(start + 1..end) else { continue };
        if std::str::from_utf8(text).is_err() {
            text.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
        }
    }
    frame
}

#[cfg(test)]
mod tests;
