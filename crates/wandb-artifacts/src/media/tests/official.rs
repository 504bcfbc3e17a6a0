//! What the official client wrote is read as it was logged.

use serde::Deserialize;
use wandb_core::{Error, ErrorKind, Value, timestamp::Timestamp};

use super::*;

fn media(name: &str) -> Media {
    read(&fixture("everything"), name).unwrap().expect("it is there")
}

#[test]
fn an_image_has_its_picture_boxes_masks_and_classes() {
    let image = media("img").into_image().unwrap();
    assert_eq!((image.width, image.height), (Some(3), Some(4)));
    assert_eq!(image.format.as_deref(), Some("png"));
    assert_eq!(image.caption.as_deref(), Some("first"));
    let bytes = now(image.file.bytes()).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    let local = now(image.file.local_path()).unwrap();
    assert_eq!(std::fs::read(local).unwrap(), bytes);

    let classes = now(image.classes.as_ref().unwrap().read()).unwrap();
    assert_eq!(
        (classes.name(0), classes.name(1), classes.name(2)),
        (Some("cat"), Some("dog"), None)
    );
    assert_eq!(classes.as_slice().len(), 2);

    let boxes = now(image.box_layer("predictions").unwrap().read()).unwrap();
    let [first, second] = boxes.as_slice() else {
        panic!("there are two boxes");
    };
    assert_eq!(
        first.position,
        BoxPosition::Edges {
            min_x: 0.1,
            min_y: 0.2,
            max_x: 0.5,
            max_y: 0.6
        }
    );
    assert_eq!(
        (first.class_id, first.caption.as_deref()),
        (Some(1), Some("dog?"))
    );
    assert_eq!(first.scores, [("acc".to_owned(), 0.5), ("loss".to_owned(), 1.5)]);
    assert_eq!(
        (&first.domain, &second.domain),
        (&BoxDomain::Fraction, &BoxDomain::Pixel)
    );
    assert_eq!(
        second.position,
        BoxPosition::Middle {
            x: 1.0,
            y: 2.0,
            width: 1.0,
            height: 2.0
        }
    );
    let mask = image.mask("truth").unwrap();
    assert!(now(mask.file.bytes()).unwrap().starts_with(b"\x89PNG"));
    assert!(image.mask("lies").is_none());
}

#[test]
fn files_with_and_without_caption_are_read() {
    let Media::Audio(quiet) = media("quiet") else {
        panic!()
    };
    assert_eq!(quiet.caption, None);
    assert!(now(quiet.file.bytes()).unwrap().starts_with(b"RIFF"));
    let Media::Audio(beep) = media("beep") else {
        panic!()
    };
    assert_eq!(beep.caption.as_deref(), Some("beep"));
    let Media::Video(clip) = media("clip") else {
        panic!()
    };
    assert_eq!(clip.caption.as_deref(), Some("clip"));
    let Media::Html(page) = media("page") else {
        panic!()
    };
    assert_eq!(now(page.file.text()).unwrap(), "<p>hello</p>");
    let Media::Object3d(cloud) = media("cloud") else {
        panic!()
    };
    assert_eq!(cloud.caption.as_deref(), Some("cloud"));
    assert_eq!(
        now(cloud.file.json()).unwrap().to_json(),
        "[[0.0,0.0,0.0],[1.0,2.0,3.0]]"
    );
    let Media::Molecule(molecule) = media("mol") else {
        panic!()
    };
    assert_eq!(now(molecule.file.text()).unwrap(), "HEADER tiny\nEND\n");
    let Media::Bokeh(figure) = media("bok") else {
        panic!()
    };
    assert!(now(figure.file.json()).unwrap().as_map().is_some());
    let Media::Mask(mask) = media("amask") else {
        panic!()
    };
    assert!(now(mask.file.bytes()).unwrap().starts_with(b"\x89PNG"));
    let Media::BoundingBoxes(boxes) = media("boxes") else {
        panic!()
    };
    assert_eq!(boxes.as_slice()[0].class_id, Some(1));
    let Media::Classes(classes) = media("labels") else {
        panic!()
    };
    assert_eq!(classes.name(1), Some("dog"));
}

