//! The one check of file names that a server, a manifest or a run gives us.
//!
//! Such a name is hostile until it is proven to stay under the directory that it is joined to. Whether other systems could hold
//! it, too, is another question: see [`NamePolicy`].
//! Symbolic links that already lie under the directory are not seen here; whoever opens the file has to refuse them.

use std::fmt;
use std::path::{Path, PathBuf};

use super::file_name::{NameFault, NamePolicy, clash_key};

/// A relative file name that stays under whatever directory it is joined to, and that this system can hold.
///
/// - One or more segments joined by `/`; none is empty, `.` or `..`.
/// - No NUL and no drive letter (`c:`); no segment is longer than 255 bytes.
/// - On Windows also nothing that it could not hold or would take for another name ([`UnportableReason`]).
///
/// [`UnportableReason`]: super::UnportableReason
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(String);

/// A name that must not become a file here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} file name {name:?}: {fault}", self.adjective())]
pub struct RefusedName {
    name: String,
    fault: NameFault,
}

impl RefusedName {
    pub(super) fn new(name: &str, fault: NameFault) -> Self {
        Self {
            name: name.chars().take(300).collect(),
            fault,
        }
    }

    fn adjective(&self) -> &'static str {
        match self.fault {
            NameFault::Hostile(_) => "unsafe",
            NameFault::Unportable(_) => "unportable",
        }
    }

    /// The name, cut to a readable length.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it was refused.
    pub fn fault(&self) -> NameFault {
        self.fault
    }

    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        match self.fault {
            NameFault::Unportable(reason) if reason.is_possible_here() => vec![NamePolicy::HINT.to_owned()],
            _ => Vec::new(),
        }
    }
}

/// Checks that a name stays under the directory that it will be joined to, and that this system can hold it, by
/// [`NamePolicy::System`]. See [`RelativePath`] for the rules.
///
/// # Errors
/// When it does not.
pub fn safe_relative_path(name: &str) -> Result<RelativePath, RefusedName> {
    NamePolicy::System.check(name)
}

/// Checks that a name is not hostile, whether or not this system can hold it: for names that do not become files here.
///
/// # Errors
/// When it is hostile.
pub fn refuse_hostile(name: &str) -> Result<(), RefusedName> {
    match NameFault::of(name) {
        Some(fault @ NameFault::Hostile(_)) => Err(RefusedName::new(name, fault)),
        _ => Ok(()),
    }
}

impl RelativePath {
    /// Of a name that was checked.
    pub(super) fn unchecked(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name, with `/` between segments.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, at least one.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path under `root`, with the platform's separators. Nothing is opened.
    pub fn under(&self, root: &Path) -> PathBuf {
        let mut path = root.to_path_buf();
        path.extend(self.segments());
        path
    }

    /// See [`clash_key`].
    pub fn clash_key(&self) -> String {
        clash_key(&self.0)
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl AsRef<str> for RelativePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
