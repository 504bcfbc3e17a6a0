//! Collections: sequences and portfolios.

use std::{fmt, ops::Deref, sync::Arc};

use cynic::QueryBuilder;
use serde::Serialize;
use wandb_artifacts::name::{ArtifactName, Selector};
use wandb_core::{
    Error, Result, Value,
    page::{ItemStream, Page, Pages},
    path::ProjectPath,
    timestamp::Timestamp,
};
use wandb_schema::{operations::artifact_collections as wire, scalars::JsonString};

use super::{
    ArtifactVersions,
    convert::Place,
    lookup::no_project,
    types::no_type,
    versions::{check_order, signed},
};
use crate::{
    Api,
    listing::{self, Paging},
};

/// How many aliases a request asks for (official: the same).
const ALIASES_PAGE: u32 = 1000;

/// A collection of versions: its data (through [`Deref`]), and what can be asked of the server about it.
#[derive(Clone)]
pub struct ArtifactCollection {
    pub(super) api: Api,
    pub(super) data: Arc<ArtifactCollectionData>,
}

/// The data of a collection, under the official snake_case names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ArtifactCollectionData {
    /// The opaque id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The type of its versions.
    #[serde(rename = "type")]
    pub artifact_type: String,
    /// The entity.
    pub entity: String,
    /// The project.
    pub project: String,
    /// The description.
    pub description: Option<String>,
    /// The tags.
    pub tags: Vec<String>,
    /// Whether versions are logged here; if not, it is a portfolio, which holds links.
    pub is_sequence: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl Deref for ArtifactCollection {
    type Target = ArtifactCollectionData;

    fn deref(&self) -> &ArtifactCollectionData {
        &self.data
    }
}

impl fmt::Debug for ArtifactCollection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ArtifactCollection")
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl ArtifactCollection {
    fn from_wire(api: &Api, wire: wire::ArtifactCollection) -> Result<Self> {
        let place = Place::new(&wire.typename, wire.id, wire.name, wire.project)?;
        let time = |text: &str| {
            Timestamp::parse(text).map_err(|error| {
                Error::protocol(format!(
                    "the time of collection {:?} cannot be read",
                    place.collection
                ))
                .with_source(error)
            })
        };
        let data = ArtifactCollectionData {
            artifact_type: wire.default_artifact_type.name,
            description: wire.description,
            tags: wire.tags.edges.into_iter().map(|edge| edge.node.name).collect(),
            is_sequence: !place.is_link,
            created_at: time(&wire.created_at.0)?,
            updated_at: wire.updated_at.map(|text| time(&text.0)).transpose()?,
            id: place.collection_id,
            name: place.collection,
            entity: place.entity,
            project: place.project,
        };
        Ok(Self {
            api: api.clone(),
            data: Arc::new(data),
        })
    }

    /// The collection's data, apart from its handle.
    #[must_use]
    pub fn data(&self) -> &ArtifactCollectionData {
        &self.data
    }

    /// `entity/project/name`.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        format!("{}/{}/{}", self.entity, self.project, self.name)
    }

    /// The versions.
    pub fn versions(&self) -> ArtifactVersions {
        ArtifactVersions::new(
            self.api.clone(),
            Some(self.artifact_type.clone()),
            self.qualified_name(),
        )
    }

    /// The aliases of all versions, 1,000 a request.
    pub fn aliases(&self) -> ItemStream<'static, String> {
        let (api, id, name) = (self.api.clone(), self.id.clone(), self.qualified_name());
        listing::items(Paging::new(ALIASES_PAGE).pages(move |cursor, count| {
            let (api, id, name) = (api.clone(), id.clone(), name.clone());
            async move { fetch_aliases(&api, &id, &name, cursor, count).await }
        }))
    }

    /// Reads the collection again.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when it was deleted or renamed meanwhile.
    pub async fn reload(&self) -> Result<Self> {
        fetch_one(&self.api, None, &self.qualified_name()).await
    }
}

