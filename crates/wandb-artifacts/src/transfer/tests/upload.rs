//! Uploads to a server in memory.

use std::{
    collections::HashMap,
    fs,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use wandb_core::{ErrorKind, Result, base_url::BaseUrl, client::Client, redact::SafeUrl, retry::RetryPolicy};
use wandb_storage::Directory;
use wandb_transport::{Body, Transport, TransportError};

use super::world::{BASE, clock, noise};
use crate::{
    Algorithm,
    draft::{AddOptions, Draft},
    transfer::{
        CompletedMultipart, MultipartSlot, Upload, UploadOptions, UploadRequest, UploadSlot, UploadTarget,
    },
};

/// Objects by URL, and the server's view of the version.
#[derive(Debug, Default)]
struct Store {
    objects: Mutex<HashMap<String, Bytes>>,
    puts: Mutex<Vec<String>>,
    /// How often a URL fails with this status before it works.
    failing: Mutex<HashMap<String, (usize, u16)>>,
    stored: Mutex<Vec<String>>,
    asked: Mutex<Vec<Vec<UploadRequest>>>,
    completed: Mutex<Vec<CompletedMultipart>>,
    /// How many bodies must be on their way before any is answered, how many are, and how many were at most.
    together: Option<tokio::sync::Barrier>,
    running: Mutex<(usize, usize)>,
    short: Mutex<bool>,
}

fn url_of(path: &str) -> String {
    format!("{BASE}/up/{path}")
}

#[async_trait]
impl Transport for Store {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let (head, body) = request.into_parts();
        assert_eq!(head.method, Method::PUT);
        assert!(
            !head.headers.contains_key("authorization"),
            "a signed address gets no key"
        );
        let url = head.uri.to_string();
        self.puts.lock().unwrap().push(url.clone());
        let mut answer = Response::new(Body::empty());
        if let Some((left, status)) = self.failing.lock().unwrap().get_mut(&url)
            && *left > 0
        {
            *left -= 1;
            *answer.status_mut() = http::StatusCode::from_u16(*status).unwrap();
            return Ok(answer);
        }
        {
            let mut running = self.running.lock().unwrap();
            running.0 += 1;
            running.1 = running.1.max(running.0);
        }
        if let Some(together) = &self.together {
            together.wait().await;
        }
        self.running.lock().unwrap().0 -= 1;
        let size = body.size();
        let bytes = body.collect(1 << 30).await?;
        assert_eq!(size, Some(bytes.len() as u64), "the length is announced");
        let md5 = STANDARD.encode(Algorithm::Md5.hash(&bytes).bytes());
        assert_eq!(head.headers["content-md5"], md5);
        let tag = HeaderValue::try_from(format!("\"{}\"", Algorithm::Md5.hash(&bytes).hex())).unwrap();
        answer.headers_mut().insert("etag", tag);
        self.objects.lock().unwrap().insert(url, bytes);
        Ok(answer)
    }
}

#[async_trait]
impl UploadTarget for Store {
    async fn request_uploads(&self, files: &[UploadRequest]) -> Result<Vec<UploadSlot>> {
        self.asked.lock().unwrap().push(files.to_vec());
        let stored = self.stored.lock().unwrap().clone();
        let mut slots: Vec<_> = files
            .iter()
            .map(|file| {
                let is_stored = stored.contains(&file.path);
                let parts = file.parts.iter().map(|part| {
                    let url = url_of(&format!("{}.{}", file.path, part.number));
                    (part.number, SafeUrl::new(url))
                });
                UploadSlot {
                    upload_url: (!is_stored).then(|| SafeUrl::new(url_of(&file.path))),
                    headers: vec![
                        format!("Content-MD5:{}", file.digest),
                        "Content-Type:application/octet-stream".to_owned(),
                    ],
                    storage_path: Some(format!("place/{}", file.path)),
                    birth_artifact_id: if is_stored { "old" } else { "new" }.to_owned(),
                    multipart: (!file.parts.is_empty()).then(|| MultipartSlot {
                        upload_id: format!("upload {}", file.digest),
                        parts: parts.collect(),
                    }),
                }
            })
            .collect();
        if *self.short.lock().unwrap() {
            slots.pop();
        }
        Ok(slots)
    }

    async fn complete_multipart(&self, completed: &CompletedMultipart) -> Result<()> {
        self.completed.lock().unwrap().push(completed.clone());
        Ok(())
    }

