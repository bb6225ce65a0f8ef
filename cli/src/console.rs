//! Standard output and standard error, whose readers may leave early.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Standard output. What is written after its reader left (`bellwether agents | head -1`) is dropped: the command
/// still ends as it would have.
pub(crate) struct Stdout {
    inner: io::Stdout,
}

impl Stdout {
    pub(crate) fn new() -> Self {
        Self { inner: io::stdout() }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unless_nobody_reads(self.inner.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        unless_nobody_reads(self.inner.flush(), ())
    }
}

fn unless_nobody_reads<T>(result: io::Result<T>, otherwise: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(otherwise),
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot write to standard output: {error}"))),
        Ok(done) => Ok(done),
    }
}

/// Writes a line to standard error; there is nobody to tell when that fails.
pub(crate) fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reader_who_left_is_forgiven() {
        assert_eq!(unless_nobody_reads(Err(ErrorKind::BrokenPipe.into()), 7).ok(), Some(7));
        assert!(unless_nobody_reads(Err(ErrorKind::StorageFull.into()), 7).is_err());
    }
}
