//! The files of a recording, version 1.
//!
//! ```text
//! recording.json         format, version, whether it was finished, how many exchanges
//! 000001.json            the first exchange: request and outcome
//! 000002.json            …
//! 000002.answer.bin      the bytes of an answer that is a file, as they came
//! 000007.request.bin     the bytes of an upload, as they went
//! ```
//!
//! The names of the byte files follow from the number of the exchange and are never read from a file, so a recording from
//! elsewhere cannot name a file outside of its folder.

use std::{fs, io, path::Path, path::PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use wandb_core::path::{RelativePath, safe_relative_path};
use wandb_storage::{Algorithm, Directory, Existing, Expected};
use wandb_transport::TransportErrorKind;

use crate::RecordError;

/// The file that makes a folder a recording.
pub(crate) const MANIFEST: &str = "recording.json";

/// What the manifest calls the format.
const FORMAT: &str = "wandb-recording";

/// The version that is written, and the newest that is read.
pub(crate) const VERSION: u64 = 1;

/// The largest JSON file of a recording that is read: the largest text body, with every character escaped.
const LARGEST_FILE: u64 = 2 << 30;

/// The file that is written first and last.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: String,
    pub(crate) version: u64,
    /// Scheme, host and port of the first request.
    pub(crate) origin: Option<String>,
    /// Whether the recording was ended in order.
    pub(crate) finished: bool,
    /// How many exchanges were begun; known at the end only.
    pub(crate) exchanges: u32,
    /// Exchanges that were still going on at the end, and therefore have no file.
    pub(crate) abandoned: Vec<u32>,
}

impl Manifest {
    pub(crate) fn begun() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            origin: None,
            finished: false,
            exchanges: 0,
            abandoned: Vec::new(),
        }
    }
}

/// One request and what became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    pub(crate) number: u32,
    pub(crate) request: RequestRecord,
    pub(crate) outcome: Outcome,
}

/// What was asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestRecord {
    pub(crate) method: String,
    pub(crate) url: String,
    /// The GraphQL operation, for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: BodyRecord,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// An answer, of whatever status.
    Answer(AnswerRecord),
    /// No answer.
    Error(ErrorRecord),
    /// The caller gave up before there was an answer.
    Cancelled,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerRecord {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The size of the body as the transport announced it, where the body was recorded byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) announced: Option<u64>,
    pub(crate) body: BodyRecord,
    pub(crate) end: End,
}

/// How a body ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    /// With its last byte.
    Complete,
    /// The reader stopped reading.
    Dropped,
    /// The transport gave an error.
    Error(ErrorRecord),
}

/// An error of the transport.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorRecord {
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// A body.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BodyRecord {
    Empty,
    /// JSON, kept character by character.
    Json(Box<RawValue>),
    Text(String),
    /// Bytes in the file beside.
    File(FileRecord),
}

/// Bytes in a file of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileRecord {
    pub(crate) size: u64,
    /// In hexadecimal.
    pub(crate) sha256: String,
    /// Whether the body was read to its end.
    pub(crate) complete: bool,
    /// Why the bytes are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) withheld: Option<String>,
}

impl BodyRecord {
    /// A text that is known to hold no secret: as JSON where it is that, so that people and tools can read it.
    pub(crate) fn of_text(text: String) -> Self {
        if text.is_empty() {
            return Self::Empty;
        }
        let is_json = text.starts_with(['{', '[']) && !text.ends_with(char::is_whitespace);
        // White space around a raw value would be lost, so such a text stays a text; so does the bare NaN of W&B.
        if is_json && let Ok(raw) = serde_json::from_str::<&RawValue>(&text) {
            return Self::Json(raw.to_owned());
        }
        Self::Text(text)
    }
}

