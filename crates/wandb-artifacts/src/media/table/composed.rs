//! Tables that are made of other tables, and references to tables.

use super::{Table, increments};
use crate::media::{
    Context, Media, MediaError, MediaFile,
    context::read_failed,
    fields::Fields,
    lookup::{self, Found},
    object,
};

/// Any object that is a table for its user.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyTable {
    /// A table.
    Table(Table),
    /// A table in parts.
    Partitioned(PartitionedTable),
    /// A join of two tables.
    Joined(JoinedTable),
}

impl AnyTable {
    /// The rows: of the table, or of all parts.
    ///
    /// # Errors
    /// When the parts cannot be read, and for a join, which has no rows of its own.
    pub async fn into_table(self) -> Result<Table, MediaError> {
        match self {
            Self::Table(table) => Ok(table),
            Self::Partitioned(parts) => parts.read().await,
            Self::Joined(joined) => Err(MediaError::shape(
                joined.context.path(),
                "a joined table has no rows of its own: open its two tables",
            )),
        }
    }
}

/// A table that another object names. Nothing is fetched before it is opened.
#[derive(Debug, Clone)]
pub struct TableReference {
    file: MediaFile,
}

impl TableReference {
    pub(in crate::media) fn new(file: MediaFile) -> Self {
        Self { file }
    }

    /// The entry, or the reference to another artifact's entry.
    #[must_use]
    pub fn path(&self) -> &str {
        self.file.path()
    }

    /// Fetches and reads it.
    ///
    /// # Errors
    /// When it is absent or no table, when it leads back to an object that led here ([`MediaError::Cycle`]), or when too
    /// many led here.
    pub async fn open(&self) -> Result<AnyTable, MediaError> {
        let context = self.file.context();
        let (reader, path) = match self.file.resolve().await {
            Ok(resolved) => (resolved.reader, resolved.path),
            // Official: the names of joined tables go through the same rule as those of a user.
            Err(MediaError::Missing { .. }) => match lookup::find(context, self.path()).await? {
                Found::Entry(path) => {
                    let resolved = context.need(&path).await?;
                    (resolved.reader, resolved.path)
                }
                _ => {
                    return Err(MediaError::Missing {
                        path: context.path().to_owned(),
                        target: self.path().to_owned(),
                    });
                }
            },
            Err(error) => return Err(error),
        };
        let there = context.enter(reader, &path)?;
        match object::read_entry(&there).await? {
            Media::Table(table) => Ok(AnyTable::Table(table)),
            Media::PartitionedTable(table) => Ok(AnyTable::Partitioned(table)),
            Media::JoinedTable(table) => Ok(AnyTable::Joined(table)),
            _ => Err(MediaError::shape(&path, "it is no table")),
        }
    }
}

/// `wandb.JoinedTable`: two tables, and the columns by which their rows belong together.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JoinedTable {
    context: Context,
    /// The left one.
    pub table1: TableReference,
    /// The right one.
    pub table2: TableReference,
    /// The columns.
    pub key: JoinKey,
}

/// By which columns two tables are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinKey {
    /// Of the left table.
    pub left: String,
    /// Of the right table.
    pub right: String,
}

impl JoinedTable {
    pub(in crate::media) fn parse(context: &Context, fields: &Fields<'_>) -> Result<Self, MediaError> {
        let table = |key: &str| -> Result<TableReference, MediaError> {
            let path = fields.need(key, fields.path(key)?)?;
            Ok(TableReference::new(MediaFile::at(context, path)))
        };
        let key = fields.need("join_key", fields.get("join_key"))?;
        let key = match (key.as_str(), key.as_list()) {
            (Some(name), _) => Some((name, name)),
            (None, Some([left, right])) => left.as_str().zip(right.as_str()),
            _ => None,
        };
        let (left, right) = key.ok_or_else(|| {
            MediaError::shape(context.path(), "join_key is neither a text nor a pair of texts")
        })?;
        Ok(Self {
            context: context.clone(),
            table1: table("table1")?,
            table2: table("table2")?,
            key: JoinKey {
                left: left.to_owned(),
                right: right.to_owned(),
            },
        })
    }
}

