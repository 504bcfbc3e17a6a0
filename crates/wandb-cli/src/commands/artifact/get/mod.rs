//! `wb artifact get`: a table as rows, other media as an object, a file as its path.

mod object;
mod sheet;

use std::io::Write;

use wandb_api::artifacts::media::{Media, Table};
use wandb_api::value::Map;
use wandb_api::{Artifact, ArtifactDownloadOptions};

use self::sheet::Sheet;
use super::download;
use crate::cli::ArtifactGetArgs;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::Format;
use crate::output::field::display_value;
use crate::output::file_format::FileFormat;
use crate::output::map;

/// Shows one entry.
pub(super) async fn get(context: &mut Context, arguments: &ArtifactGetArgs) -> CommandResult {
    // A file that cannot be is told before anything is fetched.
    let out = arguments.out.as_deref();
    let format = out.map(FileFormat::of).transpose()?;
    context.global.cache_budget = arguments.limits.cache_budget;
    let connection = context.connect_with_cache(false).await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let options =
        download::options(arguments.root.as_deref(), arguments.limits).names(arguments.names.policy());
    let reader = artifact.entry_reader_with(&options).await?;
    let media = Media::read(&reader, &arguments.entry).await.map_err(|error| {
        let name = artifact.exact_name();
        wandb_api::Error::from(error).in_operation(format!("get {:?} of \"{name}\"", arguments.entry))
    })?;
    let object = match media {
        None => file(&artifact, &arguments.entry, &options).await?,
        Some(media) => match table(media).await? {
            Ok(tables) => {
                for table in tables.all() {
                    warn_of_gaps(context, table);
                }
                return match (out, format) {
                    (Some(path), Some(format)) => {
                        sheet::to_file(context, tables, path, format, arguments.replace).await
                    }
                    _ => sheet::to_stdout(context, &tables.sheet()?),
                };
            }
            Err(media) => object::of(media).await?,
        },
    };
    if out.is_some() {
        return Err(Failure::usage(format!(
            "\"{}\" is no table, and --out is for tables",
            arguments.entry
        ))
        .hint("--root says where files go; --output json gives the object"));
    }
    write_object(context, &object)
}

/// What has rows: one table, or two that were joined.
#[derive(Debug)]
enum Tables {
    One(Table),
    Joined {
        left: Table,
        right: Table,
        /// The columns by which rows belong together, of the left and of the right table.
        key: (String, String),
    },
}

impl Tables {
    fn all(&self) -> Vec<&Table> {
        match self {
            Self::One(table) => vec![table],
            Self::Joined { left, right, .. } => vec![left, right],
        }
    }

    fn sheet(&self) -> CommandResult<Sheet<'_>> {
        match self {
            Self::One(table) => Ok(Sheet::of(table)),
            Self::Joined { left, right, key } => Sheet::joined(left, right, (&key.0, &key.1)),
        }
    }
}

/// The rows of a medium that has rows; the medium itself where it has none.
async fn table(media: Media) -> CommandResult<Result<Tables, Media>> {
    let broken = wandb_api::Error::from;
    let one = match media {
        Media::Table(table) => table,
        Media::PartitionedTable(parts) => parts.read().await.map_err(broken)?,
        Media::TableFile(file) => file.read().await.map_err(broken)?,
        Media::TableReference(reference) => {
            let opened = reference.open().await.map_err(broken)?;
            opened.into_table().await.map_err(broken)?
        }
        Media::JoinedTable(joined) => {
            let (left, right) =
                tokio::try_join!(joined.table1.open(), joined.table2.open()).map_err(broken)?;
            let (left, right) = tokio::try_join!(left.into_table(), right.into_table()).map_err(broken)?;
            let key = (joined.key.left, joined.key.right);
            return Ok(Ok(Tables::Joined { left, right, key }));
        }
        other => return Ok(Err(other)),
    };
    Ok(Ok(Tables::One(one)))
}

fn warn_of_gaps(context: &Context, table: &Table) {
    if !table.missing_increments().is_empty() {
        context
            .ui
            .warn("the table is incomplete: some of its increments are not in this version");
    }
}

/// A file that is no medium: downloaded, and its place told.
async fn file(artifact: &Artifact, entry: &str, options: &ArtifactDownloadOptions) -> CommandResult<Map> {
    if artifact.manifest().await?.get(entry).is_none() {
        let name = artifact.exact_name();
        return Err(
            Failure::new(ExitStatus::NotFound, format!("{name} has no entry \"{entry}\""))
                .hint(format!("`wb artifact manifest {name}` lists the entries")),
        );
    }
    let path = artifact.download_entry(entry, options).await?;
    let mut object = Map::new();
    object.insert("type", "file");
    object.insert("path", path.display().to_string());
    Ok(object)
}

fn write_object(context: &mut Context, object: &Map) -> CommandResult {
    if context.format() == Format::Table {
        // A path is what most want to go on with.
        let line = match object.get("path").or_else(|| object.get("value")) {
            Some(value) => display_value(value),
            None => display_value(&wandb_api::Value::Map(object.clone())),
        };
        context.out.write_all(format!("{line}\n").as_bytes())?;
    } else {
        let written = map::rendered(object, context.format());
        context.out.write_all(&written)?;
    }
    Ok(context.out.flush()?)
}
