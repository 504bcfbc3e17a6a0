//! Changes of collections.

use cynic::MutationBuilder;
use wandb_artifacts::name::{CollectionName, Tag, TypeName};
use wandb_core::{Error, Result, retry::Repeat};
use wandb_schema::operations::{artifact_collection_writes as wire, artifact_writes::TagInput};

use super::{ArtifactCollection, names_change::NamesChange};

/// Changes of a collection, collected and then sent by [`save`](Self::save): only what differs from what was read.
#[derive(Debug, Clone)]
#[must_use = "nothing is changed until it is saved"]
pub struct ArtifactCollectionEdit {
    collection: ArtifactCollection,
    name: Option<String>,
    description: Option<String>,
    artifact_type: Option<String>,
    tags: NamesChange,
}

impl ArtifactCollection {
    /// Begins a change.
    pub fn edit(&self) -> ArtifactCollectionEdit {
        ArtifactCollectionEdit {
            collection: self.clone(),
            name: None,
            description: None,
            artifact_type: None,
            tags: NamesChange::default(),
        }
    }

    /// Deletes the collection: a sequence with all its versions, a portfolio with its links only.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when it is gone already.
    pub async fn delete(&self) -> Result<()> {
        let description = format!("delete collection \"{}\"", self.qualified_name());
        let id = cynic::Id::new(&*self.id);
        let done = if self.is_sequence {
            let operation = wire::DeleteArtifactSequence::build(wire::DeleteArtifactSequenceVariables {
                input: wire::DeleteArtifactSequenceInput {
                    artifact_sequence_id: id,
                },
            });
            let answer: wire::DeleteArtifactSequence =
                self.api.mutate(&operation, Repeat::Always, &description).await?;
            answer.delete_artifact_sequence.is_some()
        } else {
            let operation = wire::DeleteArtifactPortfolio::build(wire::DeleteArtifactPortfolioVariables {
                input: wire::DeleteArtifactPortfolioInput {
                    artifact_portfolio_id: id,
                },
            });
            let answer: wire::DeleteArtifactPortfolio =
                self.api.mutate(&operation, Repeat::Always, &description).await?;
            answer.delete_artifact_portfolio.is_some()
        };
        confirmed(done, &description)
    }
}

impl ArtifactCollectionEdit {
    /// Another name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Another description.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Another type, for all versions; of sequences only.
    pub fn artifact_type(mut self, artifact_type: impl Into<String>) -> Self {
        self.artifact_type = Some(artifact_type.into());
        self
    }

    /// One more tag.
    pub fn add_tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.add(tag.into());
        self
    }

    /// One tag less.
    pub fn remove_tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.remove(tag.into());
        self
    }

    /// Sends what changed, in up to four mutations (name and description; type; tags to add; tags to remove), and reads the
    /// collection again. Nothing is sent when nothing differs.
    ///
    /// The wire has no mutation for all of it: after an error, what came earlier in that order is done.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for names that cannot be, before anything is sent.
    pub async fn save(self) -> Result<ArtifactCollection> {
        let Self {
            collection,
            name,
            description,
            artifact_type,
            tags,
        } = self;
        let name = name.filter(|name| *name != collection.name);
        let description = description.filter(|text| Some(text.as_str()) != collection.description.as_deref());
        let artifact_type = artifact_type.filter(|wanted| *wanted != collection.artifact_type);
        let add = tags.missing(&collection.tags);
        let remove = tags.superfluous(&collection.tags);
        let new_name = CollectionName::new(name.as_deref().unwrap_or(&collection.name))?;
        if name.is_some() {
            new_name.check_new()?;
        }
        if let Some(artifact_type) = &artifact_type {
            if !collection.is_sequence {
                return Err(Error::invalid_input(format!(
                    "\"{}\" is a portfolio; only a sequence changes its type",
                    collection.qualified_name()
                )));
            }
            TypeName::new(artifact_type.as_str())?.check_new(&new_name)?;
        }
        for tag in &add {
            Tag::new(tag.as_str())?.check_new()?;
        }
        if name.is_none()
            && description.is_none()
            && artifact_type.is_none()
            && add.is_empty()
            && remove.is_empty()
        {
            return Ok(collection);
        }
        if name.is_some() || description.is_some() {
            describe(&collection, name, description).await?;
        }
        if let Some(artifact_type) = artifact_type {
            move_to(&collection, artifact_type).await?;
        }
        if !add.is_empty() {
            add_all(&collection, new_name.as_str(), add).await?;
        }
        if !remove.is_empty() {
            remove_all(&collection, new_name.as_str(), remove).await?;
        }
        let name = format!("{}/{}/{new_name}", collection.entity, collection.project);
        super::collection::fetch_one(&collection.api, None, &name).await
    }
}

