//! What can be wrong with a filter or an order string.

use thiserror::Error;

/// A filter that cannot be compiled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum FilterError {
    /// Not JSON, even leniently.
    #[error("filter is not valid JSON")]
    Json(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Over a limit that keeps one request from occupying the server.
    #[error("filter is too large: more than {limit} {what}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How many are accepted.
        limit: usize,
    },
    /// A filter, or a branch of one, that is not an object.
    #[error("{place} must be an object such as {{\"state\": \"finished\"}}")]
    NotAnObject {
        /// Where it stands.
        place: String,
    },
    /// `$and`, `$or`, `$nor` without a list.
    #[error("filter operator {operator} takes a list of filters")]
    NotAList {
        /// The operator.
        operator: String,
    },
    /// An operator that does not exist, or not there.
    #[error("unknown filter operator {operator:?}{}", on(field))]
    UnknownOperator {
        /// The operator.
        operator: String,
        /// The field it was applied to, if any.
        field: Option<String>,
    },
    /// A field that runs do not have.
    #[error("unknown filter field {field:?}")]
    UnknownField {
        /// The field.
        field: String,
    },
    /// An operator that the field has no use for.
    #[error("filter operator {operator} does not apply to {field:?}")]
    Inapplicable {
        /// The operator.
        operator: &'static str,
        /// The field.
        field: String,
    },
    /// An operand of the wrong kind.
    #[error("filter operator {operator} on {field:?} takes {expected}")]
    Operand {
        /// The operator.
        operator: &'static str,
        /// The field.
        field: String,
        /// What it would have taken.
        expected: &'static str,
    },
    /// A regular expression that does not compile, or compiles to something too large.
    #[error("invalid regular expression on {field:?}")]
    Regex {
        /// The field.
        field: String,
        /// Why.
        #[source]
        source: regex::Error,
    },
}

fn on(field: &Option<String>) -> String {
    field
        .as_ref()
        .map(|field| format!(" on {field:?}"))
        .unwrap_or_default()
}

/// An order string that cannot be compiled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum OrderError {
    /// A key that runs cannot be sorted by.
    #[error("unknown order key {key:?}")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// Over a limit that keeps one request from occupying the server.
    #[error("order is too large: more than {limit} {what}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How many are accepted.
        limit: usize,
    },
}

/// The message of an error and of its causes on one line, for callers that get only a text. The `regex` crate draws its
/// messages over several lines, of which the last one says what is wrong.
pub(crate) fn explain(error: &(dyn std::error::Error + 'static)) -> String {
    let line = |error: &dyn std::error::Error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default().trim();
        last.strip_prefix("error: ").unwrap_or(last).to_owned()
    };
    let mut text = line(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&line(error));
        cause = error.source();
    }
    text
}
