//! `wb user list`.

use std::io::Write;

use wandb_api::User;

use super::view::user_schema;
use crate::cli::UserListArgs;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::list::List;
use crate::output::table::{Cell, Column};

/// Lists the users that fit a text.
pub(super) async fn list(context: &mut Context, arguments: &UserListArgs) -> CommandResult {
    let connection = context.connect().await?;
    let mut users = connection.api().users(arguments.query.as_str());
    if let Some(limit) = arguments.limit {
        users = users.limit(limit);
    }
    let schema = user_schema()
        .column(Column::word("USERNAME"), |user: &User| {
            Cell::new(user.username.as_deref().unwrap_or_default())
        })
        .column(Column::name("NAME"), |user| Cell::new(&user.name))
        .column(Column::text("EMAIL"), |user| {
            Cell::new(user.email.as_deref().unwrap_or_default())
        })
        .column(Column::text("TEAMS"), |user| Cell::new(user.teams.join(", ")));
    let mut list = List::new(schema, context.format(), context.screen);
    let mut stream = users.stream();
    while let Some(user) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &user?)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "user");
    context.tell_hidden(hidden);
    Ok(())
}
