//! `wb run list`.

use std::io::Write;

use wandb_api::filter::{FieldPath, Filter};
use wandb_api::order::Order;
use wandb_api::{Run, Runs, Selection};

use super::explain;
use super::record::{self, SelectedColumn, selected_value};
use crate::cli::{KeyList, RunListArgs};
use crate::commands::cells;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::json_text;
use crate::output::field::{Field, display_value};
use crate::output::list::{List, Schema};
use crate::output::style::state_paint;
use crate::output::table::{Cell, Column};
use crate::output::{Format, text};

/// Lists, counts or explains.
pub(crate) async fn list(context: &mut Context, arguments: &RunListArgs) -> CommandResult {
    if let Some(filter) = &arguments.filter {
        // Of two conditions under one key, one would be dropped.
        json_text::check_keys("--filter", filter)?;
    }
    let filter = arguments
        .filter
        .as_deref()
        .map(Filter::parse_any)
        .transpose()
        .map_err(wandb_api::Error::from)?;
    let order = arguments
        .order
        .as_deref()
        .map(Order::parse)
        .transpose()
        .map_err(wandb_api::Error::from)?;
    let keys = KeyList::join(&arguments.select);
    let selected: Vec<SelectedColumn> = keys.iter().filter_map(|key| SelectedColumn::parse(key)).collect();
    let columns = table_columns(context.format(), &selected, order.as_ref());
    let connection = context.connect().await?;
    if arguments.explain {
        return explain::print(context, connection.api(), filter.as_ref(), order.as_ref()).await;
    }
    let path = connection.project_path(arguments.path.as_deref())?;
    let mut runs = connection.api().runs(path);
    if let Some(filter) = &filter {
        runs = runs.filter(filter.clone());
    }
    if arguments.count {
        return count(context, &runs).await;
    }
    if let Some(order) = order {
        runs = runs.order(order);
    }
    if let Some(size) = arguments.page_size {
        runs = runs.page_size(size);
    }
    if let Some(limit) = arguments.limit {
        runs = runs.limit(limit);
    }
    runs = runs.select(selection(context.format(), &keys, &columns));

    let mut list = List::new(
        run_schema(&columns, &selected, context),
        context.format(),
        context.screen,
    );
    let mut stream = runs.stream();
    let mut unseen: Vec<&SelectedColumn> = selected.iter().collect();
    while let Some(run) = next_or_flush(&mut stream, &mut context.out).await? {
        let run = run?;
        unseen.retain(|column| selected_value(&run, column).is_none());
        list.item(&mut context.out, &run)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "run");
    context.tell_hidden(hidden);
    // A misspelled key is a column without values, and no error: any run may come to have it.
    for column in unseen.iter().filter(|_| count > 0) {
        context.ui.warn(&format!(
            "none of these runs has {:?}{}",
            column.title,
            column.places()
        ));
    }
    // An empty answer is where a reader wants to know what a filter may mean that they did not expect.
    if let (0, Some(filter)) = (count, &filter) {
        for note in connection.api().explain(filter).await?.notes() {
            context.note(&format!("note: {note}"));
        }
    }
    Ok(())
}

/// The keys that get a column of their own: what was selected, else (in a table) what the runs are sorted by.
fn table_columns(format: Format, selected: &[SelectedColumn], order: Option<&Order>) -> Vec<SelectedColumn> {
    if !selected.is_empty() || format != Format::Table {
        return selected.to_vec();
    }
    let keys = order.map(Order::keys).unwrap_or_default();
    let column = |field: &FieldPath| match field {
        FieldPath::Config(key) => SelectedColumn::parse(&format!("config.{}", key.as_str())),
        FieldPath::Summary(key) => SelectedColumn::parse(&format!("summary.{}", key.as_str())),
        _ => None,
    };
    keys.iter().filter_map(|key| column(key.field())).collect()
}

/// What to ask the server for: all that an object shows, but for a table only what has a column.
fn selection(format: Format, keys: &[String], columns: &[SelectedColumn]) -> Selection {
    if keys.is_empty() && format != Format::Table {
        return Selection::default();
    }
    // `Selection::of` reads the names of whole parts: `config`, `summary`, `system_metrics`.
    columns
        .iter()
        .fold(Selection::of(keys), |selection, column| column.add_to(selection))
}

fn run_schema(columns: &[SelectedColumn], selected: &[SelectedColumn], context: &Context) -> Schema<Run> {
    let now = context.now();
    let relative = context.screen.width.is_some();
    let mut schema = record::schema()
        .column(Column::word("ID"), |run| Cell::new(&run.id))
        .column(Column::name("NAME"), |run| Cell::new(&run.name));
    // What was asked for comes before what is always there: a narrow terminal leaves columns out from the right.
    for column in columns {
        let title = text::single_line(&column.title).into_owned();
        let column = column.clone();
        schema = schema.column(Column::value(title), move |run| {
            selected_value(run, &column).map_or_else(Cell::empty, |value| Cell::new(display_value(value)))
        });
    }
    schema = schema
        .column(Column::word("STATE"), |run| {
            Cell::new(run.state.as_str()).painted(state_paint(run.state.as_str()))
        })
        .column(Column::word("CREATED"), move |run| {
            cells::time(Some(run.created_at), now, relative)
        })
        .column(Column::text("GROUP"), |run| {
            Cell::new(run.group.as_deref().unwrap_or_default())
        })
        .column(Column::text("TAGS"), |run| Cell::new(run.tags.join(", ")))
        .column(Column::text("USER"), |run| {
            Cell::new(run.username().unwrap_or_default())
        });
    if !selected.is_empty() {
        schema = schema.csv_without(&["config", "summary", "system_metrics"]);
        for column in selected {
            let title = column.title.clone();
            let column = column.clone();
            schema = schema.csv_column(title, move |run| {
                selected_value(run, &column).map_or(Field::Null, Field::Value)
            });
        }
    }
    schema
}

async fn count(context: &mut Context, runs: &Runs) -> CommandResult {
    let count = runs.count().await?;
    let line = match context.format() {
        Format::Table => format!("{count}\n"),
        Format::Csv => format!("count\n{count}\n"),
        Format::Json | Format::Jsonl => format!("{{\"count\":{count}}}\n"),
    };
    context.out.write_all(line.as_bytes())?;
    Ok(context.out.flush()?)
}
