//! The key and the bytes of artifacts: asserted on the wire, for every request of a download, an upload and a reference.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, ETAG, LOCATION};
use http::{Response, StatusCode};
use tempfile::TempDir;
use wandb_api::artifacts::draft::AddOptions;
use wandb_api::secret::ApiKey;
use wandb_api::transport::Body;
use wandb_api::{Api, ArtifactDownloadOptions, ArtifactDraft, ReferenceOptions, UploadOptions};
use wandb_core::base_url::BaseUrl;
use wandb_core::client::Client;
use wandb_tests::{
    FakeRuntime, Files, KEY, Passed, TestServer, Wire, assert_only_members, log_version, noise,
};

/// The host of the embedded server, as its transport names it.
const HOME: &str = "wandb.local";

/// Whether a request goes to a place of the server that wants the key. Everything else is signed, or somebody else's.
fn wants_key(passed: &Passed) -> bool {
    let path = passed.uri.path();
    passed.uri.host() == Some(HOME)
        && (path == "/graphql" || path.starts_with("/artifacts/") || path.starts_with("/artifactsV2/"))
}

/// Panics if the key went astray. Gives how many requests went to places that must not have it.
fn assert_key_stays_home(wire: &Wire) -> usize {
    let passed = wire.passed();
    for request in &passed {
        assert_eq!(
            request.shows_key,
            wants_key(request),
            "{} {}",
            request.what,
            request.uri
        );
        if !wants_key(request) {
            for name in ["authorization", "cookie", "proxy-authorization"] {
                assert!(!request.headers.contains_key(name), "{name} {}", request.uri);
            }
        }
    }
    passed.iter().filter(|request| !wants_key(request)).count()
}

fn redirect(status: u16, to: &str) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(LOCATION, to)
        .body(Body::empty())
        .unwrap()
}

fn bytes(bytes: &Bytes) -> Response<Body> {
    Response::builder()
        .header(CONTENT_LENGTH, bytes.len())
        .header(ETAG, "\"tag\"")
        .body(Body::from(bytes.clone()))
        .unwrap()
}

fn files() -> Files {
    (0..5)
        .map(|seed| (format!("d/f{seed}"), noise(seed, 2_000)))
        .collect()
}

