//! Tables in, record batches out.

use std::{path::PathBuf, sync::Arc};

use arrow_array::{
    Array, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Float64Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType},
};
use arrow_schema::{DataType, TimeUnit};
use futures_util::FutureExt;
use wandb_artifacts::{
    Manifest,
    media::{DirectoryReader, EntryReader, Media, MemoryReader, ReadOptions, Table},
};

use super::TableBatches;
use crate::metadata;

fn read(reader: &Arc<dyn EntryReader>, name: &str, options: &ReadOptions) -> Table {
    let media = Media::read_with(reader, name, options)
        .now_or_never()
        .unwrap()
        .unwrap();
    media.unwrap().into_table().unwrap()
}

/// A table that the official client wrote.
fn official(name: &str, options: &ReadOptions) -> Table {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../wandb-artifacts/fixtures/media/tables");
    let manifest = Manifest::from_json(&std::fs::read(root.join("MANIFEST.json")).unwrap()).unwrap();
    let reader: Arc<dyn EntryReader> = Arc::new(DirectoryReader::new("tables", root, manifest));
    read(&reader, name, options)
}

fn inline(columns: &str, data: &str, types: &str) -> Table {
    let text = format!(
        r#"{{"columns":{columns},"data":{data},
        "column_types":{{"wb_type":"typedDict","params":{{"type_map":{types}}}}}}}"#
    );
    let reader: Arc<dyn EntryReader> = Arc::new(MemoryReader::new("m").with("t.table.json", text));
    read(&reader, "t", &ReadOptions::default())
}

fn only(table: &Table) -> RecordBatch {
    let mut batches: Vec<RecordBatch> = TableBatches::new(table).collect::<Result<_, _>>().unwrap();
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

fn about<'a>(batch: &'a RecordBatch, column: usize, key: &str) -> Option<&'a str> {
    batch
        .schema_ref()
        .field(column)
        .metadata()
        .get(key)
        .map(String::as_str)
}

#[test]
fn values_have_the_types_of_a_history_and_times_their_own() {
    let batch = only(&official("plain", &ReadOptions::default()));
    let types: Vec<DataType> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.data_type().clone())
        .collect();
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    assert_eq!(
        types,
        [
            DataType::Utf8,
            DataType::Float64,
            DataType::Boolean,
            time,
            DataType::Utf8,
            DataType::Utf8
        ]
    );
    let scores = batch.column(1).as_primitive::<Float64Type>();
    assert_eq!((scores.value(0), scores.value(3)), (1.0, f64::INFINITY));
    assert!(scores.is_null(2));
    let times = batch.column(3).as_primitive::<TimestampMillisecondType>();
    assert_eq!(times.value(0), 1_704_164_645_678);
    assert!(times.is_null(2));
    assert_eq!(batch.column(5).as_string::<i32>().value(0), r#"{"k":[1,2]}"#);
    assert_eq!(about(&batch, 5, metadata::ENCODING), Some(metadata::JSON));
    assert_eq!(about(&batch, 5, metadata::COLUMN_TYPE), Some("none|typedDict"));
    assert_eq!(about(&batch, 0, metadata::ENCODING), None);
}