async fn describe(collection: &ArtifactCollection, name: Option<String>, text: Option<String>) -> Result<()> {
    let description = format!("change collection \"{}\"", collection.qualified_name());
    let id = cynic::Id::new(&*collection.id);
    let done = if collection.is_sequence {
        let operation = wire::UpdateArtifactSequence::build(wire::UpdateArtifactSequenceVariables {
            input: wire::UpdateArtifactSequenceInput {
                artifact_sequence_id: id,
                name,
                description: text,
            },
        });
        let answer: wire::UpdateArtifactSequence = collection
            .api
            .mutate(&operation, Repeat::Always, &description)
            .await?;
        answer.update_artifact_sequence.is_some()
    } else {
        let operation = wire::UpdateArtifactPortfolio::build(wire::UpdateArtifactPortfolioVariables {
            input: wire::UpdateArtifactPortfolioInput {
                artifact_portfolio_id: id,
                name,
                description: text,
            },
        });
        let answer: wire::UpdateArtifactPortfolio = collection
            .api
            .mutate(&operation, Repeat::Always, &description)
            .await?;
        answer.update_artifact_portfolio.is_some()
    };
    confirmed(done, &description)
}

async fn move_to(collection: &ArtifactCollection, artifact_type: String) -> Result<()> {
    let description = format!(
        "change the type of collection \"{}\"",
        collection.qualified_name()
    );
    let operation = wire::MoveArtifactSequence::build(wire::MoveArtifactSequenceVariables {
        input: wire::MoveArtifactSequenceInput {
            artifact_sequence_id: cynic::Id::new(&*collection.id),
            destination_artifact_type_name: artifact_type,
        },
    });
    let answer: wire::MoveArtifactSequence = collection
        .api
        .mutate(&operation, Repeat::Always, &description)
        .await?;
    confirmed(answer.move_artifact_sequence.is_some(), &description)
}

async fn add_all(collection: &ArtifactCollection, name: &str, tags: Vec<String>) -> Result<()> {
    let description = format!("tag collection \"{}\"", collection.qualified_name());
    let operation = wire::CreateArtifactCollectionTagAssignments::build(wire::AddCollectionTagsVariables {
        input: wire::CreateArtifactCollectionTagAssignmentsInput {
            entity_name: collection.entity.clone(),
            project_name: collection.project.clone(),
            artifact_collection_name: name.to_owned(),
            tags: inputs(tags),
        },
    });
    let answer: wire::CreateArtifactCollectionTagAssignments = collection
        .api
        .mutate(&operation, Repeat::Always, &description)
        .await?;
    confirmed(
        answer.create_artifact_collection_tag_assignments.is_some(),
        &description,
    )
}

async fn remove_all(collection: &ArtifactCollection, name: &str, tags: Vec<String>) -> Result<()> {
    let description = format!("untag collection \"{}\"", collection.qualified_name());
    let operation =
        wire::DeleteArtifactCollectionTagAssignments::build(wire::DeleteCollectionTagsVariables {
            input: wire::DeleteArtifactCollectionTagAssignmentsInput {
                entity_name: collection.entity.clone(),
                project_name: collection.project.clone(),
                artifact_collection_name: name.to_owned(),
                tags: inputs(tags),
            },
        });
    let answer: wire::DeleteArtifactCollectionTagAssignments = collection
        .api
        .mutate(&operation, Repeat::Always, &description)
        .await?;
    let done = answer
        .delete_artifact_collection_tag_assignments
        .is_some_and(|payload| payload.success);
    confirmed(done, &description)
}

pub(super) fn inputs(tags: Vec<String>) -> Vec<TagInput> {
    tags.into_iter().map(|tag_name| TagInput { tag_name }).collect()
}

/// A mutation that answers with nothing has done nothing.
pub(super) fn confirmed(done: bool, description: &str) -> Result<()> {
    if done {
        return Ok(());
    }
    Err(Error::protocol("the server does not say that it was done").in_operation(description))
}
