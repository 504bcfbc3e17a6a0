//! The one check of file names that a server, a manifest or a run gives us.
//!
//! Such a name is hostile until it is proven to stay under the directory that it is joined to, on every platform: a
//! project that was downloaded on Linux may be copied to Windows, and one rule is easier to trust than three.
//! Symbolic links that already lie under the directory are not seen here; whoever opens the file has to refuse them.

use std::fmt;
use std::path::{Path, PathBuf};

use icu_normalizer::DecomposingNormalizerBorrowed;

/// Longest segment in bytes: what common file systems take.
const MAXIMUM_SEGMENT_LENGTH: usize = 255;

/// Longest name in bytes: `PATH_MAX` of Linux, less some room for the directory.
const MAXIMUM_LENGTH: usize = 3072;

/// Names that Windows gives to devices, in whatever directory and with whatever extension.
const DEVICE_NAMES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// A relative file name that stays under whatever directory it is joined to.
///
/// - One or more segments joined by `/`; none is empty, `.` or `..`.
/// - No backslash, control character (NUL included), drive letter (`c:`) or Windows device name (`aux.txt`).
/// - No segment ends in a dot or a space, which Windows drops; none is longer than 255 bytes.
/// - Everything else is allowed: Unicode, spaces inside, `%`, a leading dot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(String);

/// A name that must not become a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unsafe file name {name:?}: {reason}")]
pub struct UnsafeName {
    name: String,
    reason: UnsafeNameReason,
}

/// Why a name must not become a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsafeNameReason {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// It begins with a slash.
    #[error("it is absolute")]
    Absolute,
    /// Two slashes in a row, or a slash at the end.
    #[error("it has an empty segment")]
    EmptySegment,
    /// A segment is `.` or `..`.
    #[error("it has a dot segment")]
    DotSegment,
    /// A backslash, which separates segments on Windows.
    #[error("it has a backslash")]
    Backslash,
    /// A control character, NUL included.
    #[error("it has a control character")]
    ControlCharacter,
    /// A segment begins with a drive letter, such as `c:`.
    #[error("it has a drive letter")]
    DriveLetter,
    /// A colon, on Windows only: it opens an alternate data stream there, so that no file of that name would appear.
    #[error("it has a colon")]
    Colon,
    /// A segment is a Windows device, such as `aux.txt`.
    #[error("it is the name of a Windows device")]
    DeviceName,
    /// A segment ends in a dot or a space, which Windows drops.
    #[error("a segment ends in a dot or a space")]
    TrailingDotOrSpace,
    /// A segment of more than 255 bytes, or more than 3072 bytes in all.
    #[error("it is too long")]
    TooLong,
}

impl UnsafeName {
    /// The name, cut to a readable length.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it was refused.
    pub fn reason(&self) -> UnsafeNameReason {
        self.reason
    }

    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        vec![
            "the name came from the server; read the file to memory, or save it under a name of your own"
                .to_owned(),
        ]
    }
}

/// Checks that a name stays under the directory that it will be joined to. See [`RelativePath`] for the rules.
///
/// # Errors
/// When it does not, or when some platform could read it as another file than this one does.
pub fn safe_relative_path(name: &str) -> Result<RelativePath, UnsafeName> {
    match reason_against(name) {
        None => Ok(RelativePath(name.to_owned())),
        Some(reason) => Err(UnsafeName {
            name: name.chars().take(300).collect(),
            reason,
        }),
    }
}

fn reason_against(name: &str) -> Option<UnsafeNameReason> {
    if name.is_empty() {
        return Some(UnsafeNameReason::Empty);
    }
    if name.len() > MAXIMUM_LENGTH {
        return Some(UnsafeNameReason::TooLong);
    }
    if name.chars().any(char::is_control) {
        return Some(UnsafeNameReason::ControlCharacter);
    }
    if name.contains('\\') {
        return Some(UnsafeNameReason::Backslash);
    }
    if name.starts_with('/') {
        return Some(UnsafeNameReason::Absolute);
    }
    if cfg!(windows) && name.contains(':') {
        return Some(UnsafeNameReason::Colon);
    }
    name.split('/').find_map(reason_against_segment)
}

fn reason_against_segment(segment: &str) -> Option<UnsafeNameReason> {
    let bytes = segment.as_bytes();
    if segment.is_empty() {
        Some(UnsafeNameReason::EmptySegment)
    } else if segment == "." || segment == ".." {
        Some(UnsafeNameReason::DotSegment)
    } else if bytes.len() > MAXIMUM_SEGMENT_LENGTH {
        Some(UnsafeNameReason::TooLong)
    } else if segment.ends_with(['.', ' ']) {
        Some(UnsafeNameReason::TrailingDotOrSpace)
    } else if bytes[0].is_ascii_alphabetic() && bytes.get(1) == Some(&b':') {
        Some(UnsafeNameReason::DriveLetter)
    } else if is_device(segment) {
        Some(UnsafeNameReason::DeviceName)
    } else {
        None
    }
}

/// Whether Windows opens a device for this name. What follows the first dot or colon, and spaces before it, do not count.
fn is_device(segment: &str) -> bool {
    let stem = segment
        .split(['.', ':'])
        .next()
        .unwrap_or_default()
        .trim_end_matches(' ')
        .to_ascii_uppercase();
    if DEVICE_NAMES.contains(&stem.as_str()) {
        return true;
    }
    let Some(number) = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT")) else {
        return false;
    };
    // Windows takes superscript digits for digits here.
    matches!(
        number,
        "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
    )
}

impl RelativePath {
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

/// A key that is equal for two names which some file system takes for one file: case and Unicode composition folded.
///
/// Two files of one download with equal keys would overwrite each other on Windows and macOS. A file also clashes with
/// a directory: compare the keys of every name's parent directories too.
pub fn clash_key(name: &str) -> String {
    let decomposer = DecomposingNormalizerBorrowed::new_nfd();
    let decomposed = decomposer.normalize(name);
    // Upper then lower case comes close to full case folding: "ß" and "ss", final and other sigma meet.
    let folded = decomposed.to_uppercase().to_lowercase().replace('ς', "σ");
    decomposer.normalize(&folded).into_owned()
}
