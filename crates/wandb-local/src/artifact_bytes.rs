//! The bytes of artifacts: what stands behind their URLs, uploads in parts, and the reading of manifests at a commit.

use std::io::BufReader;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::app::App;
use crate::blobs::{BlobError, BlobStore, Expected, Md5Digest, Stored, Xxh128Digest};
use crate::http::bytes::{ByteStoreError, DOWNLOAD_PATH, Found, UPLOAD_PATH};
use crate::signing::Action;
use crate::store::artifacts::document::{self, Document};
use crate::store::artifacts::manifests::{self, ManifestRow};
use crate::store::artifacts::uploads::{self, Assembly, UploadRow};
use crate::store::artifacts::{access, commit, edit};
use crate::store::identity::{self, Identity};
use crate::store::{StoreError, StoreResult, bytes, time};

/// How long a version may be pending without a sign of life before it counts as given up.
const ABANDONED: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// What a token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArtifactObject {
    /// A file of a pending version.
    Upload(i64),
    /// A part of such a file.
    Part(i64, i64),
    /// A manifest of a pending version.
    Manifest(i64),
    /// Stored bytes.
    Blob(Md5Digest),
}

impl ArtifactObject {
    /// As it stands in a token.
    fn text(self) -> String {
        match self {
            Self::Upload(id) => format!("artifact-file/{id}"),
            Self::Part(id, number) => format!("artifact-part/{id}/{number}"),
            Self::Manifest(id) => format!("artifact-manifest/{id}"),
            Self::Blob(digest) => format!("blob/{digest}"),
        }
    }

    /// `None` for what names something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (sort, rest) = text.split_once('/')?;
        match sort {
            "artifact-file" => Some(Self::Upload(rest.parse().ok()?)),
            "artifact-part" => {
                let (id, number) = rest.split_once('/')?;
                Some(Self::Part(id.parse().ok()?, number.parse().ok()?))
            }
            "artifact-manifest" => Some(Self::Manifest(rest.parse().ok()?)),
            "blob" => Some(Self::Blob(Md5Digest::from_hex(rest)?)),
            _ => None,
        }
    }
}

fn length(size: u64) -> StoreResult<i64> {
    i64::try_from(size).map_err(|_| StoreError::Refused("file too large".to_owned()))
}

fn expected_of(row: &UploadRow) -> Expected {
    Expected {
        md5: row.declared_md5.as_deref().and_then(Md5Digest::from_hex),
        xxh128: row.declared_xxh128.as_deref().and_then(Xxh128Digest::from_hex),
        size: None,
    }
}

impl App {
    /// Where bytes of an artifact are to be put.
    pub(crate) fn artifact_upload_url(&self, origin: &str, object: ArtifactObject) -> String {
        let token = self.signer.sign(Action::Upload, &object.text(), time::now());
        format!("{origin}{UPLOAD_PATH}{token}")
    }

    /// Where stored bytes are; `None` when their name is none.
    pub(crate) fn blob_url(&self, origin: &str, md5: &str) -> Option<String> {
        let object = ArtifactObject::Blob(Md5Digest::from_hex(md5)?);
        let token = self.signer.sign(Action::Download, &object.text(), time::now());
        Some(format!("{origin}{DOWNLOAD_PATH}{token}"))
    }

    /// The bytes that an entity's artifacts refer to by an MD5 or XXH128 in hexadecimal.
    pub(crate) async fn artifact_bytes(
        &self,
        caller: Arc<Identity>,
        entity: String,
        digest: String,
    ) -> StoreResult<Option<Md5Digest>> {
        self.store
            .read(move |db| {
                let Some(entity) = identity::entity(db, &caller, Some(&entity))? else {
                    return Ok(None);
                };
                let found = bytes::of_entity(db, &caller, entity.id, &digest)?;
                Ok(found.and_then(|(blob, _)| Md5Digest::from_hex(&blob.md5)))
            })
            .await
    }

