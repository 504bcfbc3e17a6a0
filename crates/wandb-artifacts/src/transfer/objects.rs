//! Object stores: S3, Google Cloud Storage, Azure. Features `s3`, `gs`, `azure`.
//!
//! The stores' own crate signs and retries; what goes on the network goes through the caller's
//! [`Transport`], as everything does. Credentials of stores come from the settings that the caller
//! passes, never from the environment behind his back, and nothing of W&B's goes to a store.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use object_store::{
    ClientOptions, GetOptions, ObjectStore,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
    path::Path as ObjectPath,
};
use wandb_core::{Error, ErrorKind, Result};
use wandb_storage::Expected;
use wandb_transport::{Body, Transport, TransportError, TransportErrorKind};

use super::{engine::Engine, file_sink::FileSink, publisher::Ready, receive::Sink};
use crate::{
    manifest::ManifestEntry,
    reference::{Scheme, check_etag},
};

/// How bytes are collected before they are written, in bytes.
const WRITE_SIZE: usize = 1 << 20;

/// How to get at object stores.
#[derive(Clone)]
pub struct ObjectStores {
    transport: Arc<dyn Transport>,
    settings: Vec<(String, String)>,
}

impl ObjectStores {
    /// Stores over a transport, with settings under the names of the stores' usual environment variables, for example
    /// `AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_KEY`. Names that
    /// no store knows are passed over, so that a whole environment may be given. Public buckets need
    /// `AWS_SKIP_SIGNATURE=true` and the like.
    pub fn new(transport: Arc<dyn Transport>, settings: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            transport,
            settings: settings.into_iter().collect(),
        }
    }

    /// The store of an address, and the object's place in it.
    pub(crate) fn open(&self, address: &str) -> Result<(Arc<dyn ObjectStore>, ObjectPath)> {
        let place = address
            .split_once("://")
            .and_then(|(_, rest)| rest.split(['?', '#']).next())
            .and_then(|rest| rest.split_once('/'));
        let (bucket, key) = place.ok_or_else(|| {
            Error::invalid_input(format!(
                "{} names no object",
                wandb_core::redact::redact_url(address)
            ))
        })?;
        let scheme = Scheme::of(address);
        // In Azure the host is the account, and the container comes first.
        let (container, key) = match scheme {
            Scheme::Azure => key.split_once('/').unwrap_or((key, "")),
            _ => (bucket, key),
        };
        let path = ObjectPath::parse(key)
            .map_err(|error| Error::invalid_input("the object's name cannot be used").with_source(error))?;
        let store = self.store(scheme, address, container).map_err(failed)?;
        let store = store.ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "this program was built without that object store",
            )
            .with_hint("build it with the feature of the store, or skip references")
        })?;
        Ok((store, path))
    }

    fn store(
        &self,
        scheme: Scheme,
        address: &str,
        container: &str,
    ) -> object_store::Result<Option<Arc<dyn ObjectStore>>> {
        // Each builder knows the names that are its own.
        macro_rules! build {
            ($builder:expr) => {{
                let mut builder = $builder.with_http_connector(Connector(Arc::clone(&self.transport)));
                for (name, value) in &self.settings {
                    if let Ok(key) = name.to_ascii_lowercase().parse() {
                        builder = builder.with_config(key, value.as_str());
                    }
                }
                builder
            }};
        }
        let _ = (address, container);
        Ok(match scheme {
            #[cfg(feature = "s3")]
            Scheme::S3 => {
                let builder = build!(object_store::aws::AmazonS3Builder::new());
                Some(Arc::new(builder.with_bucket_name(container).build()?))
            }
            #[cfg(feature = "gs")]
            Scheme::Gs => {
                let builder = build!(object_store::gcp::GoogleCloudStorageBuilder::new());
                Some(Arc::new(builder.with_bucket_name(container).build()?))
            }
            #[cfg(feature = "azure")]
            Scheme::Azure => {
                let host = address.split_once("://").map_or("", |(_, rest)| rest);
                let account = host.split('.').next().unwrap_or_default();
                let builder = build!(object_store::azure::MicrosoftAzureBuilder::new());
                let builder = builder.with_account(account).with_container_name(container);
                Some(Arc::new(builder.build()?))
            }
            _ => None,
        })
    }
}

