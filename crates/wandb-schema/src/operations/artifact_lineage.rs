//! Which runs made and used versions, and which versions runs made and used (protocol §2.14; inventory 6.9).

use super::{
    artifacts::{ArtifactSequenceName, ArtifactState, ArtifactTypeName, ProjectPlace},
    shared::PageInfo,
};
use crate::{
    scalars::{DateTime, JsonString},
    schema,
};

/// A run, as far as a lineage shows it.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run")]
pub struct LineageRun {
    /// The opaque storage id.
    pub id: cynic::Id,
    /// The run id.
    pub name: String,
    /// The name that users see.
    pub display_name: Option<String>,
    /// The job type.
    pub job_type: Option<String>,
    /// The state.
    pub state: Option<String>,
    /// When it was created.
    pub created_at: DateTime,
    /// The project.
    pub project: Option<ProjectPlace>,
}

/// Who made a version.
#[derive(cynic::InlineFragments, Debug, Clone)]
#[cynic(graphql_type = "Initiator")]
pub enum Initiator {
    /// A run.
    Run(LineageRun),
    /// A user, or something that is newer than this client.
    #[cynic(fallback)]
    Other,
}

/// `ArtifactCreatedBy`: who made a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "super::artifacts::ArtifactIdVariables")]
pub struct ArtifactCreatedBy {
    /// The version, `null` when there is none.
    #[arguments(id: $id)]
    pub artifact: Option<CreatedBy>,
}

/// Who made it, below the version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Artifact")]
pub struct CreatedBy {
    /// Who made it; `null` when that is gone.
    pub created_by: Option<Initiator>,
}

/// `ArtifactUsedBy`: one page of the runs that used a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "super::artifacts::ArtifactPageVariables")]
pub struct ArtifactUsedBy {
    /// The version, `null` when there is none.
    #[arguments(id: $id)]
    pub artifact: Option<UsedBy>,
}

/// The page below the version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(
    graphql_type = "Artifact",
    variables = "super::artifacts::ArtifactPageVariables"
)]
pub struct UsedBy {
    /// The page.
    #[arguments(first: $per_page, after: $cursor)]
    pub used_by: LineageRunConnection,
}

/// A page of runs.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "RunConnection")]
pub struct LineageRunConnection {
    /// One edge per run.
    pub edges: Vec<LineageRunEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "RunEdge")]
pub struct LineageRunEdge {
    /// The run.
    pub node: LineageRun,
}

/// How many versions one [`LineageArtifacts`] can ask for.
pub const LINEAGE_SLOTS: usize = 10;

/// Variables of [`LineageArtifacts`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct LineageArtifactsVariables {
    /// How many runs per version at most.
    pub per_page: i32,
    /// The version in slot 0; empty where the slot is not used.
    pub id0: cynic::Id,
    /// Whether slot 0 is used.
    pub with0: bool,
    /// The version in slot 1; empty where the slot is not used.
    pub id1: cynic::Id,
    /// Whether slot 1 is used.
    pub with1: bool,
    /// The version in slot 2; empty where the slot is not used.
    pub id2: cynic::Id,
    /// Whether slot 2 is used.
    pub with2: bool,
    /// The version in slot 3; empty where the slot is not used.
    pub id3: cynic::Id,
    /// Whether slot 3 is used.
    pub with3: bool,
    /// The version in slot 4; empty where the slot is not used.
    pub id4: cynic::Id,
    /// Whether slot 4 is used.
    pub with4: bool,
    /// The version in slot 5; empty where the slot is not used.
    pub id5: cynic::Id,
    /// Whether slot 5 is used.
    pub with5: bool,
    /// The version in slot 6; empty where the slot is not used.
    pub id6: cynic::Id,
    /// Whether slot 6 is used.
    pub with6: bool,
    /// The version in slot 7; empty where the slot is not used.
    pub id7: cynic::Id,
    /// Whether slot 7 is used.
    pub with7: bool,
    /// The version in slot 8; empty where the slot is not used.
    pub id8: cynic::Id,
    /// Whether slot 8 is used.
    pub with8: bool,
    /// The version in slot 9; empty where the slot is not used.
    pub id9: cynic::Id,
    /// Whether slot 9 is used.
    pub with9: bool,
}

impl LineageArtifactsVariables {
    /// Fills the slots. More ids than [`LINEAGE_SLOTS`] are not asked for.
    pub fn new(ids: &[&str], per_page: i32) -> Self {
        let id = |slot: usize| cynic::Id::new(ids.get(slot).copied().unwrap_or_default());
        let with = |slot: usize| slot < ids.len();
        Self {
            per_page,
            id0: id(0),
            with0: with(0),
            id1: id(1),
            with1: with(1),
            id2: id(2),
            with2: with(2),
            id3: id(3),
            with3: with(3),
            id4: id(4),
            with4: with(4),
            id5: id(5),
            with5: with(5),
            id6: id(6),
            with6: with(6),
            id7: id(7),
            with7: with(7),
            id8: id(8),
            with8: with(8),
            id9: id(9),
            with9: with(9),
        }
    }
}

