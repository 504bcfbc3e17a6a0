//! Objects of stores, over a script.

use std::sync::Arc;

use wandb_core::ErrorKind;
use wandb_transport::{ScriptedResponse, ScriptedTransport, Transport};

use super::world::{World, noise};
use crate::{Manifest, ManifestEntry, stores::ObjectStores};

fn stores(script: &ScriptedTransport) -> ObjectStores {
    let transport: Arc<dyn Transport> = Arc::new(script.clone());
    let settings = [
        ("AWS_ACCESS_KEY_ID", "store-key"),
        ("AWS_SECRET_ACCESS_KEY", "store-secret"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", "https://s3.example.test"),
    ];
    ObjectStores::new(
        transport,
        settings.map(|(name, value)| (name.to_owned(), value.to_owned())),
    )
    .unwrap()
}

#[tokio::test]
async fn an_object_is_the_recorded_version_and_signed_for_by_the_store_alone() {
    let middle = noise(1_500_000);
    let script = ScriptedTransport::unordered();
    let answer = |bytes: &[u8], tag: &str| {
        ScriptedResponse::new(200)
            .header("etag", tag)
            .header("last-modified", "Tue, 24 Nov 2026 15:00:00 GMT")
            .bytes(bytes.to_vec())
    };
    script
        .expect()
        .when("a signature of the store and the version", |request| {
            let uri = request.uri().to_string();
            let authorization = request.headers()["authorization"].to_str().unwrap();
            uri.starts_with("https://s3.example.test/bucket/dir/x%20y?")
                && uri.contains("versionId=v7")
                && authorization.starts_with("AWS4-HMAC-SHA256 Credential=store-key/")
        })
        .respond(answer(&middle, "\"abc\""));
    script
        .expect()
        .when("the replaced object", |request| {
            request.uri().path().ends_with("/replaced")
        })
        .respond(answer(b"other", "\"new\""));
    script
        .expect()
        .when("the lost object", |request| {
            request.uri().path().ends_with("/lost")
        })
        .respond_status(404);
    // Neither has an older version: the one's listing is refused, the other's is empty.
    script
        .expect()
        .when("a listing of versions", |request| {
            request.query("versions").is_some() && request.query("prefix").as_deref() == Some("replaced")
        })
        .respond_status(403);
    script
        .expect()
        .when("a listing of versions", |request| {
            request.query("versions").is_some() && request.query("prefix").as_deref() == Some("lost")
        })
        .respond(ScriptedResponse::new(200).bytes(&b"<ListVersionsResult/>"[..]));

    let mut extra = wandb_core::value::Map::new();
    extra.insert("versionID", "v7");
    let entries = [
        ManifestEntry::reference("x", "s3://bucket/dir/x y", "abc")
            .with_size(1_500_000)
            .with_extra(extra),
        ManifestEntry::reference("x", "s3://bucket/replaced", "old").with_size(5),
        ManifestEntry::reference("x", "s3://bucket/lost", "old"),
    ];
    let run = async |entry: &ManifestEntry| {
        let mut world = World::new(&[]);
        world.manifest = Arc::new(Manifest::new().with_entries(vec![entry.clone()]).unwrap());
        let options = world.options().object_stores(stores(&script));
        let result = world.download_with(options).run().await;
        (world, result)
    };
    let (world, done) = run(&entries[0]).await;
    assert_eq!(done.unwrap().transferred, 1_500_000);
    assert_eq!(world.read("x"), middle);
    for (entry, kind) in [
        (&entries[1], ErrorKind::Integrity),
        (&entries[2], ErrorKind::NotFound),
    ] {
        let (world, done) = run(entry).await;
        let error = done.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(world.files().is_empty());
    }
    let text = format!("{:?}", stores(&script));
    assert!(text.contains("aws_region") && !text.contains("store-"), "{text}");
    script.finish();
}
