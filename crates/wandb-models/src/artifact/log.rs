//! Logging a new version: create, manifest, files, manifest, commit (protocol §5.2).
//!
//! The client id of a version is derived from everything that it says and holds, so the same call made again, after a kill or
//! a lost answer, goes on with the version that it began, and what the server has of its files is not sent again.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use cynic::MutationBuilder;
use std::{sync::Arc, time::Duration};
use wandb_artifacts::{
    Algorithm,
    cache::RecordKind,
    transfer::{LocalFile, LocalSource, Upload, UploadOptions, Uploaded},
};
use wandb_core::{Error, ErrorKind, Result, path::RunPath, retry::Repeat};
use wandb_schema::{
    operations::{
        artifact_uploads as wire,
        artifact_writes::{ArtifactAliasInput, TagInput},
        artifacts::ArtifactState,
        run_writes as runs,
    },
    scalars::{Int64, JsonString},
};

use super::{
    Artifact, ArtifactDraft, edit, lookup, metadata,
    upload_target::{ManifestPlace, PendingVersion, algorithm_of, create_manifest},
};
use crate::{Api, RunReference, runtime::blocking};

/// The name of a whole manifest on the server.
const MANIFEST: &str = "wandb_manifest.json";

/// How many ids of a version may be of no use, because it was deleted since or lost its aliases to another one.
const MOST_IDS: u32 = 100;

/// How often a version is looked at after its commit, and how long between.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// A version that was logged.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoggedArtifact {
    /// The version, where it was logged.
    pub artifact: Artifact,
    /// Whether it is a new one; if not, the collection had the same content already, and only aliases moved.
    pub is_new: bool,
    /// What was uploaded.
    pub uploaded: Uploaded,
}

impl ArtifactDraft {
    /// Logs the draft as a version that the run made, and waits until it is committed.
    ///
    /// If the collection has a version with the same content, that one is given back, with the aliases. What the server has
    /// already, of this or of older versions, is not uploaded. Memory is bounded whatever the files' sizes.
    ///
    /// The same call made again resumes one that was interrupted. Until the commit nobody sees anything of it.
    ///
    /// # Errors
    /// - as [`check`](Self::check), before anything is sent;
    /// - [`Conflict`](ErrorKind::Conflict) when a file changed since it was added;
    /// - [`Integrity`](ErrorKind::Integrity) when the server committed something else than the draft;
    /// - the server's refusal, for example when the collection has another type; else as any request.
    pub async fn log(&self, run: &RunReference, options: &UploadOptions) -> Result<LoggedArtifact> {
        let (api, path) = (run.api(), run.run_path());
        let project = path.project_path();
        let name = format!("{project}/{}", self.collection);
        let operation = format!("log artifact \"{name}\"");
        self.check()
            .map_err(|error| error.in_operation(operation.clone()))?;
        let report = self.path_report();
        if !report.unportable().is_empty() {
            tracing::warn!(artifact = name, "{}", report.unportable());
        }
        let log = Log {
            api,
            run: path,
            draft: self,
            name,
        };
        log.run(options)
            .await
            .map_err(|error| error.in_operation(operation))
    }

    /// Logs the draft in a project, by `entity/project` or `project`, without a run of the caller's.
    ///
    /// A version is always made by a run: the service needs its name (official: `wandb artifact put` begins a run, and
    /// `Artifact.save` one of the job type `auto`). So a run of the job type `auto` is made, with an id that follows from the
    /// content, and set to finished afterwards. The same content logged again is a matter of the same run.
    ///
    /// # Errors
    /// As [`log`](Self::log).
    pub async fn log_in(&self, api: &Api, project: &str, options: &UploadOptions) -> Result<LoggedArtifact> {
        self.check()?;
        let project = api.project_path(project).await?;
        let seed = format!("{project}\n{}\n{}", self.collection, self.seed(0)?);
        let id = format!("artifact-{}", &Algorithm::Md5.hash(seed.as_bytes()).hex()[..16]);
        let place = format!("{project}/{id}");
        let created = api
            .create_run(project.to_string())
            .id(&*id)
            .job_type("auto")
            .create()
            .await;
        let run = match created {
            Ok(run) => run.reference().clone(),
            // It was made by the same call before.
            Err(error) if error.kind() == ErrorKind::Conflict => api.run_reference(&place).await?,
            Err(error) => return Err(error),
        };
        let logged = self.log(&run, options).await;
        let state = if logged.is_ok() { "finished" } else { "failed" };
        if let Err(error) = end_run(api, run.run_path(), state).await {
            // A server that sets no states ends it when no sign of life comes.
            tracing::debug!(%error, "the run that logged the artifact could not be ended");
        }
        logged
    }

    /// Everything that makes this draft what it is, as text.
    pub(super) fn seed(&self, attempt: u32) -> Result<String> {
        Ok(format!(
            "{}\n{}\n{:?}\n{}\n{:?}\n{:?}\n{:?}\n{attempt}",
            self.artifact_type,
            self.content.digest(),
            self.description,
            metadata::to_wire(&self.metadata)?,
            self.aliases,
            self.tags,
            self.ttl,
        ))
    }
}

