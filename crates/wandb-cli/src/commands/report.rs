//! `wb report …`.

use std::io::Write;
use std::path::Path;

use futures_util::TryStreamExt;
use wandb_api::path::ReportPath;
use wandb_api::{Api, Report, ReportSection};

use super::sweep::{read_text, write_runs};
use crate::cli::{
    ReportCommand, ReportCreateArgs, ReportDeleteArgs, ReportListArgs, ReportRunsArgs, ReportUpdateArgs,
    ReportViewArgs,
};
use crate::commands::cells;
use crate::commands::details::Details;
use crate::commands::plan::{self, Step, agreed};
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::json_text;
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::table::{Cell, Column};
use crate::output::{Format, text};

/// Runs one verb.
pub(crate) async fn dispatch(context: &mut Context, command: ReportCommand) -> CommandResult {
    match command {
        ReportCommand::List(arguments) => list(context, &arguments).await,
        ReportCommand::View(arguments) => view(context, &arguments).await,
        ReportCommand::Sections(arguments) => sections(context, &arguments).await,
        ReportCommand::Runs(arguments) => runs(context, &arguments).await,
        ReportCommand::Create(arguments) => create(context, &arguments).await,
        ReportCommand::Update(arguments) => update(context, &arguments).await,
        ReportCommand::Delete(arguments) => delete(context, &arguments).await,
    }
}

const NAMES: &[&str] = &[
    "id",
    "name",
    "display_name",
    "description",
    "entity",
    "project",
    "user",
    "created_at",
    "updated_at",
    "url",
    "spec",
];

fn fields(report: &Report) -> Fields<'_> {
    let username = report.user.as_ref().and_then(|user| user.username.as_deref());
    vec![
        ("id", Field::text(&report.id)),
        ("name", Field::optional(report.name.as_deref())),
        ("display_name", Field::optional(report.display_name.as_deref())),
        ("description", Field::optional(report.description.as_deref())),
        ("entity", Field::text(&report.entity)),
        ("project", Field::text(&report.project)),
        ("user", Field::optional(username)),
        ("created_at", Field::owned(report.created_at.to_string())),
        (
            "updated_at",
            report
                .updated_at
                .map_or(Field::Null, |time| Field::owned(time.to_string())),
        ),
        ("url", Field::optional(report.url.as_deref())),
        ("spec", Field::text(&report.spec)),
    ]
}

fn write_json(report: &Report, out: &mut Vec<u8>) -> wandb_api::Result<()> {
    serde_json::to_writer(out, report.data()).map_err(|error| {
        wandb_api::Error::protocol("the report cannot be written as JSON").with_source(error)
    })
}

fn schema(context: &Context) -> Schema<Report> {
    let (now, people) = (context.now(), context.screen.width.is_some());
    Schema::new(NAMES, fields)
        .json_by(write_json)
        .column(Column::name("TITLE"), |report: &Report| {
            Cell::new(report.display_name.as_deref().unwrap_or("(untitled)"))
        })
        .column(Column::word("UPDATED"), move |report| {
            cells::time(report.updated_at.or(Some(report.created_at)), now, people)
        })
        .column(Column::text("USER"), |report| {
            let user = report.user.as_ref();
            Cell::new(user.and_then(|user| user.username.as_deref()).unwrap_or_default())
        })
        .column(Column::text("DESCRIPTION"), |report| {
            Cell::new(report.description.as_deref().unwrap_or_default())
        })
        .column(Column::text("URL"), |report| {
            Cell::new(report.url.as_deref().unwrap_or_default())
        })
}

async fn list(context: &mut Context, arguments: &ReportListArgs) -> CommandResult {
    let connection = context.connect().await?;
    let path = connection.project_path(arguments.path.as_deref())?;
    let mut reports = connection.api().reports(path);
    if let Some(name) = &arguments.name {
        reports = reports.name(name);
    }
    if let Some(limit) = arguments.limit {
        reports = reports.limit(limit);
    }
    let mut list = List::new(schema(context), context.format(), context.screen);
    let mut stream = reports.stream();
    while let Some(report) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &report?)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "report");
    context.tell_hidden(hidden);
    Ok(())
}

