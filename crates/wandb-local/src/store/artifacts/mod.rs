//! Artifacts (protocol §5).
//!
//! | module | what it holds |
//! |---|---|
//! | `rows` | versions, collections, types as they are read, many at a time |
//! | `names` | what may be a name, an alias, a path |
//! | `create` | beginning a version: `createArtifact` |
//! | `manifests` | the manifests of a version, and the reading and writing of their JSON (`document`) |
//! | `uploads` | where the bytes of a version go, in one piece or in parts |
//! | `commit` | turning what was uploaded into a version |
//! | `collections` | sequences and portfolios: found, listed, changed, tagged, deleted |
//! | `versions` | versions: found, listed |
//! | `edit` | aliases, tags, texts of versions; deleting them |
//! | `links` | versions in portfolios |
//! | `entries` | the files of a version |
//! | `access` | who may see and change what |
//! | `lineage` | which runs made and used what |

pub(crate) mod access;
pub(crate) mod collections;
pub(crate) mod commit;
pub(crate) mod create;
pub(crate) mod document;
pub(crate) mod edit;
pub(crate) mod entries;
pub(crate) mod lineage;
pub(crate) mod links;
pub(crate) mod manifests;
mod names;
pub(crate) mod rows;
pub(crate) mod uploads;
pub(crate) mod versions;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// Declares an enum that is stored as a word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// As stored.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.word()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_str()? {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(FromSqlError::InvalidType),
                }
            }
        }
    };
}

words! {
    /// Where a version stands.
    State {
        /// Being uploaded.
        Pending = "PENDING",
        /// Complete, and never changed again but in what is said about it.
        Committed = "COMMITTED",
        /// Gone; its id and index are not given again.
        Deleted = "DELETED",
    }
}
words! {
    /// What digests of files, and of the version, are made with.
    Algorithm {
        Md5 = "MANIFEST_MD5",
        Xxh128 = "MANIFEST_XXH128",
    }
}
words! {
    /// What a manifest describes.
    ManifestKind {
        /// The whole version.
        Full = "FULL",
        /// What changes from a base version.
        Incremental = "INCREMENTAL",
        /// What one of several processes adds.
        Patch = "PATCH",
    }
}

/// The alias that every new version gets.
pub(crate) const LATEST: &str = "latest";
