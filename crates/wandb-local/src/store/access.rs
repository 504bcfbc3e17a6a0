//! Who may see and change what.
//!
//! A project belongs to an entity: a user's own, or a team's. Its access word says who may do what beyond that, as on the
//! real service: `PRIVATE` is for the user who made it, `ENTITY_WRITE` (the default) and `RESTRICTED` for the members of
//! the entity, `USER_READ` lets everybody with a key read, `USER_WRITE` lets everybody write. The server's own user is an
//! admin and may do everything, as on a server that somebody runs for themselves.
//!
//! What may not be seen is *not there* (null, not found); what may be seen and not changed is refused with the words
//! "permission denied" (protocol §2.4), which clients look for.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::identity::Identity;
use super::{StoreError, StoreResult};

/// What a caller wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Look at it.
    Read,
    /// Change it.
    Write,
}

/// The access word of a new project.
pub(crate) const DEFAULT: &str = "ENTITY_WRITE";

/// [`may`] with [`Right::Read`] for users who are no admins, as a condition on a project `p`.
macro_rules! readable_by {
    ($user:literal) => {
        concat!(
            "CASE p.access WHEN 'PRIVATE' THEN p.user_id = ",
            $user,
            " WHEN 'USER_READ' THEN TRUE WHEN 'USER_WRITE' THEN TRUE
              ELSE EXISTS (SELECT 1 FROM members m WHERE m.entity_id = p.entity_id AND m.user_id = ",
            $user,
            ") END"
        )
    };
}

/// A part of a query that is true for projects `p` that the caller may read; `?1` is the user, `?2` whether admin.
pub(crate) const READABLE: &str = concat!("(?2 OR ", readable_by!("?1"), ")");

/// A part of a query that is true where the caller may read the project whose row number the expression gives, and the
/// values of its parameters, for queries whose parameters have no numbers. The expression must not speak of `p` or `m`.
pub(crate) fn readable(caller: &Identity, project: &str) -> (String, Vec<Value>) {
    if caller.admin {
        return ("TRUE".to_owned(), Vec::new());
    }
    let condition = concat!(" AND ", readable_by!("?"), ")");
    let sql = format!("EXISTS (SELECT 1 FROM projects p WHERE p.id = {project}{condition}");
    (sql, vec![Value::Integer(caller.user); 2])
}

/// Whether the caller has a right on a project.
pub(crate) fn may(db: &Connection, caller: &Identity, project: i64, right: Right) -> StoreResult<bool> {
    if caller.admin {
        return Ok(true);
    }
    let facts: Option<(Option<String>, i64, bool)> = db
        .prepare_cached(
            "SELECT p.access, p.user_id, EXISTS (
               SELECT 1 FROM members m WHERE m.entity_id = p.entity_id AND m.user_id = ?2)
             FROM projects p WHERE p.id = ?1",
        )?
        .query_row(params![project, caller.user], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(facts.is_some_and(|(access, owner, member)| {
        match access.as_deref().unwrap_or(DEFAULT) {
            "PRIVATE" => owner == caller.user,
            "USER_WRITE" => true,
            "USER_READ" => member || right == Right::Read,
            // A word of a later version must not open anything.
            _ => member,
        }
    }))
}

/// Lets a change of a project pass that the caller may make.
///
/// # Errors
/// A refusal: *permission denied* for what may be seen, *not found* for what may not. `what` names the object.
pub(crate) fn require_write(db: &Connection, caller: &Identity, project: i64, what: &str) -> StoreResult<()> {
    if may(db, caller, project, Right::Write)? {
        return Ok(());
    }
    Err(if may(db, caller, project, Right::Read)? {
        StoreError::Denied(what.to_owned())
    } else {
        StoreError::Refused(format!("{what} not found"))
    })
}

/// [`require_write`] for an object that the caller named by its id. The name of what may not be seen stays untold.
///
/// # Errors
/// As [`require_write`]. `sort` is the sort of the object, `name` its name.
pub(crate) fn require_write_by_id(
    db: &Connection,
    caller: &Identity,
    project: i64,
    sort: &str,
    name: &str,
) -> StoreResult<()> {
    match require_write(db, caller, project, sort) {
        Err(StoreError::Denied(_)) => Err(StoreError::Denied(format!("{sort} {name}"))),
        outcome => outcome,
    }
}

/// [`require_write`] for a run by its row number. A run that is gone passes: what that means is the caller's business.
///
/// # Errors
/// As [`require_write`].
pub(crate) fn require_run(db: &Connection, caller: &Identity, run: i64) -> StoreResult<()> {
    let found: Option<(i64, String)> = db
        .prepare_cached("SELECT project_id, name FROM runs WHERE id = ?1")?
        .query_row([run], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((project, name)) => require_write_by_id(db, caller, project, "run", &name),
        None => Ok(()),
    }
}

/// [`may`] for a run by its row number; false when there is none.
pub(crate) fn may_run(db: &Connection, caller: &Identity, run: i64, right: Right) -> StoreResult<bool> {
    let project = db
        .prepare_cached("SELECT project_id FROM runs WHERE id = ?1")?
        .query_row([run], |row| row.get(0))
        .optional()?;
    match project {
        Some(project) => may(db, caller, project, right),
        None => Ok(false),
    }
}

/// [`require_write`] for run files by their row numbers.
///
/// # Errors
/// As [`require_write`].
pub(crate) fn require_files(db: &Connection, caller: &Identity, files: &[i64]) -> StoreResult<()> {
    let mut run_of = db.prepare_cached("SELECT run_id FROM run_files WHERE id = ?1")?;
    let mut checked = None;
    for file in files {
        let run: Option<i64> = run_of.query_row([file], |row| row.get(0)).optional()?;
        if run.is_some() && run != checked {
            require_run(db, caller, run.unwrap_or_default())?;
            checked = run;
        }
    }
    Ok(())
}

/// Whether the caller may make projects below an entity: a member may.
pub(crate) fn may_create_below(db: &Connection, caller: &Identity, entity: i64) -> StoreResult<bool> {
    Ok(caller.admin || is_member(db, caller, entity)?)
}

/// Whether an entity shows itself to the caller: their own and those of their teams, and any with a project for all.
pub(crate) fn sees_entity(db: &Connection, caller: &Identity, entity: i64) -> StoreResult<bool> {
    if caller.admin || is_member(db, caller, entity)? {
        return Ok(true);
    }
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM projects WHERE entity_id = ?1 AND access IN ('USER_READ', 'USER_WRITE')",
        )?
        .exists([entity])?)
}

