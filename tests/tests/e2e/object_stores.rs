//! References to S3, Google and Azure over sockets: added, logged, downloaded.

use std::sync::Arc;

use wandb_api::artifacts::stores::ObjectStores;
use wandb_api::transport::{HyperTransport, Transport};
use wandb_api::{
    Api, ArtifactDownloadOptions, ArtifactDraft, Error, ErrorKind, ReferenceOptions, UploadOptions,
};
use wandb_tests::{FakeStores, KEY, NewRun, TestServer};

use crate::downloads::tree;

const AZURE: &str = "https://ours.blob.core.windows.net";

fn network() -> Arc<dyn Transport> {
    Arc::new(HyperTransport::builder().build().unwrap())
}

fn api(server: &TestServer, stores: &FakeStores) -> Api {
    let object_stores = ObjectStores::new(network(), stores.settings()).unwrap();
    server
        .builder(server.transport())
        .object_stores(object_stores)
        .build()
}

/// An entry: path, address, digest, size, extra.
type Noted = (String, String, String, Option<u64>, Option<String>);

async fn noted(
    api: &Api,
    address: &str,
    path: Option<&str>,
    options: ReferenceOptions,
) -> Result<Vec<Noted>, Error> {
    let mut draft = ArtifactDraft::new("dataset", "d").unwrap();
    let count = draft.reference(api, address, path, options).await?;
    let manifest = draft.manifest();
    assert_eq!(count, manifest.len());
    let entries = manifest.entries().iter().map(|entry| {
        (
            entry.path().to_owned(),
            entry.address().unwrap().to_owned(),
            entry.digest().to_string(),
            entry.size(),
            entry.extra_text().map(ToString::to_string),
        )
    });
    Ok(entries.collect())
}

fn paths(noted: &[Noted]) -> Vec<&str> {
    noted.iter().map(|(path, ..)| path.as_str()).collect()
}

