//! Rows to files and back: nothing changes, whatever was logged and however it was cut.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
};

use arrow_array::{
    Array, RecordBatch,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt64Type},
};
use arrow_ipc::reader::FileReader;
use arrow_schema::{DataType, SchemaRef};
use parquet::{arrow::arrow_reader::ParquetRecordBatchReaderBuilder, file::statistics::Statistics};
use proptest::{collection::vec, prelude::*};
use wandb_core::{ErrorKind, Value};
use wandb_models::RowBatch;

use crate::{Format, HistoryWriter, WriteOptions, Written, metadata, to_record_batch, to_record_batches};

/// A row as keys and values.
type Row = Vec<(String, Value)>;

fn row_batch(rows: &[Row]) -> RowBatch {
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()).to_wire(), value.to_wire()))
                .collect();
            format!("{{{}}}", cells.join(","))
        })
        .collect();
    RowBatch::from_json_lines(lines.iter().map(String::as_str)).unwrap()
}

fn lines(lines: &[&str]) -> RowBatch {
    RowBatch::from_json_lines(lines.iter().copied()).unwrap()
}

/// The value of a cell by the documented mapping; `None` for an Arrow null.
fn cell(array: &dyn Array, is_json: bool, row: usize) -> Option<Value> {
    if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt64 => {
            let number = array.as_primitive::<UInt64Type>().value(row);
            i64::try_from(number).map_or(Value::UInt(number), Value::Int)
        }
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 if is_json => Value::parse(array.as_string::<i32>().value(row)).unwrap(),
        DataType::Utf8 => Value::from(array.as_string::<i32>().value(row)),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Value::List(
                (0..items.len())
                    .map(|item| cell(&*items, false, item).unwrap_or(Value::Null))
                    .collect(),
            )
        }
        other => panic!("no value maps to {other}"),
    })
}

/// Rows read back: a key that was not logged is not there, and a logged null is [`Value::Null`].
fn rows_of(batches: &[RecordBatch]) -> Vec<BTreeMap<String, Value>> {
    let mut rows = Vec::new();
    for batch in batches {
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let mut values = BTreeMap::new();
            for (field, array) in schema.fields().iter().zip(batch.columns()) {
                let Some(key) = field.metadata().get(metadata::KEY) else {
                    continue;
                };
                assert_eq!(key, field.name());
                let is_json = field
                    .metadata()
                    .get(metadata::ENCODING)
                    .is_some_and(|text| text == metadata::JSON);
                let logged_null = || match field.metadata().get(metadata::NULLS).map(String::as_str) {
                    Some(metadata::NULLS_LOGGED) => true,
                    Some(metadata::NULLS_ABSENT) => false,
                    Some(metadata::NULLS_BOTH) => {
                        let companion = schema
                            .fields()
                            .iter()
                            .position(|other| other.metadata().get(metadata::LOGGED_NULL_OF) == Some(key))
                            .unwrap();
                        let marks = batch.column(companion).as_boolean();
                        assert_eq!(marks.null_count(), 0);
                        marks.value(row)
                    }
                    other => panic!("a null in a column whose nulls are {other:?}"),
                };
                match cell(array, is_json, row) {
                    Some(value) => values.insert(key.clone(), value),
                    None if logged_null() => values.insert(key.clone(), Value::Null),
                    None => None,
                };
            }
            rows.push(values);
        }
    }
    rows
}

fn read(path: &Path, format: Format) -> (SchemaRef, Vec<RecordBatch>) {
    let file = File::open(path).unwrap();
    match format {
        Format::Parquet => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            let schema = reader.schema().clone();
            (schema, reader.build().unwrap().map(Result::unwrap).collect())
        }
        Format::ArrowFile => {
            let reader = FileReader::try_new(file, None).unwrap();
            (reader.schema(), reader.map(Result::unwrap).collect())
        }
    }
}

/// Whether two cells are the same: the kinds of numbers may differ, the numbers may not, and nothing else.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => {
            left.to_bits() == right.to_bits() || (left.is_nan() && right.is_nan())
        }
        // An integer among floats: the float has its value, or its digits are the shortest of the float.
        (Value::Float(float), integer) | (integer, Value::Float(float)) => {
            let digits = integer.to_wire();
            format!("{float:.0}") == digits || float.to_string() == digits
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right.iter())
                    .all(|(left, right)| left.0 == right.0 && same(left.1, right.1))
        }
        (left, right) => left == right,
    }
}

