//! Sort keys of reports and order texts.

use super::{Key, QueryGenerator, QueryGeneratorError, SortKey, SortKeys};

/// Columns of a run that can be sorted by; every other single word is a summary metric.
const COLUMNS: [&str; 9] = [
    "createdAt",
    "created_at",
    "heartbeatAt",
    "heartbeat_at",
    "updatedAt",
    "updated_at",
    "name",
    "state",
    "sweep",
];

impl QueryGenerator {
    /// Completes an order key as a person writes it.
    ///
    /// Without a sign it is descending, as in the official class; [`Order::parse`](crate::order::Order::parse) follows
    /// the server instead. A single word is a column or a summary metric. A dotted key is taken as it is behind `config`,
    /// `summary_metrics` and `tags`, else it is a summary metric with a dot in its name.
    #[must_use]
    pub fn format_order_key(key: &str) -> String {
        let (sign, key) = match key.as_bytes().first() {
            Some(b'+') => ('+', &key[1..]),
            Some(b'-') => ('-', &key[1..]),
            _ => ('-', key),
        };
        let known = match key.split_once('.') {
            None => COLUMNS.contains(&key),
            Some((head, _)) => matches!(head, "config" | "summary_metrics" | "tags"),
        };
        if known {
            format!("{sign}{key}")
        } else {
            format!("{sign}summary_metrics.{key}")
        }
    }

    /// The order texts of sort keys, `["+created_at", "-summary_metrics.loss"]`; joined with commas they are one order.
    #[must_use]
    pub fn keys_to_order(keys: &SortKeys) -> Vec<String> {
        keys.keys
            .iter()
            .map(|sort| {
                let sign = if sort.ascending { '+' } else { '-' };
                format!("{sign}{}", Self::key_to_server_path(&sort.key))
            })
            .collect()
    }

    /// The sort keys of order texts.
    ///
    /// # Errors
    /// When one of them has no sign.
    pub fn order_to_keys<T: AsRef<str>>(
        order: impl IntoIterator<Item = T>,
    ) -> Result<SortKeys, QueryGeneratorError> {
        let keys = order
            .into_iter()
            .map(|text| {
                let text = text.as_ref();
                let (ascending, path) = match text.as_bytes().first() {
                    Some(b'+') => (true, &text[1..]),
                    Some(b'-') => (false, &text[1..]),
                    _ => return Err(QueryGeneratorError::NoDirection { key: text.to_owned() }),
                };
                let key: Key = Self::server_path_to_key(path);
                Ok(SortKey { key, ascending })
            })
            .collect::<Result<_, _>>()?;
        Ok(SortKeys { keys })
    }
}