    pub(crate) async fn expected_of_artifact(
        &self,
        object: ArtifactObject,
    ) -> Result<Option<Expected>, ByteStoreError> {
        let expected = self.store.read(move |db| match object {
            ArtifactObject::Upload(id) => Ok(uploads::by_id(db, id)?.as_ref().map(expected_of)),
            ArtifactObject::Part(id, number) => {
                let md5 = uploads::part(db, id, number)?;
                Ok(md5.map(|md5| Expected {
                    md5: Md5Digest::from_hex(&md5),
                    ..Expected::default()
                }))
            }
            ArtifactObject::Manifest(id) => Ok(manifests::by_id(db, id)?.map(|row| Expected {
                md5: Md5Digest::from_base64(&row.digest),
                ..Expected::default()
            })),
            ArtifactObject::Blob(_) => Ok(None),
        });
        Ok(expected.await?)
    }

    pub(crate) async fn uploaded_of_artifact(
        &self,
        object: ArtifactObject,
        stored: &Stored,
    ) -> Result<bool, ByteStoreError> {
        let (md5, size) = (stored.digest.to_string(), length(stored.size)?);
        let arrived = self.store.write(move |db| match object {
            ArtifactObject::Upload(id) => match uploads::by_id(db, id)? {
                Some(row) => uploads::uploaded(db, &row, &md5, size),
                None => Ok(None),
            },
            ArtifactObject::Part(id, number) => {
                let waited = uploads::part_uploaded(db, id, number, &md5, size)?;
                Ok(waited.then(Vec::new))
            }
            ArtifactObject::Manifest(id) => Ok(manifests::uploaded(db, id, &md5, size)?.then(Vec::new)),
            ArtifactObject::Blob(_) => Ok(None),
        });
        match arrived.await? {
            None => Ok(false),
            Some(released) => {
                self.forget_bytes(released).await;
                Ok(true)
            }
        }
    }

    pub(crate) async fn find_of_artifact(
        &self,
        object: ArtifactObject,
    ) -> Result<Option<Found>, ByteStoreError> {
        let ArtifactObject::Blob(digest) = object else {
            return Ok(None);
        };
        let name = digest.to_string();
        // The version may have been deleted since the URL was given out.
        let unused = self
            .store
            .read(move |db| Ok(!bytes::unreferenced(db, vec![name])?.is_empty()))
            .await?;
        Ok((!unused).then(|| Found {
            digest,
            content_type: "application/octet-stream".to_owned(),
        }))
    }

    /// Puts the parts of an upload together; returns the digest of the whole in base64.
    ///
    /// # Errors
    /// What the client says of the parts is not so, or the whole is not what was announced.
    pub(crate) async fn complete_multipart(
        &self,
        caller: Arc<Identity>,
        artifact: i64,
        storage_path: Option<i64>,
        upload_id: String,
        completed: Vec<(i64, String)>,
    ) -> StoreResult<String> {
        let Assembly { upload, parts, size } = self
            .store
            .read(move |db| {
                access::require_version(db, &caller, artifact)?;
                let assembly = uploads::assembly(db, artifact, &upload_id, storage_path, &completed)?;
                // Clients name the version in which the bytes first appeared; what changes is the one they are for.
                access::require_version(db, &caller, assembly.upload.artifact)?;
                Ok(assembly)
            })
            .await?;
        let declared = upload
            .declared_md5
            .as_deref()
            .or(upload.declared_xxh128.as_deref());
        let digest = declared.and_then(document::base64_of_hex).unwrap_or_default();
        if upload.md5.is_some() {
            return Ok(digest);
        }
        let expected = Expected {
            size: Some(size),
            ..expected_of(&upload)
        };
        let stored = self.blobs.put(whole(self.blobs.clone(), parts), expected).await;
        let stored = stored.map_err(|problem| match problem {
            BlobError::Io(source) => StoreError::Io {
                doing: "put the parts of an upload together".to_owned(),
                source,
            },
            other => StoreError::Refused(other.to_string()),
        })?;
        if self
            .uploaded_of_artifact(ArtifactObject::Upload(upload.id), &stored)
            .await
            .map_err(|problem| StoreError::Refused(problem.to_string()))?
        {
            Ok(digest)
        } else {
            Err(StoreError::Refused("the upload was given up".to_owned()))
        }
    }

