//! A table as one Parquet or Arrow file.

use std::{collections::HashSet, path::Path, sync::Arc};

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};
use wandb_artifacts::media::Table;
use wandb_core::Result;
use wandb_storage::Expected;

use super::TableBatches;
use crate::{Format, WriteOptions, Written, error::arrow_failed, format::TableWriter, writer::begin};

/// Writes the rows of a table into one file, under the [mapping](super#mapping) of this module, with
/// [names of their own](unique_names) for columns that share one.
///
/// The file appears under its name when it is complete, and not before. It blocks on the disk; async callers use their
/// runtime's blocking pool.
///
/// # Errors
/// - [`Conflict`](wandb_core::ErrorKind::Conflict): the target exists and may not be replaced.
/// - [`InvalidInput`](wandb_core::ErrorKind::InvalidInput): the path names no file, or a cell is too large for a batch.
/// - [`Io`](wandb_core::ErrorKind::Io): the directory is not there, is read-only, or the disk is full.
pub fn write_file(
    table: &Table,
    target: impl AsRef<Path>,
    format: Format,
    options: &WriteOptions,
) -> Result<Written> {
    let target = target.as_ref();
    let mut sink = begin(target, options)?;
    let batches = TableBatches::new(table);
    let schema = renamed(batches.schema());
    let write = || {
        let mut writer = TableWriter::new(format, &mut sink, &schema, false, target)?;
        for batch in batches {
            let batch = batch?;
            let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let columns = batch.columns().to_vec();
            let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &rows)
                .map_err(|error| arrow_failed("name the columns of a table", error))?;
            writer.write(&batch, target)?;
        }
        writer.finish(target)
    };
    let written = write();
    written.map_err(|error| sink.explain(error))?;
    let (path, facts) = sink.into_pending().publish(&Expected::default())?;
    Ok(Written {
        path,
        bytes: facts.size,
        rows: table.len() as u64,
        columns: schema.fields().len(),
    })
}

fn renamed(schema: &SchemaRef) -> SchemaRef {
    let names = unique_names(schema.fields().iter().map(|field| field.name().as_str()));
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| field.as_ref().clone().with_name(name))
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// Names by which columns can be told apart: the first of a name keeps it, later ones get `.1`, `.2` and so on behind it, as
/// pandas calls them.
#[must_use]
pub fn unique_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let names: Vec<&str> = names.into_iter().collect();
    // A name that was logged is never taken by one that is made up.
    let logged: HashSet<&str> = names.iter().copied().collect();
    let mut taken: HashSet<String> = HashSet::new();
    let mut unique = Vec::with_capacity(names.len());
    let mut next: std::collections::HashMap<&str, u64> = std::collections::HashMap::new();
    for name in names {
        let mut chosen = name.to_owned();
        if taken.contains(name) {
            let number = next.entry(name).or_insert(1);
            loop {
                chosen = format!("{name}.{number}");
                *number += 1;
                if !taken.contains(&chosen) && !logged.contains(chosen.as_str()) {
                    break;
                }
            }
        }
        taken.insert(chosen.clone());
        unique.push(chosen);
    }
    unique
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wandb_artifacts::media::{EntryReader, Media, MemoryReader};
    use wandb_core::ErrorKind;

    use super::*;

    async fn table(document: &str) -> Table {
        let reader = MemoryReader::new("a").with("t.table.json", document.to_owned());
        let reader: Arc<dyn EntryReader> = Arc::new(reader);
        let media = Media::read(&reader, "t").await.unwrap().unwrap();
        media.into_table().unwrap()
    }

    #[test]
    fn the_first_of_a_name_keeps_it() {
        assert_eq!(unique_names(["a", "b", "a", "a"]), ["a", "b", "a.1", "a.2"]);
        assert_eq!(unique_names(["a", "a", "a.1"]), ["a", "a.2", "a.1"]);
        assert!(unique_names([]).is_empty());
    }

    #[test]
    fn a_file_is_whole_and_columns_are_told_apart() {
        let document = r#"{"columns": ["x", "x", "text"], "data": [[1, 0.5, "a"], [2, null, "b"]]}"#;
        let table = futures_util::FutureExt::now_or_never(table(document)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (name, format) in [("t.parquet", Format::Parquet), ("t.arrow", Format::ArrowFile)] {
            let target = folder.path().join(name);
            let written = write_file(&table, &target, format, &WriteOptions::default()).unwrap();
            assert_eq!((written.rows, written.columns), (2, 3));
            assert_eq!(std::fs::metadata(&target).unwrap().len(), written.bytes);
            let again = write_file(&table, &target, format, &WriteOptions::default()).unwrap_err();
            assert_eq!(again.kind(), ErrorKind::Conflict);
            write_file(&table, &target, format, &WriteOptions::default().replace(true)).unwrap();
        }
        let file = std::fs::File::open(folder.path().join("t.parquet")).unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let batch = reader.build().unwrap().next().unwrap().unwrap();
        let names: Vec<&str> = batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(
            (names.as_slice(), batch.num_rows()),
            (&["x", "x.1", "text"][..], 2)
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            2,
            "nothing else is left"
        );
    }

    proptest! {
        #[test]
        fn names_are_distinct_and_logged_ones_stay(names in prop::collection::vec("[ab](\\.[12])?", 0..12)) {
            let unique = unique_names(names.iter().map(String::as_str));
            let distinct: HashSet<&String> = unique.iter().collect();
            prop_assert_eq!(distinct.len(), names.len());
            for (place, name) in names.iter().enumerate() {
                let is_first = !names[..place].contains(name);
                prop_assert_eq!(is_first, unique[place] == *name);
            }
        }
    }
}
