//! Object stores on a socket of this machine: S3, Google and Azure as far as their readers need them, with versions.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};

/// How many objects are on a page of a listing, whatever is asked for.
const PAGE: usize = 2;

const WRITTEN: &str = "Tue, 24 Nov 2026 15:00:00 GMT";

/// The stores. They end when this is dropped.
#[derive(Debug)]
pub struct FakeStores {
    shared: Arc<Shared>,
    url: String,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    /// By bucket and key, the oldest first.
    objects: Mutex<BTreeMap<(String, String), Vec<Version>>>,
    requests: Mutex<Vec<StoreRequest>>,
    hides_versions: AtomicBool,
}

#[derive(Debug, Clone)]
struct Version {
    id: String,
    tag: String,
    /// `None` where it was deleted.
    bytes: Option<Vec<u8>>,
}

/// What a request said.
#[derive(Debug, Clone)]
pub struct StoreRequest {
    /// The method and the address, for example `GET /s3/bucket/key?x=y`.
    pub line: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
}

impl Shared {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<(String, String), Vec<Version>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn requests(&self) -> MutexGuard<'_, Vec<StoreRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeStores {
    /// Starts them, empty.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a socket of this machine");
        let address = listener.local_addr().expect("it has an address");
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self {
            shared,
            url: format!("http://{address}"),
            task,
        }
    }

    /// Where S3 is: `/s3`, Google: `/gs`, and Azure: `/az`.
    pub fn url(&self, store: &str) -> String {
        format!("{}/{store}", self.url)
    }

    /// Settings for all of them.
    pub fn settings(&self) -> Vec<(String, String)> {
        let settings = [
            ("AWS_ACCESS_KEY_ID", "store-key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "store-secret".to_owned()),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_S3_ENDPOINT_URL", self.url("s3")),
            ("GOOGLE_BEARER_TOKEN", "google-token".to_owned()),
            ("GOOGLE_BASE_URL", self.url("gs")),
            ("AZURE_STORAGE_ACCOUNT_NAME", "ours".to_owned()),
            ("AZURE_STORAGE_ACCOUNT_KEY", "YXp1cmUta2V5".to_owned()),
            ("AZURE_STORAGE_ENDPOINT", self.url("az")),
        ];
        settings.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// Writes an object; the entity tag is made of the text.
    pub fn put(&self, bucket: &str, key: &str, bytes: impl Into<Vec<u8>>) {
        self.write(bucket, key, Some(bytes.into()));
    }

    /// Deletes an object; its versions stay.
    pub fn delete(&self, bucket: &str, key: &str) {
        self.write(bucket, key, None);
    }

    /// Forgets the versions of an object but for the current one.
    pub fn forget_versions(&self, bucket: &str, key: &str) {
        let mut objects = self.shared.objects();
        if let Some(versions) = objects.get_mut(&(bucket.to_owned(), key.to_owned())) {
            versions.drain(..versions.len() - 1);
        }
    }

    /// Whether it is refused that versions are listed.
    pub fn hide_versions(&self, hide: bool) {
        self.shared.hides_versions.store(hide, Ordering::Relaxed);
    }

    /// What was asked since the last call.
    pub fn take_requests(&self) -> Vec<StoreRequest> {
        std::mem::take(&mut *self.shared.requests())
    }

    fn write(&self, bucket: &str, key: &str, bytes: Option<Vec<u8>>) {
        let mut objects = self.shared.objects();
        let versions = objects.entry((bucket.to_owned(), key.to_owned())).or_default();
        let number = 100 + versions.len();
        let tag = bytes.as_deref().map_or(0, |bytes| {
            bytes.iter().fold(17_u64, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
            })
        });
        versions.push(Version {
            // Google's are numbers.
            id: number.to_string(),
            tag: format!("{tag:016x}"),
            bytes,
        });
    }
}