/// `LineageArtifacts`: several versions with the runs around them, in one request.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "LineageArtifactsVariables")]
pub struct LineageArtifacts {
    /// Slot 0.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id0)]
    #[directives(include(if: $with0))]
    pub artifact0: Option<LineageArtifact>,
    /// Slot 1.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id1)]
    #[directives(include(if: $with1))]
    pub artifact1: Option<LineageArtifact>,
    /// Slot 2.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id2)]
    #[directives(include(if: $with2))]
    pub artifact2: Option<LineageArtifact>,
    /// Slot 3.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id3)]
    #[directives(include(if: $with3))]
    pub artifact3: Option<LineageArtifact>,
    /// Slot 4.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id4)]
    #[directives(include(if: $with4))]
    pub artifact4: Option<LineageArtifact>,
    /// Slot 5.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id5)]
    #[directives(include(if: $with5))]
    pub artifact5: Option<LineageArtifact>,
    /// Slot 6.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id6)]
    #[directives(include(if: $with6))]
    pub artifact6: Option<LineageArtifact>,
    /// Slot 7.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id7)]
    #[directives(include(if: $with7))]
    pub artifact7: Option<LineageArtifact>,
    /// Slot 8.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id8)]
    #[directives(include(if: $with8))]
    pub artifact8: Option<LineageArtifact>,
    /// Slot 9.
    #[cynic(rename = "artifact", alias)]
    #[arguments(id: $id9)]
    #[directives(include(if: $with9))]
    pub artifact9: Option<LineageArtifact>,
}

impl LineageArtifacts {
    /// The slots in order. One that was used and is empty names a version that is gone or not visible.
    pub fn into_slots(self) -> [Option<LineageArtifact>; LINEAGE_SLOTS] {
        [
            self.artifact0,
            self.artifact1,
            self.artifact2,
            self.artifact3,
            self.artifact4,
            self.artifact5,
            self.artifact6,
            self.artifact7,
            self.artifact8,
            self.artifact9,
        ]
    }
}

/// A version with the runs around it.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Artifact", variables = "LineageArtifactsVariables")]
pub struct LineageArtifact {
    /// The opaque id.
    pub id: cynic::Id,
    /// Where it stands.
    pub state: ArtifactState,
    /// The digest of its manifest, hex.
    pub digest: String,
    /// Its index in the sequence.
    pub version_index: Option<i32>,
    /// The type.
    pub artifact_type: ArtifactTypeName,
    /// Where it was logged.
    pub artifact_sequence: ArtifactSequenceName,
    /// Who made it.
    pub created_by: Option<Initiator>,
    /// Who used it.
    #[arguments(first: $per_page)]
    pub used_by: LineageRunConnection,
}

/// Variables of [`LineageRuns`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct LineageRunsVariables {
    /// The entity.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// Which runs, Mongo-style.
    pub filters: JsonString,
    /// How many runs.
    pub runs: i32,
    /// How many versions per run at most.
    pub per_page: i32,
}

/// `LineageRuns`: several runs of a project with the versions around them, in one request.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "LineageRunsVariables")]
pub struct LineageRuns {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<LineageProject>,
}

/// The runs below their project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "LineageRunsVariables")]
pub struct LineageProject {
    /// The runs.
    #[arguments(filters: $filters, first: $runs)]
    pub runs: Option<RunsWithArtifacts>,
}

/// Runs with the versions around them.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "RunConnection", variables = "LineageRunsVariables")]
pub struct RunsWithArtifacts {
    /// One edge per run.
    pub edges: Vec<RunWithArtifactsEdge>,
}

/// An edge to a run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "RunEdge", variables = "LineageRunsVariables")]
pub struct RunWithArtifactsEdge {
    /// The run.
    pub node: RunWithArtifacts,
}

/// A run with the versions around it.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "LineageRunsVariables")]
pub struct RunWithArtifacts {
    /// The run id.
    pub name: String,
    /// What it used.
    #[arguments(first: $per_page)]
    pub input_artifacts: Option<LineageInputConnection>,
    /// What it logged.
    #[arguments(first: $per_page)]
    pub output_artifacts: Option<LineageOutputConnection>,
}

/// Versions that a run used.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "InputArtifactConnection")]
pub struct LineageInputConnection {
    /// One edge per version.
    pub edges: Vec<LineageInputEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "InputArtifactEdge")]
pub struct LineageInputEdge {
    /// The version.
    pub node: Option<LineageVersion>,
}

/// Versions that a run logged.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactConnection")]
pub struct LineageOutputConnection {
    /// One edge per version.
    pub edges: Vec<LineageOutputEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactEdge")]
pub struct LineageOutputEdge {
    /// The version.
    pub node: Option<LineageVersion>,
}

/// A version, as far as a lineage shows it.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Artifact")]
pub struct LineageVersion {
    /// The opaque id.
    pub id: cynic::Id,
    /// Where it stands.
    pub state: ArtifactState,
    /// The digest of its manifest, hex.
    pub digest: String,
    /// Its index in the sequence.
    pub version_index: Option<i32>,
    /// The type.
    pub artifact_type: ArtifactTypeName,
    /// Where it was logged.
    pub artifact_sequence: ArtifactSequenceName,
}
