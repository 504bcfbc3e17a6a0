//! `wb artifact get`: every kind of medium has a form, and files go where they are told to.

use serde_json::{Value, json};

use crate::support::{Server, User, files_below, served};

const NAME: &str = "team/p/media:v0";

/// A version with one entry of each kind, as the official client names and writes them.
fn logged() -> (Server, User) {
    let (server, user) = served();
    let folder = user.path("source");
    let write = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    let object = |name: &str, value: Value| write(name, &value.to_string());
    object(
        "scores.table.json",
        json!({"_type": "table", "columns": ["id", "score", "score"], "data": [[1, 0.5, "a"], [2, null, "b"]]}),
    );
    object(
        "names.table.json",
        json!({"columns": ["id", "name"], "data": [[2, "bob"], [3, "cyd"]]}),
    );
    object(
        "both.joined-table.json",
        json!({"_type": "joined-table", "table1": "scores.table.json", "table2": "names.table.json", "join_key": "id"}),
    );
    object("parts/0.table.json", json!({"columns": ["n"], "data": [[1]]}));
    object("parts/1.table.json", json!({"columns": ["n"], "data": [[2]]}));
    object(
        "all.partitioned-table.json",
        json!({"_type": "partitioned-table", "parts_path": "parts"}),
    );
    object(
        "cls.classes.json",
        json!({"_type": "classes", "class_set": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}),
    );
    object(
        "h.histogram.json",
        json!({"_type": "histogram", "values": [1, 2], "bins": [0, 0.5, 1]}),
    );
    let boxes = json!([{"position": {"minX": 0.1, "minY": 0.2, "maxX": 0.3, "maxY": 0.4}, "class_id": 1,
        "box_caption": "a cat", "scores": {"sure": 0.9}}]);
    object("b.bounding-boxes.json", boxes.clone());
    write("media/photo.png", "not really a picture");
    write("media/mask.png", "a mask");
    object(
        "photo.image-file.json",
        json!({"_type": "image-file", "format": "png", "width": 3, "height": 2, "path": "media/photo.png",
            "boxes": {"predictions": boxes}, "masks": {"truth": {"_type": "mask", "path": "media/mask.png"}},
            "classes": {"type": "classes-file", "path": "cls.classes.json", "digest": "x"}}),
    );
    object(
        "only.mask.json",
        json!({"_type": "mask", "path": "media/mask.png"}),
    );
    for kind in [
        "audio", "html", "object3D", "molecule", "bokeh", "plotly", "video",
    ] {
        let path = format!("media/{kind}.bin");
        write(&path, kind);
        let kind_name = format!("{kind}-file");
        object(
            &format!("one.{kind_name}.json"),
            json!({"_type": kind_name, "path": path, "caption": "words"}),
        );
    }
    object(
        "pages.html.json",
        json!({"_type": "html", "count": 1, "html": [{"_type": "html-file", "path": "media/html.bin"}]}),
    );
    object("weird.newkind.json", json!({"_type": "newkind", "x": 1}));
    write("plain.txt", "text");
    user.ok(&[
        "artifact",
        "put",
        "source",
        "--name",
        "team/p/media",
        "--type",
        "media",
    ]);
    std::fs::remove_dir_all(&folder).unwrap();
    (server, user)
}

fn get(user: &User, entry: &str) -> Value {
    user.json(&["artifact", "get", NAME, entry, "--root", "out"])
}

