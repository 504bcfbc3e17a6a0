//! References to objects of a store, with what this machine says of it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::support::{Server, User};

/// A store with one object, `bucket/data/x`: gives its address, and the heads of the requests as they come.
fn store(bytes: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    // It ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = String::new();
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                match line {
                    Ok(line) if !line.is_empty() => head.push_str(&format!("{line}\n")),
                    _ => break,
                }
            }
            let answer = if head.contains(" /bucket/data/x ") {
                let body = if head.starts_with("HEAD") { "" } else { bytes };
                format!(
                    "HTTP/1.1 200 OK\r\netag: \"tag\"\r\nlast-modified: Tue, 24 Nov 2026 15:00:00 GMT\r\n\
                     content-length: {}\r\nconnection: close\r\n\r\n{body}",
                    bytes.len()
                )
            } else if head.contains("versions=") {
                let body = "<ListVersionsResult></ListVersionsResult>";
                let length = body.len();
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
            } else {
                "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
            };
            seen.lock().unwrap().push(head);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, heads)
}

#[test]
fn an_object_is_noted_and_comes_back_with_the_key_of_the_aws_files() {
    let server = Server::start(&["--entity", "team"]);
    let (url, heads) = store("the bytes of an object");
    let user = User::of(&server).with("AWS_S3_ENDPOINT_URL", &url);
    std::fs::create_dir(user.path(".aws")).unwrap();
    std::fs::write(
        user.path(".aws/credentials"),
        "[default]\naws_access_key_id = FILEKEY\naws_secret_access_key = filesecret\n",
    )
    .unwrap();
    user.ok(&["project", "create", "team/p"]);
    let put = |address: &'static str| {
        [
            "artifact",
            "put",
            "--name",
            "team/p/refs",
            "--type",
            "dataset",
            "--reference",
            address,
        ]
    };
    user.ok(&put("s3://bucket/data/x"));
    let manifest = user.json(&["artifact", "manifest", "team/p/refs:v0"]);
    let entry = &manifest[0];
    assert_eq!(
        (entry["path"].as_str(), entry["digest"].as_str()),
        (Some("x"), Some("tag"))
    );
    assert_eq!(entry["size"], 22);
    user.ok(&["artifact", "download", "team/p/refs:v0", "--root", "back"]);
    assert_eq!(
        std::fs::read(user.path("back/x")).unwrap(),
        b"the bytes of an object"
    );

    {
        let heads = heads.lock().unwrap();
        assert_eq!(heads.len(), 2, "{heads:?}");
        for head in heads.iter() {
            assert!(head.contains("Credential=FILEKEY/"), "{head}");
            assert!(!head.contains("filesecret") && !head.contains("Basic "), "{head}");
        }
    }
    user.fails(&put("s3://bucket/none"), 3, &["s3://bucket/none"]);
}
