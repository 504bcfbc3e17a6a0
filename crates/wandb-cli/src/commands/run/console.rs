//! `wb run console`.

use std::io::Write;

use wandb_api::ConsoleLogLine;

use crate::cli::RunConsoleArgs;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::{Format, text};

const NAMES: &[&str] = &["number", "timestamp", "level", "label", "content"];

fn fields(line: &ConsoleLogLine) -> Fields<'_> {
    vec![
        ("number", line.number.map_or(Field::Null, Field::UInt)),
        (
            "timestamp",
            line.timestamp
                .map_or(Field::Null, |time| Field::owned(time.to_string())),
        ),
        ("level", Field::optional(line.level.as_deref())),
        ("label", Field::optional(line.label.as_deref())),
        ("content", Field::text(&line.content)),
    ]
}

/// Writes what the run's process wrote: the plain lines for people, objects otherwise.
pub(super) async fn console(context: &mut Context, arguments: &RunConsoleArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let mut lines = run.console_logs();
    if let Some(last) = arguments.last {
        lines = lines.last(last);
    }
    if let Some(limit) = arguments.limit {
        lines = lines.limit(limit);
    }
    let mut stream = lines.stream();
    if context.format() == Format::Table {
        // A terminal must not be steered by what a process wrote; a file or a pipe gets it as it is.
        let is_terminal = context.screen.width.is_some();
        let mut count = 0;
        while let Some(line) = next_or_flush(&mut stream, &mut context.out).await? {
            let line = line?;
            if is_terminal {
                context
                    .out
                    .write_all(text::single_line(&line.content).as_bytes())?;
            } else {
                context.out.write_all(line.content.as_bytes())?;
            }
            context.out.write_all(b"\n")?;
            count += 1;
        }
        context.out.flush()?;
        context.tell_count(count, "line");
        return Ok(());
    }
    let mut list = List::new(Schema::new(NAMES, fields), context.format(), context.screen);
    while let Some(line) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &line?)?;
    }
    list.finish(&mut context.out)?;
    Ok(context.out.flush()?)
}
