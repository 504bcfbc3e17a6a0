//! Objects in the summaries of runs, as the official client wrote them.

use wandb_core::Value;

use super::*;

fn of(files: &Arc<dyn EntryReader>, text: &str) -> Result<Media, MediaError> {
    Media::from_value(files, "key", &Value::parse(text).unwrap())
}

#[test]
fn a_table_file_is_read_from_the_run_or_from_its_artifact() {
    let artifact = MemoryReader::new("artifact").with(
        "t.table.json",
        r#"{"_type":"table","columns":["a"],"data":[[1],[2]],"ncols":1,"nrows":2}"#,
    );
    let reader = MemoryReader::new("run")
        .with(
            "media/table/t_0_f374.table.json",
            r#"{"columns":["a"],"data":[[1]]}"#,
        )
        .with_artifact("wandb-artifact://6162/", Arc::new(artifact));
    let files: Arc<dyn EntryReader> = Arc::new(reader);
    let text = r#"{"_type": "table-file", "sha256": "f374adaa48585f6f55345abb8332b48fad86b99c2a8ab0b37cd4571f00844f00",
        "size": 30, "artifact_path": "wandb-artifact://6162/t.table.json",
        "_latest_artifact_path": "wandb-client-artifact://mkw8:latest/t.table.json",
        "path": "media/table/t_0_f374.table.json", "ncols": 1, "nrows": 2, "log_mode": "IMMUTABLE"}"#;
    let Media::TableFile(file) = of(&files, text).unwrap() else {
        panic!()
    };
    assert_eq!(
        (file.rows, file.columns, file.incremental),
        (Some(2), Some(1), false)
    );
    let table = now(file.read()).unwrap();
    assert_eq!(table.len(), 1);
    assert_eq!(table.columns()[0].column_type(), None);
    let whole = now(now(file.artifact.as_ref().unwrap().open()).unwrap().into_table()).unwrap();
    assert_eq!(whole.len(), 2);

    let forged = text.replace("f374adaa", "00000000");
    let Media::TableFile(file) = of(&files, &forged).unwrap() else {
        panic!()
    };
    assert!(matches!(now(file.read()).unwrap_err(), MediaError::Sha256 { .. }));

    // Joined and partitioned tables are only in an artifact.
    let join = of(
        &files,
        r#"{"_type":"joined-table","artifact_path":"wandb-artifact://6162/t.table.json"}"#,
    );
    let Media::TableReference(reference) = join.unwrap() else {
        panic!()
    };
    assert!(matches!(now(reference.open()).unwrap(), AnyTable::Table(_)));
}