fn assert_same(logged: &[Row], back: &[BTreeMap<String, Value>]) {
    assert_eq!(logged.len(), back.len());
    for (logged, back) in logged.iter().zip(back) {
        assert_eq!(logged.len(), back.len(), "{logged:?} {back:?}");
        for (key, value) in logged {
            let found = back.get(key);
            assert!(
                found.is_some_and(|found| same(value, found)),
                "{key:?}: {value:?} became {found:?}"
            );
        }
    }
}

/// Values as they are logged: mostly of one kind each key, so that typed columns come about, and sometimes of any.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::Bool),
        4 => integer(),
        4 => float(),
        3 => text().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::List),
            vec((text(), inner), 0..4).prop_map(|entries| {
                let entries: BTreeMap<String, Value> = entries.into_iter().collect();
                let cells: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| {
                        format!("{}:{}", Value::from(key.as_str()).to_wire(), value.to_wire())
                    })
                    .collect();
                Value::parse(&format!("{{{}}}", cells.join(","))).unwrap()
            }),
        ]
    })
}

fn integer() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (-5_i64..100).prop_map(Value::Int),
        1 => any::<i64>().prop_map(Value::Int),
        1 => ((1_u64 << 63)..=u64::MAX).prop_map(Value::UInt),
        1 => "[1-9][0-9]{20,24}".prop_map(|digits| Value::BigInt(digits.into())),
        1 => Just(Value::BigInt("100000000000000000000".into())),
    ]
}

fn float() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL,
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
    ]
    .prop_map(Value::Float)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z.]{0,4}",
        1 => "\\PC{0,4}",
        1 => Just("NaN".to_owned()),
        1 => Just("a.logged_null".to_owned()),
    ]
}

/// What one column mostly holds.
fn column() -> impl Strategy<Value = BoxedStrategy<Value>> {
    let number =
        || prop_oneof![4 => float(), 2 => (-5_i64..100).prop_map(Value::Int), 1 => Just(Value::Null)];
    prop_oneof![
        Just((0_i64..9).prop_map(Value::Int).boxed()),
        Just(integer().boxed()),
        Just(
            prop_oneof![
                (0_i64..9).prop_map(Value::Int),
                (1_u64 << 63..).prop_map(Value::UInt)
            ]
            .boxed()
        ),
        Just(number().boxed()),
        Just(prop_oneof![3 => float(), 1 => integer()].boxed()),
        Just(any::<bool>().prop_map(Value::Bool).boxed()),
        Just(text().prop_map(Value::from).boxed()),
        Just(
            vec((0_i64..9).prop_map(Value::Int), 0..4)
                .prop_map(Value::List)
                .boxed()
        ),
        Just(vec(number(), 0..4).prop_map(Value::List).boxed()),
        Just(Just(Value::Null).boxed()),
        Just(any_value().boxed()),
    ]
}

prop_compose! {
    fn history()(
        columns in proptest::collection::btree_map(prop_oneof![2 => Just("a".to_owned()), 3 => text()], column(), 0..5),
    )(
        rows in vec(
            columns
                .into_iter()
                .map(|(key, values)| proptest::option::weighted(0.8, values).prop_map(move |value| (key.clone(), value)))
                .collect::<Vec<_>>(),
            0..12,
        ),
        steps in vec(0_i64..1_000_000, 12),
    ) -> Vec<Row> {
        let mut step = 0;
        rows.into_iter()
            .zip(steps)
            .map(|(cells, gap)| {
                step += gap;
                let cells = cells.into_iter().filter_map(|(key, value)| Some((key, value?)));
                std::iter::once(("_step".to_owned(), Value::Int(step))).chain(cells).collect()
            })
            .collect()
    }
}

