//! What nobody should log is an error, in bounded memory.

use wandb_core::Error;

use super::*;

fn error(path: &str, text: impl Into<String>) -> MediaError {
    read(&memory(path, text), path).unwrap_err()
}

#[test]
fn tables_that_are_not_what_they_say_are_refused() {
    let cases = [
        (
            r#"{"columns":["a"],"data":[[1,2]]}"#,
            r#"data[0] has 2 cells for 1 columns"#,
        ),
        (
            r#"{"data":[[1],[2,3]],"columns":["a"]}"#,
            r#"data[1] has 2 cells for 1 columns"#,
        ),
        (
            r#"{"columns":["a"],"data":[[1]],"nrows":2}"#,
            "nrows is 2, but there are 1",
        ),
        (
            r#"{"columns":["a"],"data":[[1]],"ncols":2}"#,
            "ncols is 2, but there are 1",
        ),
        (r#"{"columns":["a"]}"#, "data is missing"),
        (r#"{"data":[]}"#, "columns is missing"),
        (r#"{"columns":7,"data":[]}"#, "columns is not a list"),
        (
            r#"{"columns":[null],"data":[]}"#,
            "columns[0] is neither a text nor an integer",
        ),
        (
            r#"{"_type":"image-file","columns":[],"data":[]}"#,
            r#"_type is "image-file", not "table""#,
        ),
        (
            r#"{"columns":[],"data":[],"column_types":{"wb_type":"number"}}"#,
            "column_types is no dictionary of types",
        ),
        (
            r#"{"columns":[],"data":[],"column_types":3}"#,
            "column_types is not an object",
        ),
        (
            r#"{"columns":["a"],"data":[],"column_types":{"wb_type":"typedDict","params":{"type_map":{"a":{}}}}}"#,
            "column_types.params.type_map.a.wb_type is missing",
        ),
    ];
    for (text, problem) in cases {
        let error = error("t.table.json", text);
        assert!(matches!(error, MediaError::Shape { .. }));
        assert_eq!(error.to_string(), format!(r#""t.table.json": {problem}"#));
    }
    for text in [
        "",
        "[]",
        "{",
        r#"{"columns":[],"data":[1]}"#,
        r#"{"columns":[],"data":{}}"#,
    ] {
        assert!(
            matches!(error("t.table.json", text), MediaError::Json { .. }),
            "{text}"
        );
    }
    let deep = format!(
        r#"{{"columns":["a"],"data":[[{}{}]]}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(matches!(error("t.table.json", deep), MediaError::Json { .. }));
}

#[test]
fn names_that_lead_out_of_the_artifact_are_refused() {
    for path in [
        "../secret",
        "/etc/passwd",
        "a/../../b",
        "c:/x",
        "..\\b",
        ".. /x",
        "",
    ] {
        let json = wandb_core::Value::from(path).to_json();
        let image = format!(r#"{{"_type":"image-file","path":{json}}}"#);
        assert!(
            matches!(error("i.image-file.json", image), MediaError::UnsafePath { .. }),
            "{path}"
        );
        let model = format!(r#"{{"type":"pytorch-model-file","path":{json}}}"#);
        assert!(matches!(
            error("m.pytorch-model-file.json", model),
            MediaError::UnsafePath { .. }
        ));
        let join = format!(r#"{{"_type":"joined-table","table1":{json},"table2":"b","join_key":"k"}}"#);
        assert!(matches!(
            error("j.joined-table.json", join),
            MediaError::UnsafePath { .. }
        ));
        let parts = format!(r#"{{"_type":"partitioned-table","parts_path":{json}}}"#);
        assert!(matches!(
            error("p.partitioned-table.json", parts),
            MediaError::UnsafePath { .. }
        ));
        let table = format!(
            r#"{{"columns":["a"],"data":[],"column_types":{{"wb_type":"typedDict","params":{{"type_map":{{"a":
            {{"wb_type":"ndarray","params":{{"shape":[1],"serialization_path":{{"path":{json},"key":"a"}}}}}}}}}}}}}}"#
        );
        assert!(matches!(
            error("t.table.json", table),
            MediaError::UnsafePath { .. }
        ));
    }
}

#[test]
fn limits_are_errors_before_anything_is_fetched() {
    let text = format!(r#"{{"columns":["a"],"data":[["{}"]]}}"#, "x".repeat(1000));
    let reader = memory("t.table.json", text);
    let small = ReadOptions::default().table_bytes(1000);
    let error = now(Media::read_with(&reader, "t", &small)).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#""t.table.json" has more than 1000 bytes of JSON"#
    );
    assert_eq!(Error::from(error).hints().len(), 1);
    let reader = memory(
        "c.classes.json",
        format!(r#"{{"class_set":[]{}}}"#, " ".repeat(100)),
    );
    let small = ReadOptions::default().json_bytes(100);
    assert!(matches!(
        now(Media::read_with(&reader, "c", &small)).unwrap_err(),
        MediaError::TooLarge { limit: 100, .. }
    ));
    // All increments count together.
    let increment = |number| {
        format!(r#"{{"columns":["a"],"data":[[1]],"log_mode":"INCREMENTAL","increment_num":{number}}}"#)
    };
    let mut reader = MemoryReader::new("m");
    for number in 0..5 {
        reader = reader.with(format!("{number}-1.k.table.json"), increment(number));
    }
    let reader: Arc<dyn EntryReader> = Arc::new(reader);
    assert_eq!(table(&reader, "3-1.k").len(), 5);
    for options in [
        ReadOptions::default().table_bytes(300),
        ReadOptions::default().parts(4),
    ] {
        assert!(matches!(
            now(Media::read_with(&reader, "3-1.k", &options)).unwrap_err(),
            MediaError::TooLarge { .. }
        ));
    }
}

#[test]
fn circles_of_references_are_errors() {
    // A join of a join of itself.
    let reader = MemoryReader::new("m")
        .with(
            "j.joined-table.json",
            r#"{"_type":"joined-table","table1":"k.joined-table.json","table2":"k.joined-table.json","join_key":"a"}"#,
        )
        .with(
            "k.joined-table.json",
            r#"{"_type":"joined-table","table1":"j","table2":"j.joined-table.json","join_key":["a","b"]}"#,
        );
    let reader: Arc<dyn EntryReader> = Arc::new(reader);
    let Some(Media::JoinedTable(first)) = read(&reader, "j").unwrap() else {
        panic!()
    };
    let AnyTable::Joined(second) = now(first.table1.open()).unwrap() else {
        panic!()
    };
    let error = now(second.table2.open()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "objects refer to each other in a circle: j.joined-table.json -> k.joined-table.json -> j.joined-table.json"
    );
    // The same by a name without its end.
    assert!(matches!(
        now(second.table1.open()).unwrap_err(),
        MediaError::Cycle { .. }
    ));

    // Entries that are references to each other.
    let other = MemoryReader::new("b").with_reference("t.table.json", "wandb-artifact://61/t.table.json", "");
    let reader =
        MemoryReader::new("a").with_reference("t.table.json", "wandb-artifact://62/t.table.json", "");
    let inner: Arc<dyn EntryReader> = Arc::new(reader.clone());
    let other: Arc<dyn EntryReader> = Arc::new(other.with_artifact("wandb-artifact://61/", inner));
    let reader: Arc<dyn EntryReader> =
        Arc::new(reader.with_artifact("wandb-artifact://62/", Arc::clone(&other)));
    // The innermost reader knows no other artifact, so the chain ends there.
    assert!(matches!(
        read(&reader, "t").unwrap_err(),
        MediaError::Cycle { .. } | MediaError::Read { .. }
    ));
    let itself: Arc<dyn EntryReader> = Arc::new(SelfReference);
    assert!(matches!(
        read(&itself, "t").unwrap_err(),
        MediaError::Cycle { .. }
    ));
}

/// An artifact whose one entry is a reference to itself.
#[derive(Debug)]
struct SelfReference;

#[async_trait::async_trait]
impl EntryReader for SelfReference {
    fn id(&self) -> &str {
        "self"
    }

    async fn entry(&self, path: &str) -> wandb_core::Result<Option<EntryInfo>> {
        Ok(Some(
            EntryInfo::new(path).reference(format!("wandb-artifact://61/{path}")),
        ))
    }

    async fn names_with_prefix(&self, prefix: &str) -> wandb_core::Result<Vec<String>> {
        Ok(vec![format!("{prefix}table.json")])
    }

    async fn bytes(&self, path: &str, _: u64) -> wandb_core::Result<bytes::Bytes> {
        Err(Error::not_found(path))
    }

    async fn path(&self, path: &str) -> wandb_core::Result<PathBuf> {
        Err(Error::not_found(path))
    }

    async fn artifact(&self, _: &str) -> wandb_core::Result<Arc<dyn EntryReader>> {
        Ok(Arc::new(SelfReference))
    }
}

#[test]
fn references_to_other_artifacts_are_read_there() {
    let other = MemoryReader::new("b")
        .with(
            "deep/t.table.json",
            r#"{"columns":["a"],"data":[[{"_type":"html-file","path":"p.html"}]]}"#,
        )
        .with("p.html", "there");
    let reader = MemoryReader::new("a")
        .with_reference("t.table.json", "wandb-artifact://62/deep/t.table.json", "")
        .with("p.html", "here")
        .with_reference("gone.table.json", "wandb-artifact://62/gone.table.json", "")
        .with_artifact("wandb-artifact://62/", Arc::new(other));
    let reader: Arc<dyn EntryReader> = Arc::new(reader);
    let table = table(&reader, "t");
    assert_eq!(table.path(), "deep/t.table.json");
    let Some(Cell::Media(cell)) = table.row(0).unwrap().cell(0) else {
        panic!()
    };
    let page = cell.media().unwrap();
    assert_eq!(now(page.file().unwrap().text()).unwrap(), "there");
    assert!(matches!(
        read(&reader, "gone").unwrap_err(),
        MediaError::Missing { .. }
    ));
}

#[test]
fn media_made_of_an_address_has_the_sha256_of_the_address() {
    // sha256("s3://bucket/i.png")
    let sha256 = "6ad8e9eb2f4d9113f7158bc3b89ada592e9296c80d92cc734592cc4c309c0d3a";
    let text = format!(r#"{{"_type":"image-file","path":"i.png","sha256":"{sha256}"}}"#);
    let reader = MemoryReader::new("m")
        .with("i.image-file.json", text)
        .with_reference("i.png", "s3://bucket/i.png", "picture");
    let reader: Arc<dyn EntryReader> = Arc::new(reader);
    let image = read(&reader, "i").unwrap().unwrap();
    assert_eq!(&now(image.file().unwrap().bytes()).unwrap()[..], b"picture");
}

#[test]
fn saved_models_are_paths() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let files = [
        (
            "m.sklearn-model-file.json",
            r#"{"type":"sklearn-model-file","path":".wb_data/saved_models/ab","dep_py_files_path":".wb_data/extra_files/cd"}"#,
        ),
        (".wb_data/saved_models/ab/model.pkl", "pickle"),
        (".wb_data/saved_models/ab/sub/more.pkl", "pickles"),
        (".wb_data/extra_files/cd/code.py", "raise SystemExit"),
    ];
    let mut manifest = Manifest::new();
    for (path, text) in files {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), text).unwrap();
        let digest = crate::Algorithm::Md5.hash(text.as_bytes());
        manifest.insert(crate::ManifestEntry::file(path, digest, text.len() as u64));
    }
    let reader: Arc<dyn EntryReader> = Arc::new(DirectoryReader::new("m", root, manifest));
    let Some(Media::SavedModel(model)) = read(&reader, "m").unwrap() else {
        panic!()
    };
    let files = now(model.files()).unwrap();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["model.pkl", "sub/more.pkl"]);
    assert_eq!(std::fs::read_to_string(&files[0].1).unwrap(), "pickle");
    assert_eq!(
        now(model.dependency_entries()).unwrap(),
        [".wb_data/extra_files/cd/code.py"]
    );
}

#[test]
fn a_name_that_ends_as_a_file_can_still_be_a_table() {
    let reader = MemoryReader::new("m")
        .with("data.v1.json", "{}")
        .with("data.v1.json.table.json", r#"{"columns":[],"data":[]}"#);
    let reader: Arc<dyn EntryReader> = Arc::new(reader);
    assert_eq!(table(&reader, "data.v1.json").path(), "data.v1.json.table.json");
}

#[test]
fn a_new_kind_is_kept_as_it_is() {
    let reader = memory("h.hologram.json", r#"{"_type":"hologram","depth":3}"#);
    let media = read(&reader, "h").unwrap().unwrap();
    assert!(matches!(media, Media::Unknown { kind, .. } if kind == "hologram"));
    // A JSON file that is no object of W&B's is not one.
    for text in [r#"{"depth":3}"#, "[]", r#"{"_type":"other"}"#] {
        assert!(
            read(&memory("h.hologram.json", text), "h").unwrap().is_none(),
            "{text}"
        );
    }
}

#[test]
fn parts_with_other_columns_are_refused() {
    let part = |columns: &str, row: &str| format!(r#"{{"columns":{columns},"data":[{row}]}}"#);
    let cases = [
        (
            r#"["a","c"]"#,
            "[1,2]",
            "columns[1] has another name than in the other parts",
        ),
        (r#"["a"]"#, "[1]", "there are 1 columns, in the other parts 2"),
    ];
    for (columns, row, problem) in cases {
        let reader = MemoryReader::new("m")
            .with(
                "p.partitioned-table.json",
                r#"{"_type":"partitioned-table","parts_path":"parts"}"#,
            )
            .with("parts/0.table.json", part(columns, row))
            .with("parts/1.table.json", part(r#"["a","b"]"#, "[3,4]"))
            .with("parts/readme.txt", "not a part");
        let reader: Arc<dyn EntryReader> = Arc::new(reader);
        let Some(Media::PartitionedTable(parts)) = read(&reader, "p").unwrap() else {
            panic!()
        };
        let error = now(parts.read()).unwrap_err();
        assert_eq!(error.to_string(), format!(r#""parts/0.table.json": {problem}"#));
    }
}

#[test]
fn boxes_that_are_none_are_refused() {
    let cases = [
        (r#"[{}]"#, "[0].position is missing"),
        (
            r#"[{"position":{"middle":[1],"width":1,"height":1}}]"#,
            "[0].position.middle[1] is missing",
        ),
        (
            r#"[{"position":{"minX":1,"minY":1,"maxX":1}}]"#,
            "[0].position.maxY is missing",
        ),
        (
            r#"[{"position":{"minX":1,"minY":1,"maxX":1,"maxY":2},"scores":{"a":"high"}}]"#,
            "[0].scores.a is not a number",
        ),
        (r#"{"x":1}"#, "box_data is missing"),
    ];
    for (text, problem) in cases {
        let error = error("b.bounding-boxes.json", text);
        assert_eq!(
            error.to_string(),
            format!(r#""b.bounding-boxes.json": {problem}"#)
        );
    }
}

#[test]
fn lists_of_media_do_not_nest() {
    let mut text = r#"{"_type":"audio-file","path":"a.wav"}"#.to_owned();
    for _ in 0..40 {
        text = format!(r#"{{"_type":"audio","audio":[{text}]}}"#);
    }
    let value = wandb_core::Value::parse(&text).unwrap();
    let error = Media::from_value(&memory("x", ""), "key", &value).unwrap_err();
    assert!(matches!(error, MediaError::Shape { .. }));
}
