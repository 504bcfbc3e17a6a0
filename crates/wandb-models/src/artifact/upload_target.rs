//! The server's side of an upload (protocol §5.2, §5.5).

use async_trait::async_trait;
use cynic::MutationBuilder;
use wandb_artifacts::{
    Algorithm,
    transfer::{CompletedMultipart, MultipartSlot, UploadRequest, UploadSlot, UploadTarget},
};
use wandb_core::{Error, Result, redact::SafeUrl, retry::Repeat};
use wandb_schema::{
    operations::{artifact_uploads as wire, artifacts::ArtifactDigestAlgorithm},
    scalars::Int64,
};

use crate::Api;

/// Where the files of one pending version go.
#[derive(Debug)]
pub(super) struct PendingVersion {
    pub(super) api: Api,
    /// For messages.
    pub(super) name: String,
    pub(super) artifact_id: cynic::Id,
    pub(super) manifest_id: cynic::Id,
    pub(super) algorithm: Algorithm,
}

pub(super) fn algorithm_of(algorithm: Algorithm) -> ArtifactDigestAlgorithm {
    match algorithm {
        Algorithm::Md5 => ArtifactDigestAlgorithm::ManifestMd5,
        Algorithm::Xxh128 => ArtifactDigestAlgorithm::ManifestXxh128,
    }
}

impl PendingVersion {
    fn spec(&self, file: &UploadRequest) -> wire::CreateArtifactFileSpecInput {
        let digest = file.digest.to_string();
        let parts = file.parts.iter().map(|part| wire::UploadPartsInput {
            part_number: Int64(part.number.into()),
            hex_md5: part.md5.iter().map(|byte| format!("{byte:02x}")).collect(),
        });
        wire::CreateArtifactFileSpecInput {
            artifact_id: self.artifact_id.clone(),
            artifact_manifest_id: Some(self.manifest_id.clone()),
            name: file.path.clone(),
            // Servers without XXH128 know no other member, and with it they want it here, too.
            digest: (self.algorithm != Algorithm::Md5).then(|| digest.clone()),
            md5: digest,
            mimetype: None,
            upload_parts_input: (!file.parts.is_empty()).then(|| parts.collect()),
        }
    }

    fn slot(&self, file: wire::UploadFile) -> Result<UploadSlot> {
        let multipart = file.upload_multipart_urls.map(multipart).transpose()?;
        Ok(UploadSlot {
            upload_url: file.upload_url.filter(|url| !url.is_empty()).map(SafeUrl::new),
            headers: file.upload_headers.unwrap_or_default(),
            storage_path: file.storage_path,
            // Bytes without an older version first appear in this one.
            birth_artifact_id: file.artifact.map_or_else(
                || self.artifact_id.inner().to_owned(),
                |artifact| artifact.id.into_inner(),
            ),
            multipart,
        })
    }
}

fn multipart(urls: wire::UploadMultipartUrls) -> Result<MultipartSlot> {
    let parts = urls.upload_url_parts.into_iter().map(|part| {
        let number = part.part_number.0;
        let counted = u32::try_from(number)
            .map_err(|_| Error::protocol(format!("the server gives a part the number {number}")))?;
        Ok((counted, SafeUrl::new(part.upload_url)))
    });
    Ok(MultipartSlot {
        upload_id: urls.upload_id,
        parts: parts.collect::<Result<_>>()?,
    })
}

