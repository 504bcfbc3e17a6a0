//! Whole names of artifact versions.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use wandb_core::path::{EntityName, PathContext, ProjectName, ProjectPath};

use crate::digest::ArtifactDigest;

use super::{
    error::{ArtifactNameError, ArtifactNameProblem},
    part::{Alias, CollectionName, Version},
    web,
};

/// How the projects that are registries begin (official: `REGISTRY_PREFIX`).
const REGISTRY_PREFIX: &str = "wandb-registry-";

/// Which version of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// None is named: the one with the alias `latest`.
    Unspecified,
    /// The one with this number; it never changes.
    Version(Version),
    /// The one that has this alias now.
    Alias(Alias),
}

impl Selector {
    /// Reads what follows the colon.
    ///
    /// # Errors
    /// As [`Alias::new`].
    pub fn parse(text: &str) -> Result<Self, super::PartError> {
        match text.parse() {
            Ok(version) => Ok(Self::Version(version)),
            Err(_) => Alias::new(text).map(Self::Alias),
        }
    }

    /// What to ask a server for: `latest` where nothing is named.
    #[must_use]
    pub fn to_wire(&self) -> String {
        match self {
            Self::Unspecified => "latest".to_owned(),
            Self::Version(version) => version.to_string(),
            Self::Alias(alias) => alias.to_string(),
        }
    }

    /// The digest, if the text could be one: 32 hexadecimal digits. Such a version never changes either, but the same text
    /// may also be an alias.
    #[must_use]
    pub fn as_digest(&self) -> Option<ArtifactDigest> {
        match self {
            Self::Alias(alias) => alias.as_str().parse().ok(),
            _ => None,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_wire())
    }
}

/// The name of an artifact as people write it: `[entity/][project/]collection[:version|:alias]`.
///
/// The name ends at the *first* colon, so that an alias may hold slashes (inventory §2.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArtifactName {
    entity: Option<EntityName>,
    project: Option<ProjectName>,
    collection: CollectionName,
    selector: Selector,
}

impl ArtifactName {
    /// A name in some project, without a version.
    #[must_use]
    pub fn new(collection: CollectionName) -> Self {
        Self {
            entity: None,
            project: None,
            collection,
            selector: Selector::Unspecified,
        }
    }

    /// With its entity and its project.
    #[must_use]
    pub fn in_project(mut self, project: &ProjectPath) -> Self {
        self.entity = Some(project.entity().clone());
        self.project = Some(project.project().clone());
        self
    }

    /// Reads the forms of [`FromStr`], or the web address of a version's or a collection's page:
    /// `…/entity/project/artifacts/type/collection[/version[/tab]]`. The server in it is compared with the context's, as for
    /// the paths of runs.
    ///
    /// # Errors
    /// When it is none of these, or a page of another server.
    pub fn parse(text: &str, context: &PathContext) -> Result<Self, ArtifactNameError> {
        web::parse(text, context).unwrap_or_else(|| text.parse())
    }

    /// With a version or an alias.
    #[must_use]
    pub fn with_selector(mut self, selector: Selector) -> Self {
        self.selector = selector;
        self
    }

    /// The entity (of a registry: the organisation), if it is named.
    #[must_use]
    pub fn entity(&self) -> Option<&EntityName> {
        self.entity.as_ref()
    }

    /// The project, if it is named.
    #[must_use]
    pub fn project(&self) -> Option<&ProjectName> {
        self.project.as_ref()
    }

    /// The collection.
    #[must_use]
    pub fn collection(&self) -> &CollectionName {
        &self.collection
    }

    /// Which version.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Whether the project is a registry: its entity is then an organisation, which the server has to resolve.
    #[must_use]
    pub fn is_registry(&self) -> bool {
        self.project.as_ref().is_some_and(is_registry)
    }

    /// The digest, if the name is one: the form that versions had before they had names. A collection may have such a name
    /// too.
    #[must_use]
    pub fn as_digest(&self) -> Option<ArtifactDigest> {
        match self.selector {
            Selector::Unspecified => self.collection.as_str().parse().ok(),
            _ => None,
        }
    }