/// Says that a run that has no process is over.
async fn end_run(api: &Api, path: &RunPath, state: &str) -> Result<()> {
    let operation = runs::UpsertBucket::build(runs::UpsertBucketVariables {
        input: runs::UpsertBucketInput {
            id: None,
            name: Some(path.run().as_str().to_owned()),
            model_name: Some(path.project().as_str().to_owned()),
            entity_name: Some(path.entity().as_str().to_owned()),
            group_name: None,
            description: None,
            display_name: None,
            notes: None,
            config: None,
            job_type: None,
            state: Some(state.to_owned()),
            sweep: None,
            tags: None,
            summary_metrics: None,
        },
    });
    let description = format!("end run \"{path}\"");
    let _: runs::UpsertBucket = api.mutate(&operation, Repeat::Always, &description).await?;
    Ok(())
}

/// 128 characters of base 36, as clients choose their ids (protocol §5.1), that follow from a text.
fn client_id(seed: &str) -> String {
    (0..4)
        .map(|part| Algorithm::Md5.hash(format!("{part}\n{seed}").as_bytes()).hex())
        .collect()
}

/// The server keeps to a version that the draft cannot become.
fn useless(state: ArtifactState) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "the server gives a version that is {}, and keeps the aliases elsewhere",
            super::ArtifactState::from(state)
        ),
    )
}

struct Log<'a> {
    api: &'a Api,
    run: &'a RunPath,
    draft: &'a ArtifactDraft,
    /// For messages.
    name: String,
}

