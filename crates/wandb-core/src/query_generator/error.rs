//! Why a report filter or an order could not be converted.

/// A report filter, a Mongo filter or an order could not be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryGeneratorError {
    /// The JSON does not have the form of a filter.
    #[error("{expected} was expected at {path}")]
    Malformed {
        /// The JSON path.
        path: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// An operator that filters do not have.
    #[error("unknown operator \"{operator}\" at {path}")]
    UnknownOperator {
        /// The JSON path.
        path: String,
        /// The operator.
        operator: String,
        /// The operator that was probably meant.
        nearest: Option<String>,
    },
    /// A section that keys do not have.
    #[error("unknown section \"{section}\" at {path}")]
    UnknownSection {
        /// The JSON path.
        path: String,
        /// The section.
        section: String,
    },
    /// The target form cannot express this part.
    #[error("{what} has no form in a report filter, at {path}")]
    NotRepresentable {
        /// The JSON path.
        path: String,
        /// The part.
        what: String,
    },
    /// "Within the last seconds" needs the present time, see
    /// [`with_now`](super::QueryGenerator::with_now).
    #[error("the filter at {path} counts back from now, and no time was given")]
    NeedsTime {
        /// The JSON path.
        path: String,
    },
    /// The filter is nested too deep.
    #[error(
        "the filter is nested deeper than {} levels at {path}",
        crate::filter::MAX_DEPTH
    )]
    TooDeep {
        /// The JSON path.
        path: String,
    },
    /// An order key without a sign, or without a key.
    #[error("the order key {key:?} does not start with + (ascending) or - (descending)")]
    NoDirection {
        /// The key.
        key: String,
    },
}

impl QueryGeneratorError {
    /// The JSON path of the problem, if it is in a filter.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Malformed { path, .. }
            | Self::UnknownOperator { path, .. }
            | Self::UnknownSection { path, .. }
            | Self::NotRepresentable { path, .. }
            | Self::NeedsTime { path }
            | Self::TooDeep { path } => Some(path),
            Self::NoDirection { .. } => None,
        }
    }

    /// What to write instead, one sentence each. Not part of the error's text.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::UnknownOperator {
                nearest: Some(nearest),
                ..
            } => vec![format!("did you mean \"{nearest}\"?")],
            Self::UnknownSection { .. } => {
                vec!["sections are config, summary, keys_info, run and tags".to_owned()]
            }
            Self::NoDirection { key } => vec![format!("write \"+{key}\" or \"-{key}\"")],
            _ => Vec::new(),
        }
    }

    /// The problem without its place, for errors that print the place themselves.
    pub(crate) fn problem(&self) -> String {
        match self {
            Self::Malformed { expected, .. } => format!("{expected} was expected"),
            Self::UnknownOperator { operator, .. } => format!("unknown operator \"{operator}\""),
            Self::UnknownSection { section, .. } => format!("unknown section \"{section}\""),
            Self::NotRepresentable { what, .. } => format!("{what} has no form in a report filter"),
            Self::NeedsTime { .. } => "the filter counts back from now, and no time was given".to_owned(),
            Self::TooDeep { .. } => format!(
                "the filter is nested deeper than {} levels",
                crate::filter::MAX_DEPTH
            ),
            Self::NoDirection { .. } => self.to_string(),
        }
    }
}
