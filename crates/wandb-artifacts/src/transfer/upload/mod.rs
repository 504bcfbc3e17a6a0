//! The files of a new version, uploaded (protocol §5.2, §5.5).
//!
//! `target.rs` is the seam to the server, `source.rs` where bytes come from, `body.rs` sends them and notices when they
//! changed, `multipart.rs` and `journal.rs` are for large files, `engine.rs` runs it.

mod body;
mod engine;
mod journal;
mod multipart;
mod source;
mod target;

pub use engine::{Upload, UploadOptions, Uploaded};
pub use source::{LocalFile, LocalSource};
pub use target::{CompletedMultipart, MultipartSlot, PartDigest, UploadRequest, UploadSlot, UploadTarget};
