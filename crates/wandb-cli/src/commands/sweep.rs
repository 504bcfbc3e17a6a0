//! `wb sweep …`.

use std::io::Write;
use std::path::Path;

use wandb_api::order::Order;
use wandb_api::{CreatedSweep, Runs, Sweep, SweepState};

use super::run::record as run_record;
use crate::cli::{
    SweepBestArgs, SweepChangeArgs, SweepCommand, SweepCreateArgs, SweepEndArgs, SweepListArgs,
    SweepRunsArgs, SweepViewArgs,
};
use crate::commands::cells;
use crate::commands::details::Details;
use crate::commands::plan::{Step, agreed};
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::field::{Field, display_value};
use crate::output::list::{Fields, List, Schema};
use crate::output::style::state_paint;
use crate::output::table::{Cell, Column};
use crate::output::{Format, text};

/// Runs one verb.
pub(crate) async fn dispatch(context: &mut Context, command: SweepCommand) -> CommandResult {
    match command {
        SweepCommand::List(arguments) => list(context, &arguments).await,
        SweepCommand::View(arguments) => view(context, &arguments).await,
        SweepCommand::Runs(arguments) => runs(context, &arguments).await,
        SweepCommand::Best(arguments) => best(context, &arguments).await,
        SweepCommand::Create(arguments) => create(context, &arguments).await,
        SweepCommand::Pause(arguments) => change(context, &arguments, SweepState::Paused).await,
        SweepCommand::Resume(arguments) => change(context, &arguments, SweepState::Running).await,
        SweepCommand::Stop(arguments) => end(context, &arguments, SweepState::Finished).await,
        SweepCommand::Cancel(arguments) => end(context, &arguments, SweepState::Canceled).await,
    }
}

/// How much of a config that cannot be read is shown to people: it may be a megabyte in one line.
const SHOWN_LINES: usize = 40;
const SHOWN_COLUMNS: usize = 120;

const NAMES: &[&str] = &[
    "id",
    "name",
    "storage_id",
    "entity",
    "project",
    "state",
    "config",
    "order",
    "expected_run_count",
    "best_loss",
    "url",
];

fn fields(sweep: &Sweep) -> Fields<'_> {
    vec![
        ("id", Field::text(&sweep.id)),
        ("name", Field::text(&sweep.name)),
        ("storage_id", Field::text(&sweep.storage_id)),
        ("entity", Field::text(&sweep.entity)),
        ("project", Field::text(&sweep.project)),
        ("state", Field::text(&sweep.state)),
        // What cannot be read is shown as the text that it is; a warning tells of it.
        (
            "config",
            sweep
                .config
                .map()
                .map_or_else(|_| Field::text(sweep.config.text()), Field::Map),
        ),
        ("order", sweep.order_text().map_or(Field::Null, Field::owned)),
        (
            "expected_run_count",
            sweep.expected_run_count.map_or(Field::Null, Field::UInt),
        ),
        ("best_loss", sweep.best_loss.map_or(Field::Null, Field::Float)),
        ("url", Field::text(&sweep.url)),
    ]
}

/// Sweeps whose config cannot be read. A listing may hold many of them, so they are told once, at its end.
#[derive(Debug, Default)]
struct Unreadable {
    count: u64,
    first: Option<String>,
}

impl Unreadable {
    fn look_at(&mut self, sweep: &Sweep) {
        if let Err(error) = sweep.config.map() {
            self.count += 1;
            self.first
                .get_or_insert_with(|| format!("{}: {error}", sweep.sweep_path()));
        }
    }

    fn tell(&self, context: &Context) {
        if let Some(first) = &self.first {
            let others = match self.count {
                1 => String::new(),
                count => format!(" (and {} more)", text::grouped(count - 1)),
            };
            context.ui.warn(&format!(
                "a config cannot be read and is shown as text: {}{others}",
                text::single_line(first)
            ));
        }
    }
}

fn schema(context: &Context) -> Schema<Sweep> {
    let (now, people) = (context.now(), context.screen.width.is_some());
    Schema::new(NAMES, fields)
        .column(Column::word("ID"), |sweep: &Sweep| Cell::new(&sweep.id))
        .column(Column::name("NAME"), |sweep| Cell::new(&sweep.name))
        .column(Column::word("STATE"), |sweep| {
            Cell::new(&sweep.state).painted(state_paint(&sweep.state.to_ascii_lowercase()))
        })
        .column(Column::word("METHOD"), |sweep| {
            Cell::new(sweep.method.as_deref().unwrap_or_default())
        })
        .column(Column::number("RUNS"), |sweep| Cell::new(progress(sweep)))
        .column(Column::number("BEST"), |sweep| {
            Cell::new(sweep.best_loss.map(|value| value.to_string()).unwrap_or_default())
        })
        .column(Column::word("CREATED"), move |sweep| {
            cells::time(sweep.created_at, now, people)
        })
}

