//! Reading again, linking, unlinking and deleting a version.

use cynic::{MutationBuilder, QueryBuilder};
use wandb_artifacts::name::{Alias, ArtifactName, ArtifactPath, Selector};
use wandb_core::{Error, ErrorKind, Result, page::Page, retry::Repeat};
use wandb_schema::operations::{artifact_writes as write, artifacts as wire};

use super::{Artifact, collection_edit::confirmed, convert, lookup};
use crate::{
    Api,
    listing::{self, Ask, Listing, ListingQuery},
};

impl Artifact {
    /// Reads the version again, by its number in its collection; by its id before it has one.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when it was deleted or unlinked meanwhile.
    pub async fn reload(&self) -> Result<Self> {
        let Some(version) = self.version else {
            return lookup::by_id(&self.api, &self.id).await;
        };
        let path = self.place()?.with_selector(Selector::Version(version));
        let mut now = lookup::by_path(&self.api, &path).await?;
        // The alias that it was found by may have moved; the name says what this handle was asked for.
        std::sync::Arc::make_mut(&mut now.data)
            .name
            .clone_from(&self.name);
        Ok(now)
    }

    /// The version where it was logged; itself, if it is no link.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when the key may not see that place.
    pub async fn source(&self) -> Result<Self> {
        if self.is_link {
            lookup::by_id(&self.api, &self.id).await
        } else {
            Ok(self.clone())
        }
    }

    /// Links the version into a portfolio, by `[[entity/]project/]name` (this version's project unless named), with these
    /// aliases there. The portfolio is made when there is none. The result is the version in the portfolio.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a target that names a version, or aliases that cannot be; as
    /// [`ensure_committed`](super::ArtifactData::ensure_committed).
    pub async fn link<S: AsRef<str>>(
        &self,
        target: &str,
        aliases: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let target = self.portfolio(target)?;
        self.ensure_committed()?;
        let mut inputs = Vec::new();
        for alias in aliases {
            let alias = Alias::new(alias.as_ref())?;
            alias.check_new()?;
            inputs.push(write::ArtifactAliasInput {
                artifact_collection_name: target.collection().as_str().to_owned(),
                alias: alias.to_string(),
            });
        }
        let description = format!("link artifact \"{}\" to \"{target}\"", self.exact_name());
        let operation = write::LinkArtifact::build(write::LinkArtifactVariables {
            input: write::LinkArtifactInput {
                artifact_id: Some(cynic::Id::new(&*self.id)),
                client_id: None,
                artifact_portfolio_id: None,
                artifact_portfolio_name: Some(target.collection().as_str().to_owned()),
                entity_name: Some(target.entity().as_str().to_owned()),
                project_name: Some(target.project().as_str().to_owned()),
                aliases: Some(inputs),
            },
        });
        // Linking what is linked changes nothing, so it may be sent again.
        let answer: write::LinkArtifact = self.api.mutate(&operation, Repeat::Always, &description).await?;
        let payload = answer.link_artifact.ok_or_else(|| {
            Error::protocol("the server does not say that it was done").in_operation(description.clone())
        })?;
        let linked = payload
            .artifact_membership
            .map(|membership| convert::membership(&self.api, membership, None))
            .transpose()
            .map_err(|error| error.in_operation(description.clone()))?
            .flatten();
        if let Some(linked) = linked {
            return Ok(linked);
        }
        // Older servers give only the number.
        let version = convert::version(payload.version_index)?.ok_or_else(|| {
            Error::protocol("the server does not say which version the link is").in_operation(description)
        })?;
        lookup::by_path(&self.api, &target.with_selector(Selector::Version(version))).await
    }

    /// Takes a link out of its portfolio. The version stays where it was logged.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when it is no link.
    pub async fn unlink(&self) -> Result<()> {
        if !self.is_link {
            return Err(
                Error::invalid_input(format!("artifact \"{}\" is no link", self.exact_name()))
                    .with_hint("delete it, or read it by its name in a portfolio"),
            );
        }
        let description = format!("unlink artifact \"{}\"", self.exact_name());
        let operation = write::UnlinkArtifact::build(write::UnlinkArtifactVariables {
            input: write::UnlinkArtifactInput {
                artifact_id: cynic::Id::new(&*self.id),
                artifact_portfolio_id: cynic::Id::new(&*self.collection_id),
            },
        });
        let answer: write::UnlinkArtifact = self.api.mutate(&operation, Repeat::Always, &description).await?;
        confirmed(
            answer.unlink_artifact.is_some_and(|payload| payload.success),
            &description,
        )
    }

