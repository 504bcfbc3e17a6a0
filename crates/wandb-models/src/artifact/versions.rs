//! Versions of a collection.

use cynic::QueryBuilder;
use futures_util::TryStreamExt;
use tokio::sync::OnceCell;
use wandb_artifacts::name::{ArtifactName, ArtifactPath, Selector, Version};
use wandb_core::{Error, ErrorKind, Result, Value, page::Page, path::ProjectPath};
use wandb_schema::{operations::artifacts as wire, scalars::JsonString};

use super::{Artifact, convert, lookup::no_project};
use crate::{
    Api,
    listing::{self, Ask, Listing, ListingQuery},
};

/// What is listed unless a filter is given: versions that are complete (official: the same).
const DEFAULT_FILTER: &str = r#"{"state":"COMMITTED"}"#;

/// A listing of the versions of a collection, 50 a page. Made by [`Api::artifacts`]; nothing is sent until it is read.
///
/// The server's order is newest first, unless set. A page on which no version has the [`tags`](ArtifactVersions::tags) is empty, and
/// the listing goes on. A sort key or a filter that is none is refused.
pub type ArtifactVersions = Listing<VersionsQuery>;

/// What [`ArtifactVersions`] asks.
#[derive(Debug, Clone)]
pub struct VersionsQuery {
    api: Api,
    artifact_type: Option<String>,
    collection: String,
    filter: Option<Value>,
    order: Option<String>,
    tags: Vec<String>,
    /// Found out with the first page.
    path: OnceCell<ArtifactPath>,
}

impl Api {
    /// The versions of a collection of a type, by `[entity/][project/]collection`.
    pub fn artifacts(
        &self,
        artifact_type: impl Into<String>,
        collection: impl Into<String>,
    ) -> ArtifactVersions {
        ArtifactVersions::of_collection(self.clone(), Some(artifact_type.into()), collection.into())
    }

    /// The versions of a collection, whatever its type.
    pub fn artifact_versions(&self, collection: impl Into<String>) -> ArtifactVersions {
        ArtifactVersions::of_collection(self.clone(), None, collection.into())
    }
}

impl ArtifactVersions {
    pub(super) fn of_collection(api: Api, artifact_type: Option<String>, collection: String) -> Self {
        let query = VersionsQuery {
            api,
            artifact_type,
            collection,
            filter: None,
            order: None,
            tags: Vec::new(),
            path: OnceCell::new(),
        };
        Self::new(query, 50)
    }

    /// Only versions that match, as the server reads Mongo-style JSON. Without a filter those that are committed are
    /// listed; with one, all that it matches.
    pub fn filter(mut self, filter: impl Into<Value>) -> Self {
        self.query.filter = Some(filter.into());
        self
    }

    /// The sort key, for example `-created_at` or `+size`; without a sign it ascends.
    pub fn order(mut self, order: impl Into<String>) -> Self {
        self.query.order = Some(order.into());
        self
    }

    /// Only versions that have all of these tags. They are compared on this side, as the official client does, so that the
    /// answer does not depend on what the server's filters know.
    pub fn tags<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        self.query.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// How many versions match, regardless of the limit. A query of its own; with tags, which are compared on this side, the
    /// versions are listed and counted.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such collection.
    pub async fn count(&self) -> Result<u64> {
        let query = &self.query;
        if !query.tags.is_empty() {
            let mut listing = self.clone();
            listing.limit = None;
            return listing
                .stream()
                .try_fold(0, |count, _| std::future::ready(Ok(count + 1)))
                .await;
        }
        let path = query.path().await?;
        let description = format!("count the versions of \"{}\"", collection_of(&path));
        let operation = wire::ProjectArtifactCount::build(query.variables(&path, Ask::of(1))?);
        let answer: wire::ProjectArtifactCount = query.api.execute(&operation, &description).await?;
        let collection = answer
            .project
            .ok_or_else(|| no_project(&project_of(&path)))?
            .artifact_collection
            .ok_or_else(|| missing(&path))?;
        query.check_type(&path, &collection.default_artifact_type.name)?;
        let connection = collection.artifacts.ok_or_else(no_versions)?;
        u64::try_from(connection.total_count)
            .map_err(|_| Error::protocol("the server counts less than no versions").in_operation(description))
    }
}

impl ListingQuery for VersionsQuery {
    type Item = Artifact;

    fn check(&self) -> Result<()> {
        if let Some(order) = &self.order {
            check_order(order)?;
        }
        self.filters().map(drop)
    }