#[test]
fn several_images_are_images() {
    let files = memory("x", "");
    let text = r#"{"_type": "images/separated", "width": 2, "height": 3, "format": "png", "count": 2,
        "filenames": ["media/images/a.png", "wandb-artifact://6162/media/images/b.png"], "captions": ["c0", "c1"],
        "all_boxes": [null, {"predictions": {"_type": "boxes2D", "sha256": "13", "size": 257,
            "path": "media/metadata/boxes2D/b.boxes2D.json"}}],
        "all_masks": [{"truth": {"_type": "mask", "sha256": "62", "size": 78, "path": "media/images/mask/a.mask.png"}}, null]}"#;
    let Media::List(list) = of(&files, text).unwrap() else {
        panic!()
    };
    let [Media::Image(first), Media::Image(second)] = list.as_slice() else {
        panic!()
    };
    assert_eq!(
        (first.width, first.height, first.format.as_deref()),
        (Some(2), Some(3), Some("png"))
    );
    assert_eq!(
        (first.caption.as_deref(), second.caption.as_deref()),
        (Some("c0"), Some("c1"))
    );
    assert_eq!(
        first.mask("truth").unwrap().file.path(),
        "media/images/mask/a.mask.png"
    );
    assert!(matches!(second.box_layer("predictions"), Some(BoxLayer::File(_))) && first.boxes.is_empty());
    assert_eq!(second.file.path(), "wandb-artifact://6162/media/images/b.png");

    let error = of(&files, &text.replace(r#""c1"]"#, r#""c1","c2"]"#)).unwrap_err();
    assert_eq!(error.to_string(), r#""key": captions has 3 members for 2 files"#);
}

#[test]
fn boxes_of_a_run_are_in_a_file() {
    let files = memory(
        "media/metadata/b.boxes2D.json",
        r#"{"box_data":[{"position":{"minX":0,"maxX":1,"minY":0,"maxY":1},"class_id":4}],"class_labels":{"4":"bird"}}"#,
    );
    let text = r#"{"_type":"image-file","path":"i.png","boxes":{"p":{"_type":"boxes2D","path":"media/metadata/b.boxes2D.json"}}}"#;
    let image = of(&files, text).unwrap().into_image().unwrap();
    let boxes = now(image.box_layer("p").unwrap().read()).unwrap();
    assert_eq!(boxes.labels(), [(4, "bird".to_owned())]);
    assert_eq!(boxes.as_slice()[0].class_id, Some(4));
}

#[test]
fn lists_of_whole_objects_are_read() {
    let files = memory("x", "");
    let audio = r#"{"_type": "audio", "count": 1, "audio": [{"caption": "z", "_type": "audio-file", "sha256": "12",
        "size": 52, "path": "media/audio/a.wav"}], "sampleRates": [8000], "durations": [0.0005], "captions": ["z"]}"#;
    let Media::List(list) = of(&files, audio).unwrap() else {
        panic!()
    };
    assert!(matches!(&list[0], Media::Audio(audio) if audio.file.size() == Some(52)));
    let videos =
        r#"{"_type":"videos","count":1,"videos":[{"_type":"video-file","path":"v.gif"}],"captions":false}"#;
    assert!(matches!(of(&files, videos).unwrap(), Media::List(list) if matches!(list[0], Media::Video(_))));
    let clouds = r#"{"_type":"object3D","filenames":["o.pts.json"],"count":1,"objects":[{"_type":"object3D-file","path":"media/object3D/o.pts.json"}]}"#;
    assert!(
        matches!(of(&files, clouds).unwrap(), Media::List(list) if matches!(list[0], Media::Object3d(_)))
    );
    let molecules = r#"{"_type":"molecule","filenames":["media/molecule/m.pdb"],"count":1,"captions":false}"#;
    let Media::List(list) = of(&files, molecules).unwrap() else {
        panic!()
    };
    assert_eq!(list[0].file().unwrap().path(), "media/molecule/m.pdb");
}

#[test]
fn inline_objects_are_values() {
    let files = memory("x", "");
    let histogram = of(
        &files,
        r#"{"_type":"histogram","values":[1,2],"bins":[1.0,2.0,3.0]}"#,
    )
    .unwrap();
    assert!(matches!(histogram, Media::Histogram(h) if h.values == [1.0, 2.0] && h.edges == [1.0, 2.0, 3.0]));
    let packed = r#"{"_type":"histogram","values":[1,2,3],"packedBins":{"min":-1,"size":0.5,"count":3}}"#;
    assert!(matches!(of(&files, packed).unwrap(), Media::Histogram(h) if h.edges == [-1.0, -0.5, 0.0, 0.5]));
    assert!(of(&files, r#"{"_type":"histogram","values":[1],"bins":[1]}"#).is_err());
    let trace = of(&files, r#"{"_type":"wb_trace_tree","root_span_dumps":"{}"}"#).unwrap();
    assert!(
        matches!(trace, Media::TraceTree(value) if value.as_map().unwrap().get("root_span_dumps").is_some())
    );
    let new = of(&files, r#"{"_type":"hologram","depth":3}"#).unwrap();
    assert!(matches!(new, Media::Unknown { kind, value } if kind == "hologram" && value.as_map().is_some()));
    assert_eq!(
        of(&files, r#"{"depth":3}"#).unwrap_err().to_string(),
        r#""key": _type is missing"#
    );
}
