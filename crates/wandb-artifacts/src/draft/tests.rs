//! What may be in a draft, and how it gets there.

use std::{fs, sync::Arc};

use http::HeaderValue;
use wandb_core::{ErrorKind, base_url::BaseUrl, client::Client};
use wandb_transport::{ScriptedResponse, ScriptedTransport, Transport};

use super::{AddOptions, Draft, ReferenceOptions};
use crate::{Algorithm, Manifest, ManifestEntry};

fn client(script: &ScriptedTransport) -> Client {
    let transport: Arc<dyn Transport> = Arc::new(script.clone());
    let base = BaseUrl::parse("https://api.example.test").unwrap();
    Client::builder(base, transport, crate::transfer::test_clock())
        .authorization(HeaderValue::from_static("Basic c2VjcmV0"))
        .build()
}

#[tokio::test]
async fn a_directory_is_added_in_order_and_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("b/deep")).unwrap();
    for (name, content) in [("z", "1"), ("a b#", "22"), ("b/deep/x", "")] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let mut draft = Draft::default();
    let options = AddOptions::default();
    assert_eq!(
        draft.add_directory(folder.path(), None, &options).await.unwrap(),
        3
    );
    assert_eq!(
        draft
            .add_directory(folder.path(), Some("sub/"), &options)
            .await
            .unwrap(),
        3
    );
    let paths: Vec<String> = draft.files().into_iter().map(|file| file.path).collect();
    assert_eq!(
        paths,
        ["a b#", "b/deep/x", "sub/a b#", "sub/b/deep/x", "sub/z", "z"]
    );
    assert_eq!(
        draft.get("a b#").unwrap().content_digest(),
        Some(Algorithm::Md5.hash(b"22"))
    );
    // The same again is fine, another content is not, and then nothing of it is added.
    draft.add_directory(folder.path(), None, &options).await.unwrap();
    fs::write(folder.path().join("z"), "changed").unwrap();
    fs::write(folder.path().join("new"), "1").unwrap();
    let error = draft
        .add_directory(folder.path(), None, &options)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(draft.get("new").is_none());
    let overwrite = AddOptions::default().overwrite(true);
    assert_eq!(
        draft
            .add_directory(folder.path(), None, &overwrite)
            .await
            .unwrap(),
        4
    );
    assert_eq!(draft.get("z").unwrap().size(), Some(7));
    let few = AddOptions::default().most_files(2).overwrite(true);
    assert_eq!(
        draft
            .add_directory(folder.path(), None, &few)
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!(draft.remove("sub").unwrap(), 3);
    assert_eq!(draft.remove("z").unwrap(), 1);
    assert_eq!(draft.remove("z").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn paths_that_could_not_be_downloaded_are_refused() {
    let mut draft = Draft::new(Algorithm::Xxh128);
    let options = AddOptions::default();
    for path in ["../x", "/x", "a//b", "", "c:x", "..\\b"] {
        assert!(draft.add_bytes(path, &b"1"[..], &options).is_err(), "{path}");
    }
    // What only some systems cannot hold is told, and no error.
    for path in ["aux", "x\\y"] {
        draft.add_bytes(path, &b"1"[..], &options).unwrap();
    }
    assert_eq!(draft.path_report().unportable().count, 2);
    for path in ["aux", "x\\y"] {
        draft.remove(path).unwrap();
    }
    draft.add_bytes("a/b", &b"1"[..], &options).unwrap();
    assert_eq!(
        draft.add_bytes("a", &b"1"[..], &options).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(
        draft.add_bytes("a/b/c", &b"1"[..], &options).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(
        draft.get("a/b").unwrap().content_digest(),
        Some(Algorithm::Xxh128.hash(b"1"))
    );
    assert_eq!(draft.digest(), draft.manifest().digest());
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_and_circles_refused() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "1").unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("linked")).unwrap();
    let mut draft = Draft::default();
    draft
        .add_directory(folder.path(), None, &AddOptions::default())
        .await
        .unwrap();
    assert!(draft.get("linked/file").is_some());
    std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).unwrap();
    let error = draft
        .add_directory(folder.path(), None, &AddOptions::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("leads back"), "{error}");
}

#[tokio::test]
async fn a_base_is_inherited_and_not_uploaded_again() {
    let base = Manifest::new()
        .with_entries(vec![
            ManifestEntry::file("kept", Algorithm::Md5.hash(b"1"), 1).with_birth_artifact_id("old"),
            ManifestEntry::file("replaced", Algorithm::Md5.hash(b"2"), 1).with_birth_artifact_id("old"),
        ])
        .unwrap();
    let mut draft = Draft::from_base(&base);
    assert_eq!(draft.digest(), base.digest());
    let overwrite = AddOptions::default().overwrite(true);
    draft.add_bytes("replaced", &b"3"[..], &overwrite).unwrap();
    draft.add_bytes("new", &b"4"[..], &overwrite).unwrap();
    let files: Vec<String> = draft.files().into_iter().map(|file| file.path).collect();
    assert_eq!(files, ["new", "replaced"]);
    assert_eq!(
        draft.manifest().get("kept").unwrap().birth_artifact_id(),
        Some("old")
    );
    assert_eq!(
        draft.manifest().get("replaced").unwrap().birth_artifact_id(),
        None
    );
}

#[tokio::test]
async fn references_are_noted_as_the_official_client_does() {
    let script = ScriptedTransport::unordered();
    script
        .get("https://data.example.test/dir/x.bin?sig=1")
        .header_absent("authorization")
        .respond(
            ScriptedResponse::new(200)
                .header("etag", "\"abc\"")
                .bytes("12345"),
        );
    script
        .get("https://data.example.test/plain")
        .respond(ScriptedResponse::new(200).bytes("12"));
    script.get("https://data.example.test/gone").respond_status(404);
    let client = client(&script);
    let mut draft = Draft::default();
    let options = ReferenceOptions::default();
    let address = "https://data.example.test/dir/x.bin?sig=1";
    draft
        .add_reference(&client, address, None, &options)
        .await
        .unwrap();
    let entry = draft.get("x.bin").unwrap();
    assert_eq!(
        (entry.digest().to_string().as_str(), entry.size(), entry.address()),
        ("abc", Some(5), Some(address))
    );
    assert_eq!(entry.extra_text(), Some("{\"etag\":\"\\\"abc\\\"\"}"));
    let plain = "https://data.example.test/plain";
    draft
        .add_reference(&client, plain, Some("p"), &options)
        .await
        .unwrap();
    assert_eq!(draft.get("p").unwrap().digest().to_string(), plain);
    let gone = draft
        .add_reference(&client, "https://data.example.test/gone", None, &options)
        .await;
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);

    let unchecked = ReferenceOptions::default().checksum(false);
    draft
        .add_reference(&client, "s3://bucket/key/k", None, &unchecked)
        .await
        .unwrap();
    // Official: the whole key is the name of an object that is not looked at.
    assert_eq!(
        draft.get("key/k").unwrap().digest().to_string(),
        "s3://bucket/key/k"
    );
    assert!(
        draft
            .add_reference(&client, "ftp://host/x", None, &options)
            .await
            .is_err()
    );
    draft
        .add_reference(&client, "ftp://host/x", Some("f"), &options)
        .await
        .unwrap();
    assert!(
        draft
            .add_reference(&client, "no address", Some("n"), &options)
            .await
            .is_err()
    );
    assert!(draft.files().is_empty());
    script.finish();
}

