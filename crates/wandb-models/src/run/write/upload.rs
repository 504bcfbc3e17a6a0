//! Uploading files to a run (protocol §2.11, inventory §5).
//!
//! The engine is that of artifacts ([`Upload`]): the bytes were hashed before, stream from the disk in each attempt, and are
//! hashed again on the way. What the server then says about the file is compared with the hash: an upload that is not found
//! again with these bytes is an error.

use std::{
    collections::{HashMap, HashSet},
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use cynic::MutationBuilder;
use futures_util::TryStreamExt;
use wandb_artifacts::transfer::{
    CompletedMultipart, LocalFile, LocalSource, NoProgress, Progress, Upload, UploadOptions, UploadRequest,
    UploadSlot, UploadTarget,
};
use wandb_core::{Error, ErrorKind, Result, path::RunPath, redact::SafeUrl, retry::Repeat};
use wandb_schema::operations::file_writes as wire;
use wandb_storage::{Algorithm, ContentDigest, Hasher, open_ordinary};

use crate::{Api, File, RunReference, runtime::blocking};

/// How many files one request announces.
const BATCH: usize = 100;

/// How many files are sent at once.
const AT_ONCE: usize = 4;

/// How much is read from the disk at once to be hashed, in bytes.
const CHUNK: usize = 256 * 1024;

/// How often a file is looked for after its upload. Some servers take note of it a moment later.
const LOOKS: u32 = 6;

/// The pause before it is looked for again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The feature by which a server says that it wants to be told of uploads.
const MARK_UPLOADED: &str = "MARK_RUN_FILES_UPLOADED";

/// Where the files of a run go.
#[derive(Debug)]
struct RunFiles {
    api: Api,
    run: RunPath,
    description: String,
}

#[async_trait]
impl UploadTarget for RunFiles {
    async fn request_uploads(&self, files: &[UploadRequest]) -> Result<Vec<UploadSlot>> {
        let path = &self.run;
        let operation = wire::CreateRunFiles::build(wire::CreateRunFilesVariables {
            input: wire::CreateRunFilesInput {
                entity_name: path.entity().as_str().to_owned(),
                project_name: path.project().as_str().to_owned(),
                run_name: path.run().as_str().to_owned(),
                files: files.iter().map(|file| file.path.clone()).collect(),
            },
        });
        let answer: wire::CreateRunFiles = self
            .api
            .mutate(&operation, Repeat::Always, &self.description)
            .await?;
        let payload = answer
            .create_run_files
            .filter(|payload| !payload.run_id.inner().is_empty())
            .ok_or_else(|| Error::not_found(format!("run \"{path}\"")))?;
        let mut urls: HashMap<String, Option<String>> = payload
            .files
            .into_iter()
            .map(|file| (file.name, file.upload_url))
            .collect();
        files
            .iter()
            .map(|file| {
                // Unlike a version's, a run's files are never known to be there already.
                let url = urls.remove(&file.path).flatten().filter(|url| !url.is_empty());
                let url = url.ok_or_else(|| {
                    Error::protocol(format!(
                        "the server gives no address for the file {:?}",
                        file.path
                    ))
                })?;
                Ok(UploadSlot {
                    upload_url: Some(SafeUrl::new(url)),
                    headers: payload.upload_headers.clone(),
                    ..UploadSlot::default()
                })
            })
            .collect()
    }

    async fn complete_multipart(&self, completed: &CompletedMultipart) -> Result<()> {
        // Its slots have no parts.
        Err(Error::protocol(format!(
            "a run's file at {:?} does not go in parts",
            completed.storage_path
        )))
    }

    fn sends_credential(&self) -> bool {
        true
    }

    fn batch_size(&self) -> usize {
        BATCH
    }
}

impl RunReference {
    /// Uploads one file and gives it as the server then has it. Its name is its path relative to `root`; each `..` that
    /// leads out of the root becomes `__`, as in the official client, which then does not find the file again (inventory
    /// §5). A file of the same name is replaced.
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
    /// Each is hashed, streamed (a connection that breaks is tried again from the start: the protocol has no way to go on)
    /// and hashed again on the way, and then compared with what the server says about it. The credential goes along only to
    /// addresses below the base URL. A file that fails is asked for once more if most others did not; else it ends the whole,
    /// and files that were sent by then are there.
    ///
    /// # Errors
    /// - [`InvalidInput`](ErrorKind::InvalidInput) for a path that is no file, is not Unicode, or two with one name;
    /// - [`Io`](ErrorKind::Io) when a file cannot be read;
    /// - [`Conflict`](ErrorKind::Conflict) when a file was changed while it was uploaded; the server gets no whole body of it;
    /// - [`NotFound`](ErrorKind::NotFound), [`NotVisible`](ErrorKind::NotVisible) when there is no such run or the key may
    ///   not write to it;
    /// - [`Integrity`](ErrorKind::Integrity) when the server has other bytes afterwards;
    ///   [`Incomplete`](ErrorKind::Incomplete) when it does not show the file.
    pub async fn upload_files<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        root: impl AsRef<Path>,
    ) -> Result<Vec<File>> {
        self.upload_files_with_progress(paths, root, Arc::new(NoProgress))
            .await
    }

    /// Does as [`upload_files`](Self::upload_files), and tells someone how far it is.
    ///
    /// # Errors
    /// As [`upload_files`](Self::upload_files).
    pub async fn upload_files_with_progress<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        root: impl AsRef<Path>,
        progress: Arc<dyn Progress>,
    ) -> Result<Vec<File>> {
        let description = format!("upload files to run \"{}\"", self.run_path());
        let paths: Vec<PathBuf> = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
        let root = root.as_ref().to_owned();
        let upload = async {
            let locals = blocking(move || prepare(&paths, &root)).await?;
            let target = RunFiles {
                api: self.api().clone(),
                run: self.run_path().clone(),
                description: description.clone(),
            };
            let options = UploadOptions::default()
                .connections(AT_ONCE)
                .multipart(u64::MAX, u64::MAX)
                .progress(progress);
            let client = self.api().client().clone();
            Upload::new(client, Arc::new(target), locals.clone(), options)
                .run()
                .await?;
            let is_to_be_told = !locals.is_empty() && self.api().has_feature(MARK_UPLOADED).await?;
            let mut files = Vec::with_capacity(locals.len());
            for batch in locals.chunks(BATCH) {
                if is_to_be_told {
                    let names = batch.iter().map(|local| local.path.clone()).collect();
                    self.mark_uploaded(names, &description).await?;
                }
                files.extend(self.find_again(batch).await?);
            }
            Ok(files)
        };
        upload
            .await
            .map_err(|error: Error| error.in_operation(&*description))
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
    async fn find_again(&self, batch: &[LocalFile]) -> Result<Vec<File>> {
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
                .map(|local| local.path.as_str())
                .filter(|name| !found.contains_key(*name))
                .collect();
            let files: Vec<File> = self.files().names(open).stream().try_collect().await?;
            let mut files: HashMap<String, File> =
                files.into_iter().map(|file| (file.name.clone(), file)).collect();
            trouble = None;
            for local in batch {
                if found.contains_key(&local.path) {
                    continue;
                }
                match check(local, files.remove(&local.path)) {
                    Ok(file) => {
                        found.insert(local.path.clone(), file);
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
            .filter_map(|local| found.remove(&local.path))
            .collect())
    }
}

/// Whether the server has these bytes under this name.
fn check(local: &LocalFile, file: Option<File>) -> Result<File> {
    let file = file.ok_or_else(|| {
        Error::new(
            ErrorKind::Incomplete,
            format!(
                "the server does not show the file {:?} after its upload",
                local.path
            ),
        )
    })?;
    let expected = file.expected()?;
    if expected.digest.is_none() && expected.size != Some(local.size) {
        return Err(Error::new(
            ErrorKind::Incomplete,
            format!("the server has not taken in the file {:?}", local.path),
        ));
    }
    expected.check(local.size, &local.digest).map_err(|mismatch| {
        Error::new(
            ErrorKind::Integrity,
            format!("the server has other bytes of the file {:?}", local.path),
        )
        .with_source(mismatch)
        .with_hint("another writer may have sent a file of the same name")
    })?;
    Ok(file)
}

/// Finds names, sizes and digests.
fn prepare(paths: &[PathBuf], root: &Path) -> Result<Vec<LocalFile>> {
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
            Ok(LocalFile {
                path: name,
                source: LocalSource::File(path.clone()),
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
}
