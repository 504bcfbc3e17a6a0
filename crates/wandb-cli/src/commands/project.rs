//! `wb project list`, `view`, `create` and `delete`.

use std::io::Write;

use wandb_api::{Api, Project};

use crate::cli::{ProjectCreateArgs, ProjectDeleteArgs, ProjectListArgs, ProjectViewArgs};
use crate::commands::cells;
use crate::commands::details::Details;
use crate::commands::plan::{self, Step, agreed};
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::table::{Cell, Column};
use crate::output::{Format, text};

const NAMES: &[&str] = &["id", "name", "entity", "path", "url", "created_at"];

fn fields(project: &Project) -> Fields<'_> {
    vec![
        ("id", Field::text(&project.id)),
        ("name", Field::text(&project.name)),
        ("entity", Field::text(&project.entity)),
        ("path", Field::texts(&project.path)),
        ("url", Field::text(&project.url)),
        ("created_at", Field::owned(project.created_at.to_string())),
    ]
}

fn schema(context: &Context) -> Schema<Project> {
    let now = context.now();
    let relative = context.screen.width.is_some();
    Schema::new(NAMES, fields)
        .column(Column::name("NAME"), |project: &Project| Cell::new(&project.name))
        .column(Column::text("ENTITY"), |project| Cell::new(&project.entity))
        .column(Column::word("CREATED"), move |project| {
            cells::time(Some(project.created_at), now, relative)
        })
        .column(Column::text("DESCRIPTION"), |project| {
            Cell::new(project.description.as_deref().unwrap_or_default())
        })
}

/// Lists the projects of an entity.
pub(crate) async fn list(context: &mut Context, arguments: &ProjectListArgs) -> CommandResult {
    let connection = context.connect().await?;
    let mut projects = connection.api().projects(arguments.entity.as_deref());
    if let Some(size) = arguments.page_size {
        projects = projects.page_size(size);
    }
    if let Some(limit) = arguments.limit {
        projects = projects.limit(limit);
    }
    let mut list = List::new(schema(context), context.format(), context.screen);
    let mut stream = projects.stream();
    while let Some(project) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &project?)?;
    }
    let named = arguments.entity.as_deref().or(connection.named_entity());
    if let (0, Some(entity)) = (list.count(), named) {
        check_entity(connection.api(), entity).await?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "project");
    context.tell_hidden(hidden);
    Ok(())
}

/// The server answers for an entity that does not exist as for one without projects. Where that would hide a spelling
/// mistake, it is told: an entity that has nothing and is not the user's own cannot be seen to exist.
async fn check_entity(api: &Api, entity: &str) -> CommandResult {
    let viewer = api.viewer().await?;
    let own = [viewer.entity.as_deref(), viewer.username.as_deref()];
    if own.contains(&Some(entity)) || viewer.teams.iter().any(|team| team == entity) {
        return Ok(());
    }
    let what = format!("entity \"{entity}\" was not found, or has no project that this key may see");
    Err(Failure::new(ExitStatus::NotFound, what).hint("`wb whoami` shows the user's own entity and teams"))
}

/// Shows one project.
pub(crate) async fn view(context: &mut Context, arguments: &ProjectViewArgs) -> CommandResult {
    let connection = context.connect().await?;
    let project = connection.api().project(&arguments.path).await?;
    if context.format() == Format::Table {
        let runs = project.runs(connection.api()).count().await?;
        let mut details = Details::new(&project.path.join("/"), context.screen);
        details.line("url", &project.url);
        details.line("created", &cells::both_times(project.created_at, context.now()));
        details.line("runs", &runs.to_string());
        if let Some(description) = project.description.as_deref() {
            details.line("description", description);
        }
        context.out.write_all(details.render().as_bytes())?;
    } else {
        context.write_single(&schema(context), &project)?;
    }
    context.out.flush()?;
    Ok(())
}

/// Makes a project.
pub(crate) async fn create(context: &mut Context, arguments: &ProjectCreateArgs) -> CommandResult {
    let connection = context.connect().await?;
    let project = connection.api().create_project(&arguments.path).await?;
    if context.format() == Format::Table {
        let path = project.path.join("/");
        // The server does not say whether it was there before.
        context.note(&format!("project {path} is there ({})", project.url));
        context.out.write_all(format!("{path}\n").as_bytes())?;
    } else {
        context.write_single(&schema(context), &project)?;
    }
    Ok(context.out.flush()?)
}

/// Deletes a project with everything in it.
pub(crate) async fn delete(context: &mut Context, arguments: &ProjectDeleteArgs) -> CommandResult {
    let connection = context.connect().await?;
    let api = connection.api();
    let project = api.project(&arguments.path).await?;
    let path = project.path.join("/");
    let runs = text::counted(project.runs(api).count().await?, "run");
    let what = format!("project {path} with {runs} and everything else in it");
    let steps = [Step::new("delete", "project", &path).note(format!("with {runs}"))];
    if agreed(context, arguments.consent, &format!("Delete {what}?"), &steps).await? {
        project.delete(api).await?;
        plan::done(context, &steps, &format!("deleted {what}"))?;
    }
    Ok(())
}