impl Drop for FakeStores {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request.
struct Asked {
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
}

impl Asked {
    fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        let found = pairs.find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let header = request.headers().get("authorization");
    let authorization = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
    shared.requests().push(StoreRequest {
        line: format!("{} {}", request.method(), request.uri()),
        authorization: authorization.clone(),
    });
    let query = request.uri().query().unwrap_or_default().split('&');
    let query: Vec<(String, String)> = query
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let path = request.uri().path().trim_start_matches('/');
    let (store, rest) = path.split_once('/').unwrap_or((path, ""));
    let of = |rest: &str| {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Asked {
            bucket: decoded(bucket),
            key: decoded(key),
            query: query.clone(),
        }
    };
    let is_signed = |asked: &Asked| {
        let is_public = asked.bucket.starts_with("public");
        is_public || authorization.is_some() || asked.get("X-Amz-Signature").is_some()
    };
    match store {
        "s3" => {
            let asked = of(rest);
            match asked.key.as_str() {
                _ if !is_signed(&asked) => plain(403, "<Error/>"),
                "" if asked.get("versions").is_some() => s3_versions(&shared, &asked),
                "" => s3_current(&shared, &asked),
                _ => object(&shared, &asked, asked.get("versionId"), "x-amz-version-id", ""),
            }
        }
        "gs" => match rest.strip_prefix("storage/v1/b/") {
            Some(rest) => google_json(&shared, &of(&rest.replacen("/o", "", 1))),
            None => {
                let asked = of(rest);
                object(
                    &shared,
                    &asked,
                    asked.get("generation"),
                    "x-goog-generation",
                    "xml-",
                )
            }
        },
        "az" => {
            let asked = of(rest);
            match asked.get("comp") {
                Some("list") => azure_list(&shared, &asked),
                _ => object(&shared, &asked, asked.get("versionid"), "x-ms-version-id", ""),
            }
        }
        _ => plain(404, ""),
    }
}

fn plain(status: u16, text: impl Into<String>) -> Response {
    let mut answer = Response::new(Body::from(text.into()));
    *answer.status_mut() = axum::http::StatusCode::from_u16(status).expect("a status");
    answer
}

fn object(shared: &Shared, asked: &Asked, version: Option<&str>, header: &str, tag: &str) -> Response {
    let objects = shared.objects();
    let versions = objects.get(&(asked.bucket.clone(), asked.key.clone()));
    let found = versions.and_then(|versions| match version {
        None => versions.last(),
        Some(version) => versions.iter().find(|found| found.id == version),
    });
    let Some((found, bytes)) = found.and_then(|found| Some((found, found.bytes.clone()?))) else {
        return plain(404, "<Error/>");
    };
    let answer = Response::builder()
        .header("etag", format!("\"{tag}{}\"", found.tag))
        .header("last-modified", WRITTEN)
        .header("content-type", "application/octet-stream")
        .header(header, &found.id);
    answer.body(Body::from(bytes)).expect("an answer")
}

/// Every version of the objects of a bucket below a prefix, with whether it is the current one; the newest first.
fn all<'a>(
    objects: &'a BTreeMap<(String, String), Vec<Version>>,
    asked: &Asked,
) -> Vec<(&'a str, &'a Version, bool)> {
    let prefix = asked.get("prefix").unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for ((bucket, key), versions) in objects {
        if *bucket == asked.bucket && key.starts_with(&prefix) {
            let newest = versions.iter().rev().enumerate();
            found.extend(newest.map(|(age, version)| (key.as_str(), version, age == 0)));
        }
    }
    found
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn s3_versions(shared: &Shared, asked: &Asked) -> Response {
    if shared.hides_versions.load(Ordering::Relaxed) {
        return plain(403, "<Error><Code>AccessDenied</Code></Error>");
    }
    let objects = shared.objects();
    let found = all(&objects, asked);
    let start = match (asked.get("key-marker"), asked.get("version-id-marker")) {
        (Some(key), Some(id)) => {
            let last = found
                .iter()
                .position(|(name, version, _)| *name == key && version.id == id);
            last.map_or(0, |last| last + 1)
        }
        _ => 0,
    };
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListVersionsResult>");
    let page = &found[start..found.len().min(start + PAGE)];
    if let Some((key, version, _)) = page.last().filter(|_| start + page.len() < found.len()) {
        let _ = write!(
            text,
            "<IsTruncated>true</IsTruncated><NextKeyMarker>{}</NextKeyMarker>\
             <NextVersionIdMarker>{}</NextVersionIdMarker>",
            escaped(key),
            version.id
        );
    }
    for (key, version, is_latest) in page {
        let kind = if version.bytes.is_some() {
            "Version"
        } else {
            "DeleteMarker"
        };
        let size = version.bytes.as_ref().map_or(0, Vec::len);
        let _ = write!(
            text,
            "<{kind}><Key>{}</Key><VersionId>{}</VersionId><IsLatest>{is_latest}</IsLatest>\
             <ETag>&quot;{}&quot;</ETag><Size>{size}</Size><Owner><ID>x</ID></Owner></{kind}>",
            escaped(key),
            version.id,
            version.tag
        );
    }
    plain(200, text + "</ListVersionsResult>")
}

fn s3_current(shared: &Shared, asked: &Asked) -> Response {
    let objects = shared.objects();
    let mut text = String::from("<?xml version=\"1.0\"?><ListBucketResult>");
    for (key, version, is_latest) in all(&objects, asked) {
        let Some(bytes) = version.bytes.as_ref().filter(|_| is_latest) else {
            continue;
        };
        let _ = write!(
            text,
            "<Contents><Key>{}</Key><LastModified>2026-11-24T15:00:00.000Z</LastModified>\
             <ETag>&quot;{}&quot;</ETag><Size>{}</Size></Contents>",
            escaped(key),
            version.tag,
            bytes.len()
        );
    }
    plain(200, text + "</ListBucketResult>")
}

fn google_json(shared: &Shared, asked: &Asked) -> Response {
    let objects = shared.objects();
    let json = |key: &str, version: &Version, bytes: &[u8]| {
        serde_json::json!({"name": key, "size": bytes.len().to_string(), "etag": format!("json-{}", version.tag),
            "generation": version.id})
    };
    if !asked.key.is_empty() {
        let versions = objects.get(&(asked.bucket.clone(), asked.key.clone()));
        let found = versions.and_then(|versions| match asked.get("generation") {
            None => versions.last(),
            Some(id) => versions.iter().find(|found| found.id == id),
        });
        return match found.and_then(|found| Some(json(&asked.key, found, found.bytes.as_deref()?))) {
            Some(found) => plain(200, found.to_string()),
            None => plain(404, "{}"),
        };
    }
    let with_versions = asked.get("versions") == Some("true");
    let mut found: Vec<_> = all(&objects, asked)
        .into_iter()
        .filter(|(_, _, is_latest)| *is_latest || with_versions)
        .filter_map(|(key, version, _)| Some((key, json(key, version, version.bytes.as_deref()?))))
        .collect();
    // Of one name the oldest first.
    found.reverse();
    found.sort_by_key(|(key, _)| *key);
    let start = asked
        .get("pageToken")
        .and_then(|token| token.parse().ok())
        .unwrap_or(0_usize);
    let end = found.len().min(start + PAGE);
    let items: Vec<_> = found[start..end].iter().map(|(_, item)| item).collect();
    let mut page = serde_json::json!({"items": items});
    if end < found.len() {
        page["nextPageToken"] = end.to_string().into();
    }
    plain(200, page.to_string())
}

fn azure_list(shared: &Shared, asked: &Asked) -> Response {
    let with_versions = asked.get("include") == Some("versions");
    let objects = shared.objects();
    let mut found: Vec<_> = all(&objects, asked)
        .into_iter()
        .filter(|(_, version, is_latest)| version.bytes.is_some() && (*is_latest || with_versions))
        .collect();
    found.reverse();
    found.sort_by_key(|(key, ..)| *key);
    let start = asked
        .get("marker")
        .and_then(|token| token.parse().ok())
        .unwrap_or(0_usize);
    let end = found.len().min(start + PAGE);
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>");
    for (key, version, is_latest) in &found[start..end] {
        let size = version.bytes.as_ref().map_or(0, Vec::len);
        let id = if with_versions {
            let (id, current) = (&version.id, is_latest);
            format!("<VersionId>{id}</VersionId><IsCurrentVersion>{current}</IsCurrentVersion>")
        } else {
            String::new()
        };
        let _ = write!(
            text,
            "<Blob><Name>{}</Name>{id}<Properties><Last-Modified>{WRITTEN}</Last-Modified><Etag>{}</Etag>\
             <Content-Length>{size}</Content-Length><Content-Type>application/octet-stream</Content-Type>\
             </Properties></Blob>",
            escaped(key),
            version.tag
        );
    }
    let next = if end < found.len() {
        end.to_string()
    } else {
        String::new()
    };
    plain(
        200,
        format!("{text}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"),
    )
}