impl Log<'_> {
    async fn run(&self, options: &UploadOptions) -> Result<LoggedArtifact> {
        let mut attempt = 0;
        loop {
            let created = self.create(attempt).await?;
            match created.state {
                ArtifactState::Pending => return self.fill(created, options).await,
                ArtifactState::Committed => {
                    let artifact = lookup::by_id(self.api, created.id.inner()).await?;
                    if self.has_aliases(&artifact) {
                        return Ok(LoggedArtifact {
                            artifact,
                            is_new: false,
                            uploaded: Uploaded::default(),
                        });
                    }
                    // Another content was logged since and took the aliases. Of an id that it knows a server does not look
                    // at the aliases; of the same content under another id it does.
                }
                // The id names a version that was deleted since: the next one is another version.
                ArtifactState::Deleted => {}
                state => return Err(useless(state)),
            }
            if attempt == MOST_IDS {
                return Err(useless(created.state));
            }
            attempt += 1;
        }
    }

    /// Whether a version has the aliases that the draft asks for.
    fn has_aliases(&self, artifact: &Artifact) -> bool {
        let mut wanted = self.draft.aliases.iter().map(String::as_str).chain(["latest"]);
        wanted.all(|wanted| artifact.aliases.iter().any(|alias| alias == wanted))
    }

    async fn create(&self, attempt: u32) -> Result<wire::CreatedArtifact> {
        let draft = self.draft;
        let server = self.api.base_url().as_str();
        let collection = draft.collection.as_str();
        // The client adds `latest` itself (protocol §5.2).
        let aliases = draft
            .aliases
            .iter()
            .map(String::as_str)
            .filter(|alias| *alias != "latest")
            .chain(["latest"]);
        let input = wire::CreateArtifactInput {
            entity_name: self.run.entity().as_str().to_owned(),
            project_name: self.run.project().as_str().to_owned(),
            run_name: Some(self.run.run().as_str().to_owned()),
            artifact_type_name: draft.artifact_type.as_str().to_owned(),
            artifact_collection_name: Some(collection.to_owned()),
            digest: draft.content.digest().to_string(),
            digest_algorithm: algorithm_of(draft.content.algorithm()),
            description: draft.description.clone(),
            metadata: (!draft.metadata.is_empty())
                .then(|| metadata::to_wire(&draft.metadata))
                .transpose()?
                .map(JsonString),
            aliases: Some(
                aliases
                    .map(|alias| ArtifactAliasInput {
                        artifact_collection_name: collection.to_owned(),
                        alias: alias.to_owned(),
                    })
                    .collect(),
            ),
            tags: (!draft.tags.is_empty()).then(|| {
                let tags = draft.tags.iter().cloned();
                tags.map(|tag_name| TagInput { tag_name }).collect()
            }),
            client_id: Some(cynic::Id::new(client_id(&format!(
                "{server}\n{}\n{collection}\n{}",
                self.run,
                draft.seed(attempt)?
            )))),
            sequence_client_id: Some(cynic::Id::new(client_id(&format!("{server}\n{}", self.name)))),
            distributed_id: None,
            history_step: None,
            ttl_duration_seconds: draft.ttl.map(edit::seconds).transpose()?.map(Int64),
            enable_digest_deduplication: Some(true),
            storage_region: None,
        };
        let operation = wire::CreateArtifact::build(wire::CreateArtifactVariables { input });
        // The client id makes it the same version however often it is sent.
        let answer: wire::CreateArtifact = self
            .api
            .mutate(&operation, Repeat::Always, "create the version")
            .await?;
        Ok(answer.create_artifact.ok_or_else(nothing)?.artifact)
    }

    async fn fill(&self, created: wire::CreatedArtifact, options: &UploadOptions) -> Result<LoggedArtifact> {
        let id = created.id;
        let base = created
            .artifact_sequence
            .latest_artifact
            .map(|artifact| artifact.id)
            .filter(|base| *base != id);
        // Files are announced for a manifest, so one without content comes first (protocol §5.2).
        let input = self.manifest_input(&id, base.clone(), String::new());
        let placeholder = create_manifest(self.api, input, false).await?;
        let target = PendingVersion {
            api: self.api.clone(),
            name: self.name.clone(),
            artifact_id: id.clone(),
            manifest_id: placeholder.id,
            algorithm: self.draft.content.algorithm(),
        };
        let mut options = options.clone();
        if let Some(cache) = self.api.artifact_cache().await? {
            // Which parts of large files the server has, for after a kill.
            let records = blocking(move || {
                let name = wandb_core::path::safe_relative_path(RecordKind::Upload.folder())?;
                Ok(cache.records().subdirectory(&name)?)
            });
            options = options.records(records.await?);
        }
        let upload = Upload::new(
            self.api.client().clone(),
            Arc::new(target),
            self.draft.content.files(),
            options,
        );
        let uploaded = upload.run().await?;
        self.send_manifest(&id, base, &uploaded).await?;
        self.commit(&id).await?;
        Ok(LoggedArtifact {
            artifact: self.committed(&id).await?,
            is_new: true,
            uploaded,
        })
    }

    fn manifest_input(
        &self,
        artifact_id: &cynic::Id,
        base_artifact_id: Option<cynic::Id>,
        digest: String,
    ) -> wire::CreateArtifactManifestInput {
        wire::CreateArtifactManifestInput {
            artifact_id: artifact_id.clone(),
            base_artifact_id,
            name: MANIFEST.to_owned(),
            digest,
            entity_name: self.run.entity().as_str().to_owned(),
            project_name: self.run.project().as_str().to_owned(),
            run_name: Some(self.run.run().as_str().to_owned()),
            manifest_type: Some(wire::ArtifactManifestType::Full),
        }
    }

    async fn send_manifest(
        &self,
        id: &cynic::Id,
        base: Option<cynic::Id>,
        uploaded: &Uploaded,
    ) -> Result<()> {
        let content = self.draft.content.clone();
        let births = uploaded.birth_artifact_ids.clone();
        let (bytes, digest) = blocking(move || {
            let bytes = Bytes::from(content.manifest_with(&births).to_json());
            let digest = Algorithm::Md5.hash(&bytes);
            Ok((bytes, digest))
        })
        .await?;
        // The same engine as for files: a place, a verified body, retries, a new place.
        let file = LocalFile {
            path: MANIFEST.to_owned(),
            size: bytes.len() as u64,
            source: LocalSource::Bytes(bytes),
            digest,
        };
        let target = ManifestPlace {
            api: self.api.clone(),
            input: self.manifest_input(id, base, STANDARD.encode(digest.bytes())),
        };
        Upload::new(
            self.api.client().clone(),
            Arc::new(target),
            vec![file],
            UploadOptions::default(),
        )
        .run()
        .await?;
        Ok(())
    }

    async fn commit(&self, id: &cynic::Id) -> Result<()> {
        let operation = wire::CommitArtifact::build(wire::CommitArtifactVariables {
            input: wire::CommitArtifactInput {
                artifact_id: id.clone(),
            },
        });
        let answer: Result<wire::CommitArtifact> = self
            .api
            .mutate(&operation, Repeat::Always, "commit the version")
            .await;
        match answer {
            Ok(answer) => answer.commit_artifact.map(|_| ()).ok_or_else(nothing),
            // The answer to an earlier attempt may have been lost; then a server can refuse the second one.
            Err(error) => match lookup::by_id(self.api, id.inner()).await {
                Ok(artifact) if artifact.is_committed() => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// The version once it is committed: some servers say so before they show it.
    async fn committed(&self, id: &cynic::Id) -> Result<Artifact> {
        let runtime = Arc::clone(self.api.client().runtime());
        for look in 1.. {
            let artifact = lookup::by_id(self.api, id.inner()).await?;
            if artifact.is_committed() && artifact.version.is_some() {
                let (wanted, found) = (self.draft.content.digest(), artifact.parsed_digest()?);
                if wanted == found {
                    return Ok(artifact);
                }
                return Err(Error::new(
                    ErrorKind::Integrity,
                    format!(
                        "the server committed \"{}\" with the digest {found}, and the draft has {wanted}",
                        artifact.exact_name()
                    ),
                ));
            }
            if look == LOOKS {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    format!("the version is still {} after its commit", artifact.state),
                ));
            }
            runtime.sleep(PAUSE).await;
        }
        Err(nothing())
    }
}

fn nothing() -> Error {
    Error::protocol("the server does not say that it was done")
}
