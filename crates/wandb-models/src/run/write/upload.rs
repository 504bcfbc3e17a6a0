//! Uploading files to a run (protocol §2.11, inventory §5).
//!
//! The bytes are hashed once before, streamed from the disk in each attempt, and what the server then says about the file
//! is compared with the hash: an upload that is not found again with these bytes is an error.

use std::{
    collections::{HashMap, HashSet},
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use cynic::MutationBuilder;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::AsyncReadExt;
use wandb_core::{Error, ErrorKind, Result, client::Put, redact::SafeUrl, retry::Repeat};
use wandb_schema::operations::file_writes as wire;
use wandb_storage::{Algorithm, ContentDigest, Hasher, open_ordinary};
use wandb_transport::{Body, TransportError, TransportErrorKind};

use crate::{File, RunReference};

/// How many files one request announces.
const BATCH: usize = 100;

/// How many files are sent at once.
const AT_ONCE: usize = 4;

/// How much is read from the disk at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// How often a file is looked for after its upload. Some servers take note of it a moment later.
const LOOKS: u32 = 6;

/// The pause before it is looked for again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The feature by which a server says that it wants to be told of uploads.
const MARK_UPLOADED: &str = "MARK_RUN_FILES_UPLOADED";

/// A file on the disk, and what it will be called.
#[derive(Debug, Clone)]
struct Local {
    path: PathBuf,
    name: String,
    size: u64,
    digest: ContentDigest,
}

impl RunReference {
    /// Uploads one file and gives it as the server then has it. Its name is its path relative to `root`; `.` and `..` in
    /// it become `_` and `__`, as in the official client, which then does not find the file again (inventory §5). A file of
    /// the same name is replaced.
    ///
    /// # Errors
    /// As [`upload_files`](Self::upload_files).
    pub async fn upload_file(&self, path: impl AsRef<Path>, root: impl AsRef<Path>) -> Result<File> {
        let mut files = self.upload_files([path], root).await?;
        files
            .pop()
            .ok_or_else(|| Error::protocol("one file was uploaded and none came back"))
    }

    /// Uploads files, announcing them in batches and sending a few at once; they come back in the order in which they were
    /// given.
    ///
    /// Each is hashed, streamed (a connection that breaks is tried again from the start: the protocol has no way to go on),
    /// and then compared with what the server says about it. The credential goes along only to addresses below the base
    /// URL. The first failure ends the whole; files that were sent by then are there.
    ///
    /// # Errors
    /// - [`InvalidInput`](ErrorKind::InvalidInput) for a path that is no file, is not Unicode, or two with one name;
    /// - [`Io`](ErrorKind::Io) when a file cannot be read;
    /// - [`NotFound`](ErrorKind::NotFound), [`NotVisible`](ErrorKind::NotVisible) when there is no such run or the key may
    ///   not write to it;
    /// - [`Integrity`](ErrorKind::Integrity) when the server has other bytes afterwards, also because the file was changed
    ///   meanwhile; [`Incomplete`](ErrorKind::Incomplete) when it does not show the file.
    pub async fn upload_files<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        root: impl AsRef<Path>,
    ) -> Result<Vec<File>> {
        let description = format!("upload files to run \"{}\"", self.run_path());
        let paths: Vec<PathBuf> = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
        let root = root.as_ref().to_owned();
        let locals = blocking(move || prepare(&paths, &root))
            .await
            .map_err(|error| error.in_operation(description.clone()))?;
        let mut files = Vec::with_capacity(locals.len());
        for batch in locals.chunks(BATCH) {
            files.extend(self.upload_batch(batch, &description).await?);
        }
        Ok(files)
    }

    async fn upload_batch(&self, batch: &[Local], description: &str) -> Result<Vec<File>> {
        let named = |error: Error| error.in_operation(description);
        let path = self.run_path();
        let names: Vec<String> = batch.iter().map(|local| local.name.clone()).collect();
        let operation = wire::CreateRunFiles::build(wire::CreateRunFilesVariables {
            input: wire::CreateRunFilesInput {
                entity_name: path.entity().as_str().to_owned(),
                project_name: path.project().as_str().to_owned(),
                run_name: path.run().as_str().to_owned(),
                files: names.clone(),
            },
        });
        let answer: wire::CreateRunFiles = self.api().mutate(&operation, Repeat::Always, description).await?;
        let payload = answer
            .create_run_files
            .filter(|payload| !payload.run_id.inner().is_empty())
            .ok_or_else(|| named(Error::not_found(format!("run \"{path}\""))))?;
        let headers = Arc::new(read_headers(&payload.upload_headers).map_err(named)?);
        let mut urls: HashMap<String, Option<String>> = payload
            .files
            .into_iter()
            .map(|file| (file.name, file.upload_url))
            .collect();
        let mut puts = Vec::with_capacity(batch.len());
        for local in batch {
            let url = urls.remove(&local.name).flatten().filter(|url| !url.is_empty());
            let url = url.ok_or_else(|| {
                named(Error::protocol(format!(
                    "the server gives no address for the file {:?}",
                    local.name
                )))
            })?;
            puts.push((local.clone(), SafeUrl::new(url)));
        }
        stream::iter(puts)
            .map(|(local, url)| self.put(local, url, Arc::clone(&headers)))
            .buffer_unordered(AT_ONCE)
            .try_for_each(|()| std::future::ready(Ok(())))
            .await?;
        if self.api().has_feature(MARK_UPLOADED).await? {
            self.mark_uploaded(names, description).await?;
        }
        self.find_again(batch).await.map_err(named)
    }

    async fn put(&self, local: Local, url: SafeUrl, headers: Arc<HeaderMap>) -> Result<()> {
        let put = Put::new(url, format!("send the bytes of {:?}", local.name))
            .headers((*headers).clone())
            .with_credential();
        let body = || file_body(local.path.clone(), local.size);
        self.api().client().put(&put, body).await.map(|_| ())
    }

    async fn mark_uploaded(&self, files: Vec<String>, description: &str) -> Result<()> {
        let path = self.run_path();
        let operation = wire::MarkRunFilesUploaded::build(wire::MarkRunFilesUploadedVariables {
            input: wire::MarkRunFilesUploadedInput {
                entity_name: path.entity().as_str().to_owned(),
                project_name: path.project().as_str().to_owned(),
                run_name: path.run().as_str().to_owned(),
                files,
            },
        });
        let answer: wire::MarkRunFilesUploaded =
            self.api().mutate(&operation, Repeat::Always, description).await?;
        if answer
            .mark_run_files_uploaded
            .is_some_and(|payload| payload.success)
        {
            return Ok(());
        }
        Err(
            Error::new(ErrorKind::Server, "the server does not take note of the upload")
                .in_operation(description),
        )
    }

    /// Looks for the files under the names that they were sent with, until the server has all of them with these bytes.
    async fn find_again(&self, batch: &[Local]) -> Result<Vec<File>> {
        let runtime = self.api().client().runtime();
        let mut pause = FIRST_PAUSE;
        let mut found: HashMap<String, File> = HashMap::new();
        let mut trouble = None;
        for look in 0..LOOKS {
            if look > 0 {
                runtime.sleep(pause).await;
                pause *= 2;
            }
            let open: Vec<&str> = batch
                .iter()
                .map(|local| local.name.as_str())
                .filter(|name| !found.contains_key(*name))
                .collect();
            let files: Vec<File> = self.files().names(open).stream().try_collect().await?;
            let mut files: HashMap<String, File> =
                files.into_iter().map(|file| (file.name.clone(), file)).collect();
            trouble = None;
            for local in batch {
                if found.contains_key(&local.name) {
                    continue;
                }
                match check(local, files.remove(&local.name)) {
                    Ok(file) => {
                        found.insert(local.name.clone(), file);
                    }
                    Err(error) => trouble = Some(error),
                }
            }
            if trouble.is_none() {
                break;
            }
        }
        if let Some(error) = trouble {
            return Err(error);
        }
        Ok(batch
            .iter()
            .filter_map(|local| found.remove(&local.name))
            .collect())
    }
}

