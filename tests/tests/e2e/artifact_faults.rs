//! Downloads of artifacts from a server that fails: at every moment folder and cache hold verified files only, and the next
//! clean call completes.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderValue, Method, Request, Response, header::CONTENT_LENGTH};
use tempfile::TempDir;
use wandb_api::artifacts::ManifestEntry;
use wandb_api::artifacts::transfer::{Download, DownloadOptions, UrlSource};
use wandb_api::transport::{Body, Transport, TransportError};
use wandb_api::{Api, Artifact, ArtifactDownloadOptions, ErrorKind, Result};
use wandb_core::base_url::BaseUrl;
use wandb_core::client::Client;
use wandb_core::redact::SafeUrl;
use wandb_tests::{
    Counting, FakeRuntime, Files, TestServer, assert_cache_is_true, assert_only_members, is_part,
    log_version, noise, walk,
};

/// Sizes that meet every way of a download: nothing, memory, one stream.
fn files() -> Files {
    [0, 1, 999, 20_000, 70_000, 1_300_000]
        .into_iter()
        .enumerate()
        .map(|(seed, size)| (format!("dir/{}/file-{size}", seed % 2), noise(seed as u64, size)))
        .collect()
}

/// A server with one version, and an empty folder and an empty cache.
struct World {
    server: TestServer,
    files: Files,
    folders: TempDir,
}

impl World {
    async fn new(files: Files) -> Self {
        let server = TestServer::open();
        log_version(&server.api(), "data", &files).await;
        Self {
            server,
            files,
            folders: TempDir::new().unwrap(),
        }
    }

    fn clear(&mut self) {
        self.server.faults().clear();
        self.folders = TempDir::new().unwrap();
    }

    fn target(&self) -> std::path::PathBuf {
        self.folders.path().join("target")
    }

    fn cache(&self) -> std::path::PathBuf {
        self.folders.path().join("cache")
    }

    fn api_over(&self, transport: Arc<dyn Transport>) -> Api {
        self.server
            .builder(transport)
            .artifact_cache(self.cache())
            .build()
    }

    async fn artifact(&self) -> Artifact {
        self.artifact_over(self.server.transport()).await
    }

    async fn artifact_over(&self, transport: Arc<dyn Transport>) -> Artifact {
        self.api_over(transport).artifact("p/data:v0").await.unwrap()
    }

    /// What must be true whatever happened. Gives how many files are in the folder.
    fn check(&self, what: &str) -> usize {
        let there = assert_only_members(&self.target(), &self.files);
        let cached = assert_cache_is_true(&self.cache());
        assert!(there <= self.files.len() && cached <= self.files.len(), "{what}");
        there
    }

    /// The next call, with a server that does nothing wrong.
    async fn complete(&self, what: &str) {
        self.server.faults().clear();
        let artifact = self.artifact().await;
        let options = ArtifactDownloadOptions::below(self.target());
        let done = artifact.download(&options).await;
        let done = done.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let files = done.present + done.cached + done.copied + done.fetched;
        assert_eq!(files, self.files.len() as u64, "{what}");
        assert_eq!(self.check(what), self.files.len(), "{what}");
        assert!(artifact.verify(self.target()).await.unwrap().is_ok(), "{what}");
        let left: Vec<_> = walk(&self.target())
            .into_iter()
            .filter(|(name, _)| is_part(name))
            .collect();
        assert!(left.is_empty(), "{what} left {left:?}");
    }
}

/// A failure that says what it is.
fn assert_typed(error: &wandb_api::Error, what: &str) {
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Integrity
                | ErrorKind::Server
                | ErrorKind::RateLimited
                | ErrorKind::NotFound
                | ErrorKind::NotVisible
                | ErrorKind::Protocol
                | ErrorKind::Timeout
                | ErrorKind::Conflict
        ),
        "{what}: {error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_server_does_to_the_bytes_only_verified_files_appear() {
    let mut world = World::new(files()).await;
    // (fault, whether a download may succeed in spite of it)
    for (rule, may_succeed) in [
        ("flip=0", false),
        ("flip=15000", false),
        ("swap", false),
        ("changed", false),
        ("html", false),
        ("404", true),
        ("reset", false),
        ("cut=0", false),
        ("cut=10000", true),
        ("expired", true),
        ("slow=4000000", true),
        ("flip=3,every=2", true),
        ("swap,nth=3", true),
        ("changed,nth=6", true),
        ("html,nth=2", true),
        ("cut=500,every=3", true),
        ("lost,every=4", true),
        ("expired,every=2", true),
        ("503,every=2", true),
    ] {
        for knows_manifest in [true, false] {
            world.clear();
            let what = format!("{rule}, manifest known: {knows_manifest}");
            let artifact = world.artifact().await;
            if knows_manifest {
                artifact.manifest().await.unwrap();
            }
            world
                .server
                .faults()
                .add(format!("{rule},path=/dl/").parse().unwrap());
            let options = ArtifactDownloadOptions::below(world.target());
            match artifact.download(&options).await {
                Ok(_) => {
                    assert!(may_succeed, "{what}");
                    assert_eq!(world.check(&what), world.files.len(), "{what}");
                }
                Err(error) => {
                    assert_typed(&error, &what);
                    world.check(&what);
                }
            }
            assert!(world.server.faults().struck() > 0, "{what} never struck");
            world.complete(&what).await;
        }
    }
}

