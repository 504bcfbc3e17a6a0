//! Mutations that make versions (protocol §5.2). Each may arrive twice.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::super::file::{File, FileConnection};
use super::super::mutation::named_run;
use super::super::{Caller, caller};
use super::input::{
    CommitArtifactInput, CompleteMultipartUploadArtifactInput, CreateArtifactFilesInput, CreateArtifactInput,
    CreateArtifactManifestInput, CreateArtifactTypeInput, UpdateArtifactManifestInput, UseArtifactInput,
    parts, tag_names,
};
use super::kind::ArtifactType;
use super::manifest::ArtifactManifest;
use super::version::Artifact;
use super::{ArtifactDigestAlgorithm, number};
use crate::store::artifacts::create::{self, NewArtifact};
use crate::store::artifacts::manifests::{self, NewManifest};
use crate::store::artifacts::rows::{ArtifactRow, Loader};
use crate::store::artifacts::uploads::{self, FileSpec};
use crate::store::artifacts::{ManifestKind, access, collections, lineage, versions};
use crate::store::ids::Kind;
use crate::store::{StoreError, StoreResult, access as project_access, projects, time};

/// Most files that one request may announce. The official client sends two thousand at a time (protocol §5.2).
const MAX_FILES: usize = 20_000;

/// Mutations that make versions of artifacts.
#[derive(Debug, Default)]
pub(crate) struct ArtifactWriteMutation;

fn required(db: &rusqlite::Connection, id: i64) -> StoreResult<Arc<ArtifactRow>> {
    versions::by_id(db, id)?.ok_or_else(|| StoreError::Refused("artifact not found".to_owned()))
}

fn base(id: Option<&ID>) -> async_graphql::Result<Option<i64>> {
    id.filter(|id| !id.is_empty())
        .map(|id| number(Kind::Artifact, "base artifact", id))
        .transpose()
}

/// Mutations that make versions of artifacts.
#[Object]
impl ArtifactWriteMutation {
    async fn create_artifact_type(
        &self,
        ctx: &Context<'_>,
        input: CreateArtifactTypeInput,
    ) -> async_graphql::Result<Option<CreateArtifactTypePayload>> {
        let row = caller(ctx)
            .write(move |db, identity| {
                let (entity, project) = (Some(&*input.entity_name), Some(&*input.project_name));
                let (project, _) = projects::ensure(db, identity, entity, project)?;
                project_access::require_write(db, identity, project.id, &project.name)?;
                create::ensure_type(
                    db,
                    project.id,
                    &input.name,
                    input.description.as_deref(),
                    time::now(),
                )?;
                collections::find_type(db, project.id, &input.name)
            })
            .await?;
        Ok(row.map(|row| CreateArtifactTypePayload {
            artifact_type: ArtifactType(row),
        }))
    }

    /// Begins a version, or finds the one that has this content already.
    async fn create_artifact(
        &self,
        ctx: &Context<'_>,
        input: CreateArtifactInput,
    ) -> async_graphql::Result<Option<CreateArtifactPayload>> {
        let names = input.artifact_collection_names.unwrap_or_default();
        let collection = input
            .artifact_collection_name
            .or_else(|| names.into_iter().next())
            .unwrap_or_default();
        let aliases = input.aliases.unwrap_or_default().into_iter();
        let aliases = aliases
            .filter(|alias| alias.artifact_collection_name == collection)
            .map(|alias| alias.alias)
            .collect();
        let new = NewArtifact {
            entity: input.entity_name,
            project: input.project_name,
            run: input.run_name,
            kind: input.artifact_type_name,
            collection,
            digest: input.digest,
            xxh128: input.digest_algorithm == ArtifactDigestAlgorithm::ManifestXxh128,
            description: input.description,
            labels: input.labels.map(|text| text.0),
            metadata: input.metadata.map(|text| text.0),
            aliases,
            tags: tag_names(input.tags),
            client_id: input.client_id.map(|id| id.0),
            sequence_client_id: input.sequence_client_id.map(|id| id.0),
            distributed_id: input.distributed_id,
            history_step: input.history_step.map(|step| step.0),
            ttl_seconds: input.ttl_duration_seconds.map(|seconds| seconds.0),
            deduplicate: input.enable_digest_deduplication.unwrap_or(false),
        };
        let row = caller(ctx)
            .write(move |db, identity| {
                let id = create::create(db, identity, &new)?;
                required(db, id)
            })
            .await?;
        Ok(Some(CreateArtifactPayload {
            artifact: Artifact(row),
        }))
    }