/// `3`, or `3/6` where the server knows how many there will be.
fn progress(sweep: &Sweep) -> String {
    match (sweep.run_count, sweep.expected_run_count) {
        (Some(count), Some(expected)) => format!("{count}/{expected}"),
        (Some(count), None) => count.to_string(),
        (None, Some(expected)) => format!("?/{expected}"),
        (None, None) => String::new(),
    }
}

async fn list(context: &mut Context, arguments: &SweepListArgs) -> CommandResult {
    let connection = context.connect().await?;
    let path = connection.project_path(arguments.path.as_deref())?;
    let mut sweeps = connection.api().sweeps(path);
    if let Some(limit) = arguments.limit {
        sweeps = sweeps.limit(limit);
    }
    let mut list = List::new(schema(context), context.format(), context.screen);
    let mut stream = sweeps.stream();
    let mut unreadable = Unreadable::default();
    // A table shows no config, and then nothing has to be said of it.
    let shows_config = context.format() != Format::Table;
    while let Some(sweep) = next_or_flush(&mut stream, &mut context.out).await? {
        let sweep = sweep?;
        if shows_config {
            unreadable.look_at(&sweep);
        }
        list.item(&mut context.out, &sweep)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    unreadable.tell(context);
    context.tell_count(count, "sweep");
    context.tell_hidden(hidden);
    Ok(())
}

async fn view(context: &mut Context, arguments: &SweepViewArgs) -> CommandResult {
    let connection = context.connect().await?;
    let sweep = connection.api().sweep(&arguments.path).await?;
    let mut unreadable = Unreadable::default();
    unreadable.look_at(&sweep);
    if context.format() == Format::Table {
        let mut details = Details::new(&sweep.sweep_path().to_string(), context.screen);
        details.line("name", &sweep.name);
        details.painted_line(
            "state",
            &sweep.state,
            state_paint(&sweep.state.to_ascii_lowercase()),
        );
        details.line("url", &sweep.url);
        details.line("method", sweep.method.as_deref().unwrap_or_default());
        details.line("runs", &progress(&sweep));
        details.line("order", &sweep.order_text().unwrap_or_default());
        if let Some(best) = sweep.best_loss {
            details.line("best", &best.to_string());
        }
        if let Some(created) = sweep.created_at {
            details.line("created", &cells::both_times(created, context.now()));
        }
        details.line("description", sweep.description.as_deref().unwrap_or_default());
        match sweep.config.map() {
            Ok(config) => {
                if let Some(parameters) = config.get("parameters").and_then(|value| value.as_map()) {
                    details.section("parameters");
                    for (name, parameter) in parameters.iter() {
                        details.line(name, &display_value(parameter));
                    }
                }
            }
            Err(_) => {
                details.section("config as text");
                details.drawing(beginning(sweep.config.text()));
            }
        }
        context.out.write_all(details.render().as_bytes())?;
    } else {
        context.write_single(&schema(context), &sweep)?;
    }
    context.out.flush()?;
    unreadable.tell(context);
    Ok(())
}

/// The first lines of a text that nobody has checked, for a screen.
fn beginning(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .take(SHOWN_LINES)
        .map(|line| text::truncate(&text::single_line(line), SHOWN_COLUMNS).into_owned())
        .collect();
    if text.lines().nth(SHOWN_LINES).is_some() {
        lines.push("… (--output json shows all)".to_owned());
    }
    lines
}

/// Writes the runs of a listing as `wb run list` would.
pub(super) async fn write_runs(context: &mut Context, runs: Runs) -> CommandResult {
    let mut list = List::new(
        run_record::plain_schema(context),
        context.format(),
        context.screen,
    );
    let mut stream = runs.stream();
    while let Some(run) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &run?)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "run");
    context.tell_hidden(hidden);
    Ok(())
}

async fn runs(context: &mut Context, arguments: &SweepRunsArgs) -> CommandResult {
    let order = order(arguments.order.as_deref())?;
    let connection = context.connect().await?;
    let sweep = connection.api().sweep(&arguments.path).await?;
    let mut runs = sweep.runs();
    if let Some(order) = order {
        runs = runs.order(order);
    }
    if let Some(limit) = arguments.limit {
        runs = runs.limit(limit);
    }
    write_runs(context, runs).await
}

