//! `wb sweep …`.

use std::io::Write;

use wandb_api::order::Order;
use wandb_api::{Runs, Sweep};

use super::run::record as run_record;
use crate::cli::{SweepBestArgs, SweepCommand, SweepListArgs, SweepRunsArgs, SweepViewArgs};
use crate::commands::cells;
use crate::commands::details::Details;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::Format;
use crate::output::field::{Field, display_value};
use crate::output::list::{Fields, List, Schema};
use crate::output::style::state_paint;
use crate::output::table::{Cell, Column};

/// Runs one verb.
pub(crate) async fn dispatch(context: &mut Context, command: SweepCommand) -> CommandResult {
    match command {
        SweepCommand::List(arguments) => list(context, &arguments).await,
        SweepCommand::View(arguments) => view(context, &arguments).await,
        SweepCommand::Runs(arguments) => runs(context, &arguments).await,
        SweepCommand::Best(arguments) => best(context, &arguments).await,
    }
}

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
        (
            "config",
            match sweep.config.map() {
                Ok(map) => Field::Map(map),
                // As the library serialises it: what somebody else wrote wrongly stays reachable.
                Err(_) => Field::text(sweep.config.text()),
            },
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

/// Tells of a config that cannot be read. In JSON and CSV it is the text that it is, and the other sweeps are shown, too.
fn warn_of_config(context: &Context, sweep: &Sweep) {
    if let Err(error) = sweep.config.map() {
        let path = sweep.sweep_path();
        context.ui.warn(&format!(
            "the config of sweep \"{path}\" is only there as text: {error}"
        ));
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
    while let Some(sweep) = next_or_flush(&mut stream, &mut context.out).await? {
        let sweep = sweep?;
        // The lines for people do not show it.
        if context.format() != Format::Table {
            warn_of_config(context, &sweep);
        }
        list.item(&mut context.out, &sweep)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "sweep");
    context.tell_hidden(hidden);
    Ok(())
}

async fn view(context: &mut Context, arguments: &SweepViewArgs) -> CommandResult {
    let connection = context.connect().await?;
    let sweep = connection.api().sweep(&arguments.path).await?;
    warn_of_config(context, &sweep);
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
        let config = sweep.config.map().ok();
        if let Some(parameters) = config.and_then(|map| map.get("parameters")?.as_map()) {
            details.section("parameters");
            for (name, parameter) in parameters.iter() {
                details.line(name, &display_value(parameter));
            }
        }
        context.out.write_all(details.render().as_bytes())?;
    } else {
        context.write_single(&schema(context), &sweep)?;
    }
    Ok(context.out.flush()?)
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
        details.painted_line("state", &run.state, state_paint(&run.state));
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