    /// Fills in what is left out; without a default project it is `uncategorized`.
    ///
    /// # Errors
    /// When no entity is named and the context has none.
    pub fn resolve(&self, context: &PathContext) -> Result<ArtifactPath, ArtifactNameError> {
        let entity =
            self.entity.as_ref().or(context.entity()).ok_or_else(|| {
                ArtifactNameError::new(&self.to_string(), ArtifactNameProblem::MissingEntity)
            })?;
        let project = self.project.as_ref().or(context.project());
        Ok(ArtifactPath {
            entity: entity.clone(),
            project: project.cloned().unwrap_or_else(ProjectName::uncategorized),
            collection: self.collection.clone(),
            selector: self.selector.clone(),
        })
    }
}

fn is_registry(project: &ProjectName) -> bool {
    project
        .as_str()
        .strip_prefix(REGISTRY_PREFIX)
        .is_some_and(|name| !name.is_empty())
}

impl FromStr for ArtifactName {
    type Err = ArtifactNameError;

    fn from_str(text: &str) -> Result<Self, ArtifactNameError> {
        let error = |problem| ArtifactNameError::new(text, problem);
        if text.trim().is_empty() {
            return Err(error(ArtifactNameProblem::Empty));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            // What follows may hold a credential.
            return Err(ArtifactNameError::new(
                &format!("{scheme}://…"),
                ArtifactNameProblem::Address,
            ));
        }
        let (path, selector) = match text.split_once(':') {
            None => (text, Selector::Unspecified),
            Some((_, "")) => return Err(error(ArtifactNameProblem::MissingSelector)),
            Some((path, selector)) => {
                let selector =
                    Selector::parse(selector).map_err(|source| error(ArtifactNameProblem::Part(source)))?;
                (path, selector)
            }
        };
        let parts: Vec<_> = path.splitn(5, '/').collect();
        let (entity, project, collection) = match parts[..] {
            [collection] => (None, None, collection),
            [project, collection] => (None, Some(project), collection),
            [entity, project, collection] => (Some(entity), Some(project), collection),
            _ => {
                let count = path.split('/').count();
                return Err(error(ArtifactNameProblem::TooManyParts(count)));
            }
        };
        let name = |source| error(ArtifactNameProblem::Name(source));
        Ok(Self {
            entity: entity.map(EntityName::new).transpose().map_err(name)?,
            project: project.map(ProjectName::new).transpose().map_err(name)?,
            collection: CollectionName::new(collection)
                .map_err(|source| error(ArtifactNameProblem::Part(source)))?,
            selector,
        })
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entity) = &self.entity {
            write!(formatter, "{entity}/")?;
        }
        if let Some(project) = &self.project {
            write!(formatter, "{project}/")?;
        }
        write!(formatter, "{}", self.collection)?;
        match &self.selector {
            Selector::Unspecified => Ok(()),
            selector => write!(formatter, ":{selector}"),
        }
    }
}

/// An artifact's name with nothing left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArtifactPath {
    entity: EntityName,
    project: ProjectName,
    collection: CollectionName,
    selector: Selector,
}

impl ArtifactPath {
    /// Joins the parts.
    #[must_use]
    pub fn new(
        entity: EntityName,
        project: ProjectName,
        collection: CollectionName,
        selector: Selector,
    ) -> Self {
        Self {
            entity,
            project,
            collection,
            selector,
        }
    }

    /// As [`ArtifactName::parse`], and what the name leaves out is filled in.
    ///
    /// # Errors
    /// As there, and when it leaves out an entity that the context does not have.
    pub fn parse(text: &str, context: &PathContext) -> Result<Self, ArtifactNameError> {
        ArtifactName::parse(text, context)?.resolve(context)
    }

    /// The entity; of a registry, the organisation as it was written.
    #[must_use]
    pub fn entity(&self) -> &EntityName {
        &self.entity
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &ProjectName {
        &self.project
    }

    /// The collection.
    #[must_use]
    pub fn collection(&self) -> &CollectionName {
        &self.collection
    }

    /// Which version.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Whether the project is a registry.
    #[must_use]
    pub fn is_registry(&self) -> bool {
        is_registry(&self.project)
    }

    /// The same collection, another version.
    #[must_use]
    pub fn with_selector(mut self, selector: Selector) -> Self {
        self.selector = selector;
        self
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/{}/{}:{}",
            self.entity, self.project, self.collection, self.selector
        )
    }
}

impl Serialize for ArtifactPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