/// Whether the server has these bytes under this name.
fn check(local: &Local, file: Option<File>) -> Result<File> {
    let file = file.ok_or_else(|| {
        Error::new(
            ErrorKind::Incomplete,
            format!(
                "the server does not show the file {:?} after its upload",
                local.name
            ),
        )
    })?;
    let expected = file.expected()?;
    if expected.digest.is_none() && expected.size != Some(local.size) {
        return Err(Error::new(
            ErrorKind::Incomplete,
            format!("the server has not taken in the file {:?}", local.name),
        ));
    }
    expected.check(local.size, &local.digest).map_err(|mismatch| {
        Error::new(
            ErrorKind::Integrity,
            format!("the server has other bytes of the file {:?}", local.name),
        )
        .with_source(mismatch)
        .with_hint(
            "the file may have been changed while it was sent, or another writer sent one of the same name",
        )
    })?;
    Ok(file)
}

/// Finds names, sizes and digests.
fn prepare(paths: &[PathBuf], root: &Path) -> Result<Vec<Local>> {
    let mut taken = HashSet::new();
    paths
        .iter()
        .map(|path| {
            let name = upload_name(path, root)?;
            if !taken.insert(name.clone()) {
                return Err(Error::invalid_input(format!(
                    "two of the files would have the name {name:?}"
                )));
            }
            let (size, digest) = hash(path)?;
            Ok(Local {
                path: path.clone(),
                name,
                size,
                digest,
            })
        })
        .collect()
}

