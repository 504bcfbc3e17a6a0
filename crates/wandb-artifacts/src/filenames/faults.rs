//! What is wrong with names, and how it is told.

use std::fmt;

use serde::Serialize;
use wandb_core::{
    Error, ErrorKind,
    path::{HostileReason, NamePolicy, UnportableReason},
};

/// How many faults of each kind are described; the others are counted.
pub(super) const DESCRIBED: usize = 1_000;

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PathFault {
    /// It must not become a file, on any system: it leads elsewhere, or is none.
    Hostile {
        /// The path, cut to a readable length.
        path: String,
        /// Why.
        #[serde(serialize_with = "as_text")]
        reason: HostileReason,
    },
    /// It is a file, and a directory of another path. No system can hold both.
    FileAndDirectory {
        /// The file.
        path: String,
        /// A path below it.
        below: String,
    },
    /// Some system cannot hold it, or takes it for another path.
    Unportable {
        /// The path.
        path: String,
        /// Why.
        #[serde(serialize_with = "as_text")]
        reason: UnportableReason,
    },
    /// Another path differs from it only in case or in how its characters are composed: on some systems, one file.
    Clash {
        /// The path.
        path: String,
        /// The other one.
        other: String,
    },
    /// It is a file, and on systems that fold case or composition a directory of another path.
    DirectoryClash {
        /// The file.
        path: String,
        /// A path below the directory.
        below: String,
    },
}

/// Faults of many paths, as an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PathFaults {
    /// The first thousand of each kind.
    pub faults: Vec<PathFault>,
    /// How many there are in all.
    pub count: usize,
}

impl PathFault {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Hostile { path, .. }
            | Self::FileAndDirectory { path, .. }
            | Self::Unportable { path, .. }
            | Self::Clash { path, .. }
            | Self::DirectoryClash { path, .. } => path,
        }
    }

    /// Whether it is refused whatever the [`NamePolicy`].
    #[must_use]
    pub fn is_hostile(&self) -> bool {
        match self {
            Self::Hostile { .. } | Self::FileAndDirectory { .. } => true,
            Self::Unportable { reason, .. } => !reason.is_possible_here(),
            Self::Clash { .. } | Self::DirectoryClash { .. } => false,
        }
    }

    /// What is wrong, without the path.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Hostile { reason, .. } => reason.to_string(),
            Self::FileAndDirectory { below, .. } => format!("it is a file and, for {below:?}, a directory"),
            Self::Unportable { reason, .. } => reason.to_string(),
            Self::Clash { other, .. } => format!("it and {other:?} are one file on some systems"),
            Self::DirectoryClash { below, .. } => {
                format!("it is a file and, for {below:?}, a directory on some systems")
            }
        }
    }
}

impl PathFaults {
    /// Describes it if so many are not described yet.
    pub(super) fn add(&mut self, most: usize, fault: impl FnOnce() -> PathFault) {
        self.count += 1;
        if self.faults.len() < most {
            self.faults.push(fault());
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// These, then others.
    pub(super) fn and(mut self, others: Self) -> Self {
        self.count += others.count;
        self.faults.extend(others.faults);
        self
    }
}

impl fmt::Display for PathFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hostile { path, reason } => write!(formatter, "unsafe path {path:?}: {reason}"),
            Self::Unportable { path, reason } => write!(formatter, "{path:?}: {reason}"),
            Self::FileAndDirectory { path, below } => {
                write!(formatter, "{path:?} is a file and, for {below:?}, a directory")
            }
            Self::Clash { path, other } => {
                write!(formatter, "{path:?} and {other:?} are one file on some systems")
            }
            Self::DirectoryClash { path, below } => {
                write!(
                    formatter,
                    "{path:?} is a file and, for {below:?}, a directory on some systems"
                )
            }
        }
    }
}

impl fmt::Display for PathFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        formatter.write_str(if self.faults.iter().any(PathFault::is_hostile) {
            "there are paths that cannot become files: "
        } else {
            "there are names that not every system can hold: "
        })?;
        for (place, fault) in self.faults.iter().take(SHOWN).enumerate() {
            let separator = if place > 0 { "; " } else { "" };
            write!(formatter, "{separator}{fault}")?;
        }
        if self.count > SHOWN {
            write!(formatter, "; and {} more", self.count - SHOWN)?;
        }
        Ok(())
    }
}

impl std::error::Error for PathFaults {}

/// [`Protocol`](ErrorKind::Protocol) when something is hostile, [`Conflict`](ErrorKind::Conflict) when another policy would do.
impl From<PathFaults> for Error {
    fn from(faults: PathFaults) -> Self {
        if faults.faults.iter().any(PathFault::is_hostile) {
            Self::new(ErrorKind::Protocol, faults.to_string())
                .with_hint("nothing was written; the other files can be had by a prefix or one by one")
        } else {
            Self::new(ErrorKind::Conflict, faults.to_string())
                .with_hint("nothing was written")
                .with_hint(NamePolicy::HINT)
        }
    }
}

fn as_text<S: serde::Serializer>(text: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}