/// `wandb.PartitionedTable`: a directory of tables with the same columns.
#[derive(Debug, Clone)]
pub struct PartitionedTable {
    context: Context,
    directory: String,
}

impl PartitionedTable {
    pub(in crate::media) fn parse(context: &Context, fields: &Fields<'_>) -> Result<Self, MediaError> {
        Ok(Self {
            context: context.clone(),
            directory: fields.need("parts_path", fields.path("parts_path")?)?.to_owned(),
        })
    }

    /// The directory of the parts.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// The entries of the parts: all tables below the directory, sorted. Official: in the order of the manifest, which is
    /// the same.
    ///
    /// # Errors
    /// When the manifest cannot be read, or there are more than
    /// [`ReadOptions::parts`](crate::media::ReadOptions::parts) allows.
    pub async fn parts(&self) -> Result<Vec<String>, MediaError> {
        let mut names = self
            .context
            .reader()
            .names_with_prefix(&format!("{}/", self.directory))
            .await
            .map_err(|source| read_failed(&self.directory, source))?;
        names.retain(|name| matches!(lookup::kind_of(name), Some("table" | "eval-table")));
        let limit = self.context.options().parts;
        if names.len() > limit {
            return Err(MediaError::TooLarge {
                path: self.context.path().to_owned(),
                what: "parts",
                limit: limit as u64,
            });
        }
        names.sort_unstable();
        Ok(names)
    }

    /// One part, by its entry.
    ///
    /// # Errors
    /// When it is absent or no table.
    pub async fn part(&self, path: &str) -> Result<Table, MediaError> {
        let resolved = self.context.need(path).await?;
        let there = self.context.enter(resolved.reader, &resolved.path)?;
        increments::read_table(&there).await
    }

    /// All parts as one table.
    ///
    /// # Errors
    /// When there is none, when one cannot be read, when their columns differ.
    pub async fn read(&self) -> Result<Table, MediaError> {
        let parts = increments::read_parts(&self.context, self.parts().await?, 0).await?;
        Table::assemble(&self.context, parts).await
    }
}

/// A table in the summary or the history of a run (`table-file`, `incremental-table-file`).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TableFile {
    /// The file of the run. Official: it holds at most 10,000 rows, and the rows of the last increment only.
    pub file: MediaFile,
    /// The table in an artifact, with all rows and the types of its columns.
    pub artifact: Option<TableReference>,
    /// How many rows were logged, whatever the file holds.
    pub rows: Option<u64>,
    /// How many columns were logged.
    pub columns: Option<u64>,
    /// Whether it was logged in increments.
    pub incremental: bool,
}

impl TableFile {
    pub(in crate::media) fn parse(
        context: &Context,
        kind: &str,
        fields: &Fields<'_>,
    ) -> Result<Self, MediaError> {
        let artifact = fields
            .text("artifact_path")?
            .map(|uri| TableReference::new(MediaFile::elsewhere(context, uri)));
        Ok(Self {
            file: MediaFile::of(context, fields)?,
            artifact,
            rows: fields.count("nrows")?,
            columns: fields.count("ncols")?,
            incremental: kind == "incremental-table-file",
        })
    }

    /// Reads the file of the run. Compare its length with [`rows`](Self::rows): what is missing is in
    /// [`artifact`](Self::artifact).
    ///
    /// # Errors
    /// When the file is absent, does not have the logged sha256, or is no table.
    pub async fn read(&self) -> Result<Table, MediaError> {
        let context = self.file.context();
        let bytes = self
            .file
            .limited("bytes of JSON", context.options().table_bytes)
            .await?;
        increments::table_of(context, self.file.path(), bytes).await
    }
}