/// Whether the caller belongs to an entity.
pub(crate) fn is_member(db: &Connection, caller: &Identity, entity: i64) -> StoreResult<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM members WHERE entity_id = ?1 AND user_id = ?2")?
        .exists([entity, caller.user])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrations;

    /// Two users with an entity each and a team of the first one's; a project of each word and maker in each entity.
    fn world() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        migrations::apply(&mut db).unwrap();
        db.execute_batch(
            "INSERT INTO entities (id, name, is_team, created_at) VALUES (1, 'ada', 0, 0), (2, 'bob', 0, 0), (3, 'team', 1, 0);
             INSERT INTO users (id, username, name, email, entity_id, created_at)
               VALUES (1, 'ada', 'Ada', '', 1, 0), (2, 'bob', 'Bob', '', 2, 0);
             INSERT INTO members (entity_id, user_id) VALUES (1, 1), (2, 2), (3, 1);",
        )
        .unwrap();
        let words = [
            None,
            Some("PRIVATE"),
            Some("ENTITY_WRITE"),
            Some("RESTRICTED"),
            Some("USER_READ"),
            Some("USER_WRITE"),
            Some("OF_A_LATER_VERSION"),
        ];
        for (number, word) in words.into_iter().enumerate() {
            for entity in 1..=3 {
                for maker in 1..=2 {
                    db.execute(
                        "INSERT INTO projects (entity_id, user_id, name, access, created_at, updated_at)
                         VALUES (?1, ?2, ?3, ?4, 0, 0)",
                        params![entity, maker, format!("p{number}-{maker}"), word],
                    )
                    .unwrap();
                }
            }
        }
        db
    }

    fn caller(user: i64, admin: bool) -> Identity {
        Identity {
            user,
            username: String::new(),
            full_name: String::new(),
            email: String::new(),
            admin,
            entity: user,
            entity_name: String::new(),
        }
    }

    #[test]
    fn lists_and_single_objects_are_seen_by_the_same() {
        let db = world();
        let projects: Vec<i64> = db
            .prepare("SELECT id FROM projects ORDER BY id")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        for caller in [caller(1, false), caller(2, false), caller(2, true)] {
            let listed: Vec<i64> = db
                .prepare(&format!(
                    "SELECT p.id FROM projects p WHERE {READABLE} ORDER BY p.id"
                ))
                .unwrap()
                .query_map(params![caller.user, caller.admin], |row| row.get(0))
                .unwrap()
                .collect::<rusqlite::Result<_>>()
                .unwrap();
            let (condition, values) = readable(&caller, "q.id");
            let joined: Vec<i64> = db
                .prepare(&format!(
                    "SELECT q.id FROM projects q WHERE {condition} ORDER BY q.id"
                ))
                .unwrap()
                .query_map(rusqlite::params_from_iter(values), |row| row.get(0))
                .unwrap()
                .collect::<rusqlite::Result<_>>()
                .unwrap();
            let one_by_one: Vec<i64> = projects
                .iter()
                .copied()
                .filter(|project| may(&db, &caller, *project, Right::Read).unwrap())
                .collect();
            assert_eq!(listed, one_by_one, "user {} admin {}", caller.user, caller.admin);
            assert_eq!(joined, one_by_one, "user {} admin {}", caller.user, caller.admin);
            // Whoever may write may read.
            for project in &projects {
                assert!(!may(&db, &caller, *project, Right::Write).unwrap() || one_by_one.contains(project));
            }
        }
        let count = |caller: &Identity, right| {
            projects
                .iter()
                .filter(|project| may(&db, caller, **project, right).unwrap())
                .count()
        };
        // Ada, of ada and team: what is open (2 x 6), her private ones (3), and of her two entities the other words (4 x 4).
        assert_eq!(count(&caller(1, false), Right::Read), 12 + 3 + 16);
        // Bob belongs to his own entity only.
        assert_eq!(count(&caller(2, false), Right::Read), 12 + 3 + 8);
        // `USER_READ` is for members to write: 4 projects of Ada's two entities, 2 of Bob's.
        assert_eq!(count(&caller(1, false), Right::Write), 6 + 4 + 3 + 16);
        assert_eq!(count(&caller(2, true), Right::Write), projects.len());
    }
}
