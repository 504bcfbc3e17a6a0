//! Files of runs and of artifacts.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use base64::Engine as _;

use super::artifacts::Artifact;
use super::page::{self, PageInfo, Window};
use super::scalars::{DateTime, Int64};
use super::{Caller, caller};
use crate::artifact_bytes::ArtifactObject;
use crate::store::access::{self, Right};
use crate::store::artifacts::entries::{self, EntryRow};
use crate::store::artifacts::manifests::ManifestRow;
use crate::store::artifacts::rows::ArtifactRow;
use crate::store::artifacts::uploads::UploadRow;
use crate::store::artifacts::versions;
use crate::store::files::{self, FileQuery, FileRow};
use crate::store::ids::Kind;

/// Files per page where the caller names no number (protocol §2.3).
const FILES: u64 = 50;
/// Most files per page.
const MAX_FILES: u64 = 5000;

/// How the bytes of artifacts are sent.
const UPLOAD_TYPE: &str = "Content-Type:application/octet-stream";

/// A file.
#[derive(Debug, Clone)]
pub(crate) enum File {
    /// Of a run, and whether the caller may replace it.
    Run(FileRow, bool),
    /// Of a committed version of an artifact.
    Entry(EntryRow),
    /// Of a pending version, with the version in which its bytes first appeared.
    Upload(UploadRow, Option<Arc<ArtifactRow>>),
    /// A manifest.
    Manifest(ManifestRow),
}

impl File {
    /// Where the bytes are; `None` while none have arrived.
    fn download(&self, caller: &Caller) -> Option<String> {
        let (app, origin) = (&caller.app, &caller.origin);
        match self {
            Self::Run(row, _) => app.download_url(origin, row),
            Self::Entry(row) => match &row.reference {
                Some(reference) => Some(reference.clone()),
                None => app.blob_url(origin, row.md5.as_deref()?),
            },
            Self::Upload(row, _) => app.blob_url(origin, row.md5.as_deref()?),
            Self::Manifest(row) => app.blob_url(origin, row.md5.as_deref()?),
        }
    }

    /// Where the bytes are to be put; `None` where they are there already and must not change, or are not the caller's to
    /// change.
    fn upload(&self, caller: &Caller) -> Option<String> {
        let (app, origin) = (&caller.app, &caller.origin);
        match self {
            // An upload URL needs no key: it is given to those only who may do what it is for.
            Self::Run(row, writable) => writable.then(|| app.upload_url(origin, row)),
            Self::Entry(_) => None,
            Self::Upload(row, _) => row
                .md5
                .is_none()
                .then(|| app.artifact_upload_url(origin, ArtifactObject::Upload(row.id))),
            Self::Manifest(row) => Some(app.artifact_upload_url(origin, ArtifactObject::Manifest(row.id))),
        }
    }

    /// The MD5 of the bytes, in hexadecimal.
    fn md5_hex(&self) -> Option<&str> {
        match self {
            Self::Run(row, _) => row.md5.as_deref(),
            Self::Entry(row) => row.md5.as_deref(),
            Self::Upload(row, _) => row.md5.as_deref().or(row.declared_md5.as_deref()),
            Self::Manifest(row) => row.md5.as_deref(),
        }
    }

    fn path(&self) -> &str {
        match self {
            Self::Run(row, _) => &row.name,
            Self::Entry(row) => &row.path,
            Self::Upload(row, _) => &row.path,
            Self::Manifest(row) => &row.name,
        }
    }
}

