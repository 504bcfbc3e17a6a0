//! The server's side of an upload.

use std::fmt;

use async_trait::async_trait;
use wandb_core::{Result, redact::SafeUrl};

use crate::digest::ContentDigest;

/// Gives places for files, and joins the parts of large ones.
#[async_trait]
pub trait UploadTarget: Send + Sync + fmt::Debug {
    /// Asks where files are to be put (`createArtifactFiles`): at most [`batch_size`](Self::batch_size) of them. One slot for
    /// each, in the order of the request.
    ///
    /// # Errors
    /// As any request.
    async fn request_uploads(&self, files: &[UploadRequest]) -> Result<Vec<UploadSlot>>;

    /// Joins the parts of a file (`completeMultipartUploadArtifact`).
    ///
    /// # Errors
    /// As any request.
    async fn complete_multipart(&self, completed: &CompletedMultipart) -> Result<()>;

    /// Whether the client's credential goes along with bodies, as always only to addresses below the base URL. `false` unless
    /// overridden: the addresses of artifacts are signed.
    fn sends_credential(&self) -> bool {
        false
    }

    /// How many files are asked for at once; 2,000 unless overridden (protocol §5.2).
    fn batch_size(&self) -> usize {
        2_000
    }
}

/// A file that wants a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRequest {
    /// Its path in the artifact.
    pub path: String,
    /// The digest of its bytes.
    pub digest: ContentDigest,
    /// Its size in bytes.
    pub size: u64,
    /// The parts of a file that is large enough for it (`uploadPartsInput`); else empty.
    pub parts: Vec<PartDigest>,
}

/// One part of a large file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartDigest {
    /// From 1.
    pub number: u32,
    /// The MD5 of its bytes, whatever the file's own digest is.
    pub md5: [u8; 16],
}

/// A place for a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadSlot {
    /// Where to `PUT` it; `None` when the server has the bytes already.
    pub upload_url: Option<SafeUrl>,
    /// Headers to send, each as `Name:Value`.
    pub headers: Vec<String>,
    /// What the server calls the place; needed to join parts.
    pub storage_path: Option<String>,
    /// The version in which these bytes first appeared: the new one, or an older one.
    pub birth_artifact_id: String,
    /// Where to put the parts, if the server wants parts.
    pub multipart: Option<MultipartSlot>,
}

/// Places for the parts of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartSlot {
    /// What the store calls the upload.
    pub upload_id: String,
    /// Number and address of each part, in the order of the request.
    pub parts: Vec<(u32, SafeUrl)>,
}

/// A file whose parts are all there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedMultipart {
    /// The slot's version.
    pub birth_artifact_id: String,
    /// The slot's place.
    pub storage_path: String,
    /// The slot's upload.
    pub upload_id: String,
    /// Number and entity tag of each part, the tag as it came, quotes included.
    pub parts: Vec<(u32, String)>,
}