/// What a body becomes on its way.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// The first half, announced as all.
    Truncate,
    /// One byte more.
    Extend,
    /// The bytes of the request before this one, where they are as many.
    SwapNeighbours,
    /// Nothing.
    Empty,
}

/// Changes bodies of signed addresses, with headers that go with them.
#[derive(Debug)]
struct Tampering {
    inner: Arc<dyn Transport>,
    change: Change,
    before: std::sync::Mutex<Bytes>,
    /// How many bodies were changed.
    changed: std::sync::atomic::AtomicUsize,
}

#[async_trait]
impl Transport for Tampering {
    async fn send(&self, request: Request<Body>) -> std::result::Result<Response<Body>, TransportError> {
        let is_bytes = request.method() == Method::GET && request.uri().path().starts_with("/dl/");
        let (mut head, body) = self.inner.send(request).await?.into_parts();
        if !is_bytes {
            return Ok(Response::from_parts(head, body));
        }
        let whole = body.collect(64 << 20).await?;
        let sent = match self.change {
            Change::Truncate => whole.slice(..whole.len() / 2),
            Change::Extend => [&whole[..], b"x"].concat().into(),
            Change::Empty => Bytes::new(),
            Change::SwapNeighbours => {
                let before = std::mem::replace(&mut *self.before.lock().unwrap(), whole.clone());
                if before.len() == whole.len() {
                    before
                } else {
                    whole.clone()
                }
            }
        };
        if sent != whole {
            self.changed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        head.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(sent.len() as u64));
        Ok(Response::from_parts(head, Body::from(sent)))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_lie_about_their_length_or_are_those_of_other_files_get_no_name() {
    // Files of one size, so that nothing but the digest tells them apart.
    let same: Files = (0..6)
        .map(|seed| (format!("f{seed}"), noise(seed, 5_000)))
        .collect();
    let mut world = World::new(same).await;
    for change in [
        Change::Truncate,
        Change::Extend,
        Change::SwapNeighbours,
        Change::Empty,
    ] {
        world.clear();
        let what = format!("{change:?}");
        world.artifact().await.manifest().await.unwrap();
        let tampering = Arc::new(Tampering {
            inner: world.server.transport(),
            change,
            before: std::sync::Mutex::default(),
            changed: std::sync::atomic::AtomicUsize::new(0),
        });
        let artifact = world.artifact_over(tampering.clone()).await;
        let options = ArtifactDownloadOptions::below(world.target()).connections(1, 1);
        match artifact.download(&options).await {
            // Asked for once more, a file that came under the name of its neighbour comes under its own.
            Ok(_) => {
                assert!(matches!(change, Change::SwapNeighbours), "{what}");
                assert_eq!(world.check(&what), world.files.len());
            }
            Err(error) => assert_typed(&error, &what),
        }
        assert!(
            tampering.changed.load(std::sync::atomic::Ordering::Relaxed) > 0,
            "{what}"
        );
        world.check(&what);
        world.complete(&what).await;
    }
}

/// The signed addresses as the listing of files gives them.
#[derive(Debug)]
struct Listed(Artifact);

#[async_trait]
impl UrlSource for Listed {
    async fn urls(&self, paths: &[&str]) -> Result<Vec<(String, SafeUrl)>> {
        let files = self.0.files().names(paths.iter().copied()).stream();
        files.map_ok(|file| (file.name, file.url)).try_collect().await
    }

    fn fallback(&self, _: &ManifestEntry) -> Option<SafeUrl> {
        None
    }
}

/// A download of the same version whose files of more than a MiB come in ranges of 128 KiB.
async fn in_ranges(world: &World, transport: Arc<dyn Transport>) -> Download {
    let api = world.api_over(Arc::clone(&transport));
    let artifact = api.artifact("p/data:v0").await.unwrap();
    let manifest = artifact.manifest().await.unwrap();
    let client = Client::builder(
        BaseUrl::parse(api.base_url().as_str()).unwrap(),
        transport,
        Arc::new(FakeRuntime::default()),
    )
    .build();
    let options = DownloadOptions::below(world.target())
        .cache(api.artifact_cache().await.unwrap().unwrap())
        .large_file(1 << 20, 128 << 10);
    Download::new(client, manifest, Arc::new(Listed(artifact)), options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_in_parallel_ranges_is_never_mixed() {
    let large: Files = vec![("large.bin".to_owned(), noise(1, 1_700_000))];
    let mut world = World::new(large).await;
    // (fault, whether a download may succeed in spite of it)
    for (rule, may_succeed) in [
        ("changed,nth=5", true),
        ("changed,every=3", true),
        ("changed", false),
        ("swap,nth=4", true),
        ("swap,every=5", false),
        ("flip=70000,nth=2", true),
        ("flip=1,every=4", false),
        ("html,nth=3", true),
        ("html,every=2", true),
        ("cut=1000,every=3", true),
        ("cut=0,nth=6", true),
        ("lost,nth=2", true),
        ("reset,every=5", true),
        ("expired,nth=4", true),
        ("expired,every=3", true),
        ("slow=2000000,every=4", true),
    ] {
        world.clear();
        world.artifact().await.manifest().await.unwrap();
        let counting = Counting::new(world.server.transport());
        let download = in_ranges(&world, Arc::new(counting.clone())).await;
        world
            .server
            .faults()
            .add(format!("{rule},path=/dl/").parse().unwrap());
        match download.run().await {
            Ok(done) => {
                assert!(may_succeed, "{rule}");
                assert_eq!(done.fetched, 1, "{rule}");
                assert_eq!(world.check(rule), 1, "{rule}");
            }
            Err(error) => {
                assert_typed(&error, rule);
                assert_eq!(world.check(rule), 0, "{rule}");
            }
        }
        assert!(world.server.faults().struck() > 0, "{rule}");
        let ranges = counting.seen().iter().filter(|seen| seen.range.is_some()).count();
        assert!(ranges > 1, "{rule}: {ranges} ranges");
        // The next call goes on in ranges, too, over a server that does nothing wrong.
        world.server.faults().clear();
        let download = in_ranges(&world, world.server.transport()).await;
        let done = download
            .run()
            .await
            .unwrap_or_else(|error| panic!("{rule}: {error:?}"));
        assert_eq!(done.present + done.fetched, 1, "{rule}");
        world.complete(rule).await;
    }
}

/// Sixty downloads under all faults at once, each in a folder of its own over one cache, which is in doubt all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_of_faults_over_one_cache() {
    let world = World::new(
        (0..8)
            .map(|seed| (format!("f{seed}"), noise(seed, 500 * (seed as usize + 1))))
            .collect(),
    )
    .await;
    for rule in [
        "cut=300,chance=0.1",
        "503,chance=0.05",
        "reset,chance=0.05",
        "lost,chance=0.05",
        "flip=200,chance=0.15",
        "swap,chance=0.1",
        "changed,chance=0.1",
        "html,chance=0.05",
        "expired,chance=0.05",
    ] {
        world
            .server
            .faults()
            .add(format!("{rule},path=/dl/").parse().unwrap());
    }
    let (mut right, mut told) = (0, 0);
    for number in 0..60 {
        let root = world.folders.path().join(format!("target-{number}"));
        // A cache that is emptied now and then, or everything would come out of it soon.
        if number % 3 == 0 {
            let _ = std::fs::remove_dir_all(world.cache().join("artifacts/obj"));
        }
        let artifact = world.artifact().await;
        match artifact.download(&ArtifactDownloadOptions::below(&root)).await {
            Ok(_) => {
                right += 1;
                assert_eq!(assert_only_members(&root, &world.files), world.files.len());
            }
            Err(error) => {
                told += 1;
                assert_typed(&error, "campaign");
                assert_only_members(&root, &world.files);
            }
        }
        assert_cache_is_true(&world.cache());
    }
    for count in world.server.faults().counts() {
        assert!(count.struck > 0, "{} never struck", count.rule);
    }
    assert!(right > 10 && told > 0, "{right} right, {told} told");
    world.complete("after the campaign").await;
}