    /// Announces a manifest: first as a placeholder, then again to be uploaded.
    async fn create_artifact_manifest(
        &self,
        ctx: &Context<'_>,
        input: CreateArtifactManifestInput,
    ) -> async_graphql::Result<Option<CreateArtifactManifestPayload>> {
        let new = NewManifest {
            artifact: number(Kind::Artifact, "artifact", &input.artifact_id)?,
            base: base(input.base_artifact_id.as_ref())?,
            name: input.name,
            digest: input.digest,
            kind: input.kind.map_or(ManifestKind::Full, Into::into),
        };
        let caller = caller(ctx);
        let (manifest, released) = caller
            .write(move |db, identity| {
                access::require_version(db, identity, new.artifact)?;
                let (id, released) = manifests::create(db, &new)?;
                Ok((manifest(db, id)?, released))
            })
            .await?;
        caller.app.forget_bytes(released).await;
        Ok(Some(CreateArtifactManifestPayload {
            artifact_manifest: manifest,
        }))
    }

    async fn update_artifact_manifest(
        &self,
        ctx: &Context<'_>,
        input: UpdateArtifactManifestInput,
    ) -> async_graphql::Result<Option<UpdateArtifactManifestPayload>> {
        let id = number(
            Kind::ArtifactManifest,
            "artifact manifest",
            &input.artifact_manifest_id,
        )?;
        let base = base(input.base_artifact_id.as_ref())?;
        let caller = caller(ctx);
        let (manifest, released) = caller
            .write(move |db, identity| {
                access::require_manifest(db, identity, id)?;
                let released = manifests::update(db, id, input.digest.as_deref(), base)?;
                Ok((manifest(db, id)?, released))
            })
            .await?;
        caller.app.forget_bytes(released).await;
        Ok(Some(UpdateArtifactManifestPayload {
            artifact_manifest: manifest,
        }))
    }

    /// Announces files and says where their bytes go; one answer for each, in order.
    async fn create_artifact_files(
        &self,
        ctx: &Context<'_>,
        input: CreateArtifactFilesInput,
    ) -> async_graphql::Result<Option<CreateArtifactFilesPayload>> {
        if input.artifact_files.len() > MAX_FILES {
            return Err(async_graphql::Error::new(format!(
                "more than {MAX_FILES} files in one request"
            )));
        }
        let mut specs = Vec::with_capacity(input.artifact_files.len());
        for file in input.artifact_files {
            let manifest = file.artifact_manifest_id.as_deref().filter(|id| !id.is_empty());
            let manifest = manifest.map(|id| number(Kind::ArtifactManifest, "artifact manifest", id));
            specs.push(FileSpec {
                artifact: number(Kind::Artifact, "artifact", &file.artifact_id)?,
                manifest: manifest.transpose()?,
                path: file.name,
                md5: file.md5,
                digest: file.digest,
                parts: parts(file.upload_parts_input.unwrap_or_default()),
            });
        }
        let caller = caller(ctx);
        let (rows, births, released) = caller
            .write(move |db, identity| {
                let (mut rows, released) = uploads::declare(db, identity, &specs)?;
                for row in &mut rows {
                    // A manifest may name any version as the one in which its bytes first appeared.
                    if row.birth != row.artifact && !access::sees_version(db, identity, row.birth)? {
                        row.birth = row.artifact;
                    }
                }
                let mut births: Vec<i64> = rows.iter().map(|row| row.birth).collect();
                births.sort_unstable();
                births.dedup();
                let births = Loader::new(db).artifacts(&births)?;
                Ok((rows, births, released))
            })
            .await?;
        caller.app.forget_bytes(released).await;
        let births: HashMap<i64, Arc<ArtifactRow>> = births.into_iter().map(|row| (row.id, row)).collect();
        let files = rows
            .into_iter()
            .map(|row| {
                let birth = births.get(&row.birth).cloned();
                File::Upload(row, birth)
            })
            .collect();
        Ok(Some(CreateArtifactFilesPayload {
            files: FileConnection::whole(files),
        }))
    }

