//! Pages: offset cursors, as the real server's, and the checks on what was asked for.

use async_graphql::{Error, SimpleObject};

use crate::store::ids;

/// Where a page lies in its list.
#[derive(Debug, Clone, Default, PartialEq, Eq, SimpleObject)]
pub(crate) struct PageInfo {
    /// More items follow.
    pub(crate) has_next_page: bool,
    /// Items come before.
    pub(crate) has_previous_page: bool,
    /// Cursor of the first item.
    pub(crate) start_cursor: Option<String>,
    /// Cursor of the last item.
    pub(crate) end_cursor: Option<String>,
}

/// `limit` items from `offset` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) offset: u64,
    pub(crate) limit: u64,
}

/// A size within `0..=cap`; `None` is `default`.
pub(crate) fn size(first: Option<i32>, default: u64, cap: u64) -> Result<u64, Error> {
    match first {
        None => Ok(default.min(cap)),
        Some(first) => match u64::try_from(first) {
            Ok(first) => Ok(first.min(cap)),
            Err(_) => Err(Error::new("a page size must not be negative")),
        },
    }
}

/// How many items a page may hold, for the complexity of a request.
pub(crate) fn cost(first: Option<i32>, default: usize) -> usize {
    first
        .and_then(|first| usize::try_from(first).ok())
        .unwrap_or(default)
        .clamp(1, 1000)
}

/// Reads a cursor as the offset of the item that it names. `""` is no cursor.
pub(crate) fn offset(cursor: Option<&str>) -> Result<Option<u64>, Error> {
    match cursor {
        None | Some("") => Ok(None),
        Some(text) => ids::offset_of(text)
            .map(Some)
            .ok_or_else(|| Error::new(format!("invalid cursor {text:?}"))),
    }
}

/// The window of `first` items after a cursor.
pub(crate) fn forward(
    first: Option<i32>,
    after: Option<&str>,
    default: u64,
    cap: u64,
) -> Result<Window, Error> {
    let limit = size(first, default, cap)?;
    Ok(Window {
        offset: offset(after)?.map_or(0, |offset| offset.saturating_add(1)),
        limit,
    })
}

impl Window {
    /// The cursor of the item at `index` of this page.
    pub(crate) fn cursor(&self, index: usize) -> String {
        ids::cursor(self.offset.saturating_add(index as u64))
    }

    /// The page info of a page with `len` items.
    pub(crate) fn info(&self, len: usize, more: bool) -> PageInfo {
        PageInfo {
            has_next_page: more,
            has_previous_page: self.offset > 0,
            start_cursor: (len > 0).then(|| self.cursor(0)),
            end_cursor: (len > 0).then(|| self.cursor(len - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_cursors() {
        let window = forward(Some(10), None, 50, 1000).unwrap();
        assert_eq!(window, Window { offset: 0, limit: 10 });
        let next = forward(Some(5000), Some(&window.cursor(9)), 50, 1000).unwrap();
        assert_eq!(
            next,
            Window {
                offset: 10,
                limit: 1000
            }
        );
        assert!(forward(Some(-1), None, 50, 1000).is_err());
        assert!(forward(None, Some("???"), 50, 1000).is_err());
        assert_eq!(
            forward(None, Some(""), 50, 1000).unwrap(),
            Window { offset: 0, limit: 50 }
        );
        assert_eq!(window.info(0, false), PageInfo::default());
    }
}