    async fn fetch(&self, ask: Ask) -> Result<Page<Artifact>> {
        let path = self.path.get_or_try_init(|| self.path()).await?;
        let ask = if self.tags.is_empty() { ask } else { ask.whole() };
        self.ask(path, ask).await
    }
}

impl VersionsQuery {
    async fn path(&self) -> Result<ArtifactPath> {
        let name = ArtifactName::parse(&self.collection, self.api.path_context())?;
        if *name.selector() != Selector::Unspecified {
            return Err(Error::invalid_input(format!(
                "{:?} names a version; versions are listed of a collection",
                self.collection
            ))
            .with_hint("leave out the colon and what follows"));
        }
        self.api.resolve_artifact(&name).await
    }

    fn filters(&self) -> Result<JsonString> {
        match &self.filter {
            None => Ok(JsonString(DEFAULT_FILTER.to_owned())),
            Some(filter @ Value::Map(_)) => Ok(JsonString(filter.to_wire())),
            Some(_) => Err(Error::invalid_input("a filter of versions is a JSON object")),
        }
    }

    fn variables(&self, path: &ArtifactPath, ask: Ask) -> Result<wire::ProjectArtifactsVariables> {
        Ok(wire::ProjectArtifactsVariables {
            entity: Some(path.entity().as_str().to_owned()),
            project: path.project().as_str().to_owned(),
            collection: path.collection().as_str().to_owned(),
            filters: Some(self.filters()?),
            order: self.order.as_deref().map(signed),
            per_page: ask.first(),
            cursor: ask.cursor,
        })
    }

    async fn ask(&self, path: &ArtifactPath, ask: Ask) -> Result<Page<Artifact>> {
        let description = format!("list the versions of \"{}\"", collection_of(path));
        let operation = wire::ProjectArtifacts::build(self.variables(path, ask)?);
        let answer: wire::ProjectArtifacts = self.api.execute(&operation, &description).await?;
        let collection = answer
            .project
            .ok_or_else(|| no_project(&project_of(path)))?
            .artifact_collection
            .ok_or_else(|| missing(path))?;
        self.check_type(path, &collection.default_artifact_type.name)?;
        self.page(collection)
            .map_err(|error| error.in_operation(description))
    }

    fn check_type(&self, path: &ArtifactPath, found: &str) -> Result<()> {
        match &self.artifact_type {
            Some(wanted) if wanted != found => Err(Error::not_found(format!(
                "collection \"{}\" of type {wanted:?} (it is of type {found:?})",
                collection_of(path)
            ))),
            _ => Ok(()),
        }
    }

    fn page(&self, collection: wire::CollectionArtifacts) -> Result<Page<Artifact>> {
        let place = convert::Place::new(
            &collection.typename,
            collection.id,
            collection.name,
            collection.project,
        )?;
        let connection = collection.artifacts.ok_or_else(no_versions)?;
        let mut items = Vec::with_capacity(connection.edges.len());
        for edge in connection.edges {
            // Deleted and pending versions may have none.
            let version: Option<Version> = edge.version.parse().ok();
            let artifact = convert::in_collection(&self.api, edge.node, place.clone(), version)?;
            if self.tags.iter().all(|tag| artifact.tags.contains(tag)) {
                items.push(artifact);
            }
        }
        Ok(Page {
            items,
            next: listing::next(connection.page_info)?,
        })
    }
}

/// Official: `[+-]?[A-Za-z_]\w*`.
pub(super) fn check_order(order: &str) -> Result<()> {
    let key = order.strip_prefix(['+', '-']).unwrap_or(order);
    let is_key = key
        .chars()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_key {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!("{order:?} is nothing to order by"),
    )
    .with_hint("a sort key is a field with a sign, for example \"-created_at\""))
}

/// The sign is always sent, so that no server has to guess.
pub(super) fn signed(order: &str) -> String {
    if order.starts_with(['+', '-']) {
        order.to_owned()
    } else {
        format!("+{order}")
    }
}

fn project_of(path: &ArtifactPath) -> ProjectPath {
    ProjectPath::new(path.entity().clone(), path.project().clone())
}

fn collection_of(path: &ArtifactPath) -> String {
    format!("{}/{}/{}", path.entity(), path.project(), path.collection())
}

fn missing(path: &ArtifactPath) -> Error {
    Error::not_found(format!("collection \"{}\"", collection_of(path)))
        .with_hint("list the collections of the project to see their names")
}

fn no_versions() -> Error {
    Error::protocol("the server gave no versions where a page of versions was asked for")
}
