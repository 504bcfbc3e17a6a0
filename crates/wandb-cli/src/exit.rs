//! The exit codes of `wb`: documented in `docs/exit-codes.md`, and stable.

use wandb_api::ErrorKind;

/// What the process reports to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// Everything that was asked for was done.
    Done,
    /// It failed for a reason that has no code of its own: network, server, disk.
    Failed,
    /// The command line, a path, a filter or a setting cannot be right.
    Usage,
    /// The object does not exist, or the key may not see it.
    NotFound,
    /// The API key is missing, malformed or refused.
    Authentication,
    /// Bytes did not match their digest or size.
    Integrity,
    /// Only a part was delivered.
    Incomplete,
    /// The object changed, or a target exists.
    Conflict,
    /// Ended by Ctrl-C or SIGTERM, as shells count it (128 + 2).
    Interrupted,
}

impl ExitStatus {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Authentication => 4,
            Self::Integrity => 5,
            Self::Incomplete => 6,
            Self::Conflict => 7,
            Self::Interrupted => 130,
        }
    }

    /// The status of a failed call of the library.
    pub(crate) const fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            // A refused key and a key without the right are told apart by the text; what to do is the same: use
            // another key.
            ErrorKind::Authentication | ErrorKind::NotVisible => Self::Authentication,
            ErrorKind::Integrity => Self::Integrity,
            ErrorKind::Incomplete => Self::Incomplete,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::InvalidInput => Self::Usage,
            ErrorKind::Cancelled => Self::Interrupted,
            _ => Self::Failed,
        }
    }
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_numbers() {
        let documented = include_str!("../../../docs/exit-codes.md");
        for (status, word) in [
            (ExitStatus::Done, "done"),
            (ExitStatus::Failed, "failed"),
            (ExitStatus::Usage, "usage"),
            (ExitStatus::NotFound, "not found"),
            (ExitStatus::Authentication, "authentication"),
            (ExitStatus::Integrity, "integrity"),
            (ExitStatus::Incomplete, "incomplete"),
            (ExitStatus::Conflict, "conflict"),
            (ExitStatus::Interrupted, "interrupted"),
        ] {
            let row = format!("| {} | {word} |", status.code());
            assert!(documented.contains(&row), "{row}");
        }
    }
}
