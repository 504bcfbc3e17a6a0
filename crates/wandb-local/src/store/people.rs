//! Users, teams and API keys.
//!
//! A key names one user. A user has an entity of their own, of the same name, and is a member of any number of teams,
//! which are entities too. Who may see and change what follows from these in [`access`](super::access).

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::identity::Identity;
use super::{StoreError, StoreResult, time};

/// Label of the keys of users that were added; the server's own user has the label `default`.
const LOGIN: &str = "login";

/// What kind of account a user is (protocol §2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountKind {
    /// A person.
    User,
    /// A machine that belongs to a team.
    Service,
}

impl AccountKind {
    const fn code(self) -> i64 {
        match self {
            Self::User => 0,
            Self::Service => 1,
        }
    }
}

/// A user as stored.
#[derive(Debug, Clone)]
pub(crate) struct UserRow {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) admin: bool,
    pub(crate) kind: AccountKind,
    /// Name of the default entity.
    pub(crate) entity: String,
}

/// A user within a team.
#[derive(Debug, Clone)]
pub(crate) struct MemberRow {
    pub(crate) user: UserRow,
    /// `admin` or `member`.
    pub(crate) role: String,
    /// The key of a service account; only digests are kept of people's.
    pub(crate) secret: Option<String>,
}

/// An API key, without its secret.
#[derive(Debug, Clone)]
pub(crate) struct KeyRow {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) description: Option<String>,
}

const USER: &str = "u.id, u.username, u.name, u.email, u.admin, u.kind, e.name
     FROM users u JOIN entities e ON e.id = u.entity_id";

fn read_user(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        id: row.get(0)?,
        username: row.get(1)?,
        name: row.get(2)?,
        email: row.get(3)?,
        admin: row.get(4)?,
        kind: if row.get::<_, i64>(5)? == AccountKind::Service.code() {
            AccountKind::Service
        } else {
            AccountKind::User
        },
        entity: row.get(6)?,
    })
}

/// Whether a text can be the name of a user or a team: it becomes a segment of paths and web addresses.
///
/// # Errors
/// A refusal that says what is allowed.
pub(crate) fn check_name(what: &str, name: &str) -> StoreResult<()> {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) || name.chars().all(|c| c == '.') {
        return Err(StoreError::Refused(format!(
            "invalid {what} name {name:?}: 1 to 64 letters, digits, \"-\", \"_\" or \".\""
        )));
    }
    Ok(())
}

/// Adds a user with an entity of their own and a key.
///
/// # Errors
/// A refusal when the name is none, a conflict when it is taken or the key is somebody's.
pub(crate) fn add_user(db: &Connection, name: &str, key_sha256: &[u8]) -> StoreResult<UserRow> {
    check_name("user", name)?;
    add_account(db, name, name, AccountKind::User, Some((LOGIN, None, key_sha256)))
}

fn add_account(
    db: &Connection,
    username: &str,
    full_name: &str,
    kind: AccountKind,
    key: Option<(&str, Option<&str>, &[u8])>,
) -> StoreResult<UserRow> {
    let now = time::now();
    let taken: bool = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM entities WHERE name = ?1) OR EXISTS (SELECT 1 FROM users WHERE username = ?1)",
        [username],
        |row| row.get(0),
    )?;
    if taken {
        return Err(StoreError::Conflict(format!(
            "the name {username:?} is taken by a user or a team"
        )));
    }
    db.execute(
        "INSERT INTO entities (name, is_team, created_at) VALUES (?1, 0, ?2)",
        params![username, now],
    )?;
    let entity = db.last_insert_rowid();
    db.execute(
        "INSERT INTO users (username, name, email, admin, entity_id, created_at, kind) VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6)",
        params![
            username,
            full_name,
            format!("{username}@localhost"),
            entity,
            now,
            kind.code()
        ],
    )?;
    let user = db.last_insert_rowid();
    db.execute(
        "INSERT INTO members (entity_id, user_id, role) VALUES (?1, ?2, 'admin')",
        [entity, user],
    )?;
    if let Some((label, description, sha256)) = key {
        add_key(db, user, label, description, sha256)?;
    }
    by_name(db, username)?.ok_or(StoreError::Sqlite(rusqlite::Error::QueryReturnedNoRows))
}