fn hash(path: &Path) -> Result<(u64, ContentDigest)> {
    use std::io::Read;
    let name = path.display().to_string();
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::InvalidInput => Error::invalid_input(format!("{name:?} is not a file")),
        _ => Error::io(format!("read {name:?}"), error),
    };
    let mut file = open_ordinary(path).map_err(failed)?;
    let mut hasher = Hasher::new(Algorithm::Md5);
    let mut size = 0;
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok((size, hasher.finish()));
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
}

/// The name of a file in a run: its path relative to the root, with `/`, and without segments that would lead anywhere
/// (official: `make_file_path_upload_safe`).
fn upload_name(path: &Path, root: &Path) -> Result<String> {
    let absolute = |path: &Path| {
        std::path::absolute(path)
            .map(|path| lexical(&path))
            .map_err(|error| Error::io(format!("find {:?}", path.display().to_string()), error))
    };
    let (path, root) = (absolute(path)?, absolute(root)?);
    let shared = path
        .iter()
        .zip(root.iter())
        .take_while(|(left, right)| left == right)
        .count();
    let mut segments = vec!["__".to_owned(); root.iter().count() - shared];
    for part in path.iter().skip(shared) {
        let part = part.to_str().ok_or_else(|| {
            Error::invalid_input(format!(
                "the path {:?} is not Unicode",
                path.display().to_string()
            ))
        })?;
        segments.push(part.to_owned());
    }
    let name = segments.join("/");
    if name.is_empty() {
        return Err(Error::invalid_input("a file needs a name below the root"));
    }
    Ok(name)
}

/// The path without `.` and `..`, as the text says and not as links lead.
fn lexical(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            part => result.push(part),
        }
    }
    result
}

fn read_headers(lines: &[String]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let read = || {
            let (name, value) = line.split_once(':')?;
            let name = HeaderName::try_from(name.trim()).ok()?;
            let mut value = HeaderValue::try_from(value.trim()).ok()?;
            // They may hold tokens of the storage.
            value.set_sensitive(true);
            Some((name, value))
        };
        let (name, value) = read()
            .ok_or_else(|| Error::protocol("the server asks for an upload header that cannot be sent"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// The bytes of a file, read while they are sent.
fn file_body(path: PathBuf, size: u64) -> Body {
    if size == 0 {
        return Body::empty();
    }
    enum State {
        Closed(PathBuf),
        Open(tokio::fs::File),
    }
    let failed = |error: std::io::Error| {
        TransportError::new(TransportErrorKind::InvalidRequest, "the file cannot be read").with_source(error)
    };
    let chunks = stream::try_unfold(State::Closed(path), move |state| async move {
        let mut file = match state {
            State::Closed(path) => {
                let opened = tokio::task::spawn_blocking(move || open_ordinary(path)).await;
                let opened = opened.map_err(std::io::Error::other).and_then(|opened| opened);
                tokio::fs::File::from_std(opened.map_err(failed)?)
            }
            State::Open(file) => file,
        };
        let mut chunk = vec![0; CHUNK];
        let count = file.read(&mut chunk).await.map_err(failed)?;
        chunk.truncate(count);
        Ok((count > 0).then(|| (Bytes::from(chunk), State::Open(file))))
    });
    Body::from_stream(chunks, Some(size))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(Error::new(ErrorKind::Cancelled, "the upload was cancelled").with_source(error)),
    }
}

#[cfg(test)]
mod names {
    use super::*;

    #[test]
    fn names_are_relative_and_lead_nowhere() {
        for (path, root, name) in [
            ("/a/b/c.txt", "/a", "b/c.txt"),
            ("/a/b/c.txt", "/a/b", "c.txt"),
            ("/a/./b/../c.txt", "/a/", "c.txt"),
            ("/a/c.txt", "/a/b/d", "__/__/c.txt"),
            ("/x/c.txt", "/a", "__/x/c.txt"),
            ("/../c.txt", "/", "c.txt"),
        ] {
            assert_eq!(
                upload_name(Path::new(path), Path::new(root)).unwrap(),
                name,
                "{path} {root}"
            );
        }
        assert!(upload_name(Path::new("/a"), Path::new("/a")).is_err());
    }

    #[test]
    fn headers_are_read_or_refused() {
        let headers = read_headers(&["x-ms-blob-type: BlockBlob".into(), "a:b:c".into()]).unwrap();
        assert_eq!(headers["x-ms-blob-type"], "BlockBlob");
        assert_eq!(headers["a"], "b:c");
        for line in ["", "no colon", "b ad:x", "a:\u{7f}\n"] {
            assert!(read_headers(&[line.to_owned()]).is_err(), "{line:?}");
        }
    }
}
