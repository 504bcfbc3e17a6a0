//! A version as an output object: the fields of design §4, in that order.

use wandb_api::{Artifact, ArtifactData};

use crate::commands::cells;
use crate::context::Context;
use crate::output::field::Field;
use crate::output::list::{Fields, Schema};
use crate::output::style::Paint;
use crate::output::table::{Cell, Column};
use crate::output::text;

/// The names of the fields.
pub(crate) const NAMES: &[&str] = &[
    "id",
    "name",
    "type",
    "entity",
    "project",
    "collection",
    "version",
    "aliases",
    "tags",
    "digest",
    "state",
    "size",
    "file_count",
    "description",
    "metadata",
    "ttl",
    "created_at",
    "updated_at",
];

/// The fields of a version.
pub(crate) fn fields(artifact: &ArtifactData) -> Fields<'_> {
    vec![
        ("id", Field::text(&artifact.id)),
        ("name", Field::text(&artifact.name)),
        ("type", Field::text(&artifact.artifact_type)),
        ("entity", Field::text(&artifact.entity)),
        ("project", Field::text(&artifact.project)),
        ("collection", Field::text(&artifact.collection)),
        (
            "version",
            artifact
                .version
                .map_or(Field::Null, |version| Field::owned(version.to_string())),
        ),
        ("aliases", Field::texts(&artifact.aliases)),
        ("tags", Field::texts(&artifact.tags)),
        ("digest", Field::text(&artifact.digest)),
        ("state", Field::text(artifact.state.as_str())),
        ("size", artifact.size.map_or(Field::Null, Field::UInt)),
        ("file_count", artifact.file_count.map_or(Field::Null, Field::UInt)),
        ("description", Field::optional(artifact.description.as_deref())),
        (
            "metadata",
            // What is no object is shown as it is: one broken version does not end a listing.
            artifact
                .metadata()
                .map_or_else(|_| Field::optional(artifact.raw_metadata()), Field::Map),
        ),
        (
            "ttl",
            artifact.ttl.map_or(Field::Null, |ttl| Field::UInt(ttl.as_secs())),
        ),
        ("created_at", Field::owned(artifact.created_at.to_string())),
        (
            "updated_at",
            artifact
                .updated_at
                .map_or(Field::Null, |time| Field::owned(time.to_string())),
        ),
    ]
}

/// How much a version is, in words.
pub(crate) fn extent(artifact: &ArtifactData) -> String {
    format!(
        "{} in {}",
        artifact
            .size
            .map_or_else(|| "unknown size".to_owned(), text::bytes),
        artifact
            .file_count
            .map_or_else(|| "files".to_owned(), |count| text::counted(count, "file"))
    )
}

fn number(number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

fn handle_fields(artifact: &Artifact) -> Fields<'_> {
    fields(artifact.data())
}

/// How versions of several projects are shown: with their whole names.
pub(crate) fn linked_schema() -> Schema<Artifact> {
    Schema::new(NAMES, handle_fields)
        .column(Column::name("LINKED AS"), |artifact: &Artifact| {
            Cell::new(artifact.exact_name())
        })
        .column(Column::text("ALIASES"), |artifact| {
            Cell::new(artifact.aliases.join(", ")).painted(Paint::Cyan)
        })
}

/// How versions are shown.
pub(crate) fn schema(context: &Context) -> Schema<Artifact> {
    let now = context.now();
    let people = context.screen.width.is_some();
    Schema::new(NAMES, handle_fields)
        .column(Column::name("NAME"), |artifact: &Artifact| {
            Cell::new(&artifact.name)
        })
        .column(Column::text("ALIASES"), |artifact| {
            Cell::new(artifact.aliases.join(", ")).painted(Paint::Cyan)
        })
        .column(Column::number("SIZE"), move |artifact| {
            Cell::new(match artifact.size {
                Some(size) if people => text::bytes(size),
                size => number(size),
            })
        })
        .column(Column::number("FILES"), |artifact| {
            Cell::new(number(artifact.file_count))
        })
        .column(Column::word("CREATED"), move |artifact| {
            cells::time(Some(artifact.created_at), now, people)
        })
        .column(Column::text("TYPE"), |artifact| {
            Cell::new(&artifact.artifact_type)
        })
        .column(Column::text("TAGS"), |artifact| {
            Cell::new(artifact.tags.join(", "))
        })
        .column(Column::word("DIGEST"), |artifact| Cell::new(&artifact.digest))
}