impl fmt::Debug for ObjectStores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values hold keys.
        let names: Vec<&str> = self.settings.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("ObjectStores")
            .field("settings", &names)
            .finish_non_exhaustive()
    }
}

/// Our transport in the place of the stores' own client.
#[derive(Debug)]
struct Connector(Arc<dyn Transport>);

#[derive(Debug)]
struct Service(Arc<dyn Transport>);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(Arc::clone(&self.0))))
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.0.send(request.map(body_of)).await.map_err(http_error)?;
        Ok(answer.map(|body| HttpResponseBody::new(http_body_util::BodyExt::map_err(body, http_error))))
    }
}

fn body_of(body: HttpRequestBody) -> Body {
    match body.as_bytes() {
        Some(bytes) => Body::from(bytes.clone()),
        None => Body::wrap(body),
    }
}

fn http_error(error: TransportError) -> HttpError {
    let kind = match error.kind() {
        TransportErrorKind::Connect | TransportErrorKind::Tls => HttpErrorKind::Connect,
        TransportErrorKind::Timeout => HttpErrorKind::Timeout,
        TransportErrorKind::Interrupted => HttpErrorKind::Interrupted,
        TransportErrorKind::Decode => HttpErrorKind::Decode,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}

/// The error of a store. Its text may hold the store's answer, and no signature.
fn failed(error: object_store::Error) -> Error {
    let kind = match &error {
        object_store::Error::NotFound { .. } => ErrorKind::NotFound,
        object_store::Error::Precondition { .. } => ErrorKind::Integrity,
        object_store::Error::PermissionDenied { .. } => ErrorKind::NotVisible,
        object_store::Error::Unauthenticated { .. } => ErrorKind::Authentication,
        object_store::Error::NotSupported { .. } | object_store::Error::NotImplemented { .. } => {
            ErrorKind::Unsupported
        }
        _ => ErrorKind::Server,
    };
    Error::new(kind, "the object store refused or could not be reached").with_source(error)
}

impl Engine {
    /// An object of a store: the version that was recorded, else the current one if its tag is the recorded one. Other
    /// versions are not searched for it, as the official client does: a bucket with versions records them.
    pub(crate) async fn stored_object(
        &self,
        index: usize,
        reference: &ManifestEntry,
        ready: &std::sync::mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let address = reference.address().unwrap_or_default();
        let stores = self.options.object_stores.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "nobody said how to get at object stores")
                .with_hint("give the download its object stores, or skip references")
        })?;
        let (store, path) = stores.open(address)?;
        let version = reference
            .extra()
            .get("versionID")
            .and_then(|version| version.as_str().map(str::to_owned));
        let options = GetOptions {
            version: version.clone(),
            ..GetOptions::default()
        };
        let found = store.get_opts(&path, options).await.map_err(failed)?;
        // Tags of Google's two interfaces differ, so there the generation decides where one is recorded.
        if !(reference.is_unchecked_reference() || Scheme::of(address) == Scheme::Gs && version.is_some()) {
            check_etag(
                &reference.digest().to_string(),
                address,
                found.meta.e_tag.as_deref(),
            )
            .map_err(|fault| {
                Error::new(ErrorKind::Integrity, "the object is not the one that was logged")
                    .with_source(fault)
            })?;
        }
        let size = reference.size().filter(|&size| size > 0);
        let expected = Expected {
            size: Some(size.unwrap_or(found.meta.size)),
            digest: None,
        };
        let name = self.manifest.entries()[index].path();
        self.options.progress.begin(name, expected.size.unwrap_or(0));
        let mut sink = FileSink::new(self.begin_reference(index, expected).await?);
        let mut stream = found.into_stream();
        let (mut chunks, mut collected): (Vec<Bytes>, usize) = (Vec::new(), 0);
        loop {
            let next = stream.next().await.transpose().map_err(failed)?;
            let is_last = next.is_none();
            if let Some(chunk) = next {
                collected += chunk.len();
                chunks.push(chunk);
            }
            if collected >= WRITE_SIZE || (is_last && collected > 0) {
                sink.write(std::mem::take(&mut chunks)).await?;
                self.options.progress.advance(collected as u64);
                self.transferred
                    .fetch_add(collected as u64, std::sync::atomic::Ordering::Relaxed);
                collected = 0;
            }
            if is_last {
                break;
            }
        }
        self.verify(index, sink.into_pending()?, expected, ready).await
    }
}
