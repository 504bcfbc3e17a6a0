//! `wb local …`.

use std::io::Write;
use std::path::PathBuf;

use wandb_local::{LocalTeam, LocalUser, NewLocalUser, People, PeopleError};

use super::serve::default_dir;
use crate::cli::{
    LocalCommand, LocalPlace, LocalTeamAddArgs, LocalTeamCommand, LocalUserAddArgs, LocalUserCommand,
};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::Format;
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::style::Paint;
use crate::output::table::{Cell, Column};

/// Runs one verb.
pub(crate) fn dispatch(context: &mut Context, command: LocalCommand) -> CommandResult {
    match command {
        LocalCommand::User(LocalUserCommand::Add(arguments)) => add_user(context, &arguments),
        LocalCommand::User(LocalUserCommand::List(place)) => list_users(context, &place),
        LocalCommand::Team(LocalTeamCommand::Add(arguments)) => add_team(context, &arguments),
        LocalCommand::Team(LocalTeamCommand::List(place)) => list_teams(context, &place),
    }
}

fn open(context: &Context, place: &LocalPlace) -> CommandResult<People> {
    let given: [(&str, bool); 3] = [
        ("--base-url", context.global.base_url.is_some()),
        ("--profile", context.global.profile.is_some()),
        (
            "--dir together with --local",
            place.dir.is_some() && context.global.local.is_some(),
        ),
    ];
    if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!("`wb local` has no use for {name}"))
            .hint("it works on a data directory: --dir DIR"));
    }
    let dir: PathBuf = match place.dir.as_ref().or(context.global.local.as_ref()) {
        Some(dir) => dir.clone(),
        None => default_dir()?,
    };
    People::open(dir).map_err(failed)
}

fn failed(error: PeopleError) -> Failure {
    let status = match &error {
        PeopleError::NoDirectory { .. } | PeopleError::NotFound(_) => ExitStatus::NotFound,
        PeopleError::Invalid(_) => ExitStatus::Usage,
        PeopleError::Taken(_) => ExitStatus::Conflict,
        _ => ExitStatus::Failed,
    };
    let failure = Failure::new(status, error.to_string());
    match &error {
        PeopleError::NoDirectory { .. } => failure.hint("`wb serve --dir DIR` makes one"),
        _ => failure.with_source(error),
    }
}

const USER: &[&str] = &["username", "entity", "admin", "service", "teams"];

fn user_fields(user: &LocalUser) -> Fields<'_> {
    vec![
        ("username", Field::text(&user.username)),
        ("entity", Field::text(&user.entity)),
        ("admin", Field::Bool(user.admin)),
        ("service", Field::Bool(user.service)),
        ("teams", Field::texts(&user.teams)),
    ]
}

const NEW_USER: &[&str] = &["username", "entity", "api_key"];

fn new_user_fields(new: &NewLocalUser) -> Fields<'_> {
    vec![
        ("username", Field::text(&new.user.username)),
        ("entity", Field::text(&new.user.entity)),
        // What was asked for, and the one time that it is shown.
        ("api_key", Field::text(&new.api_key)),
    ]
}

fn add_user(context: &mut Context, arguments: &LocalUserAddArgs) -> CommandResult {
    let people = open(context, &arguments.place)?;
    let new = people
        .add_user(&arguments.name, arguments.api_key.as_deref())
        .map_err(failed)?;
    if context.format() == Format::Table {
        context.note(&format!(
            "added user {}; this key is shown once:",
            new.user.username
        ));
        context.out.write_all(format!("{}\n", new.api_key).as_bytes())?;
    } else {
        context.write_single(&Schema::new(NEW_USER, new_user_fields), &new)?;
    }
    Ok(context.out.flush()?)
}

fn list_users(context: &mut Context, place: &LocalPlace) -> CommandResult {
    let users = open(context, place)?.users().map_err(failed)?;
    let schema = Schema::new(USER, user_fields)
        .column(Column::name("USER"), |user: &LocalUser| Cell::new(&user.username))
        .column(Column::text("ENTITY"), |user| Cell::new(&user.entity))
        .column(Column::word("ROLE"), |user| match (user.admin, user.service) {
            (true, _) => Cell::new("admin").painted(Paint::Yellow),
            (_, true) => Cell::new("service"),
            _ => Cell::new("user"),
        })
        .column(Column::text("TEAMS"), |user| Cell::new(user.teams.join(", ")));
    write(context, schema, &users, "user")
}

const TEAM: &[&str] = &["name", "members"];

fn team_fields(team: &LocalTeam) -> Fields<'_> {
    vec![
        ("name", Field::text(&team.name)),
        ("members", Field::texts(&team.members)),
    ]
}

fn team_schema() -> Schema<LocalTeam> {
    Schema::new(TEAM, team_fields)
        .column(Column::name("TEAM"), |team: &LocalTeam| Cell::new(&team.name))
        .column(Column::text("MEMBERS"), |team| Cell::new(team.members.join(", ")))
}

fn add_team(context: &mut Context, arguments: &LocalTeamAddArgs) -> CommandResult {
    let people = open(context, &arguments.place)?;
    let team = people
        .add_team(&arguments.team, arguments.members.iter().map(String::as_str))
        .map_err(failed)?;
    if context.format() == Format::Table {
        context.note(&format!("team {}: {}", team.name, team.members.join(", ")));
    } else {
        context.write_single(&team_schema(), &team)?;
    }
    Ok(context.out.flush()?)
}

fn list_teams(context: &mut Context, place: &LocalPlace) -> CommandResult {
    let teams = open(context, place)?.teams().map_err(failed)?;
    write(context, team_schema(), &teams, "team")
}

fn write<T>(context: &mut Context, schema: Schema<T>, items: &[T], what: &str) -> CommandResult {
    let mut list = List::new(schema, context.format(), context.screen);
    for item in items {
        list.item(&mut context.out, item)?;
    }
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(items.len() as u64, what);
    context.tell_hidden(hidden);
    Ok(())
}
