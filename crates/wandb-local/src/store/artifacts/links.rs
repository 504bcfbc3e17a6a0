//! Versions in portfolios (protocol §5.7).

use rusqlite::{Connection, OptionalExtension as _, params};

use super::rows::{Loader, MembershipRow};
use super::{LATEST, State, collections, edit, names, versions};
use crate::store::identity::Identity;
use crate::store::{StoreError, StoreResult, projects, time};

/// Projects of this name are registries, which belong to organisations.
const REGISTRY: &str = "wandb-registry-";

/// Where a version is to be linked.
#[derive(Debug)]
pub(crate) enum Portfolio {
    Id(i64),
    Named {
        entity: Option<String>,
        project: Option<String>,
        name: String,
    },
}

/// Links a version, and makes the portfolio if it is not there yet. A version that is linked already stays where it is
/// and gets the aliases.
///
/// # Errors
/// The version is not committed, or the portfolio is a sequence or holds another type.
pub(crate) fn link(
    db: &Connection,
    identity: &Identity,
    artifact: i64,
    portfolio: &Portfolio,
    aliases: &[String],
) -> StoreResult<MembershipRow> {
    for alias in aliases {
        names::alias(alias)?;
    }
    super::access::require_sight(db, identity, artifact)?;
    if let Portfolio::Id(id) = portfolio {
        // Before anything is told about it. The project of one that is named is looked at where it is found.
        super::access::require_collection(db, identity, *id)?;
    }
    if edit::state(db, artifact)? != State::Committed {
        return Err(StoreError::Refused(
            "only a committed artifact can be linked".to_owned(),
        ));
    }
    let now = time::now();
    let portfolio = locate(db, identity, artifact, portfolio, now)?;
    let existing: Option<i64> = db
        .prepare_cached("SELECT id FROM artifact_memberships WHERE artifact_id = ?1 AND collection_id = ?2")?
        .query_row([artifact, portfolio], |row| row.get(0))
        .optional()?;
    let membership = match existing {
        Some(id) => id,
        None => {
            let index: i64 = db
                .prepare_cached(
                    "UPDATE artifact_collections SET next_index = next_index + 1, updated_at = ?2 WHERE id = ?1
                     RETURNING next_index - 1",
                )?
                .query_row([portfolio, now], |row| row.get(0))?;
            db.prepare_cached(
                "INSERT INTO artifact_memberships (collection_id, artifact_id, version_index, created_at)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute([portfolio, artifact, index, now])?;
            let id = db.last_insert_rowid();
            edit::point_alias(db, portfolio, id, LATEST, now)?;
            id
        }
    };
    for alias in aliases {
        edit::point_alias(db, portfolio, membership, alias, now)?;
    }
    let row = Loader::new(db).memberships(&[membership])?.pop();
    Ok(row.ok_or(rusqlite::Error::QueryReturnedNoRows)?)
}

fn locate(
    db: &Connection,
    identity: &Identity,
    artifact: i64,
    portfolio: &Portfolio,
    now: i64,
) -> StoreResult<i64> {
    let version = versions::by_id(db, artifact)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let kind = &version.sequence.kind;
    let found = match portfolio {
        Portfolio::Id(id) => Some(collections::live(db, *id, true)?),
        Portfolio::Named {
            entity,
            project,
            name,
        } => {
            names::collection(name)?;
            let own = version.sequence.project();
            let project = project.as_deref().filter(|project| !project.is_empty());
            let project = project.unwrap_or(&own.name);
            if project.starts_with(REGISTRY) {
                return Err(StoreError::Refused(format!(
                    "{project:?} is a registry: this server has none"
                )));
            }
            let (project, _) = projects::ensure(db, identity, entity.as_deref(), Some(project))?;
            match collections::find(db, project.id, name)? {
                Some(found) => Some(found),
                None => {
                    let kind = super::create::ensure_type(db, project.id, &kind.name, None, now)?;
                    db.prepare_cached(
                        "INSERT INTO artifact_collections (project_id, type_id, portfolio, name, created_at, updated_at)
                         VALUES (?1, ?2, 1, ?3, ?4, ?4)",
                    )?
                    .execute(params![project.id, kind, name, now])?;
                    return Ok(db.last_insert_rowid());
                }
            }
        }
    };
    let found = found.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    if !found.portfolio {
        return Err(StoreError::Refused(format!(
            "artifact collection {:?} is a sequence: versions are logged to it, not linked",
            found.name
        )));
    }
    if found.kind.name != kind.name {
        return Err(StoreError::Refused(format!(
            "artifact portfolio {:?} holds artifacts of type {:?}, not {:?}",
            found.name, found.kind.name, kind.name
        )));
    }
    Ok(found.id)
}

/// Takes a version out of a portfolio, with the aliases that it had there. What is not there is passed over: the request
/// may be a retry. For the same reason a version that the caller may not see is no error: nothing is told of it, and
/// whoever may change a portfolio may empty it.
///
/// # Errors
/// There is no such portfolio.
pub(crate) fn unlink(db: &Connection, artifact: i64, portfolio: i64) -> StoreResult<()> {
    collections::live(db, portfolio, true)?;
    db.prepare_cached("DELETE FROM artifact_memberships WHERE artifact_id = ?1 AND collection_id = ?2")?
        .execute([artifact, portfolio])?;
    edit::settle_latest(db, portfolio, time::now())
}
