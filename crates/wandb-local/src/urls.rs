//! What stands behind the URLs of file bytes: run files here, artifacts in [`artifact_bytes`](crate::artifact_bytes).

use async_trait::async_trait;

use crate::app::App;
use crate::artifact_bytes::ArtifactObject;
use crate::blobs::{BlobStore, Expected, Md5Digest, Stored};
use crate::graphql::mimetype;
use crate::http::bytes::{ByteStore, ByteStoreError, DOWNLOAD_PATH, Found, UPLOAD_PATH};
use crate::signing::{Action, UrlSigner};
use crate::store::files::{self, FileRow};
use crate::store::{StoreResult, bytes, time};

/// Digests that are looked at in one job of the writing thread.
const BATCH: usize = 500;

/// What a token names: a run file by its row number.
fn object(file: i64) -> String {
    format!("run-file/{file}")
}

fn file_of(object: &str) -> Option<i64> {
    object.strip_prefix("run-file/")?.parse().ok()
}

impl App {
    /// Where the bytes of a file are; `None` while none have arrived.
    pub(crate) fn download_url(&self, origin: &str, file: &FileRow) -> Option<String> {
        file.md5.as_ref()?;
        let token = self.signer.sign(Action::Download, &object(file.id), time::now());
        Some(format!("{origin}{DOWNLOAD_PATH}{token}"))
    }

    /// Where the bytes of a file are to be put.
    pub(crate) fn upload_url(&self, origin: &str, file: &FileRow) -> String {
        let token = self.signer.sign(Action::Upload, &object(file.id), time::now());
        format!("{origin}{UPLOAD_PATH}{token}")
    }

    /// Deletes those of the digests' bytes that no file points to any more. What cannot be deleted stays for
    /// [`sweep_bytes`](Self::sweep_bytes).
    pub(crate) async fn forget_bytes(&self, digests: Vec<String>) {
        if digests.is_empty() {
            return;
        }
        let blobs = self.blobs.clone();
        // The finding and the removal are one job: no upload can enter its digest in between.
        let done = self
            .store
            .write(move |db| {
                for digest in bytes::unreferenced(db, digests)? {
                    let Some(digest) = Md5Digest::from_hex(&digest) else {
                        continue;
                    };
                    match blobs.delete(digest) {
                        Ok(true) => bytes::forget(db, &digest.to_string())?,
                        Ok(false) => {}
                        Err(failure) => tracing::warn!(%digest, %failure, "bytes cannot be deleted"),
                    }
                }
                Ok(())
            })
            .await;
        if let Err(failure) = done {
            tracing::warn!(%failure, "bytes cannot be deleted");
        }
    }

    /// Deletes bytes that a killed process left without a file that points to them.
    pub(crate) async fn sweep_bytes(&self) -> StoreResult<()> {
        let blobs = self.blobs.clone();
        let digests = self
            .store
            .read(move |_| match blobs.iter() {
                Ok(found) => Ok(found
                    .filter_map(Result::ok)
                    .map(|digest| digest.to_string())
                    .collect::<Vec<_>>()),
                Err(failure) => {
                    tracing::warn!(%failure, "the folder of bytes cannot be read");
                    Ok(Vec::new())
                }
            })
            .await?;
        for batch in digests.chunks(BATCH) {
            self.forget_bytes(batch.to_vec()).await;
        }
        Ok(())
    }
}

#[async_trait]
impl ByteStore for App {
    fn signer(&self) -> &UrlSigner {
        &self.signer
    }

    fn blobs(&self) -> &BlobStore {
        &self.blobs
    }

    fn now(&self) -> i64 {
        time::now()
    }

    async fn expected(&self, object: &str) -> Result<Option<Expected>, ByteStoreError> {
        match ArtifactObject::parse(object) {
            Some(object) => self.expected_of_artifact(object).await,
            None => Ok(file_of(object).map(|_| Expected::default())),
        }
    }

    async fn uploaded(&self, object: &str, stored: &Stored) -> Result<bool, ByteStoreError> {
        if let Some(object) = ArtifactObject::parse(object) {
            return self.uploaded_of_artifact(object, stored).await;
        }
        let Some(file) = file_of(object) else {
            return Ok(false);
        };
        let (digest, size) = (stored.digest.to_string(), stored.size);
        let before = self
            .store
            .write(move |db| files::uploaded(db, file, &digest, size))
            .await?;
        match before {
            None => Ok(false),
            Some(replaced) => {
                self.forget_bytes(replaced.into_iter().collect()).await;
                Ok(true)
            }
        }
    }

    async fn find(&self, object: &str) -> Result<Option<Found>, ByteStoreError> {
        if let Some(object) = ArtifactObject::parse(object) {
            return self.find_of_artifact(object).await;
        }
        let Some(file) = file_of(object) else {
            return Ok(None);
        };
        let row = self.store.read(move |db| files::by_id(db, file)).await?;
        Ok(row.and_then(|row| {
            let digest = Md5Digest::from_hex(row.md5.as_deref()?)?;
            Some(Found {
                digest,
                content_type: mimetype(&row.name).to_owned(),
            })
        }))
    }
}