#[cfg(unix)]
#[tokio::test]
async fn a_local_directory_is_referred_to_file_by_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    fs::write(folder.path().join("deep/x"), "1").unwrap();
    fs::write(folder.path().join("y"), "22").unwrap();
    let client = client(&ScriptedTransport::unordered());
    let address = crate::reference::file_url_of(folder.path()).unwrap();
    let mut draft = Draft::default();
    let options = ReferenceOptions::default();
    assert_eq!(
        draft
            .add_reference(&client, &address, Some("data"), &options)
            .await
            .unwrap(),
        2
    );
    let entry = draft.get("data/deep/x").unwrap();
    assert_eq!(entry.content_digest(), Some(Algorithm::Md5.hash(b"1")));
    assert_eq!(entry.address(), Some(format!("{address}/deep/x").as_str()));
    let few = ReferenceOptions::default().max_objects(1);
    assert!(
        draft
            .add_reference(&client, &address, Some("more"), &few)
            .await
            .is_err()
    );
    let unchecked = ReferenceOptions::default().checksum(false);
    draft
        .add_reference(&client, &format!("{address}/y"), None, &unchecked)
        .await
        .unwrap();
    assert!(draft.get("y").unwrap().is_unchecked_reference());
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let mut draft = Draft::default();
    let added = draft.add_file(&pipe, None, &AddOptions::default()).await;
    assert_eq!(added.unwrap_err().kind(), ErrorKind::InvalidInput);
    let address = format!("file://{}", pipe.display());
    let client = client(&ScriptedTransport::ordered());
    let options = ReferenceOptions::default();
    let added = draft.add_reference(&client, &address, None, &options).await;
    assert_eq!(added.unwrap_err().kind(), ErrorKind::InvalidInput);
}