/// The names of the kinds, as they are written.
const KINDS: &[(&str, TransportErrorKind)] = &[
    ("connect", TransportErrorKind::Connect),
    ("timeout", TransportErrorKind::Timeout),
    ("interrupted", TransportErrorKind::Interrupted),
    ("tls", TransportErrorKind::Tls),
    ("invalid_request", TransportErrorKind::InvalidRequest),
    ("body_too_large", TransportErrorKind::BodyTooLarge),
    ("decode", TransportErrorKind::Decode),
    ("other", TransportErrorKind::Other),
];

/// The written name of a kind; a kind that this version does not know is "other".
pub(crate) fn kind_name(kind: TransportErrorKind) -> &'static str {
    KINDS
        .iter()
        .find(|(_, known)| *known == kind)
        .map_or("other", |(name, _)| name)
}

/// The kind of a written name.
pub(crate) fn kind_of(name: &str) -> Option<TransportErrorKind> {
    KINDS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, kind)| *kind)
}

/// Which side of an exchange a byte file belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    Request,
    Answer,
}

pub(crate) fn exchange_name(number: u32) -> String {
    format!("{number:06}.json")
}

pub(crate) fn bytes_name(number: u32, side: Side) -> String {
    match side {
        Side::Request => format!("{number:06}.request.bin"),
        Side::Answer => format!("{number:06}.answer.bin"),
    }
}

/// A name of this module as a path.
pub(crate) fn relative(name: &str) -> RelativePath {
    safe_relative_path(name).expect("digits, letters and dots are a safe name")
}

/// Writes one JSON file as a whole: it appears with all of its bytes, or not.
pub(crate) fn write<T: Serialize>(
    directory: &Directory,
    name: &str,
    existing: Existing,
    content: &T,
) -> Result<(), RecordError> {
    let path = directory.path().join(name);
    let mut text = serde_json::to_vec_pretty(content)
        .map_err(|error| RecordError::damaged(path, format!("it cannot be written as JSON: {error}")))?;
    text.push(b'\n');
    let mut file = directory.begin_one_of_many(&relative(name), existing, Algorithm::Md5)?;
    file.append(&text)?;
    file.publish(&Expected::default())?;
    Ok(())
}

/// Reads one JSON file; `None` when there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RecordError> {
    let failed = |source| RecordError::Read {
        path: path.to_owned(),
        source,
    };
    match fs::metadata(path) {
        Ok(facts) if !facts.is_file() => return Err(RecordError::damaged(path, "it is no file")),
        Ok(facts) if facts.len() > LARGEST_FILE => {
            return Err(RecordError::damaged(path, "it is too large"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let bytes = fs::read(path).map_err(failed)?;
    let content = serde_json::from_slice(&bytes).map_err(|error| {
        RecordError::damaged(path, format!("it does not have the form of a recording: {error}"))
    })?;
    Ok(Some(content))
}

/// Reads the manifest of a folder.
pub(crate) fn read_manifest(folder: &Path) -> Result<Manifest, RecordError> {
    /// What every version has.
    #[derive(Deserialize)]
    struct Head {
        format: String,
        version: u64,
    }
    let foreign = || RecordError::Foreign {
        path: folder.to_owned(),
        manifest: MANIFEST,
    };
    let path = folder.join(MANIFEST);
    // Read loosely first: a newer version may have other fields, and a foreign file of this name has its own.
    let head: serde_json::Value = read(&path)?.ok_or_else(foreign)?;
    let head: Head = serde_json::from_value(head).map_err(|_| foreign())?;
    if head.format != FORMAT {
        return Err(foreign());
    }
    if head.version != VERSION {
        return Err(RecordError::Version {
            path: folder.to_owned(),
            found: head.version,
            known: VERSION,
        });
    }
    read(&path)?.ok_or_else(foreign)
}

/// The numbers of the exchanges that have a file, in order.
pub(crate) fn numbers(folder: &Path) -> Result<Vec<u32>, RecordError> {
    let failed = |source| RecordError::Read {
        path: PathBuf::from(folder),
        source,
    };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let number = name.to_str().and_then(|name| {
            let number: u32 = name.strip_suffix(".json")?.parse().ok()?;
            (exchange_name(number) == name && number > 0).then_some(number)
        });
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}