async fn fetch_aliases(
    api: &Api,
    id: &str,
    name: &str,
    cursor: Option<String>,
    count: u32,
) -> Result<Page<String>> {
    let description = format!("list the aliases of \"{name}\"");
    let operation = wire::ArtifactCollectionAliases::build(wire::CollectionAliasesVariables {
        id: cynic::Id::new(id),
        cursor,
        per_page: i32::try_from(count).unwrap_or(i32::MAX),
    });
    let answer: wire::ArtifactCollectionAliases = api.execute(&operation, &description).await?;
    let connection = answer
        .artifact_collection
        .ok_or_else(|| Error::not_found(format!("collection \"{name}\"")))?
        .aliases;
    let page = || {
        let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
        Ok(Page {
            items: nodes.into_iter().map(|node| node.alias).collect(),
            next: listing::next_cursor(
                connection.page_info.has_next_page,
                connection.page_info.end_cursor,
            )?,
        })
    };
    page().map_err(|error: Error| error.in_operation(description))
}

impl Api {
    /// The collections of a type in a project, sequences and portfolios; an empty type means all types.
    pub fn artifact_collections(
        &self,
        project: impl Into<String>,
        artifact_type: impl Into<String>,
    ) -> ArtifactCollections {
        ArtifactCollections {
            api: self.clone(),
            project: project.into(),
            artifact_type: artifact_type.into(),
            filter: None,
            order: None,
            paging: Paging::new(50),
        }
    }

    /// One collection of a type, by `[entity/][project/]name`; an empty type means any.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is none, or it is of another type.
    pub async fn artifact_collection(&self, artifact_type: &str, name: &str) -> Result<ArtifactCollection> {
        fetch_one(self, Some(artifact_type), name).await
    }
}

pub(super) async fn fetch_one(
    api: &Api,
    artifact_type: Option<&str>,
    name: &str,
) -> Result<ArtifactCollection> {
    let parsed = ArtifactName::parse(name, api.path_context())?;
    if *parsed.selector() != Selector::Unspecified {
        return Err(Error::invalid_input(format!(
            "{name:?} names a version, not a collection"
        )));
    }
    let path = api.resolve_artifact(&parsed).await?;
    let shown = format!("{}/{}/{}", path.entity(), path.project(), path.collection());
    let description = format!("read collection \"{shown}\"");
    let operation = wire::ProjectArtifactCollection::build(wire::CollectionVariables {
        entity: Some(path.entity().as_str().to_owned()),
        project: path.project().as_str().to_owned(),
        name: path.collection().as_str().to_owned(),
    });
    let answer: wire::ProjectArtifactCollection = api.execute(&operation, &description).await?;
    let project = ProjectPath::new(path.entity().clone(), path.project().clone());
    let found = answer
        .project
        .ok_or_else(|| no_project(&project))?
        .artifact_collection;
    let found = found.ok_or_else(|| {
        Error::not_found(format!("collection \"{shown}\""))
            .with_hint("list the collections of the project to see their names")
    })?;
    let collection =
        ArtifactCollection::from_wire(api, found).map_err(|error| error.in_operation(description))?;
    match artifact_type {
        Some(wanted) if !wanted.is_empty() && wanted != collection.artifact_type => {
            Err(Error::not_found(format!(
                "collection \"{shown}\" of type {wanted:?} (it is of type {:?})",
                collection.artifact_type
            )))
        }
        _ => Ok(collection),
    }
}

/// A listing of collections. Made by [`Api::artifact_collections`]; nothing is sent until it is read.
#[derive(Debug, Clone)]
#[must_use]
pub struct ArtifactCollections {
    api: Api,
    project: String,
    artifact_type: String,
    filter: Option<Value>,
    order: Option<String>,
    paging: Paging,
}