#[test]
fn a_name_may_have_its_end_or_lack_it() {
    let tables = fixture("tables");
    for name in ["plain", "plain.table", "plain.table.json"] {
        assert_eq!(table(&tables, name).path(), "plain.table.json", "{name}");
    }
    for name in ["absent", "", "media/images/5c11d6f12b1629903748", "plai"] {
        assert!(read(&tables, name).unwrap().is_none(), "{name}");
    }
}

#[derive(Debug, Deserialize)]
struct Plain {
    id: String,
    score: Option<f64>,
    ok: Option<bool>,
    when: Option<Timestamp>,
    note: Option<String>,
    nested: Nested,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Nested {
    k: Vec<i64>,
}

#[test]
fn a_table_has_typed_cells() {
    let table = table(&fixture("tables"), "plain");
    assert_eq!((table.len(), table.columns().len()), (4, 6));
    assert_eq!(table.log_mode(), &LogMode::Immutable);
    let when = &table.columns()[3];
    assert_eq!(when.name(), "when");
    assert_eq!(
        when.column_type(),
        Some(&ColumnType::Union(vec![ColumnType::None, ColumnType::Timestamp]))
    );
    assert!(when.column_type().unwrap().is_optional());

    let row = table.row(0).unwrap();
    assert_eq!(row.cells().len(), 6);
    let cells: Vec<Cell<'_>> = row.cells().collect();
    assert!(matches!(&cells[0], Cell::Text(std::borrow::Cow::Borrowed("a"))));
    assert_eq!(cells[1].as_i64(), Some(1));
    assert!(matches!(cells[2], Cell::Bool(true)));
    assert!(matches!(cells[3], Cell::Time(time) if time.to_string() == "2024-01-02T03:04:05.678Z"));
    assert!(cells[4].is_null());
    assert!(matches!(cells[5], Cell::Json(json) if json.as_str() == r#"{"k": [1, 2]}"#));
    let odd = table.row(3).unwrap();
    assert_eq!(odd.get("score").unwrap().as_f64(), Some(f64::INFINITY));
    assert_eq!(odd.get("note").unwrap().as_str(), Some("q\""));
    assert_eq!(odd.index(), 3);
    assert!(odd.get("absent").is_none() && odd.cell(6).is_none() && table.row(4).is_none());

    let rows: Vec<Plain> = table.rows_as().collect::<Result<_, _>>().unwrap();
    assert_eq!(
        (rows[2].id.as_str(), rows[2].score, rows[2].ok),
        ("é☃", None, None)
    );
    assert_eq!(rows[1].when.unwrap().to_string(), "2024-01-02T00:00:00Z");
    assert_eq!(
        (rows[1].note.as_deref(), &rows[1].nested),
        (Some("x"), &Nested { k: vec![3] })
    );

    #[derive(Debug, Deserialize)]
    struct Wrong {
        #[serde(rename = "id")]
        _id: u32,
    }
    let error = table.rows_as::<Wrong>().next().unwrap().unwrap_err();
    assert!(matches!(error, MediaError::Row { row: 0, .. }), "{error}");
}

#[test]
fn media_in_cells_are_typed_and_not_fetched_before() {
    let table = table(&fixture("tables"), "media");
    let Some(Cell::Media(cell)) = table.row(1).unwrap().get("img") else {
        panic!()
    };
    assert_eq!(cell.kind(), "image-file");
    let image = cell.media().unwrap().into_image().unwrap();
    assert_eq!(image.caption.as_deref(), Some("two"));
    assert!(now(image.file.bytes()).unwrap().starts_with(b"\x89PNG"));
    assert!(table.row(1).unwrap().get("snd").unwrap().is_null());
    let Some(Cell::Media(sound)) = table.row(0).unwrap().get("snd") else {
        panic!()
    };
    assert!(matches!(sound.media().unwrap(), Media::Audio(audio) if audio.caption.as_deref() == Some("z")));
    let column = table.columns()[0].column_type().unwrap();
    let image_type = column.alternatives().next().unwrap();
    let ColumnType::Other { name, parameters } = image_type else {
        panic!()
    };
    assert_eq!(name, "image-file");
    assert_eq!(
        parameters.get("box_score_keys").unwrap().to_json(),
        r#"{"params":{"is_set":true,"val":["acc","loss"]},"wb_type":"const"}"#
    );
}

#[test]
fn arrays_come_out_of_their_archive() {
    let tables = fixture("tables");
    let wide = table(&tables, "arrays");
    let Some(Cell::Array(array)) = wide.row(1).unwrap().get("pix") else {
        panic!()
    };
    assert_eq!((array.shape(), array.element()), (&[2, 3][..], Element::Int(8)));
    assert_eq!(array.to_value().to_json(), "[[6,7,8],[9,10,11]]");
    assert_eq!(array.at(1).unwrap().to_f64().unwrap(), [9.0, 10.0, 11.0]);
    // Short vectors are lists in the cells (official: embeddings).
    assert_eq!(
        wide.columns()[0].column_type(),
        Some(&ColumnType::List {
            element: Box::new(ColumnType::Number),
            length: Some(3)
        })
    );
    let Some(Cell::Json(list)) = wide.row(0).unwrap().get("emb") else {
        panic!()
    };
    assert_eq!(list.value().as_list().unwrap().len(), 3);

    let narrow = table(&tables, "arrays32");
    let Some(Cell::Array(array)) = narrow.row(0).unwrap().cell(0) else {
        panic!()
    };
    assert_eq!(array.element(), Element::Float(4));
    assert_eq!(array.to_f64().unwrap(), [0.5; 8]);

    let options = ReadOptions::default().arrays(false);
    let table = now(Media::read_with(&tables, "arrays", &options))
        .unwrap()
        .unwrap()
        .into_table()
        .unwrap();
    let Some(Cell::StoredArray(stored)) = table.row(0).unwrap().get("pix") else {
        panic!()
    };
    assert_eq!(
        (stored.key.as_str(), stored.path.ends_with(".npz")),
        ("pix", true)
    );
}

#[test]
fn awkward_columns_are_read() {
    let tables = fixture("tables");
    let numbered = table(&tables, "intcols");
    assert_eq!(numbered.row(0).unwrap().get("2").unwrap().as_str(), Some("b"));
    assert!(numbered.columns()[1].column_type().unwrap().is_optional());

    let mixed = table(&tables, "mixed");
    let values: Vec<String> = mixed
        .rows()
        .map(|row| Value::List(row.to_values()).to_json())
        .collect();
    assert_eq!(
        values,
        [
            r#"[1,"a"]"#,
            r#"["b",2]"#,
            r#"[null,[1,"z"]]"#,
            r#"[true,{"p":1}]"#
        ]
    );

    let dates = table(&tables, "dates");
    let texts: Vec<String> = dates
        .row(1)
        .unwrap()
        .cells()
        .map(|cell| cell.to_value().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(texts, ["1960-01-01T00:00:00Z", "1999-01-01T00:00:00Z"]);

    let classed = table(&tables, "classed");
    let Some(ColumnType::ClassId { classes, valid }) = classed.columns()[0].column_type() else {
        panic!()
    };
    assert_eq!(classes.as_deref(), Some("media/cls.classes.json"));
    assert_eq!(*valid, [Value::Int(0), Value::Int(1)]);

    let empty = table(&tables, "empty");
    assert!(empty.is_empty() && empty.rows().next().is_none() && empty.row(0).is_none());
    assert_eq!(empty.columns().len(), 1);
}

#[test]
fn keys_lead_to_other_tables() {
    let tables = fixture("tables");
    let events = table(&tables, "events");
    let users = now(now(events.foreign_table("who").unwrap().open())
        .unwrap()
        .into_table())
    .unwrap();
    assert_eq!(users.row(1).unwrap().get("name").unwrap().as_str(), Some("Bob"));
    assert_eq!(users.columns()[0].column_type(), Some(&ColumnType::PrimaryKey));
    assert!(events.foreign_table("n").is_none());
    let indexed = table(&tables, "indexed");
    assert_eq!(indexed.foreign_table("row").unwrap().path(), "users.table.json");
}

#[test]
fn joined_and_partitioned_tables_lead_to_their_rows() {
    let tables = fixture("tables");
    let Some(Media::JoinedTable(join)) = read(&tables, "join").unwrap() else {
        panic!()
    };
    assert_eq!((join.key.left.as_str(), join.key.right.as_str()), ("uid", "who"));
    let AnyTable::Table(right) = now(join.table2.open()).unwrap() else {
        panic!()
    };
    assert_eq!(right.len(), 3);

    let Some(Media::PartitionedTable(parts)) = read(&tables, "partitioned").unwrap() else {
        panic!()
    };
    assert_eq!(
        now(parts.parts()).unwrap(),
        ["parts/0.table.json", "parts/1.table.json"]
    );
    let one = now(parts.part("parts/1.table.json")).unwrap();
    assert_eq!(one.row(0).unwrap().get("q").unwrap().as_str(), Some("r1"));
    let all = now(parts.read()).unwrap();
    let numbers: Vec<i64> = all
        .rows()
        .map(|row| row.cell(0).unwrap().as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [0, 10, 1, 11]);
}

#[test]
fn increments_are_joined_in_order() {
    let reader = fixture("incremental");
    // The first one is called `None-…` (official), the third one is the older file.
    for name in ["1-1700000000005.k", "None-1700000000000.k", "2-1700000000003.k"] {
        let table = table(&reader, name);
        let texts: Vec<String> = table
            .rows()
            .map(|row| row.cell(1).unwrap().as_str().unwrap().to_owned())
            .collect();
        assert_eq!(texts, ["x", "y", "z", "w"], "{name}");
        assert_eq!(table.log_mode(), &LogMode::Incremental);
        let rows: Vec<_> = table
            .increments()
            .iter()
            .map(|part| (part.number, part.rows.clone()))
            .collect();
        assert_eq!(rows, [(0, 0..2), (1, 2..3), (2, 3..4)]);
        assert!(table.missing_increments().is_empty());
        assert_eq!(table.row(3).unwrap().index(), 3);
    }
    // Another key's increment is not mixed in, and what is missing before it is told.
    let other = table(&reader, "10-1700000000001.other");
    assert_eq!(other.len(), 1);
    assert!(matches!(other.missing_increments().as_slice(), [missing] if *missing == (0..3)));
}

#[test]
fn bytes_that_differ_from_manifest_or_object_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let manifest =
        Manifest::from_json(&std::fs::read(folder("everything").join("MANIFEST.json")).unwrap()).unwrap();
    std::fs::copy(
        folder("everything").join("page.html-file.json"),
        root.join("page.html-file.json"),
    )
    .unwrap();
    std::fs::create_dir_all(root.join("media/html")).unwrap();
    std::fs::write(root.join("media/html/4f28dc216e70d5555ca2.html"), "<p>jello</p>").unwrap();
    let reader: Arc<dyn EntryReader> = Arc::new(DirectoryReader::new("x", root, manifest));
    let page = read(&reader, "page").unwrap().unwrap();
    let error = Error::from(now(page.file().unwrap().bytes()).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Integrity);

    // Where the reader has no digest, the sha256 of the object decides.
    let text = std::fs::read_to_string(folder("everything").join("page.html-file.json")).unwrap();
    let reader: Arc<dyn EntryReader> = Arc::new(
        MemoryReader::new("m")
            .with("page.html-file.json", text)
            .with("media/html/4f28dc216e70d5555ca2.html", "<p>jello</p>"),
    );
    let page = read(&reader, "page").unwrap().unwrap();
    let error = now(page.file().unwrap().bytes()).unwrap_err();
    assert!(matches!(error, MediaError::Sha256 { .. }), "{error}");
}
