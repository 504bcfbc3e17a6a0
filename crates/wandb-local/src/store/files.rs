//! Run files: names that point to bytes in the content-addressed folder.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{StoreError, StoreResult, time};

/// A file whose bytes have arrived.
#[derive(Debug, Clone)]
pub(crate) struct FileRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// Lower-case hexadecimal MD5; `None` until bytes arrive.
    pub(crate) md5: Option<String>,
    pub(crate) size: i64,
    pub(crate) uploaded_at: Option<i64>,
}

const COLUMNS: &str = "f.id, f.name, f.md5, f.size, f.uploaded_at";
/// The same clause for pages and counts. Files that were announced but never arrived are not there yet.
const MATCHING: &str = "f.run_id = ?1 AND f.md5 IS NOT NULL
   AND (?2 IS NULL OR f.name IN (SELECT value FROM json_each(?2))) AND (?3 IS NULL OR f.name LIKE ?3)";

fn read(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    Ok(FileRow {
        id: row.get(0)?,
        name: row.get(1)?,
        md5: row.get(2)?,
        size: row.get(3)?,
        uploaded_at: row.get(4)?,
    })
}

/// Which files of a run are wanted. No names and no pattern mean all.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileQuery {
    /// Exact names.
    pub(crate) names: Vec<String>,
    /// SQL `LIKE` pattern.
    pub(crate) pattern: Option<String>,
}

impl FileQuery {
    fn names_json(&self) -> Option<String> {
        (!self.names.is_empty()).then(|| serde_json::Value::from(self.names.clone()).to_string())
    }
}

/// One page of a run's files by name, and whether more follow.
pub(crate) fn list(
    db: &Connection,
    run: i64,
    query: &FileQuery,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<FileRow>, bool)> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM run_files f WHERE {MATCHING} ORDER BY f.name LIMIT ?4 OFFSET ?5"
    ))?;
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let mut rows = statement
        .query_map(
            params![
                run,
                query.names_json(),
                query.pattern,
                limit.saturating_add(1) as i64,
                offset
            ],
            read,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    Ok((rows, more))
}

/// How many files of a run match.
pub(crate) fn count(db: &Connection, run: i64, query: &FileQuery) -> StoreResult<i64> {
    Ok(db
        .prepare_cached(&format!("SELECT COUNT(*) FROM run_files f WHERE {MATCHING}"))?
        .query_row(params![run, query.names_json(), query.pattern], |row| row.get(0))?)
}

/// Announces files; returns one row per name, in order. Files that exist keep their bytes until new ones arrive.
pub(crate) fn announce(db: &Connection, run: i64, names: &[String]) -> StoreResult<Vec<FileRow>> {
    let now = time::now();
    let mut insert = db.prepare_cached(
        "INSERT INTO run_files (run_id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (run_id, name) DO NOTHING",
    )?;
    let mut select = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM run_files f WHERE f.run_id = ?1 AND f.name = ?2"
    ))?;
    let mut rows = Vec::with_capacity(names.len());
    for name in names {
        if name.is_empty() || name.contains('\0') {
            return Err(StoreError::Refused(format!("invalid file name {name:?}")));
        }
        insert.execute(params![run, name, now])?;
        rows.push(select.query_row(params![run, name], read)?);
    }
    Ok(rows)
}

/// The file with this row number.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<FileRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM run_files f WHERE f.id = ?1"))?
        .query_row([id], read)
        .optional()?)
}

/// Points a file at the bytes that arrived. Returns the digest it pointed to before, when that was another one;
/// `None` inside when the file was deleted meanwhile.
pub(crate) fn uploaded(
    db: &Connection,
    id: i64,
    md5: &str,
    size: u64,
) -> StoreResult<Option<Option<String>>> {
    let Some(before) = by_id(db, id)? else {
        return Ok(None);
    };
    let size = i64::try_from(size).map_err(|_| StoreError::Refused("file too large".to_owned()))?;
    db.prepare_cached("UPDATE run_files SET md5 = ?2, size = ?3, uploaded_at = ?4 WHERE id = ?1")?
        .execute(params![id, md5, size, time::now()])?;
    Ok(Some(before.md5.filter(|old| old != md5)))
}

/// Deletes files; returns how many there were and the digests that they pointed to. With `project`, files of other
/// projects are left alone.
pub(crate) fn delete(
    db: &Connection,
    ids: &[i64],
    project: Option<i64>,
) -> StoreResult<(usize, Vec<String>)> {
    let mut digests = Vec::new();
    let mut count = 0;
    let mut remove = db.prepare_cached(
        "DELETE FROM run_files WHERE id = ?1
           AND (?2 IS NULL OR run_id IN (SELECT id FROM runs WHERE project_id = ?2)) RETURNING md5",
    )?;
    for id in ids {
        let mut removed = remove.query(params![id, project])?;
        while let Some(row) = removed.next()? {
            count += 1;
            digests.extend(row.get::<_, Option<String>>(0)?);
        }
    }
    Ok((count, digests))
}