/// Adds a key to a user. Its label is made unique among the user's keys.
///
/// # Errors
/// A conflict when the key is somebody's already: a key names one user.
pub(crate) fn add_key(
    db: &Connection,
    user: i64,
    label: &str,
    description: Option<&str>,
    sha256: &[u8],
) -> StoreResult<i64> {
    let taken: bool = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM api_keys WHERE sha256 = ?1)",
        [sha256],
        |row| row.get(0),
    )?;
    if taken {
        return Err(StoreError::Conflict(
            "this API key belongs to a user already".to_owned(),
        ));
    }
    let same: i64 = db.query_row(
        "SELECT COUNT(*) FROM api_keys WHERE user_id = ?1 AND (label = ?2 OR label LIKE ?2 || '-%')",
        params![user, label],
        |row| row.get(0),
    )?;
    let mut number = same;
    loop {
        let label = if number == 0 {
            label.to_owned()
        } else {
            format!("{label}-{number}")
        };
        let added = db.execute(
            "INSERT OR IGNORE INTO api_keys (user_id, label, description, sha256, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![user, label, description, sha256, time::now()],
        )?;
        if added == 1 {
            return Ok(db.last_insert_rowid());
        }
        number += 1;
    }
}

/// The keys of a user, oldest first.
pub(crate) fn keys(db: &Connection, user: i64) -> StoreResult<Vec<KeyRow>> {
    let mut statement =
        db.prepare_cached("SELECT id, label, description FROM api_keys WHERE user_id = ?1 ORDER BY id")?;
    let rows = statement.query_map([user], |row| {
        Ok(KeyRow {
            id: row.get(0)?,
            label: row.get(1)?,
            description: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Takes a key of a user away; `false` when the user has no such key.
///
/// # Errors
/// A refusal for the key that the data directory keeps: the server could not be reached with it any more.
pub(crate) fn delete_key(db: &Connection, user: i64, key: i64) -> StoreResult<bool> {
    let label: Option<String> = db
        .query_row(
            "SELECT label FROM api_keys WHERE id = ?1 AND user_id = ?2",
            [key, user],
            |row| row.get(0),
        )
        .optional()?;
    match label.as_deref() {
        None => Ok(false),
        Some("default") => Err(StoreError::Refused(
            "this is the server's own API key, which its data directory keeps".to_owned(),
        )),
        Some(_) => {
            db.execute("DELETE FROM api_keys WHERE id = ?1", [key])?;
            Ok(true)
        }
    }
}

/// Who a key names.
pub(crate) fn by_key(db: &Connection, sha256: &[u8]) -> StoreResult<Option<Identity>> {
    Ok(db
        .prepare_cached(
            "SELECT u.id, u.username, u.name, u.email, u.admin, e.id, e.name
             FROM api_keys k JOIN users u ON u.id = k.user_id JOIN entities e ON e.id = u.entity_id
             WHERE k.sha256 = ?1",
        )?
        .query_row([sha256], |row| {
            Ok(Identity {
                user: row.get(0)?,
                username: row.get(1)?,
                full_name: row.get(2)?,
                email: row.get(3)?,
                admin: row.get(4)?,
                entity: row.get(5)?,
                entity_name: row.get(6)?,
            })
        })
        .optional()?)
}

/// The user of this login name.
pub(crate) fn by_name(db: &Connection, username: &str) -> StoreResult<Option<UserRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {USER} WHERE u.username = ?1"))?
        .query_row([username], read_user)
        .optional()?)
}

/// The user with this row number.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<UserRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {USER} WHERE u.id = ?1"))?
        .query_row([id], read_user)
        .optional()?)
}

/// All users, in the order of their names.
pub(crate) fn users(db: &Connection) -> StoreResult<Vec<UserRow>> {
    let mut statement = db.prepare_cached(&format!("SELECT {USER} ORDER BY u.username"))?;
    let rows = statement.query_map([], read_user)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Users whom the caller knows (of shared teams, and all for an admin) and whose login name or address is `query`;
/// without a query all of them. One page, and whether more follow.
pub(crate) fn search(
    db: &Connection,
    caller: &Identity,
    query: Option<&str>,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<UserRow>, bool)> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {USER}
         WHERE (?1 IS NULL OR u.username = ?1 OR u.email = ?1 OR u.name = ?1)
           AND (u.id = ?2 OR ?3 OR EXISTS (
             SELECT 1 FROM members mine JOIN members theirs ON theirs.entity_id = mine.entity_id
             WHERE mine.user_id = ?2 AND theirs.user_id = u.id))
         ORDER BY u.username LIMIT ?4 OFFSET ?5"
    ))?;
    let mut rows = statement
        .query_map(
            params![
                query,
                caller.user,
                caller.admin,
                limit.saturating_add(1) as i64,
                offset as i64
            ],
            read_user,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    Ok((rows, more))
}