/// Writes rows in batches of `size`.
fn write(path: &Path, format: Format, rows: &[Row], size: usize, buffered: usize) -> Written {
    let options = WriteOptions::default()
        .run("e/p/r")
        .replace(true)
        .buffered_rows(buffered);
    let mut writer = HistoryWriter::create(path, format, options).unwrap();
    for rows in rows.chunks(size) {
        writer.append(&row_batch(rows)).unwrap();
        assert!(writer.buffered_rows() < buffered);
    }
    writer.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_written_is_read_back(rows in history(), size in 1_usize..6, buffered in 1_usize..6) {
        let directory = tempfile::tempdir().unwrap();
        for (name, format) in [("r.parquet", Format::Parquet), ("r.arrow", Format::ArrowFile)] {
            let path = directory.path().join(name);
            let written = write(&path, format, &rows, size, buffered);
            let (schema, batches) = read(&path, format);
            assert_same(&rows, &rows_of(&batches));
            prop_assert_eq!(schema.field(0).name(), "_step");
            prop_assert_eq!(schema.metadata().get(metadata::RUN).map(String::as_str), Some("e/p/r"));
            prop_assert_eq!(written.rows, rows.len() as u64);
            prop_assert_eq!(written.columns, schema.fields().len());
            prop_assert_eq!(written.bytes, fs::metadata(&path).unwrap().len());
        }
    }

    #[test]
    fn batches_in_memory_hold_what_was_logged(rows in history()) {
        let batch = to_record_batch(&row_batch(&rows)).unwrap();
        assert_same(&rows, &rows_of(&[batch]));
    }

    #[test]
    fn the_cut_into_batches_changes_nothing(rows in history(), size in 1_usize..6, buffered in 1_usize..6) {
        let directory = tempfile::tempdir().unwrap();
        let [cut, whole] = ["cut.arrow", "whole.arrow"].map(|name| directory.path().join(name));
        write(&cut, Format::ArrowFile, &rows, size, buffered);
        write(&whole, Format::ArrowFile, &rows, rows.len().max(1), 1000);
        let ((cut_schema, cut), (whole_schema, whole)) =
            (read(&cut, Format::ArrowFile), read(&whole, Format::ArrowFile));
        prop_assert_eq!(&cut_schema, &whole_schema);
        // Compared as text, because NaN is unequal to itself.
        prop_assert_eq!(format!("{:?}", rows_of(&cut)), format!("{:?}", rows_of(&whole)));

        let batches: Vec<RowBatch> = rows.chunks(size).map(row_batch).collect();
        let batches = to_record_batches(&batches).unwrap();
        assert_same(&rows, &rows_of(&batches));
        for batch in &batches {
            let schema = batch.schema();
            prop_assert_eq!(schema.fields(), whole_schema.fields());
        }
    }
}

fn types(batch: &RecordBatch) -> Vec<(String, String)> {
    batch
        .schema()
        .fields()
        .iter()
        .map(|field| (field.name().clone(), field.data_type().to_string()))
        .collect()
}

