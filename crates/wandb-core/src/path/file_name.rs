//! What a file name that somebody else chose can do: nothing, harm, or work on one system and not on another.
//!
//! | fault | example | refused |
//! |---|---|---|
//! | [`HostileReason`] | `../x`, `/etc/passwd`, `C:x`, `a//b` | always: nothing good needs such a name |
//! | [`UnportableReason`] | `aux.py`, `end.`, `a\b` | by [`NamePolicy::Portable`]; by [`NamePolicy::System`] only on Windows |
//! | the same, of a character | `12:30.log`, `a?b` | only on Windows, where no file can have it |
//!
//! A name is judged on its own here. That two names are one file on some systems ([`clash_key`]) is a fault of the second kind,
//! too; that a file is where another name needs a directory, one of the first. Whoever knows all names looks for those.

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::relative::{RefusedName, RelativePath};

/// Longest segment in bytes: what common file systems take.
const MAXIMUM_SEGMENT_LENGTH: usize = 255;

/// Longest name in bytes: `PATH_MAX` of Linux, less some room for the directory.
const MAXIMUM_LENGTH: usize = 3072;

/// Names that Windows gives to devices, in whatever directory and with whatever extension.
const DEVICE_NAMES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// Characters that no file name has on Windows, besides separators and control characters. A colon opens an alternate data
/// stream there, so that no file of that name would appear.
const FORBIDDEN: &[char] = &['<', '>', ':', '"', '|', '?', '*'];

/// Which file names are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NamePolicy {
    /// Only names that no system takes for another one, beside each other: what was downloaded on one is not lost silently on
    /// the way to another. A character that Windows does not allow is no reason elsewhere: there a copy fails in plain sight.
    #[default]
    Portable,
    /// Also names that only some systems can hold, if this one can.
    System,
}

/// Why a name must not become a file, on any system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HostileReason {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// It begins with a separator; the names of other machines (`//host`) and devices (`\\?\`) do, too.
    #[error("it is absolute")]
    Absolute,
    /// Two separators in a row, or one at the end.
    #[error("it has an empty segment")]
    EmptySegment,
    /// A segment is `.` or `..`, or some system reads it as one (`.. `).
    #[error("it has a dot segment")]
    DotSegment,
    /// NUL, which ends a name where C reads it.
    #[error("it has a NUL character")]
    Nul,
    /// A segment begins with a drive letter, such as `c:`.
    #[error("it has a drive letter")]
    DriveLetter,
    /// A segment of more than 255 bytes, or more than 3072 bytes in all.
    #[error("it is too long")]
    TooLong,
}

/// Why some system cannot hold a file of that name, or takes it for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UnportableReason {
    /// A backslash, which separates segments on Windows.
    #[error("it has a backslash")]
    Backslash,
    /// A control character.
    #[error("it has a control character")]
    ControlCharacter,
    /// A character that Windows does not allow.
    #[error("it has {0:?}, which Windows does not allow")]
    ForbiddenCharacter(char),
    /// A segment is a Windows device, such as `aux.txt`.
    #[error("it is the name of a Windows device")]
    DeviceName,
    /// A segment ends in a dot or a space, which Windows drops.
    #[error("a segment ends in a dot or a space")]
    TrailingDotOrSpace,
}

/// What is wrong with a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NameFault {
    /// It must not become a file, on any system.
    #[error(transparent)]
    Hostile(HostileReason),
    /// Some system cannot hold it, or takes it for another name.
    #[error(transparent)]
    Unportable(UnportableReason),
}

impl NameFault {
    /// The fault of a name; `None` for one that every system can hold.
    ///
    /// Hostile is what is so in either reading of a backslash, as a letter and as a separator. Everything that is no fault is
    /// allowed: Unicode, spaces inside, `%`, a leading dot.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match hostile(name) {
            Some(reason) => Some(Self::Hostile(reason)),
            None => unportable(name).map(Self::Unportable),
        }
    }
}

impl UnportableReason {
    /// Whether the system that this was compiled for can hold such a name.
    #[must_use]
    pub fn is_possible_here(self) -> bool {
        // All of them are things of Windows.
        !cfg!(windows)
    }

    /// Whether some system takes such a name for another one, or for a device, without a word.
    #[must_use]
    pub fn is_silent(self) -> bool {
        !matches!(self, Self::ForbiddenCharacter(_))
    }
}

impl NamePolicy {
    /// What to tell whoever meets a name that only [`Portable`](Self::Portable) refuses.
    pub const HINT: &str = "to take names that this system can hold although others cannot: `NamePolicy::System` (wb: --names system)";

    /// Whether a name with this fault is not taken.
    #[must_use]
    pub fn refuses(self, fault: NameFault) -> bool {
        match (self, fault) {
            (_, NameFault::Hostile(_)) => true,
            (Self::Portable, NameFault::Unportable(reason)) => {
                reason.is_silent() || !reason.is_possible_here()
            }
            (Self::System, NameFault::Unportable(reason)) => !reason.is_possible_here(),
        }
    }

    /// The name as a path, if it is taken.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(self, name: &str) -> Result<RelativePath, RefusedName> {
        match NameFault::of(name) {
            Some(fault) if self.refuses(fault) => Err(RefusedName::new(name, fault)),
            _ => Ok(RelativePath::unchecked(name)),
        }
    }
}

fn hostile(name: &str) -> Option<HostileReason> {
    if name.is_empty() {
        return Some(HostileReason::Empty);
    }
    if name.len() > MAXIMUM_LENGTH
        || name
            .split('/')
            .any(|segment| segment.len() > MAXIMUM_SEGMENT_LENGTH)
    {
        return Some(HostileReason::TooLong);
    }
    if name.contains('\0') {
        return Some(HostileReason::Nul);
    }
    if name.starts_with(['/', '\\']) {
        return Some(HostileReason::Absolute);
    }
    name.split(['/', '\\']).find_map(|segment| {
        let bytes = segment.as_bytes();
        if segment.is_empty() {
            Some(HostileReason::EmptySegment)
        } else if segment.contains('.') && segment.trim_end_matches(['.', ' ']).is_empty() {
            Some(HostileReason::DotSegment)
        } else if bytes[0].is_ascii_alphabetic() && bytes.get(1) == Some(&b':') {
            Some(HostileReason::DriveLetter)
        } else {
            None
        }
    })
}

/// Of a name that is not hostile.
fn unportable(name: &str) -> Option<UnportableReason> {
    let of_character = |character: char| match character {
        '\\' => Some(UnportableReason::Backslash),
        _ if character.is_control() => Some(UnportableReason::ControlCharacter),
        _ if FORBIDDEN.contains(&character) => Some(UnportableReason::ForbiddenCharacter(character)),
        _ => None,
    };
    let of_segment = |segment: &str| {
        if segment.ends_with(['.', ' ']) {
            Some(UnportableReason::TrailingDotOrSpace)
        } else {
            is_device(segment).then_some(UnportableReason::DeviceName)
        }
    };
    let segments = || name.split('/').find_map(of_segment);
    name.chars().find_map(of_character).or_else(segments)
}

/// Whether Windows opens a device for this name. What follows the first dot or colon, and spaces before it, do not count.
fn is_device(segment: &str) -> bool {
    let stem = segment
        .split(['.', ':'])
        .next()
        .unwrap_or_default()
        .trim_end_matches(' ');
    // The longest has seven letters, and a superscript digit has two bytes.
    if !(3..=7).contains(&stem.len()) {
        return false;
    }
    let stem = stem.to_ascii_uppercase();
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
