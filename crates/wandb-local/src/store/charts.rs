//! Custom charts: kept, never drawn.

use rusqlite::{Connection, params};

use super::identity::{self, Identity};
use super::{StoreError, StoreResult, time};

/// A chart's definition.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) entity: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) kind: String,
    pub(crate) access: String,
    pub(crate) spec: String,
}

/// Stores a chart in place of an older one of its name; returns its row number.
pub(crate) fn upsert(db: &Connection, identity: &Identity, chart: &Chart) -> StoreResult<i64> {
    let entity = identity::entity(db, identity, Some(&chart.entity))?
        .ok_or_else(|| StoreError::Refused(format!("entity {:?} not found", chart.entity)))?;
    Ok(db.query_row(
        "INSERT INTO custom_charts (entity_id, name, display_name, kind, access, spec, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (entity_id, name) DO UPDATE SET display_name = excluded.display_name, kind = excluded.kind,
           access = excluded.access, spec = excluded.spec
         RETURNING id",
        params![entity.id, chart.name, chart.display_name, chart.kind, chart.access, chart.spec, time::now()],
        |row| row.get(0),
    )?)
}
