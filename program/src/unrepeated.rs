//! Values that are never repeated: a URL may hold a password, and a refused one must not show it.

use clap::{
    Arg, Command,
    builder::TypedValueParser,
    error::{Error, ErrorKind},
};
use std::{ffi::OsStr, fmt::Display, marker::PhantomData, str::FromStr};

/// Reads a value by its `FromStr`. What is refused is named by its flag and the reason, and not shown.
pub fn unrepeated<T>() -> Unrepeated<T> {
    Unrepeated(PhantomData)
}

/// See [`unrepeated`].
#[derive(Debug)]
pub struct Unrepeated<T>(PhantomData<fn() -> T>);

impl<T> Clone for Unrepeated<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for Unrepeated<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let refuse = |reason: &dyn Display| {
            let flag = arg.and_then(Arg::get_long).unwrap_or("value");
            Error::raw(ErrorKind::ValueValidation, format!("--{flag}: {reason}\n")).with_cmd(command)
        };
        let text = value.to_str().ok_or_else(|| refuse(&"not UTF-8"))?;
        text.parse().map_err(|error| refuse(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Flags {
        #[arg(long, value_parser = unrepeated::<u8>())]
        number: u8,
    }

    #[test]
    fn a_refused_value_is_not_shown() {
        let error = Flags::try_parse_from(["program", "--number", "sesame"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let text = error.to_string();
        assert!(text.contains("--number") && !text.contains("sesame"), "{text}");
        assert_eq!(Flags::try_parse_from(["program", "--number", "7"]).unwrap().number, 7);
    }
}
