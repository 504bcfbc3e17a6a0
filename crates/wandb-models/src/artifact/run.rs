//! What a run logged and used, and recording more of it.

use std::{ops::Deref, sync::Arc};

use cynic::{MutationBuilder, QueryBuilder};
use wandb_artifacts::name::Alias;
use wandb_core::{
    Error, ErrorKind, Result,
    page::{ItemStream, Page},
    path::{ProjectPath, RunPath},
    retry::Repeat,
};
use wandb_schema::operations::{artifact_uploads as upload, artifact_writes as write, artifacts as wire};
use wandb_schema::scalars::JsonString;

use super::{Artifact, collection_edit::confirmed, convert, lookup::no_project, metadata};
use crate::{
    Api, Run, RunReference,
    listing::{self, Ask, Listing, ListingQuery},
};

impl Run {
    /// The versions that the run logged.
    pub fn logged_artifacts(&self) -> RunArtifacts {
        self.reference().logged_artifacts()
    }

    /// The versions that the run used, and as what.
    pub fn used_artifacts(&self) -> UsedArtifacts {
        self.reference().used_artifacts()
    }

    /// Records that the run uses a version; see [`RunReference::use_artifact`].
    ///
    /// # Errors
    /// As there.
    pub async fn use_artifact(&self, artifact: &Artifact, use_as: Option<&str>) -> Result<()> {
        self.reference().use_artifact(artifact, use_as).await
    }

    /// Records that the run logged a version that exists; see [`RunReference::log_artifact`].
    ///
    /// # Errors
    /// As there.
    pub async fn log_artifact<S: AsRef<str>>(
        &self,
        artifact: &Artifact,
        aliases: impl IntoIterator<Item = S>,
    ) -> Result<()> {
        self.reference().log_artifact(artifact, aliases).await
    }
}

impl RunReference {
    /// The versions that the run logged.
    pub fn logged_artifacts(&self) -> RunArtifacts {
        let query = LoggedQuery {
            api: self.api().clone(),
            run: Arc::new(self.run_path().clone()),
        };
        RunArtifacts::new(query, 100)
    }

    /// The versions that the run used, and as what.
    pub fn used_artifacts(&self) -> UsedArtifacts {
        let query = UsedQuery {
            api: self.api().clone(),
            run: Arc::new(self.run_path().clone()),
        };
        UsedArtifacts::new(query, 100)
    }

    /// Records that the run uses a version. Recording it again changes nothing.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the run or the version is not there.
    pub async fn use_artifact(&self, artifact: &Artifact, use_as: Option<&str>) -> Result<()> {
        let run = self.run_path();
        let description = format!("record that run \"{run}\" uses \"{}\"", artifact.exact_name());
        let operation = write::UseArtifact::build(write::UseArtifactVariables {
            input: write::UseArtifactInput {
                artifact_id: cynic::Id::new(&*artifact.id),
                entity_name: run.entity().as_str().to_owned(),
                project_name: run.project().as_str().to_owned(),
                run_name: run.run().as_str().to_owned(),
                used_as: use_as.map(str::to_owned),
                // Only for servers with a feature that is off elsewhere (protocol §2.14).
                artifact_entity_name: None,
                artifact_project_name: None,
            },
        });
        let answer: write::UseArtifact = self
            .api()
            .mutate(&operation, Repeat::Always, &description)
            .await?;
        confirmed(answer.use_artifact.is_some(), &description)
    }

