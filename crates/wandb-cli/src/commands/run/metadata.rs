//! `wb run metadata`.

use std::io::Write;

use crate::cli::RunMetadataArgs;
use crate::commands::details::Details;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::field::display_value;
use crate::output::{Format, map};

/// Shows what the process noted about itself.
pub(super) async fn metadata(context: &mut Context, arguments: &RunMetadataArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let path = run.run_path().to_string();
    let metadata = run.metadata().await?.ok_or_else(|| {
        let what = format!("run {path} has no metadata");
        Failure::new(ExitStatus::NotFound, what).hint("the official SDK writes it as wandb-metadata.json")
    })?;
    if context.format() == Format::Table {
        let mut details = Details::new(&path, context.screen);
        for (key, value) in metadata.iter() {
            details.line(key, &display_value(value));
        }
        context.out.write_all(details.render().as_bytes())?;
    } else {
        let written = map::rendered(&metadata, context.format());
        context.out.write_all(&written)?;
    }
    Ok(context.out.flush()?)
}
