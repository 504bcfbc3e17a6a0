//! `wb artifact collection …`: one collection.

use std::io::Write;

use futures_util::TryStreamExt;
use wandb_api::ArtifactCollection;

use super::collections::{Shown, json_schema};
use crate::cli::{
    CollectionCommand, CollectionDeleteArgs, CollectionName, CollectionUpdateArgs, CollectionViewArgs,
};
use crate::commands::cells;
use crate::commands::details::Details;
use crate::commands::plan::{self, Step, agreed};
use crate::connection::Connection;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::Format;

/// Runs one verb.
pub(super) async fn dispatch(context: &mut Context, command: CollectionCommand) -> CommandResult {
    match command {
        CollectionCommand::View(arguments) => view(context, &arguments).await,
        CollectionCommand::Update(arguments) => update(context, &arguments).await,
        CollectionCommand::Delete(arguments) => delete(context, &arguments).await,
    }
}

async fn find(connection: &Connection, which: &CollectionName) -> CommandResult<ArtifactCollection> {
    let api = connection.api();
    Ok(api.artifact_collection(&which.type_name, &which.name).await?)
}

fn kind(collection: &ArtifactCollection) -> &'static str {
    if collection.is_sequence {
        "sequence"
    } else {
        "portfolio"
    }
}

/// Shows one collection.
async fn view(context: &mut Context, arguments: &CollectionViewArgs) -> CommandResult {
    let connection = context.connect().await?;
    let collection = find(&connection, &arguments.collection).await?;
    let aliases: Vec<String> = collection.aliases().try_collect().await?;
    if context.format() != Format::Table {
        let aliases = Some(aliases);
        context.write_single(&json_schema(), &Shown { collection, aliases })?;
        return Ok(context.out.flush()?);
    }
    let mut details = Details::new(&collection.qualified_name(), context.screen);
    details.line("kind", kind(&collection));
    details.line("type", &collection.artifact_type);
    details.line("aliases", &aliases.join(", "));
    details.line("tags", &collection.tags.join(", "));
    details.line(
        "created",
        &cells::both_times(collection.created_at, context.now()),
    );
    if let Some(updated) = collection.updated_at {
        details.line("updated", &cells::both_times(updated, context.now()));
    }
    details.line(
        "description",
        collection.description.as_deref().unwrap_or_default(),
    );
    context.out.write_all(details.render().as_bytes())?;
    Ok(context.out.flush()?)
}

/// Changes what was given.
async fn update(context: &mut Context, arguments: &CollectionUpdateArgs) -> CommandResult {
    let connection = context.connect().await?;
    let collection = find(&connection, &arguments.collection).await?;
    let mut edit = collection.edit();
    if let Some(name) = &arguments.rename {
        edit = edit.name(name);
    }
    if let Some(description) = &arguments.description {
        edit = edit.description(description);
    }
    if let Some(type_name) = &arguments.change_type {
        edit = edit.artifact_type(type_name);
    }
    for tag in &arguments.untags {
        edit = edit.remove_tag(tag);
    }
    for tag in &arguments.tags {
        edit = edit.add_tag(tag);
    }
    let collection = edit.save().await?;
    context.note(&format!("updated {}", collection.qualified_name()));
    if context.format() == Format::Table {
        let line = format!("{}\n", collection.qualified_name());
        context.out.write_all(line.as_bytes())?;
    } else {
        let aliases = None;
        context.write_single(&json_schema(), &Shown { collection, aliases })?;
    }
    Ok(context.out.flush()?)
}

/// Deletes a collection.
async fn delete(context: &mut Context, arguments: &CollectionDeleteArgs) -> CommandResult {
    let connection = context.connect().await?;
    let collection = find(&connection, &arguments.collection).await?;
    let name = collection.qualified_name();
    let kind = kind(&collection);
    let mut steps = vec![Step::new("delete", "collection", &name).note(kind)];
    // With a sequence its versions go, with a portfolio the links to them.
    let action = if collection.is_sequence {
        "delete"
    } else {
        "unlink"
    };
    let mut versions = collection.versions().stream();
    while let Some(version) = versions.try_next().await? {
        let step = Step::new(action, "artifact", version.exact_name()).digest(&version.digest);
        steps.push(version.size.map_or(step.clone(), |size| step.size(size)));
    }
    let question = format!("Delete the {kind} {name}?");
    if agreed(context, arguments.consent, &question, &steps).await? {
        collection.delete().await?;
        plan::done(context, &steps, &format!("deleted the {kind} {name}"))?;
    }
    Ok(())
}
