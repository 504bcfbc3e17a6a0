//! The files of a committed version.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::store::StoreResult;

/// A file of a version.
#[derive(Debug, Clone)]
pub(crate) struct EntryRow {
    pub(crate) artifact: i64,
    pub(crate) position: i64,
    pub(crate) path: String,
    /// As in the manifest.
    pub(crate) digest: String,
    pub(crate) size: Option<i64>,
    /// Of the stored bytes, in hexadecimal; `None` for references.
    pub(crate) md5: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) updated_at: i64,
}

const COLUMNS: &str = "e.artifact_id, e.position, e.path, e.digest, e.size, e.md5, e.reference, a.created_at
     FROM artifact_entries e JOIN artifacts a ON a.id = e.artifact_id";

fn read(row: &Row<'_>) -> rusqlite::Result<EntryRow> {
    Ok(EntryRow {
        artifact: row.get(0)?,
        position: row.get(1)?,
        path: row.get(2)?,
        digest: row.get(3)?,
        size: row.get(4)?,
        md5: row.get(5)?,
        reference: row.get(6)?,
        updated_at: row.get(7)?,
    })
}

/// The files of a page in the order of their paths, and whether more follow. With names, only those.
pub(crate) fn list(
    db: &Connection,
    artifact: i64,
    names: Option<&[String]>,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<EntryRow>, bool)> {
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let limit_and_one = limit.saturating_add(1) as i64;
    let mut rows = match names {
        // Positions are dense: a page is a range, however far it lies from the beginning.
        None => db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} WHERE e.artifact_id = ?1 AND e.position >= ?2 ORDER BY e.position LIMIT ?3"
            ))?
            .query_map([artifact, offset, limit_and_one], read)?
            .collect::<rusqlite::Result<Vec<_>>>()?,
        Some(names) => db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} WHERE e.artifact_id = ?1 AND e.path IN (SELECT value FROM json_each(?2))
                 ORDER BY e.position LIMIT ?3 OFFSET ?4"
            ))?
            .query_map(
                params![
                    artifact,
                    serde_json::Value::from(names.to_vec()).to_string(),
                    limit_and_one,
                    offset
                ],
                read,
            )?
            .collect::<rusqlite::Result<Vec<_>>>()?,
    };
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    Ok((rows, more))
}

/// How many files a version has; with names, how many of those.
pub(crate) fn count(db: &Connection, artifact: i64, names: Option<&[String]>) -> StoreResult<i64> {
    let names = names.map(|names| serde_json::Value::from(names.to_vec()).to_string());
    Ok(db
        .prepare_cached(
            "SELECT COUNT(*) FROM artifact_entries WHERE artifact_id = ?1
               AND (?2 IS NULL OR path IN (SELECT value FROM json_each(?2)))",
        )?
        .query_row(params![artifact, names], |row| row.get(0))?)
}

/// The files of a version at these paths, in the order of the paths; `None` where there is none.
pub(crate) fn at(db: &Connection, artifact: i64, paths: &[String]) -> StoreResult<Vec<Option<EntryRow>>> {
    let mut one = db.prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE e.artifact_id = ?1 AND e.path = ?2"
    ))?;
    paths
        .iter()
        .map(|path| Ok(one.query_row(params![artifact, path], read).optional()?))
        .collect()
}