    /// Records that the run logged a version that exists already, and gives it these aliases and `latest`.
    ///
    /// The server finds the version by its digest. It looks at the newest version of the collection at least; whether at
    /// older ones, too, is not known of the hosted service (protocol §5.3).
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when the version is of another project (official: the same), or an alias
    /// cannot be; [`Conflict`](ErrorKind::Conflict) when the server does not find the version by its digest; the
    /// version that it began instead is deleted.
    pub async fn log_artifact<S: AsRef<str>>(
        &self,
        artifact: &Artifact,
        aliases: impl IntoIterator<Item = S>,
    ) -> Result<()> {
        let run = self.run_path();
        let (entity, project) = (run.entity().as_str(), run.project().as_str());
        if artifact.source_entity != entity || artifact.source_project != project {
            return Err(Error::invalid_input(format!(
                "run \"{run}\" cannot log \"{}\" of another project",
                artifact.source_qualified_name()
            )));
        }
        let mut wanted = Vec::new();
        for alias in aliases {
            let alias = Alias::new(alias.as_ref())?;
            alias.check_new()?;
            wanted.push(alias);
        }
        if !wanted.contains(&Alias::latest()) {
            wanted.push(Alias::latest());
        }
        let description = format!("record that run \"{run}\" logged \"{}\"", artifact.exact_name());
        let input = upload::CreateArtifactInput {
            entity_name: entity.to_owned(),
            project_name: project.to_owned(),
            run_name: Some(run.run().as_str().to_owned()),
            artifact_type_name: artifact.artifact_type.clone(),
            artifact_collection_name: Some(artifact.source_collection.clone()),
            digest: artifact.digest.clone(),
            digest_algorithm: artifact.digest_algorithm.to_wire(),
            description: None,
            metadata: Some(JsonString(metadata::to_wire(artifact.metadata()?)?)),
            aliases: Some(
                wanted
                    .iter()
                    .map(|alias| write::ArtifactAliasInput {
                        artifact_collection_name: artifact.source_collection.clone(),
                        alias: alias.to_string(),
                    })
                    .collect(),
            ),
            tags: None,
            client_id: None,
            sequence_client_id: None,
            distributed_id: None,
            history_step: None,
            ttl_duration_seconds: None,
            enable_digest_deduplication: Some(true),
            storage_region: None,
        };
        let operation = upload::CreateArtifact::build(upload::CreateArtifactVariables { input });
        // Without a client id a repetition after a lost answer could begin a second version.
        let answer: upload::CreateArtifact = self
            .api()
            .mutate(&operation, Repeat::OnlyIfRefused, &description)
            .await?;
        let found = answer
            .create_artifact
            .ok_or_else(|| {
                Error::protocol("the server does not say that it was done").in_operation(description.clone())
            })?
            .artifact;
        if found.state == wire::ArtifactState::Committed {
            return Ok(());
        }
        let error = Error::new(
            ErrorKind::Conflict,
            format!(
                "the server does not find \"{}\" by its digest",
                artifact.exact_name()
            ),
        )
        .with_hint("it may not be the newest version of its collection");
        // It began a new version instead, without files, that nobody would ever commit.
        let error = match self.withdraw(found.id, &description).await {
            Ok(()) => error,
            Err(left) => error.with_hint(format!("a pending version stays on the server: {left}")),
        };
        Err(error.in_operation(description))
    }

    /// Deletes a version that was begun and is not wanted.
    async fn withdraw(&self, artifact_id: cynic::Id, description: &str) -> Result<()> {
        let operation = write::DeleteArtifact::build(write::DeleteArtifactVariables {
            input: write::DeleteArtifactInput {
                artifact_id,
                delete_aliases: Some(true),
            },
        });
        let answer: write::DeleteArtifact =
            self.api().mutate(&operation, Repeat::Always, description).await?;
        confirmed(answer.delete_artifact.is_some(), description)
    }
}

/// A listing of what a run logged. Made by [`Run::logged_artifacts`].
///
/// In the place of a version that was deleted, or that the key may not see, the server shows a null (protocol §2.4).
/// [`stream`](Listing::stream) and [`pages`](Listing::pages) leave such a place out; [`places`](RunArtifacts::places) gives every one.
/// 100 a page.
pub type RunArtifacts = Listing<LoggedQuery>;

/// What [`RunArtifacts`] asks.
#[derive(Debug, Clone)]
pub struct LoggedQuery {
    api: Api,
    run: Arc<RunPath>,
}

impl ListingQuery for LoggedQuery {
    type Item = Artifact;

    async fn fetch(&self, ask: Ask) -> Result<Page<Artifact>> {
        Ok(shown(self.places(ask).await?))
    }
}

impl RunArtifacts {
    /// How many versions there are, as the server counts them.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such run.
    pub async fn count(&self) -> Result<u64> {
        let (connection, description) = outputs(&self.query.api, &self.query.run, Ask::of(1)).await?;
        total(connection.total_count, description)
    }

    /// The versions one by one, with `None` in the place of each that the server does not show.
    pub fn places(self) -> ItemStream<'static, Option<Artifact>> {
        listing::items(self.pages_by(|query, ask| async move { query.places(ask).await }))
    }
}

impl LoggedQuery {
    /// A page of what a run logged, with `None` in the place of what is not shown.
    async fn places(&self, ask: Ask) -> Result<Page<Option<Artifact>>> {
        let (connection, description) = outputs(&self.api, &self.run, ask).await?;
        let artifact =
            |edge: wire::ArtifactEdge| edge.node.map(|node| convert::source(&self.api, node)).transpose();
        let page = || listing::page(connection.edges.into_iter().map(artifact), connection.page_info);
        page().map_err(|error: Error| error.in_operation(description))
    }
}

