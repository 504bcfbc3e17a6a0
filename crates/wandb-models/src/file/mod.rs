//! Files of a run (inventory 1.8, 5): listing, and verified download.

mod bytes;
mod delete;
mod download;
mod listing;

use std::{fmt, ops::Deref, sync::Arc};

use serde::Serialize;
use wandb_core::{Error, Result, path::RunPath, redact::SafeUrl, timestamp::Timestamp};
use wandb_schema::operations::files as wire;
use wandb_storage::{Algorithm, ContentDigest, Expected};

use crate::Api;

pub use download::{DownloadedFile, FileDownloadOptions, NoProgress, Progress};
pub use listing::Files;
pub(crate) use listing::fetch_one;

/// One file of a run: its data (through [`Deref`]), and its download.
#[derive(Clone)]
pub struct File {
    api: Api,
    run: Arc<RunPath>,
    data: FileData,
}

/// The data of one file, under the official snake_case names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileData {
    /// The opaque id.
    pub id: String,
    /// The relative name, with `/` between folders. It comes from the server: never join it to a path by hand.
    pub name: String,
    /// How many bytes.
    pub size: u64,
    /// The MD5 of the bytes, in Base64 as on the wire; `None` while the file is being uploaded.
    pub md5: Option<String>,
    /// The media type.
    pub mimetype: Option<String>,
    /// When it was last written; `None` while it is being uploaded.
    pub updated_at: Option<Timestamp>,
    /// Where the bytes are. It may be signed: `Debug` masks the signature, and it expires.
    #[serde(serialize_with = "expose")]
    pub url: SafeUrl,
}

fn expose<S: serde::Serializer>(url: &SafeUrl, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(url.expose())
}

impl Deref for File {
    type Target = FileData;

    fn deref(&self) -> &FileData {
        &self.data
    }
}

impl fmt::Debug for File {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("File")
            .field("run", &self.run)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl File {
    fn from_wire(api: &Api, run: &Arc<RunPath>, wire: wire::File) -> Result<Self> {
        let size = u64::try_from(wire.size_bytes.0).map_err(|_| {
            Error::protocol(format!(
                "file {:?} of run \"{run}\" has a negative size",
                wire.name
            ))
        })?;
        let updated_at = wire
            .updated_at
            .map(|text| Timestamp::parse(&text.0))
            .transpose()
            .map_err(|error| {
                Error::protocol(format!(
                    "the time of file {:?} of run \"{run}\" cannot be read",
                    wire.name
                ))
                .with_source(error)
            })?;
        let data = FileData {
            id: wire.id.into_inner(),
            name: wire.name,
            size,
            md5: wire.md5.filter(|md5| !md5.is_empty()),
            mimetype: wire.mimetype,
            updated_at,
            url: SafeUrl::new(wire.url.filter(|url| !url.is_empty()).unwrap_or(wire.direct_url)),
        };
        Ok(Self {
            api: api.clone(),
            run: Arc::clone(run),
            data,
        })
    }

    /// The file's data, apart from its handle.
    #[must_use]
    pub fn data(&self) -> &FileData {
        &self.data
    }

    /// The run that the file belongs to.
    #[must_use]
    pub fn run_path(&self) -> &RunPath {
        &self.run
    }

    pub(crate) fn expected(&self) -> Result<Expected> {
        let digest = match &self.md5 {
            None => None,
            Some(text) => Some(
                ContentDigest::parse(Algorithm::Md5, text.trim()).map_err(|error| {
                    Error::protocol(format!(
                        "the digest {text:?} of file {:?} is not an MD5",
                        self.name
                    ))
                    .with_source(error)
                })?,
            ),
        };
        Ok(Expected {
            size: Some(self.size),
            digest,
        })
    }
}
