//! Pieces of SQL with their parameters.

use rusqlite::types::Value;

/// A piece of SQL and the values of its placeholders. The placeholders are plain `?`: the parameters of a statement made
/// of several pieces are theirs in the order in which the pieces stand in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SqlFragment {
    pub(crate) sql: String,
    pub(crate) params: Vec<Value>,
}

impl SqlFragment {
    pub(super) fn new(sql: impl Into<String>, params: Vec<Value>) -> Self {
        Self {
            sql: sql.into(),
            params,
        }
    }

    /// A condition that always or never holds.
    pub(super) fn constant(holds: bool) -> Self {
        Self::new(if holds { "1" } else { "0" }, Vec::new())
    }

    pub(super) fn negated(self) -> Self {
        Self::new(format!("NOT ({})", self.sql), self.params)
    }

    /// Holds if all parts do; without parts, always.
    pub(super) fn all(parts: Vec<Self>) -> Self {
        Self::join(parts, " AND ").unwrap_or_else(|| Self::constant(true))
    }

    /// Holds if one part does; without parts, never.
    pub(super) fn any(parts: Vec<Self>) -> Self {
        Self::join(parts, " OR ").unwrap_or_else(|| Self::constant(false))
    }

    /// Joins pairwise: SQLite limits the depth of an expression to 1000, and a plain chain is as deep as it is long.
    fn join(mut parts: Vec<Self>, operator: &str) -> Option<Self> {
        while parts.len() > 1 {
            let mut halved = Vec::with_capacity(parts.len().div_ceil(2));
            let mut parts_left = parts.into_iter();
            while let Some(left) = parts_left.next() {
                halved.push(match parts_left.next() {
                    None => left,
                    Some(right) => {
                        let mut params = left.params;
                        params.extend(right.params);
                        Self::new(format!("({}{operator}{})", left.sql, right.sql), params)
                    }
                });
            }
            parts = halved;
        }
        parts.pop()
    }
}
