//! Collections: sequences and portfolios.

use std::{fmt, ops::Deref, sync::Arc};

use cynic::QueryBuilder;
use serde::Serialize;
use wandb_artifacts::name::{ArtifactName, Selector};
use wandb_core::{
    Error, Result, Value,
    page::{ItemStream, Page},
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
    listing::{self, Ask, Listing, ListingQuery},
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
        ArtifactVersions::of_collection(
            self.api.clone(),
            Some(self.artifact_type.clone()),
            self.qualified_name(),
        )
    }

    /// The aliases of all versions, 1,000 a request.
    pub fn aliases(&self) -> ItemStream<'static, String> {
        let query = AliasesQuery {
            api: self.api.clone(),
            id: self.id.clone(),
            name: self.qualified_name(),
        };
        Listing::new(query, ALIASES_PAGE).stream()
    }

    /// Reads the collection again.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when it was deleted or renamed meanwhile.
    pub async fn reload(&self) -> Result<Self> {
        fetch_one(&self.api, None, &self.qualified_name()).await
    }
}

/// The aliases of a collection.
struct AliasesQuery {
    api: Api,
    id: String,
    name: String,
}

impl ListingQuery for AliasesQuery {
    type Item = String;

    async fn fetch(&self, ask: Ask) -> Result<Page<String>> {
        let Self { api, id, name } = self;
        let description = format!("list the aliases of \"{name}\"");
        let operation = wire::ArtifactCollectionAliases::build(wire::CollectionAliasesVariables {
            id: cynic::Id::new(&**id),
            per_page: ask.first(),
            cursor: ask.cursor,
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
                next: listing::next(connection.page_info)?,
            })
        };
        page().map_err(|error: Error| error.in_operation(description))
    }
}

impl Api {
    /// The collections of a type in a project, sequences and portfolios; an empty type means all types.
    pub fn artifact_collections(
        &self,
        project: impl Into<String>,
        artifact_type: impl Into<String>,
    ) -> ArtifactCollections {
        let query = CollectionsQuery {
            api: self.clone(),
            project: project.into(),
            artifact_type: artifact_type.into(),
            filter: None,
            order: None,
        };
        ArtifactCollections::new(query, 50)
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

/// A listing of collections, 50 a page. Made by [`Api::artifact_collections`]; nothing is sent until it is read. A sort key or a
/// filter that is none is refused.
pub type ArtifactCollections = Listing<CollectionsQuery>;

/// What [`ArtifactCollections`] asks.
#[derive(Debug, Clone)]
pub struct CollectionsQuery {
    api: Api,
    project: String,
    artifact_type: String,
    filter: Option<Value>,
    order: Option<String>,
}

impl ArtifactCollections {
    /// Only collections that match, as the server reads Mongo-style JSON.
    pub fn filter(mut self, filter: impl Into<Value>) -> Self {
        self.query.filter = Some(filter.into());
        self
    }

    /// The sort key, for example `-created_at`; without a sign it ascends.
    pub fn order(mut self, order: impl Into<String>) -> Self {
        self.query.order = Some(order.into());
        self
    }

    /// How many collections match, regardless of the limit.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is no such project or type.
    pub async fn count(&self) -> Result<u64> {
        let (connection, _) = self.query.connection(Ask::of(1)).await?;
        u64::try_from(connection.total_count)
            .map_err(|_| Error::protocol("the server counts less than no collections"))
    }
}

impl CollectionsQuery {
    fn filters(&self) -> Result<Option<JsonString>> {
        match &self.filter {
            None => Ok(None),
            Some(filter @ Value::Map(_)) => Ok(Some(JsonString(filter.to_wire()))),
            Some(_) => Err(Error::invalid_input("a filter of collections is a JSON object")),
        }
    }

    async fn connection(&self, ask: Ask) -> Result<(wire::ArtifactCollectionConnection, String)> {
        let path = self.api.project_path(&self.project).await?;
        let description = format!("list the artifact collections of \"{path}\"");
        let variables = wire::CollectionsVariables {
            entity: Some(path.entity().as_str().to_owned()),
            project: path.project().as_str().to_owned(),
            artifact_type: self.artifact_type.clone(),
            filters: self.filters()?,
            order: self.order.as_deref().map(signed),
            per_page: ask.first(),
            cursor: ask.cursor,
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
}

impl ListingQuery for CollectionsQuery {
    type Item = ArtifactCollection;

    fn check(&self) -> Result<()> {
        if let Some(order) = &self.order {
            check_order(order)?;
        }
        self.filters().map(drop)
    }

    async fn fetch(&self, ask: Ask) -> Result<Page<ArtifactCollection>> {
        let (connection, description) = self.connection(ask).await?;
        let page = || {
            let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
            listing::page(
                nodes
                    .into_iter()
                    .map(|node| ArtifactCollection::from_wire(&self.api, node)),
                connection.page_info,
            )
        };
        page().map_err(|error: Error| error.in_operation(description))
    }
}
