//! `wb whoami`.

use std::io::Write;

use wandb_api::Viewer;

use super::details::Details;
use crate::connection::Connection;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::Format;
use crate::output::field::Field;
use crate::output::list::{Fields, Schema};

/// The server, the key's source, and the user.
struct Identity {
    base_url: String,
    app_url: String,
    key_source: String,
    entity: String,
    viewer: Viewer,
}

const NAMES: &[&str] = &[
    "base_url",
    "app_url",
    "key_source",
    "username",
    "name",
    "email",
    "entity",
    "teams",
    "admin",
];

fn fields(identity: &Identity) -> Fields<'_> {
    let viewer = &identity.viewer;
    vec![
        ("base_url", Field::text(&identity.base_url)),
        ("app_url", Field::text(&identity.app_url)),
        ("key_source", Field::text(&identity.key_source)),
        ("username", Field::optional(viewer.username.as_deref())),
        ("name", Field::text(&viewer.name)),
        ("email", Field::optional(viewer.email.as_deref())),
        ("entity", Field::text(&identity.entity)),
        ("teams", Field::texts(&viewer.teams)),
        ("admin", Field::Bool(viewer.admin)),
    ]
}

/// Shows who the server takes us for.
pub(crate) async fn whoami(context: &mut Context) -> CommandResult {
    let connection = context.connect().await?;
    let identity = identify(&connection).await?;
    if context.format() == Format::Table {
        let viewer = &identity.viewer;
        let mut details = Details::new(viewer.username.as_deref().unwrap_or(&viewer.name), context.screen);
        details.line("server", &identity.base_url);
        details.line("web", &identity.app_url);
        details.line("key from", &identity.key_source);
        details.line("name", &viewer.name);
        details.line("email", viewer.email.as_deref().unwrap_or_default());
        details.line("entity", &identity.entity);
        details.line("teams", &viewer.teams.join(", "));
        details.line("admin", if viewer.admin { "yes" } else { "" });
        context.out.write_all(details.render().as_bytes())?;
    } else {
        context.write_single(&Schema::new(NAMES, fields), &identity)?;
    }
    context.out.flush()?;
    Ok(())
}

async fn identify(connection: &Connection) -> CommandResult<Identity> {
    let api = connection.api();
    let viewer = api.viewer().await?;
    Ok(Identity {
        base_url: api.base_url().to_string(),
        app_url: api.app_url().to_string(),
        key_source: connection.key_source().to_owned(),
        entity: api.default_entity().await?.to_string(),
        viewer,
    })
}
