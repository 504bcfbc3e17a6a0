//! The one error of the tasks: a text for the person who ran the task.

use std::fmt;

/// Why a task did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }

    /// A failure of an operation on something that has a name: `cannot read x: no such file`.
    pub(crate) fn about(what: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self::new(format!("{what}: {cause}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
