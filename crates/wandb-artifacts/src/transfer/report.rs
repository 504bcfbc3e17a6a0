//! What came of a download.

use std::path::PathBuf;

use serde::Serialize;
use wandb_core::{Error, ErrorKind};

use crate::manifest::ManifestEntry;

/// How many failures are described; the others are counted.
const DESCRIBED: usize = 20;

/// A finished download: every entry in scope is there and verified, but for the references that are listed.
///
/// Whoever must not use a byte that nobody vouches for asks for [`unchecked`](Self::unchecked) to be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DownloadedArtifact {
    /// The directory.
    pub root: PathBuf,
    /// How many files were there and verified before; they cost no request.
    pub present: u64,
    /// How many came out of the cache.
    pub cached: u64,
    /// How many were fetched.
    pub fetched: u64,
    /// How many have the same bytes as a fetched one, and were copied from it.
    pub copied: u64,
    /// How many bytes came over the network.
    pub transferred: u64,
    /// How many bytes all files together have.
    pub bytes: u64,
    /// References that are not downloaded: of a scheme that is only tracked, or because that was asked for. In order.
    pub tracked: Vec<TrackedReference>,
    /// References whose objects are gone, if that was allowed. In order.
    pub missing_references: Vec<TrackedReference>,
    /// References whose files are there and could not be compared with anything: they were logged without a digest
    /// (`checksum=False`). They count among the files above. In order.
    pub unchecked: Vec<TrackedReference>,
}

impl DownloadedArtifact {
    /// How many files of the version are there now.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.present + self.cached + self.fetched + self.copied
    }

    /// Whether every entry in scope is accounted for. What counts the files is not what fetches them, so a fault anywhere
    /// between ends here, and never in a silent success.
    pub(crate) fn check(&self, scope: usize) -> wandb_core::Result<()> {
        let files = self.files();
        let others = (self.tracked.len() + self.missing_references.len()) as u64;
        if files + others == scope as u64 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Incomplete,
            format!(
                "of {scope} entries {files} are files that are there and {others} are references without one: \
                 the others are missing"
            ),
        )
        .with_hint("call it again: what is there is kept"))
    }
}

/// A reference that has no file, or a file that was not checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TrackedReference {
    /// The path in the artifact.
    pub path: String,
    /// The address.
    #[serde(rename = "ref")]
    pub address: String,
}

impl TrackedReference {
    /// The reference of an entry.
    pub(crate) fn of(entry: &ManifestEntry) -> Self {
        Self {
            path: entry.path().to_owned(),
            address: entry.address().unwrap_or_default().to_owned(),
        }
    }
}

/// What failed, by path.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    described: Vec<(String, Error)>,
    count: usize,
}

impl Failures {
    pub(crate) fn add(&mut self, path: &str, error: Error) {
        self.count += 1;
        if self.described.len() < DESCRIBED {
            self.described.push((path.to_owned(), error));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One error that names every file that failed.
    pub(crate) fn into_error(self, verb: &str) -> Option<Error> {
        // An integrity failure says most; what was cancelled because of another failure says least.
        let rank = |error: &Error| match error.kind() {
            ErrorKind::Integrity => 0,
            ErrorKind::Cancelled => 2,
            _ => 1,
        };
        let mut described = self.described;
        described.sort_by_key(|(_, error)| rank(error));
        let count = self.count;
        let mut failures = described.into_iter();
        let (path, first) = failures.next()?;
        if count == 1 {
            return Some(first.in_operation(format!("{verb} {path:?}")));
        }
        let mut message = format!("{count} files failed: {path:?}: {}", with_causes(&first));
        let mut shown = 1;
        for (path, error) in failures {
            message.push_str(&format!("; {path:?}: {}", with_causes(&error)));
            shown += 1;
        }
        if count > shown {
            message.push_str(&format!("; and {} more", count - shown));
        }
        let mut error = Error::new(first.kind(), message);
        if let Some(status) = first.status() {
            error = error.with_status(status);
        }
        for hint in first.hints() {
            error = error.with_hint(hint.clone());
        }
        Some(error.with_source(first))
    }
}

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_is_nowhere_is_no_success() {
        let noted = TrackedReference {
            path: "r".to_owned(),
            address: "ftp://h/r".to_owned(),
        };
        let done = DownloadedArtifact {
            present: 1,
            cached: 2,
            fetched: 3,
            copied: 4,
            tracked: vec![noted.clone()],
            missing_references: vec![noted],
            ..DownloadedArtifact::default()
        };
        done.check(12).unwrap();
        for scope in [11, 13] {
            assert_eq!(done.check(scope).unwrap_err().kind(), ErrorKind::Incomplete);
        }
    }

    #[test]
    fn all_failures_are_named_up_to_a_bound_and_integrity_comes_first() {
        let mut failures = Failures::default();
        failures.add("a", Error::new(ErrorKind::Server, "no answer"));
        failures.add("b", Error::new(ErrorKind::Integrity, "wrong bytes"));
        for _ in 0..30 {
            failures.add("c", Error::new(ErrorKind::Cancelled, "cancelled"));
        }
        let error = failures.into_error("download").unwrap();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        let text = error.to_string();
        assert!(
            text.starts_with("32 files failed: \"b\": wrong bytes; \"a\": no answer; \"c\""),
            "{text}"
        );
        assert!(text.ends_with("; and 12 more"), "{text}");
        assert!(Failures::default().into_error("download").is_none());
    }
}