#[async_trait]
impl UploadTarget for PendingVersion {
    async fn request_uploads(&self, files: &[UploadRequest]) -> Result<Vec<UploadSlot>> {
        let description = format!("announce files of artifact \"{}\"", self.name);
        let operation = wire::CreateArtifactFiles::build(wire::CreateArtifactFilesVariables {
            input: wire::CreateArtifactFilesInput {
                artifact_files: files.iter().map(|file| self.spec(file)).collect(),
                storage_layout: Some(wire::ArtifactStorageLayout::V2),
                cloud_region_id: None,
                digest_algorithm: (self.algorithm != Algorithm::Md5).then(|| algorithm_of(self.algorithm)),
            },
        });
        // Announcing a file again gives it a place again.
        let answer: wire::CreateArtifactFiles =
            self.api.mutate(&operation, Repeat::Always, &description).await?;
        let payload = answer.create_artifact_files.ok_or_else(|| {
            Error::protocol("the server gives no places for files").in_operation(description.clone())
        })?;
        payload
            .files
            .edges
            .into_iter()
            .map(|edge| {
                let file = edge
                    .node
                    .ok_or_else(|| Error::protocol("the server left out the place of a file"))?;
                self.slot(file)
            })
            .collect::<Result<_>>()
            .map_err(|error| error.in_operation(description))
    }

    async fn complete_multipart(&self, completed: &CompletedMultipart) -> Result<()> {
        let description = format!("join the parts of a file of artifact \"{}\"", self.name);
        let operation = wire::CompleteMultipartUploadArtifact::build(wire::CompleteMultipartVariables {
            input: wire::CompleteMultipartUploadArtifactInput {
                complete_multipart_action: wire::CompleteMultipartAction::Complete,
                completed_parts: completed
                    .parts
                    .iter()
                    .map(|(number, tag)| wire::UploadPartsInput {
                        part_number: Int64((*number).into()),
                        hex_md5: tag.clone(),
                    })
                    .collect(),
                artifact_id: cynic::Id::new(&*completed.birth_artifact_id),
                storage_path: completed.storage_path.clone(),
                upload_id: completed.upload_id.clone(),
            },
        });
        let answer: wire::CompleteMultipartUploadArtifact =
            self.api.mutate(&operation, Repeat::Always, &description).await?;
        match answer.complete_multipart_upload_artifact {
            Some(_) => Ok(()),
            None => Err(
                Error::protocol("the server does not say that the parts are joined")
                    .in_operation(description),
            ),
        }
    }
}

/// Where the manifest of one pending version goes.
#[derive(Debug)]
pub(super) struct ManifestPlace {
    pub(super) api: Api,
    /// The manifest with the digest of its bytes.
    pub(super) input: wire::CreateArtifactManifestInput,
}

#[async_trait]
impl UploadTarget for ManifestPlace {
    async fn request_uploads(&self, _: &[UploadRequest]) -> Result<Vec<UploadSlot>> {
        let manifest = create_manifest(&self.api, self.input.clone(), true).await?;
        let file = manifest
            .file
            .ok_or_else(|| Error::protocol("the server gives no place for the manifest"))?;
        Ok(vec![UploadSlot {
            // Without an address the server has these very bytes.
            upload_url: file.upload_url.filter(|url| !url.is_empty()).map(SafeUrl::new),
            headers: file.upload_headers.unwrap_or_default(),
            storage_path: None,
            birth_artifact_id: self.input.artifact_id.inner().to_owned(),
            multipart: None,
        }])
    }

    async fn complete_multipart(&self, _: &CompletedMultipart) -> Result<()> {
        Err(Error::protocol("a manifest is sent in one piece"))
    }
}

/// Makes or replaces the manifest of a pending version.
pub(super) async fn create_manifest(
    api: &Api,
    input: wire::CreateArtifactManifestInput,
    include_upload: bool,
) -> Result<wire::NewManifest> {
    let operation = wire::CreateArtifactManifest::build(wire::CreateArtifactManifestVariables {
        input,
        include_upload,
    });
    // A version has one of each name, so it may be sent again.
    let answer: wire::CreateArtifactManifest = api
        .mutate(&operation, Repeat::Always, "create the manifest")
        .await?;
    answer
        .create_artifact_manifest
        .map(|payload| payload.artifact_manifest)
        .ok_or_else(|| {
            Error::protocol("the server does not say that it was done").in_operation("create the manifest")
        })
}