#[test]
fn tables_are_rows_in_every_form() {
    let (_server, user) = logged();
    let got = |entry: &str, format: &str| user.ok(&["artifact", "get", NAME, entry, "-o", format]);
    assert_eq!(
        got("scores", "jsonl"),
        "{\"id\":1,\"score\":0.5,\"score.1\":\"a\"}\n{\"id\":2,\"score\":null,\"score.1\":\"b\"}\n"
    );
    assert_eq!(got("scores", "csv"), "id,score,score.1\n1,0.5,a\n2,null,b\n");
    assert_eq!(
        user.json(&["artifact", "get", NAME, "scores"]),
        json!({"type": "table", "columns": ["id", "score", "score"], "rows": [[1, 0.5, "a"], [2, null, "b"]]})
    );
    assert!(got("scores", "table").starts_with("id  score  score\n"));
    assert_eq!(got("all", "csv"), "n\n1\n2\n");
    assert_eq!(
        got("both", "jsonl"),
        "{\"id\":1,\"score\":0.5,\"score.1\":\"a\"}\n\
         {\"id\":2,\"score\":null,\"score.1\":\"b\",\"id.1\":2,\"name\":\"bob\"}\n\
         {\"id.1\":3,\"name\":\"cyd\"}\n"
    );

    let file = |entry: &'static str, name: &'static str| ["artifact", "get", NAME, entry, "--out", name];
    assert_eq!(user.ok(&file("scores", "scores.csv")), "");
    assert_eq!(
        std::fs::read_to_string(user.path("scores.csv")).unwrap(),
        "id,score,score.1\n1,0.5,a\n2,null,b\n"
    );
    user.fails(&file("scores", "scores.csv"), 7, &["scores.csv", "--replace"]);
    user.ok(&[&file("scores", "scores.csv")[..], &["--replace"]].concat());
    user.ok(&file("both", "both.jsonl"));
    assert_eq!(
        std::fs::read_to_string(user.path("both.jsonl")).unwrap(),
        got("both", "jsonl")
    );
    user.ok(&file("scores", "scores.parquet"));
    assert!(
        std::fs::read(user.path("scores.parquet"))
            .unwrap()
            .starts_with(b"PAR1")
    );
    user.fails(&file("both", "both.parquet"), 2, &["joined"]);
    user.fails(&file("scores", "scores.txt"), 2, &[".parquet"]);
    user.fails(&file("h", "h.csv"), 2, &["no table"]);
}

#[test]
fn media_are_objects_and_their_files_are_below_root() {
    let (_server, user) = logged();
    assert_eq!(
        get(&user, "cls"),
        json!({"type": "classes", "class_set": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]})
    );
    assert_eq!(
        get(&user, "h"),
        json!({"type": "histogram", "values": [1.0, 2.0], "bins": [0.0, 0.5, 1.0]})
    );
    let boxes = get(&user, "b");
    assert_eq!(
        (
            &boxes["box_data"][0]["position"]["maxY"],
            &boxes["box_data"][0]["scores"]["sure"]
        ),
        (&json!(0.4), &json!(0.9))
    );
    let photo = get(&user, "photo");
    assert_eq!(
        (&photo["type"], &photo["width"], &photo["size"]),
        (&json!("image"), &json!(3), &json!(20))
    );
    assert_eq!(photo["boxes"]["predictions"], boxes["box_data"]);
    assert_eq!(photo["classes"][1]["name"], "dog");
    let is_there = |object: &Value, content: &str| {
        let path = object["path"].as_str().unwrap();
        assert!(path.starts_with("out/"), "{path}");
        assert_eq!(std::fs::read_to_string(user.path(path)).unwrap(), content);
    };
    is_there(&photo, "not really a picture");
    is_there(&photo["masks"]["truth"], "a mask");
    is_there(&get(&user, "only"), "a mask");
    for kind in [
        "audio", "html", "object3D", "molecule", "bokeh", "plotly", "video",
    ] {
        let object = get(&user, &format!("one.{kind}-file"));
        assert_eq!(
            (&object["type"], &object["caption"]),
            (&json!(kind), &json!("words"))
        );
        is_there(&object, kind);
    }
    let list = get(&user, "pages.html");
    assert_eq!(
        (&list["type"], &list["items"][0]["type"]),
        (&json!("list"), &json!("html"))
    );
    assert_eq!(
        get(&user, "weird.newkind"),
        json!({"type": "newkind", "value": {"_type": "newkind", "x": 1}})
    );
    is_there(&get(&user, "plain.txt"), "text");
    let csv = user.ok(&["artifact", "get", NAME, "h", "-o", "csv"]);
    assert_eq!(
        csv,
        "type,values,bins\nhistogram,\"[1.0,2.0]\",\"[0.0,0.5,1.0]\"\n"
    );
    let line = user.ok(&["artifact", "get", NAME, "photo", "--root", "out"]);
    assert_eq!(line, "out/media/photo.png\n");
    // Nothing went anywhere else.
    assert!(
        files_below(&user.path("artifacts"))
            .iter()
            .all(|name| name.ends_with("h.histogram.json"))
    );
    user.fails(&["artifact", "get", NAME, "none"], 3, &["none"]);
}