fn fill(stores: &FakeStores) {
    stores.put("b", "data/a.txt", "one");
    stores.put("b", "data/deep/b & c", "two");
    stores.put("b", "data/deep/d", "old");
    stores.put("b", "data/deep/d", "three");
    stores.put("b", "data/gone", "gone");
    stores.delete("b", "data/gone");
    stores.put("b", "data/", "");
    stores.put("b", "data2/other", "other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prefix_of_s3_is_added_with_its_versions_in_one_listing() {
    let (server, stores) = (TestServer::open(), FakeStores::start().await);
    let api = api(&server, &stores);
    fill(&stores);
    let found = noted(&api, "s3://b/data", None, ReferenceOptions::default())
        .await
        .unwrap();
    assert_eq!(paths(&found), ["a.txt", "deep/b & c", "deep/d"]);
    let (_, address, digest, size, extra) = &found[2];
    assert_eq!((address.as_str(), *size), ("s3://b/data/deep/d", Some(5)));
    assert_eq!(
        extra.as_deref(),
        Some(format!("{{\"etag\":\"{digest}\",\"versionID\":\"101\"}}").as_str())
    );
    // One look at the address, then pages of two; nothing for each object.
    let requests = stores.take_requests();
    let lines: Vec<&str> = requests.iter().map(|request| request.line.as_str()).collect();
    assert!(lines[0].starts_with("HEAD /s3/b/data"), "{lines:?}");
    assert_eq!(lines.len(), 1 + 4, "{lines:?}");
    assert!(
        lines[1..].iter().all(|line| line.contains("versions=")),
        "{lines:?}"
    );

    // Under a path, the same below it; as a directory too.
    let found = noted(
        &api,
        "s3://b/data/deep/",
        Some("x/y"),
        ReferenceOptions::default(),
    )
    .await
    .unwrap();
    assert_eq!(paths(&found), ["x/y/b & c", "x/y/d"]);
    let whole = noted(&api, "s3://b", None, ReferenceOptions::default())
        .await
        .unwrap();
    assert_eq!(
        paths(&whole),
        ["data/a.txt", "data/deep/b & c", "data/deep/d", "data2/other"]
    );

    // Who may not list versions gets the objects without them.
    stores.hide_versions(true);
    let found = noted(&api, "s3://b/data", None, ReferenceOptions::default())
        .await
        .unwrap();
    assert_eq!(paths(&found), ["a.txt", "deep/b & c", "deep/d"]);
    assert!(!found[0].4.as_deref().unwrap().contains("versionID"));
    stores.hide_versions(false);

    for (address, most, kind) in [
        ("s3://b/data", 2, ErrorKind::InvalidInput),
        ("s3://b/none", 10, ErrorKind::NotFound),
        ("s3://b/data/a.txt?versionId=77", 10, ErrorKind::NotFound),
        ("s3://b/data//a.txt", 10, ErrorKind::InvalidInput),
    ] {
        let options = ReferenceOptions::default().max_objects(most);
        let error = noted(&api, address, None, options).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{address}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_object_is_noted_as_each_store_tells_it() {
    let (server, stores) = (TestServer::open(), FakeStores::start().await);
    let api = api(&server, &stores);
    fill(&stores);
    let one = async |address: &str, path: Option<&str>| {
        let mut found = noted(&api, address, path, ReferenceOptions::default())
            .await
            .unwrap();
        assert_eq!(found.len(), 1, "{address}");
        found.remove(0)
    };
    let (path, address, old, size, extra) = one("s3://b/data/deep/d?versionId=100", None).await;
    assert_eq!(
        (path.as_str(), address.as_str(), size),
        ("d", "s3://b/data/deep/d", Some(3))
    );
    assert!(extra.unwrap().contains("\"versionID\":\"100\""));
    let (path, _, new, ..) = one("s3://b/data/deep/d", Some("named")).await;
    assert_eq!(path, "named");
    assert_ne!(old, new);

    // Google: the tag of the JSON interface, and the generation as a number.
    let (path, address, digest, size, extra) = one("gs://b/data/deep/d", None).await;
    assert_eq!(
        (path.as_str(), address.as_str(), size),
        ("d", "gs://b/data/deep/d", Some(5))
    );
    assert_eq!(digest, format!("json-{new}"));
    assert_eq!(extra.as_deref(), Some("{\"versionID\":101}"));
    let (.., digest, _, extra) = one("gs://b/data/deep/d#100", None).await;
    assert_eq!(digest, format!("json-{old}"));
    assert_eq!(extra.as_deref(), Some("{\"versionID\":100}"));
    let below = noted(&api, "gs://b/data", None, ReferenceOptions::default())
        .await
        .unwrap();
    assert_eq!(paths(&below), ["a.txt", "deep/b & c", "deep/d"]);

    // Azure.
    let (path, address, digest, size, extra) = one(&format!("{AZURE}/b/data/deep/d"), None).await;
    assert_eq!((path.as_str(), size), ("d", Some(5)));
    assert_eq!((address, &digest), (format!("{AZURE}/b/data/deep/d"), &new));
    let expected = format!("{{\"etag\":\"{digest}\",\"versionID\":\"101\"}}");
    assert_eq!(extra.as_deref(), Some(expected.as_str()));
    let below = noted(
        &api,
        &format!("{AZURE}/b/data"),
        None,
        ReferenceOptions::default(),
    )
    .await
    .unwrap();
    assert_eq!(paths(&below), ["a.txt", "deep/b & c", "deep/d"]);

    // Each store saw its own credential, and nobody ours.
    let requests = stores.take_requests();
    for request in &requests {
        let authorization = request.authorization.clone().unwrap_or_default();
        let store = request.line.split('/').nth(1).unwrap();
        let is_right = match store {
            "s3" => {
                authorization.starts_with("AWS4-HMAC-SHA256 Credential=store-key/")
                    || request.line.contains("X-Amz-Signature=")
            }
            "gs" => authorization == "Bearer google-token",
            _ => authorization.starts_with("SharedKey ours:"),
        };
        assert!(is_right, "{request:?}");
        assert!(!format!("{request:?}").contains(KEY) && !authorization.starts_with("Basic"));
    }
    assert!(!requests.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_logged_comes_back_even_when_the_object_changed() {
    let (server, stores) = (TestServer::open(), FakeStores::start().await);
    let api = api(&server, &stores);
    fill(&stores);
    let _writer = server.log("p", NewRun::named("r")).await;
    let run = api.run_reference("p/r").await.unwrap();
    let mut draft = ArtifactDraft::new("dataset", "stored").unwrap();
    for (address, path) in [
        ("s3://b/data", "s3"),
        ("gs://b/data", "gs"),
        (&*format!("{AZURE}/b/data"), "az"),
    ] {
        let count = draft
            .reference(&api, address, Some(path), ReferenceOptions::default())
            .await
            .unwrap();
        assert_eq!(count, 3);
    }
    let logged = draft.log(&run, &UploadOptions::default()).await.unwrap();
    assert_eq!(logged.uploaded.sent, 0);

    // All of it changes, and one object goes.
    for key in ["data/a.txt", "data/deep/b & c", "data/deep/d"] {
        stores.put("b", key, "something else");
    }
    stores.delete("b", "data/a.txt");
    stores.take_requests();
    let target = tempfile::tempdir().unwrap();
    let options = ArtifactDownloadOptions::below(target.path());
    let artifact = api.artifact("p/stored:latest").await.unwrap();
    let done = artifact.download(&options).await.unwrap();
    assert_eq!(done.fetched, 9);
    let mut expected = Vec::new();
    for store in ["az", "gs", "s3"] {
        for (path, bytes) in [("a.txt", "one"), ("deep/b & c", "two"), ("deep/d", "three")] {
            expected.push((format!("{store}/{path}").into(), bytes.as_bytes().to_vec()));
        }
    }
    assert_eq!(tree(target.path()), expected);
    assert!(stores.take_requests().iter().all(|request| {
        !request
            .authorization
            .as_deref()
            .unwrap_or_default()
            .starts_with("Basic")
    }));

    // A checkout, one entry and a client that was not told are the other ways to the same bytes.
    let other = tempfile::tempdir().unwrap();
    let checkout = artifact
        .checkout(&ArtifactDownloadOptions::below(other.path()))
        .await
        .unwrap();
    assert_eq!(checkout.run().await.unwrap().0.fetched, 9);
    let untold = server.api().artifact("p/stored:latest").await.unwrap();
    let third = tempfile::tempdir().unwrap();
    let options = ArtifactDownloadOptions::below(third.path());
    let error = untold.download_entry("s3/deep/d", &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let told = options.object_stores(ObjectStores::new(network(), stores.settings()).unwrap());
    let place = untold.download_entry("s3/deep/d", &told).await.unwrap();
    assert_eq!(std::fs::read(place).unwrap(), b"three");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_without_a_recorded_version_is_looked_for_among_the_older_ones() {
    let (server, stores) = (TestServer::open(), FakeStores::start().await);
    let api = api(&server, &stores);
    let _writer = server.log("p", NewRun::named("r")).await;
    let run = api.run_reference("p/r").await.unwrap();
    for key in ["x", "x2", "y", "z"] {
        stores.put("b", key, format!("first {key}"));
    }
    // Versions were not to be listed when they were logged, so none was recorded.
    stores.hide_versions(true);
    let mut draft = ArtifactDraft::new("dataset", "unversioned").unwrap();
    draft
        .reference(&api, "s3://b", None, ReferenceOptions::default())
        .await
        .unwrap();
    stores.hide_versions(false);
    let listed = format!("{AZURE}/b");
    draft
        .reference(&api, &listed, Some("az"), ReferenceOptions::default())
        .await
        .unwrap();
    draft.log(&run, &UploadOptions::default()).await.unwrap();
    for round in 0..3 {
        stores.put("b", "x", format!("later {round}"));
    }
    stores.delete("b", "y");
    stores.put("b", "z", "replaced");
    stores.forget_versions("b", "z");

    let artifact = api.artifact("p/unversioned:latest").await.unwrap();
    let target = tempfile::tempdir().unwrap();
    let options = ArtifactDownloadOptions::below(target.path());
    for prefix in ["x", "y", "az/x", "az/y"] {
        artifact.download(&options.clone().prefix(prefix)).await.unwrap();
    }
    let found = tree(target.path());
    let text = |path: &str| {
        let found = found.iter().find(|(name, _)| name.to_str() == Some(path));
        String::from_utf8(found.unwrap().1.clone()).unwrap()
    };
    assert_eq!(
        [text("x"), text("x2"), text("y")],
        ["first x", "first x2", "first y"]
    );
    assert_eq!([text("az/x"), text("az/y")], ["first x", "first y"]);

    // Of the last one nothing is left: as good as gone.
    let error = artifact.download(&options.clone().prefix("z")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let allowed = options.clone().prefix("z").allow_missing_references(true);
    let done = artifact.download(&allowed).await.unwrap();
    assert_eq!(done.missing_references.len(), 1);
    // Who may not look for it is told that the object is another one.
    stores.hide_versions(true);
    let error = artifact.download(&options.prefix("z")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn public_buckets_need_no_key_and_credentials_stay_with_their_account() {
    let (server, stores) = (TestServer::open(), FakeStores::start().await);
    stores.put("public", "dir/x", "open");
    stores.put("public", "dir/x", "open again");
    let told = |settings: Vec<(String, String)>| {
        let object_stores = ObjectStores::new(network(), settings).unwrap();
        server
            .builder(server.transport())
            .object_stores(object_stores)
            .build()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let anonymous = told(vec![
        pair("AWS_ENDPOINT_URL", &stores.url("s3")),
        pair("AWS_SKIP_SIGNATURE", "true"),
        pair("GOOGLE_BASE_URL", &stores.url("gs")),
        pair("GOOGLE_SKIP_SIGNATURE", "1"),
    ]);
    for address in [
        "s3://public/dir",
        "gs://public/dir",
        "s3://public/dir/x",
        "gs://public/dir/x#100",
    ] {
        let found = noted(&anonymous, address, None, ReferenceOptions::default())
            .await
            .unwrap();
        assert_eq!(paths(&found), ["x"]);
    }
    for request in stores.take_requests() {
        assert!(
            request.authorization.is_none() && !request.line.contains("X-Amz"),
            "{request:?}"
        );
    }

    // Google without any credential is refused before anything is sent or looked for.
    let nothing = told(vec![pair("GOOGLE_BASE_URL", &stores.url("gs"))]);
    let error = noted(&nothing, "gs://public/dir", None, ReferenceOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
    // A key that does not say whose it is would go to whoever a manifest names.
    let nobodys = told(vec![pair("AZURE_STORAGE_ACCOUNT_KEY", "YXp1cmUta2V5")]);
    let error = noted(
        &nobodys,
        &format!("{AZURE}/b/x"),
        None,
        ReferenceOptions::default(),
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(stores.take_requests().is_empty());
}