/// Adds a team; `None` when the name is a team's already.
///
/// # Errors
/// A refusal when the name is none, a conflict when it is a user's.
pub(crate) fn add_team(db: &Connection, name: &str) -> StoreResult<Option<i64>> {
    check_name("team", name)?;
    let found: Option<bool> = db
        .query_row("SELECT is_team FROM entities WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .optional()?;
    match found {
        Some(true) => Ok(None),
        Some(false) => Err(StoreError::Conflict(format!(
            "the name {name:?} is taken by a user"
        ))),
        None => {
            db.execute(
                "INSERT INTO entities (name, is_team, created_at) VALUES (?1, 1, ?2)",
                params![name, time::now()],
            )?;
            Ok(Some(db.last_insert_rowid()))
        }
    }
}

/// Makes a user a member of a team, or changes the role.
pub(crate) fn set_member(db: &Connection, team: i64, user: i64, admin: bool) -> StoreResult<()> {
    db.execute(
        "INSERT INTO members (entity_id, user_id, role) VALUES (?1, ?2, ?3)
         ON CONFLICT (entity_id, user_id) DO UPDATE SET role = excluded.role",
        params![team, user, if admin { "admin" } else { "member" }],
    )?;
    Ok(())
}

/// Takes a user out of a team; `false` when the user was not in it.
///
/// # Errors
/// A refusal for the only admin of a team: nobody could look after it any more.
pub(crate) fn remove_member(db: &Connection, team: i64, user: i64) -> StoreResult<bool> {
    let others: i64 = db.query_row(
        "SELECT COUNT(*) FROM members WHERE entity_id = ?1 AND user_id <> ?2 AND role = 'admin'",
        [team, user],
        |row| row.get(0),
    )?;
    if others == 0 && is_team_admin(db, team, user)? {
        return Err(StoreError::Refused(
            "the only admin cannot leave the team".to_owned(),
        ));
    }
    Ok(db.execute(
        "DELETE FROM members WHERE entity_id = ?1 AND user_id = ?2",
        [team, user],
    )? == 1)
}

/// Whether a user looks after a team.
pub(crate) fn is_team_admin(db: &Connection, team: i64, user: i64) -> StoreResult<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM members WHERE entity_id = ?1 AND user_id = ?2 AND role = 'admin'")?
        .exists([team, user])?)
}

/// The members of an entity, in the order of their names.
pub(crate) fn members(db: &Connection, entity: i64) -> StoreResult<Vec<MemberRow>> {
    let mut statement = db.prepare_cached(
        "SELECT u.id, u.username, u.name, u.email, u.admin, u.kind, e.name, m.role,
           (SELECT k.secret FROM api_keys k WHERE k.user_id = u.id AND k.secret IS NOT NULL)
         FROM members m JOIN users u ON u.id = m.user_id JOIN entities e ON e.id = u.entity_id
         WHERE m.entity_id = ?1 ORDER BY u.username",
    )?;
    let rows = statement.query_map([entity], |row| {
        Ok(MemberRow {
            user: read_user(row)?,
            role: row.get(7)?,
            secret: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The teams of a user, or all of them, as row number and name in the order of their names.
pub(crate) fn teams(db: &Connection, user: Option<i64>) -> StoreResult<Vec<(i64, String)>> {
    let mut statement = db.prepare_cached(
        "SELECT e.id, e.name FROM entities e WHERE e.is_team
           AND (?1 IS NULL OR EXISTS (SELECT 1 FROM members m WHERE m.entity_id = e.id AND m.user_id = ?1))
         ORDER BY e.name",
    )?;
    let rows = statement.query_map([user], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Makes a service account of a team, with a key.
///
/// # Errors
/// As [`add_user`].
pub(crate) fn add_service_account(
    db: &Connection,
    team: i64,
    description: &str,
    suffix: &str,
    secret: &str,
    key_sha256: &[u8],
) -> StoreResult<UserRow> {
    let username = format!("service-{suffix}");
    let user = add_account(
        db,
        &username,
        description,
        AccountKind::Service,
        Some((LOGIN, Some(description), key_sha256)),
    )?;
    set_member(db, team, user.id, false)?;
    // Of people only digests are kept. A machine's key is for its team's admins to read and to put where it is needed.
    db.execute(
        "UPDATE api_keys SET secret = ?2 WHERE user_id = ?1",
        params![user.id, secret],
    )?;
    // It works for the team: runs that name no entity go there.
    db.execute("UPDATE users SET entity_id = ?2 WHERE id = ?1", [user.id, team])?;
    by_id(db, user.id)?.ok_or(StoreError::Sqlite(rusqlite::Error::QueryReturnedNoRows))
}
