//! `wb team view` and `wb user view`.

use std::io::Write;

use wandb_api::{Team, TeamMember, User};

use crate::commands::details::Details;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::field::Field;
use crate::output::list::{Fields, Schema};
use crate::output::{Format, text};

const TEAM: &[&str] = &[
    "id",
    "name",
    "read_only",
    "private_only",
    "storage_bytes",
    "default_access",
    "members",
];

/// The CSV form; JSON has the members whole.
fn team_fields(team: &Team) -> Fields<'_> {
    let members = team.members.iter().map(|member| called(member).into());
    vec![
        ("id", Field::text(&team.id)),
        ("name", Field::text(&team.name)),
        ("read_only", Field::Bool(team.read_only)),
        ("private_only", Field::Bool(team.private_only)),
        ("storage_bytes", Field::Int(team.storage_bytes)),
        ("default_access", Field::text(&team.default_access)),
        ("members", Field::Texts(members.collect())),
    ]
}

pub(super) fn called(member: &TeamMember) -> &str {
    member.username.as_deref().unwrap_or(&member.name)
}

fn team_json(team: &Team, out: &mut Vec<u8>) -> wandb_api::Result<()> {
    serde_json::to_writer(out, team.data())
        .map_err(|error| wandb_api::Error::protocol("the team cannot be written as JSON").with_source(error))
}

/// The JSON and CSV form of a team.
pub(super) fn team_schema() -> Schema<Team> {
    Schema::new(TEAM, team_fields).json_by(team_json)
}

/// Shows a team.
pub(super) async fn team(context: &mut Context, name: &str) -> CommandResult {
    let connection = context.connect().await?;
    let team = connection.api().team(name).await?;
    if context.format() == Format::Table {
        let mut details = Details::new(&team.name, context.screen);
        details.line("access", if team.read_only { "read only" } else { "" });
        details.line("new projects", &team.default_access);
        details.line("private only", if team.private_only { "yes" } else { "" });
        let stored = u64::try_from(team.storage_bytes).unwrap_or(0);
        details.line("stores", &text::bytes(stored));
        if !team.members.is_empty() {
            details.section("members");
        }
        for member in &team.members {
            details.line(called(member), &about(member));
        }
        context.out.write_all(details.render().as_bytes())?;
    } else {
        context.write_single(&team_schema(), &team)?;
    }
    Ok(context.out.flush()?)
}

/// A member in words: never the key of a service account.
fn about(member: &TeamMember) -> String {
    let role = match (&member.role, member.admin) {
        (Some(role), _) => role.as_str(),
        (None, true) => "admin",
        (None, false) => "member",
    };
    let more = [
        member.email.as_deref(),
        member.is_service_account().then_some("service account"),
        member.pending.then_some("invited"),
    ];
    std::iter::once(role)
        .chain(more.into_iter().flatten())
        .collect::<Vec<_>>()
        .join(", ")
}

const USER: &[&str] = &[
    "id",
    "name",
    "username",
    "email",
    "admin",
    "entity",
    "deleted_at",
    "teams",
];

fn user_fields(user: &User) -> Fields<'_> {
    let deleted = user
        .deleted_at
        .map_or(Field::Null, |time| Field::owned(time.to_string()));
    vec![
        ("id", Field::text(&user.id)),
        ("name", Field::text(&user.name)),
        ("username", Field::optional(user.username.as_deref())),
        ("email", Field::optional(user.email.as_deref())),
        ("admin", Field::Bool(user.admin)),
        ("entity", Field::optional(user.entity.as_deref())),
        ("deleted_at", deleted),
        ("teams", Field::texts(&user.teams)),
    ]
}

/// The JSON and CSV form of a user.
pub(super) fn user_schema() -> Schema<User> {
    Schema::new(USER, user_fields)
}

/// Shows a user.
pub(super) async fn user(context: &mut Context, name: &str) -> CommandResult {
    let connection = context.connect().await?;
    let user = connection.api().user(name).await?;
    if context.format() == Format::Table {
        let mut details = Details::new(user.username.as_deref().unwrap_or(&user.name), context.screen);
        details.line("name", &user.name);
        details.line("email", user.email.as_deref().unwrap_or_default());
        details.line("entity", user.entity.as_deref().unwrap_or_default());
        details.line("teams", &user.teams.join(", "));
        details.line("admin", if user.admin { "yes" } else { "" });
        if let Some(time) = user.deleted_at {
            details.line("deleted", &time.to_string());
        }
        context.out.write_all(details.render().as_bytes())?;
    } else {
        context.write_single(&user_schema(), &user)?;
    }
    Ok(context.out.flush()?)
}