    /// Puts the parts of a file together.
    async fn complete_multipart_upload_artifact(
        &self,
        ctx: &Context<'_>,
        input: CompleteMultipartUploadArtifactInput,
    ) -> async_graphql::Result<Option<CompleteMultipartUploadArtifactPayload>> {
        let artifact = number(Kind::Artifact, "artifact", &input.artifact_id)?;
        let Caller { app, identity, .. } = caller(ctx);
        let digest = app
            .complete_multipart(
                identity.clone(),
                artifact,
                Kind::ArtifactUpload.decode(&input.storage_path),
                input.upload_id,
                parts(input.completed_parts),
            )
            .await?;
        Ok(Some(CompleteMultipartUploadArtifactPayload {
            digest: Some(digest),
        }))
    }

    /// Makes a pending version what is read. Committing twice changes nothing.
    async fn commit_artifact(
        &self,
        ctx: &Context<'_>,
        input: CommitArtifactInput,
    ) -> async_graphql::Result<Option<CommitArtifactPayload>> {
        let artifact = number(Kind::Artifact, "artifact", &input.artifact_id)?;
        let Caller { app, identity, .. } = caller(ctx);
        app.commit_artifact(identity.clone(), artifact).await?;
        let row = app.store.read(move |db| required(db, artifact)).await?;
        Ok(Some(CommitArtifactPayload {
            artifact: Artifact(row),
        }))
    }

    /// Notes that a run uses a version.
    async fn use_artifact(
        &self,
        ctx: &Context<'_>,
        input: UseArtifactInput,
    ) -> async_graphql::Result<Option<UseArtifactPayload>> {
        let artifact = number(Kind::Artifact, "artifact", &input.artifact_id)?;
        let row = caller(ctx)
            .write(move |db, identity| {
                let run = named_run(
                    db,
                    identity,
                    Some(&input.entity_name),
                    Some(&input.project_name),
                    &input.run_name,
                )?;
                access::require_sight(db, identity, artifact)?;
                lineage::record_use(db, run.id, artifact, input.used_as.as_deref().unwrap_or_default())?;
                required(db, artifact)
            })
            .await?;
        Ok(Some(UseArtifactPayload {
            artifact: Artifact(row),
        }))
    }
}

fn manifest(db: &rusqlite::Connection, id: i64) -> StoreResult<ArtifactManifest> {
    let row = manifests::by_id(db, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let artifact = required(db, row.artifact)?;
    Ok(ArtifactManifest { row, artifact })
}

/// Result of `createArtifactType`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateArtifactTypePayload {
    artifact_type: ArtifactType,
}

/// Result of `createArtifact`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateArtifactPayload {
    artifact: Artifact,
}

/// Result of `createArtifactManifest`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateArtifactManifestPayload {
    artifact_manifest: ArtifactManifest,
}

/// Result of `updateArtifactManifest`.
#[derive(Debug, SimpleObject)]
pub(crate) struct UpdateArtifactManifestPayload {
    artifact_manifest: ArtifactManifest,
}

/// Result of `createArtifactFiles`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateArtifactFilesPayload {
    files: FileConnection,
}

/// Result of `completeMultipartUploadArtifact`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CompleteMultipartUploadArtifactPayload {
    /// Of the whole, in base64.
    digest: Option<String>,
}

/// Result of `commitArtifact`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CommitArtifactPayload {
    artifact: Artifact,
}

/// Result of `useArtifact`.
#[derive(Debug, SimpleObject)]
pub(crate) struct UseArtifactPayload {
    artifact: Artifact,
}
