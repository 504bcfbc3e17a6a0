//! What is wrong with a text, in the words of who wrote it: the parser's own speak to who programs with it.

use std::borrow::Cow;

use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

/// The messages of this crate; where it has none, those that the parser has for users.
#[derive(Debug)]
pub(crate) struct Words;

impl MessageFormatter for Words {
    fn format_message<'a>(&self, error: &'a Error) -> Cow<'a, str> {
        Cow::Borrowed(match error {
            // The one text without an alternative is a key: `: x`, `~: x`, `null: x`.
            Error::NullIntoString { .. } => "a key is missing or null, and keys have to be texts",
            Error::TaggedScalarCannotDeserializeIntoString { .. } => {
                "a key has a tag, and keys have to be texts"
            }
            Error::Unexpected { expected, .. } if expected.contains("string") => {
                "a key is a list or a mapping, and keys have to be texts"
            }
            Error::Eof { .. } => "it ends too early",
            Error::MultipleDocuments { .. }
            | Error::Budget {
                breach: BudgetBreach::Documents { .. },
                ..
            } => "it holds more than one document",
            Error::UnknownAnchor { .. } => "an alias names an anchor that is not there",
            Error::RecursiveReferencesRequireWeakTypes { .. } => {
                "an alias stands for something that it is part of"
            }
            Error::Budget { .. }
            | Error::AliasReplayCounterOverflow { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. } => "it is too large or nested too deeply",
            // The parser's own bound has no kind of its own.
            Error::Message { msg, .. } | Error::ExternalMessage { msg, .. }
                if msg.contains("recursion limit") =>
            {
                "it is too large or nested too deeply"
            }
            other => return UserMessageFormatter.format_message(other),
        })
    }
}
