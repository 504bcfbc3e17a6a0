//! Why a filter could not be read, printed or evaluated.

use std::{error::Error, fmt, sync::Arc};

/// What kind of problem a [`FilterError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FilterErrorKind {
    /// The text is not JSON, or not a filter expression.
    Syntax,
    /// A field that runs do not have.
    UnknownField,
    /// An operator that the filter language does not have.
    UnknownOperator,
    /// The value does not fit its operator, for example `$in` without a list.
    WrongValue,
    /// A key stands twice in one JSON object; one of the two would be lost.
    DuplicateKey,
    /// The pattern is not a regular expression.
    InvalidRegex,
    /// The value compared with a time is not a time.
    InvalidTime,
    /// The filter is nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH) levels.
    TooDeep,
    /// The target form (report filters) cannot express the filter.
    NotRepresentable,
    /// The filter cannot be evaluated on this side, for example untouched JSON.
    NotEvaluable,
}

/// Where in the input the problem is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Location {
    /// The filter did not come from a text.
    Nowhere,
    /// A JSON path such as `$.config.lr.$gtt`.
    JsonPath(String),
    /// A byte offset in a text.
    Text { text: String, offset: usize },
}

/// A filter could not be read, printed or evaluated.
///
/// The text is one line: what is wrong and where. [`hints`](Self::hints) says what to write instead and
/// [`caret`](Self::caret) points at the place in an expression.
#[derive(Clone)]
pub struct FilterError {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: FilterErrorKind,
    message: String,
    location: Location,
    hints: Vec<String>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl FilterError {
    pub(crate) fn new(kind: FilterErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                location: Location::Nowhere,
                hints: Vec::new(),
                source: None,
            }),
        }
    }

    pub(crate) fn too_deep() -> Self {
        Self::new(
            FilterErrorKind::TooDeep,
            format!("the filter is nested deeper than {} levels", super::MAX_DEPTH),
        )
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hints.push(hint.into());
        self
    }

    /// Adds `did you mean "…"?` when there is a near name.
    pub(crate) fn with_nearest(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(name) => self.with_hint(format!("did you mean \"{name}\"?")),
            None => self,
        }
    }

    pub(crate) fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Arc::new(source));
        self
    }

    /// Sets the JSON path, unless a place is known already: the innermost one is the exact one.
    pub(crate) fn at_json(mut self, path: impl FnOnce() -> String) -> Self {
        if self.inner.location == Location::Nowhere {
            self.inner.location = Location::JsonPath(path());
        }
        self
    }

    pub(crate) fn at_text(mut self, text: &str, offset: usize) -> Self {
        if self.inner.location == Location::Nowhere {
            let mut offset = offset.min(text.len());
            while !text.is_char_boundary(offset) {
                offset -= 1;
            }
            self.inner.location = Location::Text {
                text: text.to_owned(),
                offset,
            };
        }
        self
    }

    /// Replaces the place by a JSON path in the document that the first one was made from.
    pub(crate) fn moved_to_json(mut self, path: String) -> Self {
        self.inner.location = Location::JsonPath(path);
        self
    }

    /// Replaces the place by one in a text that the first one was a part of.
    pub(crate) fn moved_in_text(mut self, text: &str, offset: usize) -> Self {
        self.inner.location = Location::Nowhere;
        self.at_text(text, offset)
    }

    /// What kind of problem it is.
    #[must_use]
    pub fn kind(&self) -> FilterErrorKind {
        self.inner.kind
    }

    /// What to write instead, one sentence each. Not part of the error's text.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        self.inner.hints.clone()
    }

    /// The JSON path of the problem, for example `$.config.lr.$gtt`, if the filter was JSON.
    #[must_use]
    pub fn json_path(&self) -> Option<&str> {
        match &self.inner.location {
            Location::JsonPath(path) => Some(path),
            _ => None,
        }
    }

    /// The byte offset of the problem, if the filter was a text expression.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        match &self.inner.location {
            Location::Text { offset, .. } => Some(*offset),
            _ => None,
        }
    }

    /// Two lines: the line of the expression that holds the problem, and a caret under the place.
    ///
    /// Long lines are cut to the neighbourhood of the place. `None` if the filter was not a text expression.
    #[must_use]
    pub fn caret(&self) -> Option<String> {
        /// Characters shown on each side of the place.
        const SIDE: usize = 60;
        let Location::Text { text, offset } = &self.inner.location else {
            return None;
        };
        let start = text[..*offset].rfind('\n').map_or(0, |newline| newline + 1);
        let before: Vec<char> = text[start..*offset].chars().collect();
        let cut = before.len().saturating_sub(SIDE);
        let mut line: String = if cut > 0 { "…".to_owned() } else { String::new() };
        line.extend(&before[cut..]);
        let place = line.chars().count();
        line.extend(
            text[*offset..]
                .chars()
                .take_while(|character| *character != '\n')
                .take(SIDE),
        );
        // One column per character: a tab or control character would push the caret away from its place.
        let line: String = line
            .chars()
            .map(|character| if character.is_control() { ' ' } else { character })
            .collect();
        Some(format!("{line}\n{}^", " ".repeat(place)))
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.inner.message)?;
        match &self.inner.location {
            Location::Nowhere => Ok(()),
            Location::JsonPath(path) => write!(formatter, " at {path}"),
            Location::Text { text, offset } => {
                let before = &text[..*offset];
                let line = before.matches('\n').count() + 1;
                let column = before
                    .chars()
                    .rev()
                    .take_while(|character| *character != '\n')
                    .count()
                    + 1;
                if line > 1 {
                    write!(formatter, " at line {line} column {column}")
                } else {
                    write!(formatter, " at column {column}")
                }
            }
        }
    }
}

impl fmt::Debug for FilterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        formatter
            .debug_struct("FilterError")
            .field("kind", &inner.kind)
            .field("message", &inner.message)
            .field("location", &inner.location)
            .field("hints", &inner.hints)
            .field("source", &inner.source)
            .finish()
    }
}

impl Error for FilterError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner
            .source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
