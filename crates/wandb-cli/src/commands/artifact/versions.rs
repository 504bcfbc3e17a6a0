//! `wb artifact versions`.

use std::io::Write;

use super::record;
use crate::cli::VersionsArgs;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::list::List;

/// Lists the versions of a collection.
pub(super) async fn versions(context: &mut Context, arguments: &VersionsArgs) -> CommandResult {
    let connection = context.connect().await?;
    let api = connection.api();
    let mut versions = match &arguments.type_name {
        Some(type_name) => api.artifacts(type_name.as_str(), arguments.name.as_str()),
        None => api.artifact_versions(arguments.name.as_str()),
    };
    versions = versions.tags(&arguments.tags);
    if let Some(order) = &arguments.order {
        versions = versions.order(order);
    }
    if let Some(limit) = arguments.limit {
        versions = versions.limit(limit);
    }
    let mut list = List::new(record::schema(context), context.format(), context.screen);
    let mut stream = versions.stream();
    while let Some(version) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &version?)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "version");
    context.tell_hidden(hidden);
    Ok(())
}