#[test]
fn mixed_columns_and_media_are_json_text() {
    let batch = only(&official("mixed", &ReadOptions::default()));
    let any = batch.column(0).as_string::<i32>();
    assert_eq!(
        (any.value(0), any.value(1), any.value(3)),
        ("1", r#""b""#, "true")
    );
    assert!(any.is_null(2));
    assert_eq!(about(&batch, 0, metadata::ENCODING), Some(metadata::JSON));
    let batch = only(&official("media", &ReadOptions::default()));
    assert!(
        batch
            .column(0)
            .as_string::<i32>()
            .value(1)
            .contains(r#""caption":"two""#)
    );
    assert_eq!(about(&batch, 0, metadata::COLUMN_TYPE), Some("image-file|none"));
    assert!(batch.column(1).is_null(1));
}

#[test]
fn arrays_are_nested_lists_of_their_own_type() {
    let batch = only(&official("arrays32", &ReadOptions::default()));
    let outer = batch.column(0).as_fixed_size_list();
    assert_eq!((outer.len(), outer.value_length()), (2, 2));
    let floats = outer.value(0);
    let floats = floats
        .as_fixed_size_list()
        .values()
        .as_fixed_size_list()
        .values()
        .clone();
    assert!(
        floats.as_primitive::<Float32Type>().values()[..8]
            .iter()
            .all(|float| *float == 0.5)
    );

    let wide = only(&official("arrays", &ReadOptions::default()));
    let pixels = wide
        .column(1)
        .as_fixed_size_list()
        .values()
        .as_fixed_size_list()
        .values()
        .clone();
    let expected: Vec<i64> = (0..12).collect();
    assert_eq!(pixels.as_primitive::<Int64Type>().values(), expected.as_slice());
    assert_eq!(wide.column(0).as_list::<i32>().value(0).len(), 3);

    let unread = only(&official("arrays", &ReadOptions::default().arrays(false)));
    assert_eq!(unread.column(1).data_type(), &DataType::Null);
    assert!(
        about(&unread, 1, metadata::STORED_ARRAY)
            .unwrap()
            .ends_with(".npz")
    );
}

#[test]
fn columns_without_values_have_the_type_that_was_declared() {
    let types = r#"{"s":{"wb_type":"string"},"n":{"wb_type":"union","params":{"allowed_types":[{"wb_type":"none"},
        {"wb_type":"number"}]}},"b":{"wb_type":"boolean"},"t":{"wb_type":"timestamp"},"u":{"wb_type":"unknown"}}"#;
    let batch = only(&inline(
        r#"["s","n","b","t","u","x"]"#,
        "[[null,null,null,null,null,null]]",
        types,
    ));
    let types: Vec<DataType> = batch
        .columns()
        .iter()
        .map(|array| array.data_type().clone())
        .collect();
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    assert_eq!(
        types,
        [
            DataType::Utf8,
            DataType::Float64,
            DataType::Boolean,
            time,
            DataType::Null,
            DataType::Null
        ]
    );
    assert!(
        batch
            .columns()
            .iter()
            .all(|array| array.logical_null_count() == 1)
    );
}

#[test]
fn fine_and_mixed_times_are_kept() {
    let types = r#"{"t":{"wb_type":"timestamp"},"m":{"wb_type":"timestamp"}}"#;
    let batch = only(&inline(r#"["t","m"]"#, r#"[[0.5,0],[1000,"soon"]]"#, types));
    let fine = batch.column(0).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(fine.values(), &[500, 1_000_000]);
    let mixed = batch.column(1).as_string::<i32>();
    assert_eq!(
        (mixed.value(0), mixed.value(1)),
        (r#""1970-01-01T00:00:00Z""#, r#""soon""#)
    );
}

#[test]
fn batches_share_one_schema_and_hold_all_rows() {
    let rows: Vec<String> = (0..10).map(|row| format!("[{row}]")).collect();
    let table = inline(r#"["x"]"#, &format!("[{},[0.5]]", rows.join(",")), "{}");
    let batches: Vec<RecordBatch> = TableBatches::new(&table)
        .rows_per_batch(4)
        .collect::<Result<_, _>>()
        .unwrap();
    let counts: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(counts, [4, 4, 3]);
    let values: Vec<f64> = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_primitive::<Float64Type>().values().to_vec())
        .collect();
    assert_eq!(values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 0.5]);

    let empty = only(&inline(r#"["x"]"#, "[]", "{}"));
    assert_eq!((empty.num_rows(), empty.num_columns()), (0, 1));
    let bare = only(&inline("[]", "[[],[]]", "{}"));
    assert_eq!((bare.num_rows(), bare.num_columns()), (2, 0));
}
