//! Manifests that mean no good, from a server that vouches for them: nothing is written outside the target, and the end is a
//! clear error, in bounded memory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, Response};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use wandb_api::artifacts::{Algorithm, Limits, Manifest, ManifestEntry};
use wandb_api::path::NamePolicy;
use wandb_api::transport::{Body, Transport, TransportError};
use wandb_api::{Artifact, ArtifactDownloadOptions, Error, ErrorKind};
use wandb_tests::{TestServer, log_version, noise, walk};

type MakeBody = Arc<dyn Fn() -> Body + Send + Sync>;

/// An embedded server that says of its only version that it has another manifest, and answers requests for files with the
/// bytes of whatever is asked for.
struct Liar {
    inner: Arc<dyn Transport>,
    /// The digest that it vouches for; `None` for the true one.
    digest: Option<String>,
    manifest: MakeBody,
    /// How often the bytes of a file were asked for.
    asked: AtomicU64,
}

impl std::fmt::Debug for Liar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Liar").finish_non_exhaustive()
    }
}

/// Where the false manifest is.
const MANIFEST: &str = "http://wandb.local/false-manifest";

fn replace(json: &mut Json, member: &str, value: &str) {
    match json {
        Json::Object(members) => {
            for (name, inner) in members.iter_mut() {
                if name == member && inner.is_string() {
                    *inner = json!(value);
                } else {
                    replace(inner, member, value);
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| replace(item, member, value)),
        _ => {}
    }
}

#[async_trait]
impl Transport for Liar {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        if request.uri() == MANIFEST {
            return Ok(Response::new((self.manifest)()));
        }
        if request.method() == Method::GET {
            self.asked.fetch_add(1, Ordering::Relaxed);
            return Ok(Response::new(Body::from("x")));
        }
        let (parts, body) = request.into_parts();
        let body = body.collect(64 << 20).await?;
        let operation = serde_json::from_slice::<Json>(&body)
            .ok()
            .and_then(|json| json["operationName"].as_str().map(str::to_owned));
        let request = Request::from_parts(parts, Body::from(body));
        let (mut head, answer) = self.inner.send(request).await?.into_parts();
        let answer = answer.collect(64 << 20).await?;
        let mut json: Json = serde_json::from_slice(&answer).expect("the server answers JSON");
        if let Some(digest) = &self.digest {
            replace(&mut json, "digest", digest);
        }
        if operation.as_deref() == Some("FetchArtifactManifest") {
            replace(&mut json, "directUrl", MANIFEST);
        }
        head.headers.remove(http::header::CONTENT_LENGTH);
        Ok(Response::from_parts(head, Body::from(json.to_string())))
    }
}

struct World {
    outside: TempDir,
    liar: Arc<Liar>,
    artifact: Artifact,
}

impl World {
    async fn new(digest: Option<String>, manifest: MakeBody) -> Self {
        let server = TestServer::open();
        log_version(&server.api(), "data", &vec![("fine".to_owned(), noise(1, 10))]).await;
        let liar = Arc::new(Liar {
            inner: server.transport(),
            digest,
            manifest,
            asked: AtomicU64::new(0),
        });
        let outside = TempDir::new().unwrap();
        std::fs::write(outside.path().join("precious"), "as it was").unwrap();
        let api = server
            .builder(liar.clone())
            .artifact_cache(outside.path().join("cache"))
            .build();
        let artifact = api.artifact("p/data:v0").await.unwrap();
        Self {
            outside,
            liar,
            artifact,
        }
    }

    /// A server whose version has this manifest, and the digest of it.
    async fn vouched(manifest: String) -> Self {
        let digest = Manifest::read(manifest.as_bytes(), &Limits::default())
            .map_or_else(|_| "0".repeat(32), |manifest| manifest.digest().to_string());
        let bytes = Bytes::from(manifest);
        Self::new(Some(digest), Arc::new(move || Body::from(bytes.clone()))).await
    }

    fn target(&self) -> std::path::PathBuf {
        self.outside.path().join("a/target")
    }

    /// The download, which must not succeed; nothing but the cache may be there afterwards.
    async fn refused(&self, what: &str) -> Error {
        let options = ArtifactDownloadOptions::below(self.target());
        let outcome = self.artifact.download(&options).await;
        let error = outcome.expect_err(what);
        self.assert_untouched(what);
        let checkout = self.artifact.checkout(&options).await;
        assert!(checkout.is_err(), "{what}: {checkout:?}");
        self.assert_untouched(what);
        error
    }

    fn assert_untouched(&self, what: &str) {
        let found: Vec<_> = walk(self.outside.path())
            .into_iter()
            .filter(|(name, _)| !name.starts_with("cache/"))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(found, ["precious"], "{what}");
        let precious = std::fs::read(self.outside.path().join("precious")).unwrap();
        assert_eq!(precious, b"as it was", "{what}");
        let objects = walk(&self.outside.path().join("cache/artifacts/obj"));
        assert!(objects.is_empty(), "{what}: {objects:?}");
    }
}

/// A manifest with these entries, as text; paths may be what they like, and be there twice.
fn manifest_of(paths: &[&str]) -> String {
    let digest = Algorithm::Md5.hash(b"x");
    let entries: Vec<String> = paths
        .iter()
        .map(|path| format!(r#"{}:{{"digest":"{digest}","size":1}}"#, json!(path)))
        .collect();
    format!("{HEAD}{}}}}}", entries.join(","))
}

const HEAD: &str = r#"{"version":1,"storagePolicy":"wandb-storage-policy-v1","storagePolicyConfig":{"storageLayout":"V2"},"contents":{"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_that_lead_elsewhere_or_meet_are_refused_before_anything_is_asked_for() {
    let long = "x".repeat(300);
    let deep = "d/".repeat(1_700) + "f";
    let hostile = [
        &["../x"][..],
        &["../../precious"],
        &["a/../../precious"],
        &["..", "fine"],
        &["."],
        &[""],
        &["/etc/wb-x"],
        &["//host/share/x"],
        &["a//b"],
        &["a/"],
        &["C:/x"],
        &["C:x"],
        &["\\\\?\\C:\\x"],
        &["a\\..\\..\\x"],
        &["a\0b"],
        &[&long],
        &[&deep],
        &["a", "a/b"],
        &["a", "a-b", "a/b/c/d"],
    ];
    let unportable = [
        &["a\\b"][..],
        &["nul"],
        &["d/AUX.txt"],
        &["com1"],
        &["line\nbreak"],
        &["end. "],
        &["end."],
        &["README", "readme"],
        &["d/x", "D/y", "d/X"],
        &["stra\u{df}e", "STRASSE"],
        &["e\u{301}", "\u{e9}"],
        &["a", "A/b"],
    ];
    let hostile = hostile.map(|paths| (paths, ErrorKind::Protocol));
    let unportable = unportable.map(|paths| (paths, ErrorKind::Conflict));
    for (paths, kind) in hostile.into_iter().chain(unportable) {
        let what = format!(
            "{:?}",
            paths
                .iter()
                .map(|path| &path[..path.len().min(40)])
                .collect::<Vec<_>>()
        );
        // A good entry does not save the others.
        let all: Vec<&str> = paths.iter().copied().chain(["zz/good"]).collect();
        let world = World::vouched(manifest_of(&all)).await;
        let error = world.refused(&what).await;
        assert_eq!(error.kind(), kind, "{what}: {error:?}");
        assert_eq!(world.liar.asked.load(Ordering::Relaxed), 0, "{what}");
        if kind == ErrorKind::Protocol {
            // Whatever policy is asked for.
            let options = ArtifactDownloadOptions::below(world.target()).names(NamePolicy::System);
            let error = world.artifact.download(&options).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{what}: {error:?}");
            world.assert_untouched(&what);
        }
        // Of the good one alone nothing is wrong, and nothing of the others is touched.
        let only = ArtifactDownloadOptions::below(world.target()).prefix("zz/");
        let done = world.artifact.download(&only).await;
        assert_eq!(
            done.map(|done| done.files())
                .map_err(|error| format!("{error:?}")),
            Ok(1),
            "{what}"
        );
        let found: Vec<_> = walk(world.outside.path())
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| !name.starts_with("cache/"))
            .collect();
        assert_eq!(found, ["a/target/zz/good", "precious"], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_is_there_twice_and_another_versions_manifest_are_refused() {
    let world = World::vouched(manifest_of(&["a", "b", "a"])).await;
    let error = world.refused("twice").await;
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    assert!(error.to_string().contains("more than once"), "{error}");

    // A manifest without any fault, but of another version.
    let other = Bytes::from(manifest_of(&["a", "b"]));
    let world = World::new(None, Arc::new(move || Body::from(other.clone()))).await;
    let error = world.refused("another version").await;
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error:?}");
    assert_eq!(world.liar.asked.load(Ordering::Relaxed), 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn symbolic_links_on_the_way_lead_nowhere() {
    use std::os::unix::fs::symlink;
    // A manifest without any fault; the trap is in the folder.
    type Trap = fn(&Path, &Path);
    let traps: [(&str, Trap); 3] = [
        ("a directory", |target, outside| {
            symlink(outside, target.join("d")).unwrap();
        }),
        ("the file", |target, outside| {
            std::fs::create_dir(target.join("d")).unwrap();
            symlink(outside.join("precious"), target.join("d/x")).unwrap();
        }),
        ("a dangling file", |target, outside| {
            std::fs::create_dir(target.join("d")).unwrap();
            symlink(outside.join("new"), target.join("d/x")).unwrap();
        }),
    ];
    for (what, trap) in traps {
        let world = World::vouched(manifest_of(&["d/x"])).await;
        let target = world.target();
        std::fs::create_dir_all(&target).unwrap();
        let elsewhere = TempDir::new().unwrap();
        std::fs::write(elsewhere.path().join("precious"), "as it was").unwrap();
        trap(&target, elsewhere.path());
        // A link in the place of a file may be replaced; one on the way to it is an error. Neither is followed.
        let outcome = world
            .artifact
            .download(&ArtifactDownloadOptions::below(&target))
            .await;
        let found: Vec<_> = walk(elsewhere.path()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, ["precious"], "{what}");
        let precious = std::fs::read(elsewhere.path().join("precious")).unwrap();
        assert_eq!(precious, b"as it was", "{what}");
        match outcome {
            Ok(_) => {
                let about = target.join("d/x").symlink_metadata().unwrap();
                assert!(about.is_file(), "{what}");
                assert_eq!(std::fs::read(target.join("d/x")).unwrap(), b"x", "{what}");
            }
            Err(error) => assert!(
                matches!(
                    error.kind(),
                    ErrorKind::Io | ErrorKind::Conflict | ErrorKind::InvalidInput
                ),
                "{what}: {error:?}"
            ),
        }
    }
}

/// A body that never ends: a beginning, then the same piece again and again. Counts what was taken of it.
fn endless(begin: String, piece: &'static str, taken: &Arc<AtomicU64>) -> MakeBody {
    let (begin, taken) = (Bytes::from(begin), Arc::clone(taken));
    // Pieces of a good size, as a network gives them.
    let again = Bytes::from(piece.repeat(16_384_usize.div_ceil(piece.len())));
    Arc::new(move || {
        let (again, taken) = (again.clone(), Arc::clone(&taken));
        let body = stream::unfold(Some(begin.clone()), move |first| {
            let next = first.unwrap_or_else(|| again.clone());
            taken.fetch_add(next.len() as u64, Ordering::Relaxed);
            async move { Some((Ok::<_, TransportError>(next), None)) }
        });
        Body::from_stream(body, None)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manifests_that_never_end_are_left_at_a_limit() {
    for (what, begin, piece) in [
        ("a path", format!(r#"{HEAD}"x"#), "x"),
        ("an entry", format!(r#"{HEAD}"a":{{"digest":""#), "x"),
        (
            "an extra",
            format!(r#"{HEAD}"a":{{"digest":"x","extra":{{"a":""#),
            "y",
        ),
        ("nesting", format!(r#"{HEAD}"a":{{"extra":"#), "["),
        ("objects", format!(r#"{HEAD}"a":{{"extra":"#), r#"{"a":"#),
        ("another member", r#"{"version":1,"other":""#.to_owned(), "z"),
        ("no JSON", "<html>".to_owned(), "<p>"),
    ] {
        let taken = Arc::new(AtomicU64::new(0));
        let world = World::new(None, endless(begin, piece, &taken)).await;
        let error = world.refused(what).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error:?}");
        // Twice, for the download and the checkout, and what waits in between.
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken < 4 << 20, "{what}: {taken} bytes were read");
    }
}

/// So many entries, as a body that is made while it is read, and the digest of the version.
fn many(count: usize, last: &'static str) -> MakeBody {
    Arc::new(move || {
        let digest = Algorithm::Md5.hash(b"x").to_string();
        let pieces = stream::unfold(0, move |number| {
            let digest = digest.clone();
            async move {
                if number > count {
                    return None;
                }
                let mut piece = String::new();
                let end = (number + 500).min(count + 1);
                for number in number..end {
                    if number == 0 {
                        piece.push_str(HEAD);
                    }
                    if number == count {
                        piece.push_str(&format!(
                            r#"{}:{{"digest":"{digest}","size":1}}}}}}"#,
                            json!(last)
                        ));
                    } else {
                        piece.push_str(&format!(
                            r#""d{}/f{number}":{{"digest":"{digest}","size":1}},"#,
                            number % 100
                        ));
                    }
                }
                Some((Ok::<_, TransportError>(Bytes::from(piece)), end))
            }
        });
        Body::from_stream(pieces, None)
    })
}

/// What the process has in memory at most, in bytes, where the system tells.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}

async fn many_entries(count: usize) {
    // The last of all is the one that must not be.
    let paths = (0..count)
        .map(|number| format!("d{}/f{number}", number % 100))
        .chain(["../x".to_owned()]);
    let digest = Algorithm::Md5.hash(b"x");
    let entries = paths.map(|path| ManifestEntry::file(path, digest, 1)).collect();
    let whole = Manifest::new()
        .with_entries(entries)
        .unwrap()
        .digest()
        .to_string();
    let world = World::new(Some(whole), many(count, "../x")).await;
    let error = world.refused("many entries").await;
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    assert!(error.to_string().contains("../x"), "{error}");
    assert_eq!(world.liar.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn very_many_entries_are_no_way_in() {
    many_entries(40_000).await;
}

/// Alone in its process, with `--ignored --exact`, since memory is the process's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute without optimisation; run alone"]
async fn a_million_entries_are_no_way_in() {
    let begun = std::time::Instant::now();
    many_entries(1_000_000).await;
    let memory = most_memory().unwrap_or(0) >> 20;
    println!("a million entries: {:?}, {memory} MiB at most", begun.elapsed());
    assert!(memory < 600, "{memory} MiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes without optimisation; run alone"]
async fn entries_without_end_are_left_at_the_limit() {
    let taken = Arc::new(AtomicU64::new(0));
    let begun = std::time::Instant::now();
    // Blanks: 512 MiB are the limit of all JSON.
    let world = World::new(None, endless(HEAD.to_owned(), "                ", &taken)).await;
    let error = world.refused("blanks").await;
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    let read = taken.load(Ordering::Relaxed);
    let memory = most_memory().unwrap_or(0) >> 20;
    println!(
        "blanks: {read} bytes in {:?}, {memory} MiB at most",
        begun.elapsed()
    );
    assert!(read < 2 * (513 << 20), "{read}");
    assert!(memory < 200, "{memory} MiB");
}
