//! Run files.

use async_graphql::{Context, ID, Object, SimpleObject};
use base64::Engine as _;

use super::page::{self, PageInfo};
use super::scalars::{DateTime, Int64};
use super::{Caller, caller};
use crate::store::files::{self, FileQuery, FileRow};
use crate::store::ids::Kind;

/// Files per page where the caller names no number (protocol §2.3).
const FILES: u64 = 50;
/// Most files per page.
const MAX_FILES: u64 = 5000;

/// A file of a run.
#[derive(Debug, Clone)]
pub(crate) struct File(pub(crate) FileRow);

/// A file of a run.
#[Object]
impl File {
    async fn id(&self) -> ID {
        Kind::File.encode(self.0.id).into()
    }
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn display_name(&self) -> Option<&str> {
        self.0.name.rsplit('/').next()
    }
    /// Where the bytes are, or, with `upload`, where they are to be put.
    async fn url(&self, ctx: &Context<'_>, upload: Option<bool>) -> Option<String> {
        let caller = caller(ctx);
        if upload.unwrap_or(false) {
            return Some(caller.app.upload_url(&caller.origin, &self.0));
        }
        caller.app.download_url(&caller.origin, &self.0)
    }
    /// Where the bytes are; empty while none have arrived.
    async fn direct_url(&self, ctx: &Context<'_>) -> String {
        let caller = caller(ctx);
        caller
            .app
            .download_url(&caller.origin, &self.0)
            .unwrap_or_default()
    }
    async fn upload_url(&self, ctx: &Context<'_>) -> Option<String> {
        let caller = caller(ctx);
        Some(caller.app.upload_url(&caller.origin, &self.0))
    }
    async fn upload_headers(&self) -> Option<Vec<String>> {
        Some(Vec::new())
    }
    async fn storage_path(&self) -> Option<&str> {
        Some(&self.0.name)
    }
    async fn size_bytes(&self) -> Int64 {
        Int64(self.0.size)
    }
    async fn mimetype(&self) -> Option<&str> {
        Some(mimetype(&self.0.name))
    }
    /// Base64 of the MD5 digest.
    async fn md5(&self) -> Option<String> {
        base64_digest(self.0.md5.as_deref()?)
    }
    async fn digest(&self) -> Option<String> {
        base64_digest(self.0.md5.as_deref()?)
    }
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.uploaded_at.map(DateTime)
    }
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
    run: i64,
    #[graphql(skip)]
    query: FileQuery,
}

#[async_graphql::ComplexObject]
impl FileConnection {
    /// How many files match, on all pages.
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<i64>> {
        let (run, query) = (self.run, self.query.clone());
        Ok(Some(
            caller(ctx)
                .app
                .store
                .read(move |db| files::count(db, run, &query))
                .await?,
        ))
    }
    async fn upload_headers(&self) -> Option<Vec<String>> {
        Some(Vec::new())
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
    let (rows, more) = caller
        .app
        .store
        .read(move |db| files::list(db, run, &asked, window.limit, window.offset))
        .await?;
    let page_info = window.info(rows.len(), more);
    let edges = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| FileEdge {
            cursor: window.cursor(index),
            node: Some(File(row)),
        })
        .collect();
    Ok(FileConnection {
        edges,
        page_info,
        run,
        query,
    })
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