    fn batch_size(&self) -> usize {
        3
    }
}

fn client(store: &Arc<Store>) -> Client {
    let transport: Arc<dyn Transport> = Arc::clone(store) as _;
    Client::builder(BaseUrl::parse(BASE).unwrap(), transport, clock())
        .authorization(HeaderValue::from_static("Basic c2VjcmV0"))
        .retry(RetryPolicy::default().with_max_attempts(2))
        .build()
}

async fn draft(files: &[(&str, &[u8])], folder: &tempfile::TempDir) -> Draft {
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let mut draft = Draft::default();
    draft
        .add_directory(folder.path(), None, &AddOptions::default())
        .await
        .unwrap();
    draft
}

fn upload(store: &Arc<Store>, draft: &Draft, options: UploadOptions) -> Upload {
    let target: Arc<dyn UploadTarget> = Arc::clone(store) as _;
    Upload::new(client(store), target, draft.files(), options)
}

#[tokio::test]
async fn files_are_sent_in_batches_and_what_is_stored_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let middle = noise(3_500_000);
    let files: &[(&str, &[u8])] = &[
        ("a/middle", &middle),
        ("b", b"12"),
        ("c", b""),
        ("stored", b"123"),
        ("z", b"1"),
    ];
    let mut draft = draft(files, &folder).await;
    draft
        .add_bytes("memory", &b"from memory"[..], &AddOptions::default())
        .unwrap();
    let store = Arc::new(Store::default());
    store.stored.lock().unwrap().push("stored".to_owned());
    store.failing.lock().unwrap().insert(url_of("b"), (1, 503));
    let done = upload(&store, &draft, UploadOptions::default())
        .run()
        .await
        .unwrap();
    assert_eq!((done.sent, done.stored, done.transferred), (5, 1, 3_500_014));
    let objects = store.objects.lock().unwrap();
    assert_eq!(objects[&url_of("a/middle")], middle);
    assert_eq!(objects[&url_of("memory")], "from memory");
    assert!(objects[&url_of("c")].is_empty() && !objects.contains_key(&url_of("stored")));
    let asked = store.asked.lock().unwrap();
    let sizes: Vec<Vec<u64>> = asked
        .iter()
        .map(|batch| batch.iter().map(|file| file.size).collect())
        .collect();
    assert_eq!(sizes, [vec![0, 1, 2], vec![3, 11, 3_500_000]], "small ones first");
    let manifest = draft.manifest_with(&done.birth_artifact_ids);
    assert_eq!(manifest.get("stored").unwrap().birth_artifact_id(), Some("old"));
    assert_eq!(manifest.get("b").unwrap().birth_artifact_id(), Some("new"));
    assert_eq!(manifest.digest(), draft.digest());
}