fn client(server: &TestServer, wire: &Wire) -> Api {
    server.api_over(Arc::new(wire.clone()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_shows_the_key_to_the_api_alone() {
    let (server, files) = (TestServer::open(), files());
    log_version(&server.api(), "data", &files).await;
    let wire = Wire::new(server.transport(), |_| None);
    let artifact = client(&server, &wire).artifact("p/data:v0").await.unwrap();
    let target = TempDir::new().unwrap();
    artifact
        .download(&ArtifactDownloadOptions::below(target.path()))
        .await
        .unwrap();
    // The manifest and each file.
    assert_eq!(assert_key_stays_home(&wire), 1 + files.len());
    assert!(wire.passed().iter().any(|request| request.shows_key));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_addresses_that_redirect_home_or_away_get_no_key() {
    let (server, files) = (TestServer::open(), files());
    log_version(&server.api(), "data", &files).await;
    for to in [
        "https://storage.example/o?sig=c2lnbmF0dXJl",
        // Home, where the key would be wanted: a signed address must not be a way to make a client send it.
        "http://wandb.local/stolen?sig=c2lnbmF0dXJl",
        "http://wandb.local/graphql",
        "http://wandb.local:81/o",
        "https://wandb.local.evil.example/o",
    ] {
        // The server's own redirects lead there, and nothing good is there.
        let target_of = to.to_owned();
        let wire = Wire::new(server.transport(), move |request| {
            if request.uri.path().starts_with("/dl/") {
                Some(redirect(302, &target_of))
            } else if request.uri == target_of.as_str() && request.what == "GET" {
                Some(bytes(&Bytes::from_static(b"not the bytes")))
            } else {
                None
            }
        });
        let seen = server.api().artifact("p/data:v0").await.unwrap();
        let manifest = seen.manifest().await.unwrap();
        assert_eq!(manifest.len(), files.len());
        let artifact = client(&server, &wire).artifact("p/data:v0").await.unwrap();
        let target = TempDir::new().unwrap();
        let outcome = artifact
            .download(&ArtifactDownloadOptions::below(target.path()))
            .await;
        assert!(outcome.is_err(), "{to}: {outcome:?}");
        assert_only_members(target.path(), &files);
        let reached: Vec<_> = wire
            .passed()
            .into_iter()
            .filter(|request| request.uri == to && request.what == "GET")
            .collect();
        assert!(!reached.is_empty(), "{to} was never followed to");
        for request in reached {
            assert!(!request.shows_key, "{to} got the key");
            assert!(!request.headers.contains_key("authorization"));
        }
        let told = format!("{:?}", outcome.unwrap_err());
        assert!(!told.contains("c2lnbmF0dXJl"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_own_address_gets_the_key_and_loses_it_on_a_redirect() {
    let (server, files) = (TestServer::open(), files());
    log_version(&server.api(), "data", &files).await;
    let cache = TempDir::new().unwrap();
    let known = server
        .builder(server.transport())
        .artifact_cache(cache.path())
        .build();
    known
        .artifact("p/data:v0")
        .await
        .unwrap()
        .manifest()
        .await
        .unwrap();
    // Every signed address has expired, so that the fallback is taken; it redirects to a store.
    for is_redirected in [false, true] {
        server.faults().clear();
        server.faults().add("expired,path=/dl/".parse().unwrap());
        let contents = files.clone();
        let wire = Wire::new(server.transport(), move |request| {
            let path = request.uri.path();
            if is_redirected && request.uri.host() == Some(HOME) && path.starts_with("/artifacts") {
                let name = path.rsplit('/').next().unwrap_or_default();
                return Some(redirect(307, &format!("https://storage.example/{name}?sig=x")));
            }
            if request.uri.host() == Some("storage.example") {
                let (_, content) = contents.iter().find(|(name, _)| name.ends_with(path))?;
                return Some(bytes(content));
            }
            None
        });
        let api = server
            .builder(Arc::new(wire.clone()))
            .artifact_cache(cache.path())
            .build();
        let target = TempDir::new().unwrap();
        let artifact = api.artifact("p/data:v0").await.unwrap();
        let options = ArtifactDownloadOptions::below(target.path()).skip_cache(true);
        let done = artifact.download(&options).await.unwrap();
        assert_eq!(done.fetched, files.len() as u64);
        assert_eq!(assert_only_members(target.path(), &files), files.len());
        assert_key_stays_home(&wire);
        let fallbacks = wire
            .passed()
            .into_iter()
            .filter(|request| request.uri.path().starts_with("/artifacts"));
        assert_eq!(fallbacks.filter(|request| request.shows_key).count(), files.len());
        let away = wire
            .passed()
            .into_iter()
            .filter(|request| request.uri.host() == Some("storage.example"))
            .count();
        assert_eq!(away, if is_redirected { files.len() } else { 0 });
    }
}

fn draft(collection: &str) -> ArtifactDraft {
    let mut draft = ArtifactDraft::new("dataset", collection).unwrap();
    for (path, bytes) in files() {
        draft.add_bytes(path, bytes, &AddOptions::default()).unwrap();
    }
    draft
        .add_bytes("large", noise(50, 600_000), &AddOptions::default())
        .unwrap();
    draft
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_whole_and_in_parts_show_no_key_to_their_places() {
    let server = TestServer::open();
    for (collection, options, puts) in [
        // Six files and the manifest.
        ("whole", UploadOptions::default(), 7),
        // Of them one in three parts.
        ("parts", UploadOptions::default().multipart(500_000, 200_000), 9),
    ] {
        let wire = Wire::new(server.transport(), |_| None);
        let logged = draft(collection)
            .log_in(&client(&server, &wire), "p", &options)
            .await
            .unwrap();
        assert_eq!(logged.uploaded.sent, 6, "{collection}");
        assert_eq!(assert_key_stays_home(&wire), puts, "{collection}");
        let count = wire
            .passed()
            .iter()
            .filter(|request| request.what == "PUT")
            .count();
        assert_eq!(count, puts, "{collection}");
        // The same bytes under another name would cost nothing.
        server_forgets(&server, &logged.artifact.exact_name()).await;
    }
}

/// Takes a version away, so that its bytes have to be sent again.
async fn server_forgets(server: &TestServer, name: &str) {
    let artifact = server.api().artifact(name).await.unwrap();
    artifact.delete(true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_redirected_takes_no_key_along() {
    let server = TestServer::open();
    for status in [301, 302, 307, 308] {
        for to in ["https://storage.example/up?sig=x", "http://wandb.local/graphql"] {
            let wire = Wire::new(server.transport(), move |request| {
                (request.what == "PUT" && request.uri.path().starts_with("/up/"))
                    .then(|| redirect(status, to))
                    .or_else(|| {
                        (request.uri.host() == Some("storage.example")).then(|| Response::new(Body::empty()))
                    })
            });
            let outcome = draft("redirected")
                .log_in(&client(&server, &wire), "p", &UploadOptions::default())
                .await;
            // The store took nothing, so the version cannot be committed.
            assert!(outcome.is_err(), "{status} {to}");
            for request in wire.passed().iter().filter(|request| request.what != "GET") {
                let is_graphql_of_ours = request.what != "PUT" && request.uri.path() == "/graphql";
                assert_eq!(
                    request.shows_key, is_graphql_of_ours,
                    "{status}: {} {}",
                    request.what, request.uri
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_get_no_key_not_even_at_home() {
    let server = TestServer::open();
    let content = noise(7, 3_000);
    let served = content.clone();
    let wire = Wire::new(server.transport(), move |request| {
        match (request.uri.host(), request.uri.path()) {
            // A reference that begins at another host and ends at the API's.
            (Some("bounce.example"), _) => Some(redirect(302, "http://wandb.local/objects/bounced")),
            (Some("files.example"), _) | (Some(HOME), "/objects/home" | "/objects/bounced") => {
                Some(bytes(&served))
            }
            (Some("gone.example"), _) => Some(
                Response::builder()
                    .status(StatusCode::NOT_FOUND)
                    .body(Body::empty())
                    .unwrap(),
            ),
            _ => None,
        }
    });
    let api = client(&server, &wire);
    // The client under it, which knows the key as the other does.
    let key = ApiKey::parse(KEY).unwrap().basic_authorization();
    let under = Client::builder(
        BaseUrl::parse(api.base_url().as_str()).unwrap(),
        Arc::new(wire.clone()),
        Arc::new(FakeRuntime::default()),
    )
    .authorization(key)
    .build();
    let mut draft = ArtifactDraft::new("dataset", "references").unwrap();
    let places = [
        ("away", "https://files.example/away?token=t"),
        ("home", "http://wandb.local/objects/home"),
        ("bounced", "https://bounce.example/x"),
    ];
    for (path, address) in places {
        draft
            .add_reference(&under, address, Some(path), &ReferenceOptions::default())
            .await
            .unwrap();
    }
    assert!(
        draft
            .add_reference(
                &under,
                "https://gone.example/x",
                Some("gone"),
                &ReferenceOptions::default()
            )
            .await
            .is_err()
    );
    // At least one look at each, and the one behind the redirect.
    assert!(assert_key_stays_home(&wire) >= 5);
    let logged = draft.log_in(&api, "p", &UploadOptions::default()).await.unwrap();
    wire.reset();
    let target = TempDir::new().unwrap();
    let done = logged
        .artifact
        .download(&ArtifactDownloadOptions::below(target.path()))
        .await
        .unwrap();
    assert_eq!(done.fetched, 3);
    let expected: Files = places
        .iter()
        .map(|(path, _)| ((*path).to_owned(), content.clone()))
        .collect();
    assert_eq!(assert_only_members(target.path(), &expected), 3);
    // The manifest, three objects, one redirect.
    assert!(assert_key_stays_home(&wire) >= 5);
}
