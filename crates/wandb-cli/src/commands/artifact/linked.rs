//! `wb artifact linked`.

use std::io::Write;

use super::record;
use crate::cli::ArtifactLinkedArgs;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::list::List;

/// Lists the portfolios that a version is linked into, as versions there.
pub(super) async fn linked(context: &mut Context, arguments: &ArtifactLinkedArgs) -> CommandResult {
    let connection = context.connect().await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let mut list = List::new(record::linked_schema(), context.format(), context.screen);
    let mut stream = artifact.linked_artifacts().stream();
    while let Some(link) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &link?)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "link");
    context.tell_hidden(hidden);
    Ok(())
}