/// What is shown of a page.
fn shown<T>(page: Page<Option<T>>) -> Page<T> {
    Page {
        items: page.items.into_iter().flatten().collect(),
        next: page.next,
    }
}

async fn outputs(api: &Api, run: &RunPath, ask: Ask) -> Result<(wire::ArtifactConnection, String)> {
    let description = format!("list the artifacts that run \"{run}\" logged");
    let operation = wire::RunOutputArtifacts::build(variables(run, ask));
    let answer: wire::RunOutputArtifacts = api.execute(&operation, &description).await?;
    let connection = answer
        .project
        .ok_or_else(|| no_project(&project_of(run)))?
        .run
        .ok_or_else(|| Error::not_found(format!("run \"{run}\"")))?
        .output_artifacts
        .ok_or_else(no_artifacts)?;
    Ok((connection, description))
}

/// A version that a run used, and as what.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UsedArtifact {
    /// The version, where it was logged.
    pub artifact: Artifact,
    /// The roles that the run gave it; none unless it said so.
    pub used_as: Vec<String>,
}

impl Deref for UsedArtifact {
    type Target = Artifact;

    fn deref(&self) -> &Artifact {
        &self.artifact
    }
}

/// A listing of what a run used. Made by [`Run::used_artifacts`].
///
/// In the place of a version that was deleted, or that the key may not see, the server shows a null (protocol §2.4).
/// [`stream`](Listing::stream) and [`pages`](Listing::pages) leave such a place out; [`places`](UsedArtifacts::places) gives every one.
/// 100 a page.
pub type UsedArtifacts = Listing<UsedQuery>;

/// What [`UsedArtifacts`] asks.
#[derive(Debug, Clone)]
pub struct UsedQuery {
    api: Api,
    run: Arc<RunPath>,
}

impl ListingQuery for UsedQuery {
    type Item = UsedArtifact;

    async fn fetch(&self, ask: Ask) -> Result<Page<UsedArtifact>> {
        Ok(shown(self.places(ask).await?))
    }
}

impl UsedArtifacts {
    /// How many versions there are, as the server counts them.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such run.
    pub async fn count(&self) -> Result<u64> {
        let (connection, description) = inputs(&self.query.api, &self.query.run, Ask::of(1)).await?;
        total(connection.total_count, description)
    }

    /// The versions one by one, with `None` in the place of each that the server does not show.
    pub fn places(self) -> ItemStream<'static, Option<UsedArtifact>> {
        listing::items(self.pages_by(|query, ask| async move { query.places(ask).await }))
    }
}

impl UsedQuery {
    /// A page of what a run used, with `None` in the place of what is not shown.
    async fn places(&self, ask: Ask) -> Result<Page<Option<UsedArtifact>>> {
        let (connection, description) = inputs(&self.api, &self.run, ask).await?;
        let artifact = |edge: wire::InputArtifactEdge| {
            let used_as = edge.used_as;
            let artifact = edge
                .node
                .map(|node| convert::source(&self.api, node))
                .transpose()?;
            Ok(artifact.map(|artifact| UsedArtifact { artifact, used_as }))
        };
        let page = || listing::page(connection.edges.into_iter().map(artifact), connection.page_info);
        page().map_err(|error: Error| error.in_operation(description))
    }
}

async fn inputs(api: &Api, run: &RunPath, ask: Ask) -> Result<(wire::InputArtifactConnection, String)> {
    let description = format!("list the artifacts that run \"{run}\" used");
    let operation = wire::RunInputArtifacts::build(variables(run, ask));
    let answer: wire::RunInputArtifacts = api.execute(&operation, &description).await?;
    let connection = answer
        .project
        .ok_or_else(|| no_project(&project_of(run)))?
        .run
        .ok_or_else(|| Error::not_found(format!("run \"{run}\"")))?
        .input_artifacts
        .ok_or_else(no_artifacts)?;
    Ok((connection, description))
}

fn variables(run: &RunPath, ask: Ask) -> wire::RunArtifactsVariables {
    wire::RunArtifactsVariables {
        entity: Some(run.entity().as_str().to_owned()),
        project: run.project().as_str().to_owned(),
        run: run.run().as_str().to_owned(),
        per_page: ask.first(),
        cursor: ask.cursor,
    }
}

fn project_of(run: &RunPath) -> ProjectPath {
    run.project_path().clone()
}

pub(super) fn no_artifacts() -> Error {
    Error::protocol("the server gave no artifacts where a page of artifacts was asked for")
}

fn total(count: i32, description: String) -> Result<u64> {
    u64::try_from(count)
        .map_err(|_| Error::protocol("the server counts less than no artifacts").in_operation(description))
}
