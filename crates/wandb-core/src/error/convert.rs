//! From the typed errors of the pure parsers to [`Error`]: the parser's words, its hints and its cause.

use std::fmt;

use super::{Error, ErrorKind};
use crate::{base_url, filter, order, path, secret, settings, timestamp};

/// The cause of an error whose own words have become the message of another one.
#[derive(Debug)]
struct Cause<E>(E);

impl<E: std::error::Error> fmt::Display for Cause<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .source()
            .map_or(Ok(()), |source| fmt::Display::fmt(source, formatter))
    }
}

impl<E: std::error::Error> std::error::Error for Cause<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source().and_then(std::error::Error::source)
    }
}

fn convert<E>(kind: ErrorKind, error: E, hints: Vec<String>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let converted = hints
        .into_iter()
        .fold(Error::new(kind, error.to_string()), Error::with_hint);
    if error.source().is_some() {
        converted.with_source(Cause(error))
    } else {
        converted
    }
}

macro_rules! convert_from {
    ($($error:ty => $kind:expr),+ $(,)?) => {
        $(
            impl From<$error> for Error {
                fn from(error: $error) -> Self {
                    let hints = error.hints();
                    let kind: fn(&$error) -> ErrorKind = $kind;
                    convert(kind(&error), error, hints)
                }
            }
        )+
    };
}

convert_from! {
    base_url::BaseUrlError => |_| ErrorKind::InvalidInput,
    filter::FilterError => |_| ErrorKind::InvalidInput,
    order::OrderError => |_| ErrorKind::InvalidInput,
    path::NameError => |_| ErrorKind::InvalidInput,
    path::PathError => |_| ErrorKind::InvalidInput,
    path::RefusedName => |error| match error.fault() {
        path::NameFault::Hostile(_) => ErrorKind::InvalidInput,
        // Something else would do: another policy, another system.
        path::NameFault::Unportable(_) => ErrorKind::Conflict,
    },
    // A key that cannot be one is no better than one that was refused.
    secret::ApiKeyError => |_| ErrorKind::Authentication,
    settings::SettingsError => settings_kind,
    settings::netrc::NetrcError => |_| ErrorKind::InvalidInput,
    settings::ini::IniError => |_| ErrorKind::InvalidInput,
    timestamp::TimestampError => |_| ErrorKind::InvalidInput,
}

fn settings_kind(error: &settings::SettingsError) -> ErrorKind {
    let about_the_key = std::error::Error::source(error).is_some_and(|source| {
        matches!(source.downcast_ref(), Some(settings::InvalidValue::ApiKey(_)))
            || source.is::<secret::ApiKeyError>()
    });
    if about_the_key {
        ErrorKind::Authentication
    } else {
        ErrorKind::InvalidInput
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Layer, SettingKey, Settings};

    fn chain(error: &Error) -> Vec<String> {
        let mut texts = vec![error.to_string()];
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            texts.push(error.to_string());
            source = error.source();
        }
        texts
    }

    #[test]
    fn a_wrong_key_is_an_authentication_error_without_the_key() {
        let error = Error::from(secret::ApiKey::parse("wrong-key-value").unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Authentication);
        let layer = Layer::explicit().with(SettingKey::ApiKey, "wrong-key-value");
        let error = Error::from(Settings::resolve([layer], None).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");
        assert!(!format!("{error:?} {:?}", chain(&error)).contains("wrong-key-value"));
    }

    #[test]
    fn the_cause_is_told_once() {
        let layer = Layer::explicit().with(SettingKey::BaseUrl, "ftp://x");
        let error = Error::from(Settings::resolve([layer], None).unwrap_err());
        let texts = chain(&error);
        assert!(texts.len() >= 2, "{texts:?}");
        assert_eq!(
            texts.iter().filter(|text| **text == texts[1]).count(),
            1,
            "{texts:?}"
        );
        assert!(!texts[0].contains(texts[1].as_str()), "{texts:?}");
    }
}
