//! `wb artifact collections`.

use std::io::Write;

use futures_util::TryStreamExt;
use wandb_api::ArtifactCollection;

use crate::cli::CollectionsArgs;
use crate::commands::cells;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::style::Paint;
use crate::output::table::{Cell, Column};

/// How many collections are asked for their aliases at once.
const SIDE_BY_SIDE: usize = 8;

const NAMES: &[&str] = &[
    "id",
    "name",
    "type",
    "entity",
    "project",
    "description",
    "tags",
    "aliases",
    "is_sequence",
    "created_at",
    "updated_at",
];

/// A collection with its aliases, which are asked for apart.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) collection: ArtifactCollection,
    /// Asked for apart, and only when wanted: they cost a request per collection.
    pub(super) aliases: Option<Vec<String>>,
}

fn fields(shown: &Shown) -> Fields<'_> {
    let collection = &shown.collection;
    vec![
        ("id", Field::text(&collection.id)),
        ("name", Field::text(&collection.name)),
        ("type", Field::text(&collection.artifact_type)),
        ("entity", Field::text(&collection.entity)),
        ("project", Field::text(&collection.project)),
        ("description", Field::optional(collection.description.as_deref())),
        ("tags", Field::texts(&collection.tags)),
        (
            "aliases",
            shown.aliases.as_deref().map_or(Field::Null, Field::texts),
        ),
        ("is_sequence", Field::Bool(collection.is_sequence)),
        ("created_at", Field::owned(collection.created_at.to_string())),
        (
            "updated_at",
            collection
                .updated_at
                .map_or(Field::Null, |time| Field::owned(time.to_string())),
        ),
    ]
}

/// The JSON and CSV form.
pub(super) fn json_schema() -> Schema<Shown> {
    Schema::new(NAMES, fields)
}

/// Lists the collections of one type.
pub(super) async fn collections(context: &mut Context, arguments: &CollectionsArgs) -> CommandResult {
    let connection = context.connect().await?;
    let path = connection.project_path(arguments.path.as_deref())?;
    let (now, people) = (context.now(), context.screen.width.is_some());
    let schema = json_schema()
        .column(Column::name("NAME"), |shown: &Shown| {
            Cell::new(&shown.collection.name)
        })
        .column(Column::word("KIND"), |shown| {
            if shown.collection.is_sequence {
                Cell::new("sequence")
            } else {
                Cell::new("portfolio").painted(Paint::Cyan)
            }
        })
        .column(Column::word("CREATED"), move |shown| {
            cells::time(Some(shown.collection.created_at), now, people)
        })
        .column(Column::text("ALIASES"), |shown| {
            Cell::new(shown.aliases.as_deref().unwrap_or_default().join(", "))
        })
        .column(Column::text("TAGS"), |shown| {
            Cell::new(shown.collection.tags.join(", "))
        })
        .column(Column::text("DESCRIPTION"), |shown| {
            Cell::new(shown.collection.description.as_deref().unwrap_or_default())
        });
    let mut collections = connection
        .api()
        .artifact_collections(path, arguments.type_name.as_str());
    if let Some(order) = &arguments.order {
        collections = collections.order(order);
    }
    if let Some(limit) = arguments.limit {
        collections = collections.limit(limit);
    }
    let mut list = List::new(schema, context.format(), context.screen);
    let wanted = arguments.aliases;
    let with_aliases = |collection: ArtifactCollection| async move {
        let aliases = if wanted {
            Some(collection.aliases().try_collect().await?)
        } else {
            None
        };
        Ok(Shown { collection, aliases })
    };
    let mut stream = collections
        .stream()
        .map_ok(with_aliases)
        .try_buffered(SIDE_BY_SIDE);
    while let Some(shown) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &shown?)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "collection");
    context.tell_hidden(hidden);
    Ok(())
}