    /// Deletes the version. Without `with_aliases` the server refuses when it has aliases.
    ///
    /// # Errors
    /// [`Conflict`](wandb_core::ErrorKind::Conflict) for a version that has aliases, without `with_aliases`.
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a link, where the official client unlinks: say
    /// [`unlink`](Self::unlink), or delete its [`source`](Self::source). As
    /// [`ensure_committed`](super::ArtifactData::ensure_committed): a second deletion is not found, and is not told as done.
    pub async fn delete(&self, with_aliases: bool) -> Result<()> {
        if self.is_link {
            return Err(Error::invalid_input(format!(
                "artifact \"{}\" is a link to \"{}\"",
                self.exact_name(),
                self.source_qualified_name()
            ))
            .with_hint("unlink it, or delete its source"));
        }
        self.ensure_committed()?;
        let description = format!("delete artifact \"{}\"", self.exact_name());
        let operation = write::DeleteArtifact::build(write::DeleteArtifactVariables {
            input: write::DeleteArtifactInput {
                artifact_id: cynic::Id::new(&*self.id),
                delete_aliases: Some(with_aliases),
            },
        });
        let answer: Result<write::DeleteArtifact> =
            self.api.mutate(&operation, Repeat::Always, &description).await;
        let answer = match answer {
            // The wire has no word of its own for this refusal; what the version has says it.
            Err(error)
                if !with_aliases && error.kind() == ErrorKind::Server && error.server_message().is_some() =>
            {
                let aliases = self.reload().await.map(|now| now.aliases.clone());
                return Err(match aliases {
                    Ok(aliases) if !aliases.is_empty() => Error::new(
                        ErrorKind::Conflict,
                        format!("it has the aliases {}", aliases.join(", ")),
                    )
                    .with_hint("remove them first, or delete it with its aliases")
                    .with_source(error)
                    .in_operation(description),
                    _ => error,
                });
            }
            answer => answer?,
        };
        confirmed(answer.delete_artifact.is_some(), &description)
    }

    /// The portfolios that the version is linked into, as versions there.
    pub fn linked_artifacts(&self) -> LinkedArtifacts {
        let query = LinkedArtifactsQuery {
            api: self.api.clone(),
            id: self.id.clone(),
            name: self.exact_name(),
        };
        LinkedArtifacts::new(query, 100)
    }

    /// The collection, without a version.
    pub(super) fn place(&self) -> Result<ArtifactPath> {
        let name: ArtifactName = format!("{}/{}/{}", self.entity, self.project, self.collection).parse()?;
        Ok(name.resolve(&wandb_core::path::PathContext::new())?)
    }

    fn portfolio(&self, target: &str) -> Result<ArtifactPath> {
        let name: ArtifactName = target.parse()?;
        if *name.selector() != Selector::Unspecified {
            return Err(Error::invalid_input(format!(
                "{target:?} names a version; a version is linked to a portfolio"
            )));
        }
        let own = self.place()?;
        let context = wandb_core::path::PathContext::new()
            .with_entity(own.entity().clone())
            .with_project(own.project().clone());
        Ok(name.resolve(&context)?)
    }
}

/// A listing of the portfolios that hold a version, 100 places a page. Made by [`Artifact::linked_artifacts`]. The official client
/// asks for one page only; this goes on. The sequence where the version was logged is left out, so a page can be empty.
pub type LinkedArtifacts = Listing<LinkedArtifactsQuery>;

/// What [`LinkedArtifacts`] asks.
#[derive(Debug, Clone)]
pub struct LinkedArtifactsQuery {
    api: Api,
    id: String,
    name: String,
}

impl ListingQuery for LinkedArtifactsQuery {
    type Item = Artifact;

    async fn fetch(&self, ask: Ask) -> Result<Page<Artifact>> {
        let Self { api, id, name } = self;
        let description = format!("list the links of artifact \"{name}\"");
        let operation = wire::FetchLinkedArtifacts::build(wire::ArtifactPageVariables {
            id: cynic::Id::new(&**id),
            per_page: ask.first(),
            cursor: ask.cursor,
        });
        let answer: wire::FetchLinkedArtifacts = api.execute(&operation, &description).await?;
        let connection = answer
            .artifact
            .ok_or_else(|| Error::not_found(format!("artifact \"{name}\"")))?
            .artifact_memberships;
        let page = || {
            let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
            let mut items = Vec::new();
            for node in nodes {
                items.extend(convert::membership(api, node, None)?.filter(|artifact| artifact.is_link));
            }
            Ok(Page {
                items,
                next: listing::next(connection.page_info)?,
            })
        };
        page().map_err(|error: Error| error.in_operation(description))
    }
}