/// A file.
#[Object]
impl File {
    async fn id(&self) -> ID {
        match self {
            Self::Run(row, _) => Kind::File.encode(row.id),
            Self::Entry(row) => base64::engine::general_purpose::STANDARD
                .encode(format!("ArtifactFile:{}:{}", row.artifact, row.position)),
            Self::Upload(row, _) => Kind::ArtifactUpload.encode(row.id),
            Self::Manifest(row) => Kind::ArtifactManifest.encode(row.id),
        }
        .into()
    }
    async fn name(&self) -> &str {
        self.path()
    }
    /// The last part of the name; of a file of an artifact, the whole path (protocol §5.6).
    async fn display_name(&self) -> Option<&str> {
        match self {
            Self::Run(row, _) => row.name.rsplit('/').next(),
            _ => Some(self.path()),
        }
    }
    /// Where the bytes are, or, with `upload`, where they are to be put.
    async fn url(&self, ctx: &Context<'_>, upload: Option<bool>) -> Option<String> {
        if upload.unwrap_or(false) {
            return self.upload(caller(ctx));
        }
        self.download(caller(ctx))
    }
    /// Where the bytes are; empty while none have arrived. Of a reference, what it refers to.
    async fn direct_url(&self, ctx: &Context<'_>) -> String {
        self.download(caller(ctx)).unwrap_or_default()
    }
    /// Where the bytes are to be put; null where they are there already.
    async fn upload_url(&self, ctx: &Context<'_>) -> Option<String> {
        self.upload(caller(ctx))
    }
    /// Headers of the upload, `Name:value` each.
    async fn upload_headers(&self) -> Option<Vec<String>> {
        let md5 = match self {
            Self::Run(..) | Self::Entry(_) => return Some(Vec::new()),
            // Of an upload in parts, the client says the digest of each part.
            Self::Upload(row, _) if row.multipart.is_some() => None,
            Self::Upload(row, _) => row.declared_md5.as_deref().and_then(base64_digest),
            Self::Manifest(row) => Some(row.digest.clone()).filter(|digest| !digest.is_empty()),
        };
        let mut headers: Vec<String> = md5.map(|md5| format!("Content-MD5:{md5}")).into_iter().collect();
        headers.push(UPLOAD_TYPE.to_owned());
        Some(headers)
    }
    /// Where the parts of the bytes are to be put, if they were announced in parts.
    async fn upload_multipart_urls(&self, ctx: &Context<'_>) -> Option<UploadMultipartUrls> {
        let Self::Upload(row, _) = self else {
            return None;
        };
        let upload_id = row.multipart.clone().filter(|_| row.md5.is_none())?;
        let Caller { app, origin, .. } = caller(ctx);
        let part = |number: &i64| UploadUrlPart {
            part_number: Int64(*number),
            upload_url: app.artifact_upload_url(origin, ArtifactObject::Part(row.id, *number)),
        };
        Some(UploadMultipartUrls {
            upload_id,
            upload_url_parts: row.parts.iter().map(part).collect(),
        })
    }
    /// Opaque; given back when an upload in parts is completed.
    async fn storage_path(&self) -> Option<String> {
        match self {
            Self::Run(row, _) => Some(row.name.clone()),
            Self::Entry(row) => row.md5.as_ref().map(|md5| format!("blobs/{md5}")),
            Self::Upload(row, _) => Some(Kind::ArtifactUpload.encode(row.id)),
            Self::Manifest(row) => Some(row.name.clone()),
        }
    }
    async fn size_bytes(&self) -> Int64 {
        Int64(match self {
            Self::Run(row, _) => row.size,
            Self::Entry(row) => row.size.unwrap_or(0),
            Self::Upload(..) => 0,
            Self::Manifest(row) => row.size,
        })
    }
    async fn mimetype(&self) -> Option<&str> {
        Some(mimetype(self.path()))
    }
    /// Base64 of the MD5 of the bytes.
    async fn md5(&self) -> Option<String> {
        base64_digest(self.md5_hex()?)
    }
    /// What a manifest calls the digest of the file.
    async fn digest(&self) -> Option<String> {
        match self {
            Self::Entry(row) => Some(row.digest.clone()),
            Self::Upload(row, _) => {
                let digest = row.declared_md5.as_deref().or(row.declared_xxh128.as_deref());
                base64_digest(digest?)
            }
            Self::Run(..) | Self::Manifest(_) => base64_digest(self.md5_hex()?),
        }
    }
    async fn updated_at(&self) -> Option<DateTime> {
        match self {
            Self::Run(row, _) => row.uploaded_at.map(DateTime),
            Self::Entry(row) => Some(DateTime(row.updated_at)),
            Self::Upload(..) => None,
            Self::Manifest(row) => row.uploaded_at.map(DateTime),
        }
    }
    /// The version that the file belongs to; of an upload, the one in which its bytes first appeared.
    async fn artifact(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Artifact>> {
        let id = match self {
            Self::Run(..) => return Ok(None),
            Self::Upload(_, birth) => return Ok(birth.clone().map(Artifact)),
            Self::Entry(row) => row.artifact,
            Self::Manifest(row) => row.artifact,
        };
        let store = &caller(ctx).app.store;
        Ok(store.read(move |db| versions::by_id(db, id)).await?.map(Artifact))
    }
}

/// Where the parts of a file are to be put.
#[derive(Debug, SimpleObject)]
pub(crate) struct UploadMultipartUrls {
    #[graphql(name = "uploadID")]
    upload_id: String,
    upload_url_parts: Vec<UploadUrlPart>,
}

/// Where a part of a file is to be put.
#[derive(Debug, SimpleObject)]
pub(crate) struct UploadUrlPart {
    part_number: Int64,
    upload_url: String,
}

/// Base64 of a digest in hexadecimal, as the wire has it.
fn base64_digest(hex: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(hex.len() / 2);
    for pair in hex.as_bytes().chunks(2) {
        bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
    }
    Some(base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// The media type that the ending of a name stands for.
pub(crate) fn mimetype(name: &str) -> &'static str {
    let ending = name
        .rsplit_once('.')
        .map_or("", |(_, ending)| ending)
        .to_ascii_lowercase();
    match ending.as_str() {
        "json" => "application/json",
        "yaml" | "yml" => "application/yaml",
        "txt" | "log" | "patch" | "diff" | "md" | "py" | "toml" => "text/plain",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "mp4" => "video/mp4",
        "wav" => "audio/wav",
        "gz" => "application/gzip",
        "zip" => "application/zip",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

/// Files.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct FileConnection {
    edges: Vec<FileEdge>,
    page_info: PageInfo,
    #[graphql(skip)]
    total: Total,
}

/// How many files there are on all pages.
#[derive(Debug, Clone)]
enum Total {
    OfRun(i64, FileQuery),
    OfArtifact(i64, Option<Vec<String>>),
    Known(i64),
}

#[async_graphql::ComplexObject]
impl FileConnection {
    /// How many files match, on all pages.
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<i64>> {
        let total = self.total.clone();
        let count = caller(ctx).app.store.read(move |db| match total {
            Total::OfRun(run, query) => files::count(db, run, &query),
            Total::OfArtifact(artifact, names) => entries::count(db, artifact, names.as_deref()),
            Total::Known(count) => Ok(count),
        });
        Ok(Some(count.await?))
    }
    async fn upload_headers(&self) -> Option<Vec<String>> {
        Some(Vec::new())
    }
}

impl FileConnection {
    fn new(files: Vec<Option<File>>, more: bool, window: Window, total: Total) -> Self {
        let page_info = window.info(files.len(), more);
        let edges = files
            .into_iter()
            .enumerate()
            .map(|(index, node)| FileEdge {
                cursor: window.cursor(index),
                node,
            })
            .collect();
        Self {
            edges,
            page_info,
            total,
        }
    }

    /// These files, all on one page.
    pub(super) fn whole(files: Vec<File>) -> Self {
        let len = files.len();
        let window = Window {
            offset: 0,
            limit: len as u64,
        };
        let files = files.into_iter().map(Some).collect();
        Self::new(files, false, window, Total::Known(len as i64))
    }
}

/// A file in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct FileEdge {
    cursor: String,
    node: Option<File>,
}

/// One page of a run's files.
pub(crate) async fn file_page(
    caller: &Caller,
    run: i64,
    query: FileQuery,
    first: Option<i32>,
    after: Option<String>,
) -> async_graphql::Result<FileConnection> {
    let window = page::forward(first, after.as_deref(), FILES, MAX_FILES)?;
    let asked = query.clone();
    let identity = caller.identity.clone();
    let job = move |db: &rusqlite::Connection| {
        let writable = access::may_run(db, &identity, run, Right::Write)?;
        Ok((
            files::list(db, run, &asked, window.limit, window.offset)?,
            writable,
        ))
    };
    let ((rows, more), writable) = caller.app.store.read(job).await?;
    let files = rows
        .into_iter()
        .map(|row| Some(File::Run(row, writable)))
        .collect();
    Ok(FileConnection::new(files, more, window, Total::OfRun(run, query)))
}

/// One page of the files of a version, in the order of their paths; with names, only those.
pub(super) async fn artifact_files(
    caller: &Caller,
    artifact: i64,
    names: Option<Vec<String>>,
    first: Option<i32>,
    after: Option<String>,
) -> async_graphql::Result<FileConnection> {
    let window = page::forward(first, after.as_deref(), FILES, MAX_FILES)?;
    let names = names.filter(|names| !names.is_empty());
    let asked = names.clone();
    let (rows, more) = caller
        .app
        .store
        .read(move |db| entries::list(db, artifact, asked.as_deref(), window.limit, window.offset))
        .await?;
    let files = rows.into_iter().map(|row| Some(File::Entry(row))).collect();
    Ok(FileConnection::new(
        files,
        more,
        window,
        Total::OfArtifact(artifact, names),
    ))
}

/// The files of a version at these paths with these digests, in their order; null for what it does not have.
pub(super) async fn files_at(
    caller: &Caller,
    artifact: i64,
    wanted: Vec<(String, String)>,
    first: Option<i32>,
    after: Option<String>,
) -> async_graphql::Result<FileConnection> {
    let window = page::forward(first, after.as_deref(), FILES, MAX_FILES)?;
    let total = wanted.len() as u64;
    let offset = usize::try_from(window.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
    let (paths, digests): (Vec<String>, Vec<String>) = wanted.into_iter().skip(offset).take(limit).unzip();
    let found = caller
        .app
        .store
        .read(move |db| entries::at(db, artifact, &paths))
        .await?;
    let files: Vec<Option<File>> = found
        .into_iter()
        .zip(digests)
        .map(|(row, digest)| row.filter(|row| row.digest == digest).map(File::Entry))
        .collect();
    let more = window.offset.saturating_add(files.len() as u64) < total;
    Ok(FileConnection::new(
        files,
        more,
        window,
        Total::Known(total as i64),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_written_as_base64() {
        let digest = base64_digest("d41d8cd98f00b204e9800998ecf8427e").unwrap();
        assert_eq!(digest, "1B2M2Y8AsgTpgAmY7PhCfg==");
        assert_eq!(base64_digest("zz"), None);
    }

    #[test]
    fn endings_give_media_types() {
        assert_eq!(mimetype("media/a.PNG"), "image/png");
        assert_eq!(mimetype("model"), "application/octet-stream");
    }
}