#[test]
fn columns_have_the_documented_types_and_order() {
    let batch = to_record_batch(&lines(&[
        r#"{"loss":1,"_step":0,"d.x":true,"näme":"NaN","h":{"_type":"histogram","v":[NaN]},"l":[1,2],"e":[]}"#,
        r#"{"loss":0.5,"_step":1,"l":[0.5,null],"u":18446744073709551615,"big":9007199254740993,"n":null}"#,
        r#"{"loss":-Infinity,"_step":2,"big":0.5,"u":0,"mixed":"x"}"#,
        r#"{"loss":100000000000000000000,"_step":3,"mixed":7,"n":null}"#,
    ]))
    .unwrap();
    let expected = [
        ("_step", "Int64"),
        ("loss", "Float64"),
        ("d.x", "Boolean"),
        ("näme", "Utf8"),
        ("h", "Utf8"),
        ("l", "List(Float64)"),
        ("e", "List(Int64)"),
        ("u", "UInt64"),
        ("big", "Utf8"),
        ("n", "Null"),
        ("mixed", "Utf8"),
        ("n.logged_null", "Boolean"),
    ];
    assert_eq!(
        types(&batch),
        expected.map(|(name, of)| (name.to_owned(), of.to_owned()))
    );
    let loss = batch
        .column_by_name("loss")
        .unwrap()
        .as_primitive::<Float64Type>();
    assert_eq!(loss.values(), &[1.0, 0.5, f64::NEG_INFINITY, 1e20]);
    let text = |name: &str, row| {
        batch
            .column_by_name(name)
            .unwrap()
            .as_string::<i32>()
            .value(row)
            .to_owned()
    };
    assert_eq!(text("h", 0), r#"{"_type":"histogram","v":[NaN]}"#);
    assert_eq!(text("big", 1), "9007199254740993");
    assert_eq!(
        (text("mixed", 2), text("mixed", 3)),
        (r#""x""#.to_owned(), "7".to_owned())
    );
    assert_eq!(text("näme", 0), "NaN");
    let encoding = |name: &str| {
        let schema = batch.schema();
        schema
            .field_with_name(name)
            .unwrap()
            .metadata()
            .get(metadata::ENCODING)
            .cloned()
    };
    assert_eq!(
        (encoding("näme"), encoding("mixed")),
        (None, Some("json".to_owned()))
    );
}

#[test]
fn logged_null_and_absent_stay_apart() {
    let nulls = |batch: &RecordBatch, name: &str| {
        let schema = batch.schema();
        schema
            .field_with_name(name)
            .unwrap()
            .metadata()
            .get(metadata::NULLS)
            .cloned()
    };
    let batch = to_record_batch(&lines(&[
        r#"{"_step":0,"a":1,"b":1,"c":1,"c.logged_null":"mine"}"#,
        r#"{"_step":1,"a":null,"c":null,"c.logged_null":"mine"}"#,
        r#"{"_step":2,"a":2,"b":2,"c.logged_null":"mine"}"#,
    ]))
    .unwrap();
    assert_eq!(nulls(&batch, "_step"), None);
    assert_eq!(nulls(&batch, "a").as_deref(), Some("logged"));
    assert_eq!(nulls(&batch, "b").as_deref(), Some("absent"));
    assert_eq!(nulls(&batch, "c").as_deref(), Some("both"));
    // The name was taken by a logged key.
    let marks = batch.column_by_name("c.logged_null_").unwrap().as_boolean();
    assert_eq!(
        marks.iter().collect::<Vec<_>>(),
        [Some(false), Some(true), Some(false)]
    );
    assert_eq!(batch.num_columns(), 6);
}

#[test]
fn a_run_without_history_is_an_empty_table() {
    let batch = to_record_batch(&RowBatch::default()).unwrap();
    assert_eq!(
        (batch.num_rows(), types(&batch)),
        (0, vec![("_step".to_owned(), "Int64".to_owned())])
    );
    assert_eq!(to_record_batches([]).unwrap().len(), 1);
    let directory = tempfile::tempdir().unwrap();
    for (name, format) in [("r.parquet", Format::Parquet), ("r.arrow", Format::ArrowFile)] {
        let path = directory.path().join(name);
        let written = write(&path, format, &[], 1, 10);
        assert_eq!((written.rows, written.columns), (0, 1));
        let (schema, batches) = read(&path, format);
        assert_eq!(schema.field(0).data_type(), &DataType::Int64);
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    }
}

#[test]
fn a_parquet_file_says_that_it_is_sorted_only_if_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("r.parquet");
    let sorting = |batches: &[RowBatch]| {
        let options = WriteOptions::default().replace(true).run("e/p/r");
        let mut writer = HistoryWriter::create(&path, Format::Parquet, options).unwrap();
        for batch in batches {
            writer.append(batch).unwrap();
        }
        writer.finish().unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
        let file = reader.metadata().file_metadata();
        let pairs = file.key_value_metadata().unwrap();
        assert!(
            pairs
                .iter()
                .any(|pair| pair.key == "wandb.run" && pair.value.as_deref() == Some("e/p/r"))
        );
        let group = reader.metadata().row_group(0);
        match group.column(0).statistics() {
            Some(Statistics::Int64(steps)) => (
                group.sorting_columns().cloned(),
                steps.min_opt().copied(),
                steps.max_opt().copied(),
            ),
            other => panic!("no statistics of steps: {other:?}"),
        }
    };
    let (early, late) = (
        lines(&[r#"{"_step":1}"#, r#"{"_step":5}"#]),
        lines(&[r#"{"_step":5}"#, r#"{"_step":9}"#]),
    );
    let (columns, min, max) = sorting(&[early.clone(), late.clone()]);
    let columns = columns.unwrap();
    assert_eq!(
        (columns.len(), columns[0].column_idx, columns[0].descending),
        (1, 0, false)
    );
    assert_eq!((min, max), (Some(1), Some(9)));
    assert_eq!(sorting(&[late, early]).0, None);
}

#[test]
fn memory_is_bounded_by_rows_and_by_width() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("r.parquet");
    let mut writer =
        HistoryWriter::create(&path, Format::Parquet, WriteOptions::default().buffered_rows(100)).unwrap();
    let mut most = 0;
    for page in 0..50 {
        let rows: Vec<Row> = (0..70)
            .map(|row| vec![("_step".to_owned(), Value::Int(page * 70 + row))])
            .collect();
        writer.append(&row_batch(&rows)).unwrap();
        most = most.max(writer.buffered_rows());
    }
    assert!(most < 100, "{most}");
    assert_eq!(writer.rows(), 3500);

    // 2,000 columns, of which each row has one: four million cells, which are never in memory at once.
    let rows: Vec<Row> = (0..2000)
        .map(|row| {
            vec![
                ("_step".to_owned(), Value::Int(3500 + row)),
                (format!("k{row}"), Value::Int(row)),
            ]
        })
        .collect();
    for rows in rows.chunks(50) {
        writer.append(&row_batch(rows)).unwrap();
        most = most.max(writer.buffered_rows());
    }
    assert!(most < 100, "{most}");
    let written = writer.finish().unwrap();
    assert_eq!((written.rows, written.columns), (5500, 2001));
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 5500);
}

#[test]
fn wide_rows_are_spilled_early() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("r.arrow");
    let mut writer = HistoryWriter::create(&path, Format::ArrowFile, WriteOptions::default()).unwrap();
    let text = "x".repeat(1 << 20);
    let mut most = 0;
    for step in 0..20 {
        let row = vec![
            ("_step".to_owned(), Value::Int(step)),
            ("text".to_owned(), Value::from(text.as_str())),
        ];
        writer.append(&row_batch(&[row])).unwrap();
        most = most.max(writer.buffered_rows());
    }
    assert!(most < 17, "16 MiB are held at most: {most}");
    assert_eq!(writer.finish().unwrap().rows, 20);
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("r.parquet");
    let rows = lines(&[r#"{"_step":0}"#, r#"{"_step":1}"#]);
    let options = || WriteOptions::default().buffered_rows(1);
    let mut writer = HistoryWriter::create(&path, Format::Parquet, options()).unwrap();
    writer.append(&rows).unwrap();
    assert!(!path.exists());
    drop(writer);
    assert!(
        names(directory.path()).is_empty(),
        "{:?}",
        names(directory.path())
    );

    let mut writer = HistoryWriter::create(&path, Format::Parquet, options()).unwrap();
    let late = HistoryWriter::create(&path, Format::Parquet, options()).unwrap();
    writer.append(&rows).unwrap();
    assert_eq!(writer.finish().unwrap().path, path);
    let whole = fs::read(&path).unwrap();
    assert_eq!(
        late.finish().unwrap_err().kind(),
        ErrorKind::Conflict,
        "it appeared meanwhile"
    );
    let refused = HistoryWriter::create(&path, Format::Parquet, options()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert_eq!(fs::read(&path).unwrap(), whole);

    let writer = HistoryWriter::create(&path, Format::ArrowFile, options().replace(true)).unwrap();
    assert_eq!(
        fs::read(&path).unwrap(),
        whole,
        "the old file stays until the new one is whole"
    );
    writer.finish().unwrap();
    assert_ne!(fs::read(&path).unwrap(), whole);
    assert_eq!(names(directory.path()), ["r.parquet"]);
}

#[test]
fn a_target_that_cannot_be_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let kind = |path: &Path| {
        HistoryWriter::create(path, Format::Parquet, WriteOptions::default())
            .unwrap_err()
            .kind()
    };
    assert_eq!(kind(&directory.path().join("none/r.parquet")), ErrorKind::Io);
    assert!(
        names(directory.path()).is_empty(),
        "a mistyped directory is not made"
    );
    assert_eq!(kind(Path::new("/")), ErrorKind::InvalidInput);
    if cfg!(windows) {
        let device = directory.path().join("aux.parquet");
        assert_eq!(kind(&device), ErrorKind::InvalidInput);
    }
    fs::write(directory.path().join("file"), "").unwrap();
    assert_eq!(kind(&directory.path().join("file/r.parquet")), ErrorKind::Io);
}

#[cfg(target_os = "linux")]
#[test]
fn rows_that_could_not_be_kept_are_never_published() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("d");
    fs::create_dir(&inner).unwrap();
    let path = inner.join("r.parquet");
    let mut writer =
        HistoryWriter::create(&path, Format::Parquet, WriteOptions::default().buffered_rows(2)).unwrap();
    // The directory is gone, so nothing can be spilled there any more.
    fs::remove_dir_all(&inner).unwrap();
    let error = writer
        .append(&lines(&[r#"{"_step":0}"#, r#"{"_step":1}"#]))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    writer.append(&lines(&[r#"{"_step":2}"#])).unwrap();
    assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::Incomplete);
}