impl ArtifactCollections {
    /// Only collections that match, as the server reads Mongo-style JSON.
    pub fn filter(mut self, filter: impl Into<Value>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// The sort key, for example `-created_at`; without a sign it ascends.
    pub fn order(mut self, order: impl Into<String>) -> Self {
        self.order = Some(order.into());
        self
    }

    /// How many collections a request asks for; 50 unless set.
    pub fn page_size(mut self, size: u32) -> Self {
        self.paging.page_size = size;
        self
    }

    /// How many collections are given at most.
    pub fn limit(mut self, limit: u64) -> Self {
        self.paging.limit = Some(limit);
        self
    }

    /// How many collections match, regardless of the limit.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is no such project or type.
    pub async fn count(&self) -> Result<u64> {
        let (connection, _) = self.connection(None, 1).await?;
        u64::try_from(connection.total_count)
            .map_err(|_| Error::protocol("the server counts less than no collections"))
    }

    /// The listing page by page.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a page size that is not possible, a sort key or a filter
    /// that is none.
    pub fn pages(self) -> Result<Pages<'static, ArtifactCollection>> {
        if let Some(order) = &self.order {
            check_order(order)?;
        }
        self.filters()?;
        let paging = self.paging;
        let listing = Arc::new(self);
        paging.pages(move |cursor, count| {
            let listing = Arc::clone(&listing);
            async move { listing.fetch(cursor, count).await }
        })
    }

    /// The collections one by one.
    pub fn stream(self) -> ItemStream<'static, ArtifactCollection> {
        listing::items(self.pages())
    }

    fn filters(&self) -> Result<Option<JsonString>> {
        match &self.filter {
            None => Ok(None),
            Some(filter @ Value::Map(_)) => Ok(Some(JsonString(filter.to_wire()))),
            Some(_) => Err(Error::invalid_input("a filter of collections is a JSON object")),
        }
    }

    async fn connection(
        &self,
        cursor: Option<String>,
        count: u32,
    ) -> Result<(wire::ArtifactCollectionConnection, String)> {
        let path = self.api.project_path(&self.project).await?;
        let description = format!("list the artifact collections of \"{path}\"");
        let variables = wire::CollectionsVariables {
            entity: Some(path.entity().as_str().to_owned()),
            project: path.project().as_str().to_owned(),
            artifact_type: self.artifact_type.clone(),
            filters: self.filters()?,
            order: self.order.as_deref().map(signed),
            cursor,
            per_page: i32::try_from(count).unwrap_or(i32::MAX),
        };
        let connection = if self.artifact_type.is_empty() {
            let operation = wire::ProjectArtifactCollections::build(variables);
            let answer: wire::ProjectArtifactCollections = self.api.execute(&operation, &description).await?;
            answer
                .project
                .ok_or_else(|| no_project(&path))?
                .artifact_collections
        } else {
            let operation = wire::ArtifactTypeArtifactCollections::build(variables);
            let answer: wire::ArtifactTypeArtifactCollections =
                self.api.execute(&operation, &description).await?;
            answer
                .project
                .ok_or_else(|| no_project(&path))?
                .artifact_type
                .ok_or_else(|| no_type(&self.artifact_type, &path))?
                .artifact_collections
        };
        let connection = connection.ok_or_else(|| {
            Error::protocol("the server gave no collections where a page of collections was asked for")
        })?;
        Ok((connection, description))
    }

    async fn fetch(&self, cursor: Option<String>, count: u32) -> Result<Page<ArtifactCollection>> {
        let (connection, description) = self.connection(cursor, count).await?;
        let page = || {
            let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
            Ok(Page {
                items: nodes
                    .into_iter()
                    .map(|node| ArtifactCollection::from_wire(&self.api, node))
                    .collect::<Result<_>>()?,
                next: listing::next_cursor(
                    connection.page_info.has_next_page,
                    connection.page_info.end_cursor,
                )?,
            })
        };
        page().map_err(|error: Error| error.in_operation(description))
    }
}
