//! From an entry to its table: one file, or all increments of it.
//!
//! Official: an increment is the entry `<number>-<milliseconds>.<key>.table.json`; the first one is called `None-…`,
//! because its number is set after its name. The file itself says the number (`increment_num`), so that is what counts.
//! Only increments of the same key are joined, where the official client takes every table of the artifact.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Table, document::Document, model::Part};
use crate::media::{
    Context, MediaError,
    context::{Resolved, read_failed},
};

/// Reads the table at the context's entry, which is known to hold one.
pub(in crate::media) async fn read_table(context: &Context) -> Result<Table, MediaError> {
    let first = read_part(context, context.options().table_bytes).await?;
    // Behind a reference, everything else is where the first file is.
    let context = &first.context.clone();
    let incremental = first.document.log_mode.as_deref() == Some("INCREMENTAL");
    let siblings = match (incremental, Siblings::of(context.path())) {
        (true, Some(siblings)) => siblings.list(context).await?,
        _ => Vec::new(),
    };
    let mut parts = read_parts(context, siblings, first.document.text.len() as u64).await?;
    parts.push(first);
    parts.sort_by_cached_key(|part| {
        let path = part.context.path().to_owned();
        (part.document.increment, Siblings::time(&path), path)
    });
    Table::assemble(context, parts).await
}

/// Reads several table files, some at a time; the result is in the order of the paths. `used` bytes of what the options
/// allow are spent already.
pub(super) async fn read_parts(
    context: &Context,
    paths: Vec<String>,
    mut used: u64,
) -> Result<Vec<Part>, MediaError> {
    let limit = context.options().table_bytes;
    let too_large = |path: &str| MediaError::TooLarge {
        path: path.to_owned(),
        what: "bytes of JSON",
        limit,
    };
    let mut entries = Vec::with_capacity(paths.len());
    let mut sizes_known = true;
    let mut claimed = used;
    for path in paths {
        let resolved = context.need(&path).await?;
        match resolved.size {
            Some(size) => claimed = claimed.saturating_add(size),
            None => sizes_known = false,
        }
        entries.push((path, resolved));
    }
    if claimed > limit {
        return Err(too_large(context.path()));
    }
    // Without sizes, files that are fetched at the same time could pass the limit together.
    let concurrency = if sizes_known {
        context.options().concurrency
    } else {
        1
    };
    let mut fetched = stream::iter(entries.into_iter().map(|(path, resolved)| {
        let context = context.clone();
        async move {
            let allowed = resolved.size.unwrap_or(limit);
            let there = context.enter(resolved.reader.clone(), &path)?;
            part_of(there, resolved, allowed).await
        }
    }))
    .buffered(concurrency.max(1));
    let mut parts = Vec::new();
    while let Some(part) = fetched.try_next().await? {
        used = used.saturating_add(part.document.text.len() as u64);
        if used > limit {
            return Err(too_large(context.path()));
        }
        parts.push(part);
    }
    Ok(parts)
}

async fn read_part(context: &Context, limit: u64) -> Result<Part, MediaError> {
    let resolved = context.need(context.path()).await?;
    part_of(context.clone(), resolved, limit).await
}

async fn part_of(context: Context, resolved: Resolved, limit: u64) -> Result<Part, MediaError> {
    let bytes = resolved.bytes("bytes of JSON", limit).await?;
    let context = context.moved_to(resolved.reader, &resolved.path);
    parse_part(context, bytes)
}

fn parse_part(context: Context, bytes: Bytes) -> Result<Part, MediaError> {
    // The bytes become the text without a copy where nobody else holds them.
    let text = String::from_utf8(Vec::from(bytes)).map_err(|_| MediaError::NotText {
        path: context.path().to_owned(),
    })?;
    let document = Document::parse(context.path(), text)?;
    Part::new(context, document)
}

/// The table of one file whose bytes are there already.
pub(super) async fn table_of(context: &Context, path: &str, bytes: Bytes) -> Result<Table, MediaError> {
    let there = context.moved_to(Arc::clone(context.reader()), path);
    let part = parse_part(there.clone(), bytes)?;
    Table::assemble(&there, vec![part]).await
}

/// What the increments of one key have in common.
#[derive(Debug, PartialEq, Eq)]
struct Siblings<'a> {
    directory: &'a str,
    /// What follows number and time.
    rest: &'a str,
}

impl<'a> Siblings<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let name = path.rfind('/').map_or(0, |slash| slash + 1);
        let (directory, name) = path.split_at(name);
        let (stamp, rest) = name.split_once('.')?;
        let (number, time) = stamp.split_once('-').unwrap_or((stamp, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        ((number == "None" || digits(number)) && digits(time)).then_some(Self { directory, rest })
    }

    /// The milliseconds in the name of an increment.
    fn time(path: &str) -> Option<u64> {
        let name = path.rsplit('/').next()?;
        let (stamp, _) = name.split_once('.')?;
        stamp.split_once('-')?.1.parse().ok()
    }

    /// The other increments, sorted.
    async fn list(&self, context: &Context) -> Result<Vec<String>, MediaError> {
        let mut names = context
            .reader()
            .names_with_prefix(self.directory)
            .await
            .map_err(|source| read_failed(context.path(), source))?;
        names.retain(|name| name != context.path() && Siblings::of(name).as_ref() == Some(self));
        let limit = context.options().parts;
        if names.len() >= limit {
            return Err(MediaError::TooLarge {
                path: context.path().to_owned(),
                what: "increments",
                limit: limit as u64,
            });
        }
        names.sort_unstable();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn increments_are_told_by_number_time_and_key() {
        let of = |path| Siblings::of(path).map(|siblings| (siblings.directory, siblings.rest));
        assert_eq!(of("3-170.loss.table.json"), Some(("", "loss.table.json")));
        assert_eq!(of("None-170.a.b.table.json"), Some(("", "a.b.table.json")));
        assert_eq!(of("d/4.loss.table.json"), Some(("d/", "loss.table.json")));
        for other in [
            "loss.table.json",
            "3-.loss.table.json",
            "x-3.loss.table.json",
            "3",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(Siblings::time("d/3-170.loss.table.json"), Some(170));
        assert_eq!(Siblings::time("3.loss.table.json"), None);
    }
}
