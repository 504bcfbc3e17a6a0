//! Who a request acts for, the server's own user, entities, and the server's own secrets. Users and teams that were
//! added are looked after in [`people`](super::people).

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StoreResult, access, time};

/// Who a request acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Row number in `users`.
    pub(crate) user: i64,
    /// Login name.
    pub(crate) username: String,
    /// Name shown to people.
    pub(crate) full_name: String,
    /// Mail address.
    pub(crate) email: String,
    /// May see and change everything: the server's own user.
    pub(crate) admin: bool,
    /// Row number of the default entity.
    pub(crate) entity: i64,
    /// Name of the default entity.
    pub(crate) entity_name: String,
}

/// Makes sure that the entity and the user exist, that the user's key is the one whose digest is given, and returns
/// the identity.
pub(crate) fn prepare(
    db: &Connection,
    entity: &str,
    username: &str,
    key_sha256: &[u8],
) -> StoreResult<Identity> {
    let now = time::now();
    let team = entity != username;
    db.execute(
        "INSERT INTO entities (name, is_team, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING",
        params![entity, team, now],
    )?;
    let entity_id: i64 = db.query_row("SELECT id FROM entities WHERE name = ?1", [entity], |row| {
        row.get(0)
    })?;
    db.execute(
        "INSERT INTO users (username, name, email, admin, entity_id, created_at) VALUES (?1, ?1, ?2, 1, ?3, ?4)
         ON CONFLICT (username) DO UPDATE SET entity_id = excluded.entity_id, admin = 1",
        params![username, format!("{username}@localhost"), entity_id, now],
    )?;
    let (user, full_name, email) = db.query_row(
        "SELECT id, name, email FROM users WHERE username = ?1",
        [username],
        |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
            ))
        },
    )?;
    db.execute(
        "INSERT OR IGNORE INTO members (entity_id, user_id, role) VALUES (?1, ?2, 'admin')",
        [entity_id, user],
    )?;
    // The digest is unique over all users: a key names one user.
    db.execute(
        "DELETE FROM api_keys WHERE sha256 = ?1 OR (user_id = ?2 AND label = 'default')",
        params![key_sha256, user],
    )?;
    db.execute(
        "INSERT INTO api_keys (user_id, label, sha256, created_at) VALUES (?1, 'default', ?2, ?3)",
        params![user, key_sha256, now],
    )?;
    Ok(Identity {
        user,
        username: username.to_owned(),
        full_name,
        email,
        admin: true,
        entity: entity_id,
        entity_name: entity.to_owned(),
    })
}

/// Entity and user of the last time that the data directory was opened; `None` for a new one.
pub(crate) fn last_used(db: &Connection) -> StoreResult<Option<(String, String)>> {
    let found = db
        .query_row(
            "SELECT e.name, u.username FROM api_keys k
             JOIN users u ON u.id = k.user_id JOIN entities e ON e.id = u.entity_id
             WHERE k.label = 'default' ORDER BY k.id DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(found)
}

/// Everything needed to answer `entity(name)`.
#[derive(Debug, Clone)]
pub(crate) struct EntityRow {
    /// Row number.
    pub(crate) id: i64,
    /// Name in URLs.
    pub(crate) name: String,
    /// True when several users may share it.
    pub(crate) is_team: bool,
}

/// The entity of this name, as far as it shows itself to the caller; `None` or `""` mean the caller's default (protocol
/// §2.4).
pub(crate) fn entity(
    db: &Connection,
    identity: &Identity,
    name: Option<&str>,
) -> StoreResult<Option<EntityRow>> {
    let name = match name {
        None | Some("") => identity.entity_name.as_str(),
        Some(name) => name,
    };
    let row = db
        .prepare_cached("SELECT id, name, is_team FROM entities WHERE name = ?1")?
        .query_row([name], |row| {
            Ok(EntityRow {
                id: row.get(0)?,
                name: row.get(1)?,
                is_team: row.get(2)?,
            })
        })
        .optional()?;
    match row {
        Some(row) if access::sees_entity(db, identity, row.id)? => Ok(Some(row)),
        _ => Ok(None),
    }
}

/// Bytes stored by an entity's run files and artifacts (files, manifests, uploads on their way), each distinct content
/// once. Only projects that the caller may see count: a sum over all of them would change with an upload by whether the
/// same content is in a project that they may not see.
pub(crate) fn storage_bytes(db: &Connection, caller: &Identity, entity: i64) -> StoreResult<i64> {
    let sql = format!(
        "WITH seen AS (SELECT p.id FROM projects p WHERE p.entity_id = ?3 AND {}),
         versions AS (SELECT a.id FROM artifacts a JOIN artifact_collections c ON c.id = a.sequence_id
           WHERE c.project_id IN seen AND a.state <> 'DELETED'),
         stored AS (
           SELECT f.md5, f.size FROM run_files f JOIN runs r ON r.id = f.run_id WHERE r.project_id IN seen
           UNION SELECT b.md5, b.size FROM artifact_entries e JOIN blobs b ON b.md5 = e.md5
             WHERE e.artifact_id IN versions
           UNION SELECT t.md5, t.size FROM artifact_manifests t WHERE t.artifact_id IN versions
           UNION SELECT b.md5, b.size FROM artifact_uploads u JOIN blobs b ON b.md5 = u.md5
             WHERE u.artifact_id IN versions
           UNION SELECT t.md5, t.size FROM artifact_uploads u JOIN artifact_parts t ON t.upload_id = u.id
             WHERE u.artifact_id IN versions)
         SELECT COALESCE(SUM(size), 0) FROM stored WHERE md5 IS NOT NULL",
        access::READABLE
    );
    Ok(db
        .prepare_cached(&sql)?
        .query_row(params![caller.user, caller.admin, entity], |row| row.get(0))?)
}

/// The secret stored under `name`; made from `fresh` when there is none yet.
pub(crate) fn secret(db: &Connection, name: &str, fresh: &[u8]) -> StoreResult<Vec<u8>> {
    db.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
        params![name, fresh],
    )?;
    Ok(db.query_row("SELECT value FROM meta WHERE key = ?1", [name], |row| row.get(0))?)
}