/// The report that a path and a name mean: by its own address, by name or title, or the only one of the project.
async fn find(api: &Api, path: &str, name: Option<&str>) -> CommandResult<Report> {
    let is_report = path.contains("/reports/") || path.contains("--");
    let Some(name) = name else {
        if is_report {
            return Ok(api.report(path).await?);
        }
        let found: Vec<Report> = api.reports(path).limit(2).stream().try_collect().await?;
        return one(
            found,
            path,
            "give --name to choose one, or the report's web address",
        );
    };
    if is_report {
        return Err(Failure::usage("--name has no use beside a report's own address"));
    }
    let found: Vec<Report> = api
        .reports(path)
        .name(name)
        .limit(2)
        .stream()
        .try_collect()
        .await?;
    one(
        found,
        path,
        "several have this name: give the report's web address",
    )
}

fn one(mut found: Vec<Report>, path: &str, several: &str) -> CommandResult<Report> {
    match (found.pop(), found.pop()) {
        (Some(report), None) => Ok(report),
        (None, _) => Err(
            Failure::new(ExitStatus::NotFound, format!("no such report in \"{path}\""))
                .hint(format!("`wb report list {path}` lists the reports")),
        ),
        (Some(_), Some(_)) => {
            Err(Failure::usage(format!("\"{path}\" has more than one such report")).hint(several))
        }
    }
}

async fn view(context: &mut Context, arguments: &ReportViewArgs) -> CommandResult {
    let connection = context.connect().await?;
    let report = find(connection.api(), &arguments.path, arguments.name.as_deref()).await?;
    if context.format() == Format::Table {
        let title = report.display_name.as_deref().unwrap_or("(untitled)");
        let mut details = Details::new(title, context.screen);
        details.line("project", &report.project_path().to_string());
        details.line("url", report.url.as_deref().unwrap_or_default());
        let user = report.user.as_ref().and_then(|user| user.username.as_deref());
        details.line("user", user.unwrap_or_default());
        details.line("created", &cells::both_times(report.created_at, context.now()));
        if let Some(updated) = report.updated_at {
            details.line("updated", &cells::both_times(updated, context.now()));
        }
        details.line("description", report.description.as_deref().unwrap_or_default());
        details.section("sections");
        for (index, section) in report.sections()?.iter().enumerate() {
            let sets = text::counted(section.run_sets.len() as u64, "run set");
            details.line(
                &index.to_string(),
                &format!("{} ({sets})", section.name().unwrap_or("(unnamed)")),
            );
        }
        context.out.write_all(details.render().as_bytes())?;
    } else {
        context.write_single(&schema(context), &report)?;
    }
    Ok(context.out.flush()?)
}

async fn runs(context: &mut Context, arguments: &ReportRunsArgs) -> CommandResult {
    let connection = context.connect().await?;
    let report = find(connection.api(), &arguments.path, arguments.name.as_deref()).await?;
    let sections = report.sections()?;
    let section = sections.get(arguments.section).ok_or_else(|| {
        Failure::new(
            ExitStatus::NotFound,
            format!("the report has no section {}", arguments.section),
        )
        .hint(format!(
            "it has {}",
            text::counted(sections.len() as u64, "section")
        ))
    })?;
    let Some(place) = arguments.run_set else {
        return write_runs(context, report.runs(section, !arguments.all)?).await;
    };
    let run_set = section.run_sets.get(place).ok_or_else(|| {
        Failure::new(
            ExitStatus::NotFound,
            format!("section {} has no run set {place}", arguments.section),
        )
        .hint(format!(
            "it has {}",
            text::counted(section.run_sets.len() as u64, "run set")
        ))
    })?;
    write_runs(context, report.runs_of(run_set, !arguments.all)?).await
}

/// A section with its place.
#[derive(Debug)]
struct Placed {
    index: u64,
    section: ReportSection,
}

const SECTION: &[&str] = &["index", "name", "run_sets", "open_run_set"];

fn section_fields(placed: &Placed) -> Fields<'_> {
    let sets = placed.section.run_sets.iter();
    let names = sets.map(|set| set.name().unwrap_or_default().into());
    vec![
        ("index", Field::UInt(placed.index)),
        ("name", Field::optional(placed.section.name())),
        ("run_sets", Field::Texts(names.collect())),
        ("open_run_set", Field::UInt(placed.section.open_run_set() as u64)),
    ]
}

