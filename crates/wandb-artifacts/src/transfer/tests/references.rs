//! References, by scheme.

use std::{fs, sync::Arc};

use async_trait::async_trait;
use wandb_core::{Error, ErrorKind, Result};

use super::world::{Urls, World, noise, url_of};
use crate::{
    Algorithm, Manifest, ManifestEntry,
    transfer::{ArtifactResolver, Download, ResolvedArtifact},
};

fn with_references(references: Vec<ManifestEntry>) -> World {
    let mut world = World::new(&[]);
    world.manifest = Arc::new(Manifest::new().with_entries(references).unwrap());
    world
}

#[tokio::test]
async fn an_http_object_is_the_one_that_was_logged_or_an_error() {
    let middle = noise(2 << 20);
    let address = "https://data.example.test/x";
    let world = with_references(vec![
        ManifestEntry::reference("tagged", address, "abc").with_size(middle.len() as u64),
        ManifestEntry::reference(
            "untagged",
            "https://api.example.test/y",
            "https://api.example.test/y",
        ),
    ]);
    world.network.put(address, middle.clone(), Some("\"abc\""));
    world
        .network
        .put("https://api.example.test/y", &b"anything"[..], None);
    let done = world.download().run().await.unwrap();
    assert_eq!(done.fetched, 2);
    assert_eq!(world.read("tagged"), middle);
    assert_eq!(world.read("untagged"), b"anything");
    // Even a reference to the server itself is somebody else's address.
    assert!(world.network.take_sent().iter().all(|sent| !sent.has_key));

    fs::remove_file(world.target.path().join("tagged")).unwrap();
    world.network.put(address, middle, Some("\"other\""));
    let error = world.download().run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    assert!(!world.target.path().join("tagged").exists());
}

#[tokio::test]
async fn an_object_whose_size_nobody_recorded_is_bounded() {
    let (long, fits) = ("https://data.example.test/long", "https://data.example.test/fits");
    let world = with_references(vec![
        ManifestEntry::reference("fits", fits, fits),
        ManifestEntry::reference("long", long, long),
    ]);
    world.network.put(fits, noise(100_000), None);
    // Whether its length is announced or not.
    world.network.put(long, noise(100_001), None);
    let options = || world.options().unsized_limit(100_000);
    let error = world.download_with(options()).run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains("more than 100000 bytes"), "{error}");
    assert!(!world.files().iter().any(|file| file.contains("long")));
    world.network.put(long, noise(100_000), None);
    let done = world.download_with(options()).run().await.unwrap();
    assert_eq!(done.present + done.fetched, 2);
    // A recorded size is the bound where there is one.
    let world = with_references(vec![
        ManifestEntry::reference("long", long, long).with_size(100_001),
    ]);
    world.network.put(long, noise(100_001), None);
    let options = world.options().unsized_limit(100_000);
    assert_eq!(world.download_with(options).run().await.unwrap().fetched, 1);
}