    /// Commits a version.
    ///
    /// # Errors
    /// A manifest or the bytes of a file are missing or not what they should be.
    pub(crate) async fn commit_artifact(&self, caller: Arc<Identity>, artifact: i64) -> StoreResult<()> {
        let who = Arc::clone(&caller);
        let plan = self.store.read(move |db| {
            access::require_version(db, &who, artifact)?;
            commit::prepare(db, artifact)
        });
        let plan = plan.await?;
        let commit::Plan::Merge { base, manifests } = plan else {
            return Ok(());
        };
        let blobs = self.blobs.clone();
        let (documents, manifests) = tokio::task::spawn_blocking(move || {
            let documents = manifests.iter().map(|row| read_manifest(&blobs, row));
            Ok::<_, StoreError>((documents.collect::<StoreResult<Vec<_>>>()?, manifests))
        })
        .await
        .map_err(|_| StoreError::Closed)??;
        let blobs = self.blobs.clone();
        let released = self
            .store
            .write(move |db| commit::apply(db, &blobs, &caller, artifact, base, &manifests, documents))
            .await?;
        self.forget_bytes(released).await;
        Ok(())
    }

    /// Deletes versions whose time is over, and uploads that were given up.
    pub(crate) async fn expire_artifacts(&self) -> StoreResult<()> {
        let now = time::now();
        let digests = self
            .store
            .write(move |db| edit::expire(db, now, now.saturating_sub(ABANDONED)))
            .await?;
        self.forget_bytes(digests).await;
        Ok(())
    }
}

/// The bytes of blobs one after the other.
fn whole(
    blobs: BlobStore,
    parts: Vec<String>,
) -> impl futures_util::Stream<Item = std::io::Result<::bytes::Bytes>> {
    stream::iter(parts)
        .then(move |part| {
            let blobs = blobs.clone();
            async move {
                let missing =
                    || std::io::Error::new(std::io::ErrorKind::NotFound, "a part of the upload is gone");
                let digest = Md5Digest::from_hex(&part).ok_or_else(missing)?;
                let blob = blobs.read(digest).await?.ok_or_else(missing)?;
                let size = blob.size();
                blob.stream(0..size).await
            }
        })
        .try_flatten()
}

/// Reads a manifest from the disk; blocks.
fn read_manifest(blobs: &BlobStore, row: &ManifestRow) -> StoreResult<Document> {
    if row.size.unsigned_abs() > document::MAX_BYTES {
        return Err(StoreError::Refused(format!(
            "{:?} is longer than {} bytes",
            row.name,
            document::MAX_BYTES
        )));
    }
    let unreadable = |source| StoreError::Io {
        doing: format!("read {:?}", row.name),
        source,
    };
    let digest = row.md5.as_deref().and_then(Md5Digest::from_hex);
    let digest = digest.ok_or_else(|| unreadable(std::io::Error::from(std::io::ErrorKind::NotFound)))?;
    let file = blobs.open_file(digest).map_err(unreadable)?;
    document::read(BufReader::with_capacity(1 << 18, file))
        .map_err(|problem| StoreError::Refused(format!("{:?} is no manifest: {problem}", row.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_as_they_are_written() {
        let digest = Md5Digest::new([7; 16]);
        for object in [
            ArtifactObject::Upload(3),
            ArtifactObject::Part(3, 4),
            ArtifactObject::Manifest(5),
            ArtifactObject::Blob(digest),
        ] {
            assert_eq!(ArtifactObject::parse(&object.text()), Some(object));
        }
        for text in ["run-file/1", "artifact-file/x", "artifact-part/1", "blob/../../x"] {
            assert_eq!(ArtifactObject::parse(text), None, "{text}");
        }
    }
}