/// Lists the sections.
async fn sections(context: &mut Context, arguments: &ReportViewArgs) -> CommandResult {
    let connection = context.connect().await?;
    let report = find(connection.api(), &arguments.path, arguments.name.as_deref()).await?;
    let schema = Schema::new(SECTION, section_fields)
        .column(Column::number("INDEX"), |placed: &Placed| {
            Cell::new(placed.index.to_string())
        })
        .column(Column::name("NAME"), |placed| {
            Cell::new(placed.section.name().unwrap_or("(unnamed)"))
        })
        .column(Column::text("RUN SETS"), |placed| {
            let sets = placed.section.run_sets.iter();
            let names: Vec<&str> = sets.map(|set| set.name().unwrap_or("(unnamed)")).collect();
            Cell::new(names.join(", "))
        });
    let mut list = List::new(schema, context.format(), context.screen);
    for (index, section) in (0..).zip(report.sections()?) {
        list.item(&mut context.out, &Placed { index, section })?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "section");
    context.tell_hidden(hidden);
    Ok(())
}

/// Reads the content of a report.
fn read_spec(file: &Path) -> CommandResult<String> {
    let text = read_text(file)?;
    json_text::check_keys(&format!("\"{}\"", file.display()), &text)?;
    Ok(text)
}

/// Makes a report.
async fn create(context: &mut Context, arguments: &ReportCreateArgs) -> CommandResult {
    let spec = arguments.spec.as_deref().map(read_spec).transpose()?;
    let connection = context.connect().await?;
    let mut new = connection
        .api()
        .create_report(arguments.path.as_str(), arguments.title.as_str());
    if let Some(description) = &arguments.description {
        new = new.description(description);
    }
    if let Some(spec) = spec {
        new = new.spec(spec)?;
    }
    if arguments.draft {
        new = new.draft();
    }
    show(context, &new.save().await?, "created")
}

/// The report as it is now: its address for people, the object otherwise.
fn show(context: &mut Context, report: &Report, done: &str) -> CommandResult {
    if context.format() == Format::Table {
        context.note(&format!("{done} {}", described(report)));
        let address = report.url.as_deref().unwrap_or(&report.id);
        context.out.write_all(format!("{address}\n").as_bytes())?;
    } else {
        context.write_single(&schema(context), report)?;
    }
    Ok(context.out.flush()?)
}

/// Changes what was given.
async fn update(context: &mut Context, arguments: &ReportUpdateArgs) -> CommandResult {
    let spec = arguments.spec.as_deref().map(read_spec).transpose()?;
    let connection = context.connect().await?;
    let report = find(connection.api(), &arguments.path, arguments.name.as_deref()).await?;
    let mut edit = report.edit();
    if let Some(title) = &arguments.title {
        edit = edit.display_name(title);
    }
    if let Some(description) = &arguments.description {
        edit = edit.description(description);
    }
    if let Some(spec) = spec {
        edit = edit.spec(spec)?;
    }
    if arguments.if_unchanged {
        edit = edit.if_unchanged();
    }
    show(context, &edit.save().await?, "updated")
}

fn described(report: &Report) -> String {
    let title = report.display_name.as_deref().unwrap_or("(untitled)");
    format!("report \"{title}\" of {}", report.project_path())
}

/// Deletes a report.
async fn delete(context: &mut Context, arguments: &ReportDeleteArgs) -> CommandResult {
    let connection = context.connect().await?;
    let report = find(connection.api(), &arguments.path, arguments.name.as_deref()).await?;
    let what = described(&report);
    // As other verbs take it; an id that no path can hold stands for itself.
    let title = report.display_name.as_deref().unwrap_or_default();
    let name = ReportPath::new(report.project_path().clone(), title, &report.id)
        .map_or_else(|_| report.id.clone(), |path| path.to_string());
    let steps = [Step::new("delete", "report", name).note(&what)];
    if agreed(context, arguments.consent, &format!("Delete {what}?"), &steps).await? {
        report.delete().await?;
        plan::done(context, &steps, &format!("deleted {what}"))?;
    }
    Ok(())
}