#[tokio::test]
async fn what_is_gone_is_an_error_unless_allowed() {
    let gone = "https://data.example.test/gone";
    let missing_file = "file:///none/such/file";
    let world = with_references(vec![
        ManifestEntry::reference("a", gone, "abc"),
        ManifestEntry::reference("b", missing_file, Algorithm::Md5.hash(b"x").to_string()),
        ManifestEntry::reference("c", "ftp://host/x", "ftp://host/x"),
    ]);
    let error = world.download().run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let options = world.options().allow_missing_references(true);
    let done = world.download_with(options).run().await.unwrap();
    let paths = |list: &[crate::transfer::TrackedReference]| -> Vec<String> {
        list.iter().map(|reference| reference.path.clone()).collect()
    };
    assert_eq!(paths(&done.missing_references), ["a", "b"]);
    assert_eq!(paths(&done.tracked), ["c"]);
    let done = world
        .download_with(world.options().skip_references(true))
        .run()
        .await
        .unwrap();
    assert_eq!(paths(&done.tracked), ["a", "b", "c"]);
    assert!(world.files().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_local_file_is_copied_if_it_is_still_the_same() {
    let source = tempfile::tempdir().unwrap();
    let file = source.path().join("data 1");
    fs::write(&file, "original").unwrap();
    let address = crate::reference::file_url_of(&file).unwrap();
    let digest = Algorithm::Md5.hash(b"original").to_string();
    let world = with_references(vec![
        ManifestEntry::reference("copy", address, digest).with_size(8),
    ]);
    world.download().run().await.unwrap();
    assert_eq!(world.read("copy"), b"original");
    fs::remove_file(world.target.path().join("copy")).unwrap();
    fs::write(&file, "ORIGINAL").unwrap();
    let error = world.download().run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    assert!(world.files().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn what_was_logged_without_a_digest_is_not_called_verified() {
    let source = tempfile::tempdir().unwrap();
    let file = source.path().join("data");
    fs::write(&file, "anything").unwrap();
    let address = crate::reference::file_url_of(&file).unwrap();
    let of_address = Algorithm::Md5.hash(address.as_bytes()).to_string();
    let world = with_references(vec![
        ManifestEntry::reference(
            "checked",
            address.clone(),
            Algorithm::Md5.hash(b"anything").to_string(),
        )
        .with_size(8),
        ManifestEntry::reference("free", address.clone(), of_address),
        ManifestEntry::reference("track", "ftp://h/x", "ftp://h/x"),
    ]);
    // Fetched, and present the second time.
    for _ in 0..2 {
        let done = world.download().run().await.unwrap();
        assert_eq!(done.files(), 2);
        assert_eq!(done.unchecked.len(), 1, "{done:?}");
        assert_eq!(
            (&*done.unchecked[0].path, &*done.unchecked[0].address),
            ("free", &*address)
        );
    }
    fs::remove_file(world.target.path().join("free")).unwrap();
    let skipped = world.options().skip_references(true);
    let done = world.download_with(skipped).run().await.unwrap();
    assert!(done.unchecked.is_empty(), "{done:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_not_waited_for() {
    let source = tempfile::tempdir().unwrap();
    let pipe = source.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let address = crate::reference::file_url_of(&pipe).unwrap();
    let world = with_references(vec![ManifestEntry::reference(
        "p",
        address,
        Algorithm::Md5.hash(b"x").to_string(),
    )]);
    let error = world.download().run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    let mut draft = crate::draft::Draft::new(Algorithm::Md5);
    let error = draft
        .add_file(&pipe, None, &crate::draft::AddOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[derive(Debug)]
struct Others(Vec<(String, Arc<Manifest>)>);

#[async_trait]
impl ArtifactResolver for Others {
    async fn resolve(&self, artifact_id: &str) -> Result<ResolvedArtifact> {
        let found = self.0.iter().find(|(id, _)| id == artifact_id);
        let (_, manifest) = found.ok_or_else(|| Error::not_found("artifact"))?;
        Ok(ResolvedArtifact {
            manifest: Arc::clone(manifest),
            urls: Arc::new(Urls::default()),
        })
    }
}

fn artifact(id: &str, entries: Vec<ManifestEntry>) -> (String, Arc<Manifest>) {
    (
        id.to_owned(),
        Arc::new(Manifest::new().with_entries(entries).unwrap()),
    )
}

#[tokio::test]
async fn references_to_artifacts_are_followed_and_cycles_end() {
    let digest = Algorithm::Md5.hash(b"deep bytes");
    let to = |id: &str, path: &str| crate::name::ArtifactReference::new(id, path).unwrap().to_string();
    let link =
        |path: &str, target: String| ManifestEntry::reference(path, target, digest.to_string()).with_size(0);
    let others = Others(vec![
        artifact(
            "QXJ0aWZhY3Q6MQ==",
            vec![link("middle", to("QXJ0aWZhY3Q6Mg==", "dir/end"))],
        ),
        artifact(
            "QXJ0aWZhY3Q6Mg==",
            vec![
                ManifestEntry::file("dir/end", digest, 10),
                link("loop", to("QXJ0aWZhY3Q6Mw==", "loop")),
            ],
        ),
        artifact(
            "QXJ0aWZhY3Q6Mw==",
            vec![link("loop", to("QXJ0aWZhY3Q6Mg==", "loop"))],
        ),
    ]);
    let resolver: Arc<dyn ArtifactResolver> = Arc::new(others);
    let run = async |world: &World| {
        let options = world.options().resolver(Arc::clone(&resolver));
        Download::run(world.download_with(options)).await
    };
    let world = with_references(vec![link("x", to("QXJ0aWZhY3Q6MQ==", "middle"))]);
    world.network.put(&url_of("dir/end"), &b"deep bytes"[..], None);
    let done = run(&world).await.unwrap();
    assert_eq!((done.fetched, world.read("x")), (1, b"deep bytes".to_vec()));

    let world = with_references(vec![link("x", to("QXJ0aWZhY3Q6Mg==", "loop"))]);
    let error = run(&world).await.unwrap_err();
    assert!(error.to_string().contains("leads back to itself"), "{error}");

    let world = with_references(vec![link("x", to("QXJ0aWZhY3Q6MQ==", "none"))]);
    assert_eq!(run(&world).await.unwrap_err().kind(), ErrorKind::NotFound);

    let other = ManifestEntry::reference(
        "x",
        to("QXJ0aWZhY3Q6Mg==", "dir/end"),
        Algorithm::Md5.hash(b"else").to_string(),
    );
    let world = with_references(vec![other]);
    assert_eq!(run(&world).await.unwrap_err().kind(), ErrorKind::Integrity);

    let error = world.download().run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}
