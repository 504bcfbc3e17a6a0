//! From the typed errors of the pure parsers to [`Error`]: kind *invalid input*, the parser's words, its hints.

use super::{Error, ErrorKind};
use crate::{base_url, filter, order, path, query_generator, secret, settings, timestamp};

macro_rules! invalid_input {
    ($($error:ty),+ $(,)?) => {
        $(
            impl From<$error> for Error {
                fn from(error: $error) -> Self {
                    let hints = error.hints();
                    let converted = Self::new(ErrorKind::InvalidInput, error.to_string());
                    hints.into_iter().fold(converted, Self::with_hint)
                }
            }
        )+
    };
}

invalid_input!(
    base_url::BaseUrlError,
    filter::FilterError,
    order::OrderError,
    path::NameError,
    path::PathError,
    path::UnsafeName,
    query_generator::QueryGeneratorError,
    secret::ApiKeyError,
    settings::SettingsError,
    settings::netrc::NetrcError,
    settings::ini::IniError,
    timestamp::TimestampError,
);