fn order(text: Option<&str>) -> CommandResult<Option<Order>> {
    let order = text
        .map(Order::parse)
        .transpose()
        .map_err(wandb_api::Error::from)?;
    Ok(order)
}

async fn best(context: &mut Context, arguments: &SweepBestArgs) -> CommandResult {
    let order = order(arguments.order.as_deref())?;
    let connection = context.connect().await?;
    let sweep = connection.api().sweep(&arguments.path).await?;
    let best = match order {
        Some(order) => sweep.best_run_by(order).await?,
        None => sweep.best_run().await?,
    };
    let hint = best.hint();
    let value = best.value().map(display_value);
    let Some(run) = best.run else {
        return Err(Failure::new(
            ExitStatus::NotFound,
            format!("sweep \"{}\" has no runs yet", sweep.sweep_path()),
        ));
    };
    if let Some(hint) = hint {
        context.note(&format!("note: {hint}"));
    }
    if context.format() == Format::Table {
        let mut details = Details::new(&run.run_path().to_string(), context.screen);
        details.line("name", &run.name);
        details.painted_line("state", run.state.as_str(), state_paint(run.state.as_str()));
        details.line("url", &run.url);
        if let Some(value) = &value {
            details.line("value", value);
        }
        details.section("config");
        for (key, value) in run.config()?.iter() {
            details.line(key, &display_value(value));
        }
        context.out.write_all(details.render().as_bytes())?;
    } else {
        context.write_single(&run_record::schema(), &run)?;
    }
    Ok(context.out.flush()?)
}

/// The largest config or spec that is read from a file, in bytes: far above real ones, and far below what fills memory.
const MAX_TEXT: u64 = 16 << 20;

/// Reads a text file that somebody named.
pub(super) fn read_text(file: &Path) -> CommandResult<String> {
    use std::io::Read;
    let failed = |error| Failure::io(format!("read \"{}\"", file.display()), error);
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(failed)?;
    opened
        .take(MAX_TEXT + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(Failure::usage(format!(
            "\"{}\" has more than {}",
            file.display(),
            text::bytes(MAX_TEXT)
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        Failure::usage(format!("\"{}\" is no UTF-8 text", file.display())).with_source(error)
    })
}

/// Makes a sweep.
async fn create(context: &mut Context, arguments: &SweepCreateArgs) -> CommandResult {
    let config = read_text(&arguments.file)?;
    let connection = context.connect().await?;
    let CreatedSweep { sweep, warnings, .. } =
        connection.api().create_sweep(&arguments.path, &config).await?;
    for warning in &warnings {
        context.ui.warn(&text::single_line(warning));
    }
    show(context, &sweep, "created")
}

/// The sweep as it is now: its path for people, the object otherwise.
fn show(context: &mut Context, sweep: &Sweep, done: &str) -> CommandResult {
    if context.format() == Format::Table {
        // The form that `wandb agent` takes, too.
        let path = sweep.path.join("/");
        context.note(&format!("{done} {path} ({})", sweep.url));
        context.out.write_all(format!("{path}\n").as_bytes())?;
        return Ok(context.out.flush()?);
    }
    let mut unreadable = Unreadable::default();
    unreadable.look_at(sweep);
    context.write_single(&schema(context), sweep)?;
    context.out.flush()?;
    unreadable.tell(context);
    Ok(())
}

/// Pauses or resumes a sweep.
async fn change(context: &mut Context, arguments: &SweepChangeArgs, state: SweepState) -> CommandResult {
    let connection = context.connect().await?;
    let sweep = connection.api().sweep(&arguments.path).await?;
    let sweep = sweep.set_state(state).await?;
    let done = match state {
        SweepState::Paused => "paused",
        _ => "resumed",
    };
    show(context, &sweep, done)
}

/// Ends a sweep.
async fn end(context: &mut Context, arguments: &SweepEndArgs, state: SweepState) -> CommandResult {
    let connection = context.connect().await?;
    let sweep = connection.api().sweep(&arguments.path).await?;
    let (verb, question, done, consequence) = match state {
        SweepState::Canceled => ("cancel", "Cancel", "canceled", "what runs is stopped"),
        _ => ("stop", "Stop", "stopped", "what runs may go on to its end"),
    };
    let what = format!("sweep {} ({}; {consequence})", sweep.sweep_path(), sweep.name);
    let note = format!("state {}; {consequence}", sweep.state);
    let step = Step::new(verb, "sweep", sweep.path.join("/")).note(note);
    if !agreed(
        context,
        arguments.consent,
        &format!("{question} {what}?"),
        &[step],
    )
    .await?
    {
        return Ok(());
    }
    let sweep = sweep.set_state(state).await?;
    show(context, &sweep, done)
}
