//! Versions of a collection.

use std::sync::Arc;

use cynic::QueryBuilder;
use futures_util::TryStreamExt;
use wandb_artifacts::name::{ArtifactName, ArtifactPath, Selector, Version};
use wandb_core::{
    Error, ErrorKind, Result, Value,
    page::{ItemStream, Page, Pages},
    path::ProjectPath,
};
use wandb_schema::{operations::artifacts as wire, scalars::JsonString};

use super::{Artifact, convert, lookup::no_project};
use crate::{
    Api,
    listing::{self, Paging},
};

/// What is listed unless a filter is given: versions that are complete (official: the same).
const DEFAULT_FILTER: &str = r#"{"state":"COMMITTED"}"#;

/// A listing of the versions of a collection. Made by [`Api::artifacts`]; nothing is sent until it is read.
///
/// The server's order is newest first, unless set.
#[derive(Debug, Clone)]
#[must_use]
pub struct ArtifactVersions {
    api: Api,
    artifact_type: Option<String>,
    collection: String,
    filter: Option<Value>,
    order: Option<String>,
    tags: Vec<String>,
    paging: Paging,
}

impl Api {
    /// The versions of a collection of a type, by `[entity/][project/]collection`.
    pub fn artifacts(
        &self,
        artifact_type: impl Into<String>,
        collection: impl Into<String>,
    ) -> ArtifactVersions {
        ArtifactVersions::new(self.clone(), Some(artifact_type.into()), collection.into())
    }

    /// The versions of a collection, whatever its type.
    pub fn artifact_versions(&self, collection: impl Into<String>) -> ArtifactVersions {
        ArtifactVersions::new(self.clone(), None, collection.into())
    }
}

impl ArtifactVersions {
    pub(super) fn new(api: Api, artifact_type: Option<String>, collection: String) -> Self {
        Self {
            api,
            artifact_type,
            collection,
            filter: None,
            order: None,
            tags: Vec::new(),
            paging: Paging::new(50),
        }
    }

    /// Only versions that match, as the server reads Mongo-style JSON. Without a filter those that are committed are
    /// listed; with one, all that it matches.
    pub fn filter(mut self, filter: impl Into<Value>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// The sort key, for example `-created_at` or `+size`; without a sign it ascends.
    pub fn order(mut self, order: impl Into<String>) -> Self {
        self.order = Some(order.into());
        self
    }

    /// Only versions that have all of these tags. They are compared on this side, as the official client does, so that the
    /// answer does not depend on what the server's filters know.
    pub fn tags<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// How many versions a request asks for; 50 unless set.
    pub fn page_size(mut self, size: u32) -> Self {
        self.paging.page_size = size;
        self
    }

    /// How many versions are given at most.
    pub fn limit(mut self, limit: u64) -> Self {
        self.paging.limit = Some(limit);
        self
    }

    /// How many versions match, regardless of the limit. A query of its own; with tags, which are compared on this side, the
    /// versions are listed and counted.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such collection.
    pub async fn count(&self) -> Result<u64> {
        if !self.tags.is_empty() {
            let mut listing = self.clone();
            listing.paging.limit = None;
            return listing
                .stream()
                .try_fold(0, |count, _| std::future::ready(Ok(count + 1)))
                .await;
        }
        let path = self.path().await?;
        let description = format!("count the versions of \"{}\"", collection_of(&path));
        let operation = wire::ProjectArtifactCount::build(self.variables(&path, None, 1)?);
        let answer: wire::ProjectArtifactCount = self.api.execute(&operation, &description).await?;
        let collection = answer
            .project
            .ok_or_else(|| no_project(&project_of(&path)))?
            .artifact_collection
            .ok_or_else(|| missing(&path))?;
        self.check_type(&path, &collection.default_artifact_type.name)?;
        let connection = collection.artifacts.ok_or_else(no_versions)?;
        u64::try_from(connection.total_count)
            .map_err(|_| Error::protocol("the server counts less than no versions").in_operation(description))
    }

    /// The listing page by page: one page is one request. A page on which no version has the tags is empty, and the listing
    /// goes on.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a page size that is not possible, a sort key or a filter that is none.
    pub fn pages(self) -> Result<Pages<'static, Artifact>> {
        if let Some(order) = &self.order {
            check_order(order)?;
        }
        self.filters()?;
        let paging = self.paging;
        let listing = Arc::new((self, tokio::sync::OnceCell::new()));
        paging.pages(move |cursor, count| {
            let listing = Arc::clone(&listing);
            async move {
                let (listing, path) = &*listing;
                let path = path.get_or_try_init(|| listing.path()).await?;
                // What is dropped on this side does not count for the limit, so whole pages are asked for.
                let count = if listing.tags.is_empty() {
                    count
                } else {
                    listing.paging.page_size
                };
                listing.fetch(path, cursor, count).await
            }
        })
    }

    /// The versions one by one.
    pub fn stream(self) -> ItemStream<'static, Artifact> {
        listing::items(self.pages())
    }

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

    fn variables(
        &self,
        path: &ArtifactPath,
        cursor: Option<String>,
        count: u32,
    ) -> Result<wire::ProjectArtifactsVariables> {
        Ok(wire::ProjectArtifactsVariables {
            entity: Some(path.entity().as_str().to_owned()),
            project: path.project().as_str().to_owned(),
            collection: path.collection().as_str().to_owned(),
            filters: Some(self.filters()?),
            order: self.order.as_deref().map(signed),
            cursor,
            per_page: i32::try_from(count).unwrap_or(i32::MAX),
        })
    }

    async fn fetch(&self, path: &ArtifactPath, cursor: Option<String>, count: u32) -> Result<Page<Artifact>> {
        let description = format!("list the versions of \"{}\"", collection_of(path));
        let operation = wire::ProjectArtifacts::build(self.variables(path, cursor, count)?);
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
            next: listing::next_cursor(
                connection.page_info.has_next_page,
                connection.page_info.end_cursor,
            )?,
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