#[tokio::test]
async fn what_fails_is_asked_for_again_unless_most_of_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    let draft = draft(&[("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")], &folder).await;
    let store = Arc::new(Store::default());
    store.failing.lock().unwrap().insert(url_of("b"), (1, 403));
    let done = upload(&store, &draft, UploadOptions::default())
        .run()
        .await
        .unwrap();
    assert_eq!(done.sent, 4);
    assert_eq!(store.asked.lock().unwrap().last().unwrap().len(), 1);

    for path in ["a", "b", "c"] {
        store.failing.lock().unwrap().insert(url_of(path), (99, 400));
    }
    let error = upload(&store, &draft, UploadOptions::default())
        .run()
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("3 files failed") && text.contains("\"a\"") && text.contains("\"c\""),
        "{text}"
    );
    *store.short.lock().unwrap() = true;
    let error = upload(&store, &draft, UploadOptions::default())
        .run()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_file_that_changed_is_never_sent_whole() {
    let folder = tempfile::tempdir().unwrap();
    let middle = noise(3_000_000);
    for changed in [
        {
            let mut changed = middle.clone();
            changed[2_999_999] ^= 1;
            changed
        },
        middle[..2_000_000].to_vec(),
    ] {
        for parts in [false, true] {
            let draft = draft(&[("middle", &middle), ("small", b"1")], &folder).await;
            fs::write(folder.path().join("middle"), &changed).unwrap();
            let store = Arc::new(Store::default());
            let options = if parts {
                UploadOptions::default().multipart(1 << 20, 1 << 20)
            } else {
                UploadOptions::default()
            };
            let error = upload(&store, &draft, options).run().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
            assert!(error.to_string().contains("changed"), "{error}");
            assert!(!store.objects.lock().unwrap().contains_key(&url_of("middle")));
            assert!(store.completed.lock().unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_an_interrupted_one_goes_on() {
    let (folder, records) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let large = noise(3_500_000);
    let draft = draft(&[("large", &large), ("small", b"1")], &folder).await;
    let store = Arc::new(Store::default());
    let options = || {
        let records = Directory::create(records.path()).unwrap();
        UploadOptions::default()
            .multipart(1 << 20, 1 << 20)
            .records(records)
    };
    store.failing.lock().unwrap().insert(url_of("large.3"), (99, 400));
    upload(&store, &draft, options()).run().await.unwrap_err();
    assert!(store.completed.lock().unwrap().is_empty());
    // Parts arrive in any order, and the first failure ends the others: what is in the journal does not go again.
    let journal = fs::read_dir(records.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let journal = fs::read_to_string(journal).unwrap();
    let noted: Vec<&str> = journal
        .lines()
        .skip(1)
        .map(|line| line.split_once(' ').unwrap().0)
        .collect();
    let missing: Vec<String> = ["1", "2", "3", "4"]
        .iter()
        .filter(|number| !noted.contains(number))
        .map(|number| url_of(&format!("large.{number}")))
        .collect();
    assert!(missing.contains(&url_of("large.3")));
    store.failing.lock().unwrap().clear();
    store.puts.lock().unwrap().clear();
    store.stored.lock().unwrap().push("small".to_owned());
    let done = upload(&store, &draft, options()).run().await.unwrap();
    let there = (4 - missing.len() as u64) << 20;
    assert_eq!(done.transferred, 3_500_000 - there);
    let mut puts = store.puts.lock().unwrap().clone();
    puts.sort();
    assert_eq!(puts, missing);
    let completed = store.completed.lock().unwrap();
    let numbers: Vec<u32> = completed[0].parts.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(
        (
            completed[0].storage_path.as_str(),
            completed[0].birth_artifact_id.as_str()
        ),
        ("place/large", "new")
    );
    let objects = store.objects.lock().unwrap();
    let whole: Vec<u8> = (1..=4)
        .flat_map(|part| objects[&url_of(&format!("large.{part}"))].to_vec())
        .collect();
    assert_eq!(whole, large);
    for (number, tag) in &completed[0].parts {
        let bytes = &objects[&url_of(&format!("large.{number}"))];
        assert_eq!(
            *tag,
            format!("\"{}\"", Algorithm::Md5.hash(bytes).hex()),
            "quotes included"
        );
    }
    assert_eq!(fs::read_dir(records.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn parts_go_side_by_side_and_no_more_than_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let large = noise((12 << 20) + 5);
    let draft = draft(&[("large", &large)], &folder).await;
    for (connections, together) in [(16, 6), (2, 2)] {
        let store = Arc::new(Store {
            // The last parts are fewer than a whole group, so that they may not wait for one.
            together: Some(tokio::sync::Barrier::new(1)),
            ..Store::default()
        });
        let options = UploadOptions::default()
            .connections(connections)
            .multipart(1 << 20, 1 << 20);
        let done = upload(&store, &draft, options).run().await.unwrap();
        assert_eq!(done.transferred, large.len() as u64);
        assert!(store.running.lock().unwrap().1 <= together);
        let completed = store.completed.lock().unwrap();
        assert!(completed[0].parts.is_sorted() && completed[0].parts.len() == 13);
    }
    // Twelve parts in two groups of six: each waits until all six are on their way.
    let large = noise(12 << 20);
    fs::write(folder.path().join("large"), &large).unwrap();
    let draft = {
        let mut draft = Draft::default();
        draft
            .add_directory(folder.path(), None, &AddOptions::default())
            .await
            .unwrap();
        draft
    };
    let store = Arc::new(Store {
        together: Some(tokio::sync::Barrier::new(6)),
        ..Store::default()
    });
    let options = UploadOptions::default().multipart(1 << 20, 1 << 20);
    upload(&store, &draft, options).run().await.unwrap();
    assert_eq!(store.running.lock().unwrap().1, 6);
    let objects = store.objects.lock().unwrap();
    let whole: Vec<u8> = (1..=12)
        .flat_map(|part| objects[&url_of(&format!("large.{part}"))].to_vec())
        .collect();
    assert_eq!(whole, large);
}
