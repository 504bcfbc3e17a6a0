//! `wb team create`, `invite`, `remove` and `service-account`.

use std::io::Write;

use wandb_api::{Team, TeamMember};

use super::keys::NewKey;
use super::view::{called, team_schema};
use crate::cli::{TeamCreateArgs, TeamInviteArgs, TeamRemoveArgs, TeamServiceAccountArgs};
use crate::commands::plan::{self, Step, agreed};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::Format;

/// The team as it is now: its name for people, the object otherwise.
fn show(context: &mut Context, team: &Team, done: &str) -> CommandResult {
    context.note(done);
    if context.format() == Format::Table {
        context.out.write_all(format!("{}\n", team.name).as_bytes())?;
    } else {
        context.write_single(&team_schema(), team)?;
    }
    Ok(context.out.flush()?)
}

/// Makes a team.
pub(super) async fn create(context: &mut Context, arguments: &TeamCreateArgs) -> CommandResult {
    let connection = context.connect().await?;
    let team = connection
        .api()
        .create_team(&arguments.name, arguments.admin.as_deref())
        .await?;
    show(context, &team, &format!("created team {}", team.name))
}

/// Invites somebody.
pub(super) async fn invite(context: &mut Context, arguments: &TeamInviteArgs) -> CommandResult {
    let connection = context.connect().await?;
    let team = connection.api().team(&arguments.name).await?;
    team.invite(&arguments.who, arguments.admin).await?;
    let done = format!("invited {} to team {}", arguments.who, team.name);
    show(context, &team.reload().await?, &done)
}

/// Whether a member is called so.
fn is_called(member: &TeamMember, who: &str) -> bool {
    let same = |own: Option<&str>| own.is_some_and(|own| own.eq_ignore_ascii_case(who));
    same(member.username.as_deref()) || same(member.email.as_deref())
}

/// Removes a member.
pub(super) async fn remove(context: &mut Context, arguments: &TeamRemoveArgs) -> CommandResult {
    let connection = context.connect().await?;
    let team = connection.api().team(&arguments.name).await?;
    let member = team
        .members
        .iter()
        .find(|member| is_called(member, &arguments.who));
    let member = member.ok_or_else(|| {
        Failure::new(
            ExitStatus::NotFound,
            format!("team {} has no member \"{}\"", team.name, arguments.who),
        )
        .hint(format!("`wb team view {}` shows its members", team.name))
    })?;
    let name = called(member);
    let note = if member.pending {
        format!("of team {}; was invited", team.name)
    } else {
        format!("of team {}", team.name)
    };
    let steps = [Step::new("remove", "member", name).note(note)];
    let question = format!("Remove {name} from team {}?", team.name);
    if agreed(context, arguments.consent, &question, &steps).await? {
        team.remove_member(member).await?;
        plan::done(
            context,
            &steps,
            &format!("removed {name} from team {}", team.name),
        )?;
    }
    Ok(())
}

/// Makes an account for programs, and prints its key.
pub(super) async fn service_account(
    context: &mut Context,
    arguments: &TeamServiceAccountArgs,
) -> CommandResult {
    let connection = context.connect().await?;
    let team = connection.api().team(&arguments.name).await?;
    let member = team.create_service_account(&arguments.description).await?;
    let Some(secret) = &member.api_key else {
        let what = format!(
            "the account {} was made, and the server shows no key",
            called(&member)
        );
        return Err(Failure::new(ExitStatus::Incomplete, what)
            .hint("an administrator of the team sees it in the settings of the team"));
    };
    context.note(&format!(
        "created the account {}; this is the only time that its key is shown",
        called(&member)
    ));
    let key = NewKey {
        id: member.id.as_deref().unwrap_or_default(),
        api_key: secret.expose(),
        description: Some(&arguments.description),
    };
    key.print(context)
}
