//! Google Cloud Storage: objects as its JSON interface tells them.
//!
//! Manifests hold the entity tags of that interface (official: the client library uses it). The tags of the other one, which the
//! store's crate uses for bytes, are different texts for the same objects.

use std::sync::Arc;

use http::{HeaderValue, header::AUTHORIZATION};
use object_store::{
    ObjectStore, RetryConfig,
    gcp::{GcpCredentialProvider, GoogleCloudStorageBuilder, GoogleConfigKey},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};
use wandb_core::{Client, Error, ErrorKind, Result, client::Fetch, redact::SafeUrl};

use super::{
    connector::Connector,
    error::{failed, refused, unreadable},
    open::{Provider, Stored, take},
    settings::{Store, is_true, unusable},
};
use crate::reference::{ObjectAddress, unquoted};

/// Where the store is unless a setting says otherwise.
const BASE: &str = "https://storage.googleapis.com";

/// How long one page of a listing may be, in bytes.
const PAGE_LIMIT: usize = 32 << 20;

/// How many pages are read, each of up to 1,000 objects.
const MOST_PAGES: usize = 100_000;

/// One bucket.
pub(super) struct Google {
    pub(super) store: Store,
    credentials: Option<GcpCredentialProvider>,
    /// `…/storage/v1/b/BUCKET/o`.
    objects: String,
}

/// Whether a setting is taken; `None` when it is not known.
pub(super) fn takes(name: &str) -> Option<bool> {
    use GoogleConfigKey as Key;
    let key: Key = name.parse().ok()?;
    Some(matches!(
        key,
        Key::ServiceAccount
            | Key::ServiceAccountKey
            | Key::ApplicationCredentials
            | Key::BearerToken
            | Key::BaseUrl
            | Key::SkipSignature
    ))
}

pub(super) fn open<'a>(
    settings: impl Iterator<Item = (&'a str, &'a str)>,
    place: &ObjectAddress,
    connector: Connector,
    retry: RetryConfig,
) -> Result<Provider> {
    use GoogleConfigKey as Key;
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_http_connector(connector)
        .with_retry(retry);
    let mut has_credential = false;
    for (name, value) in settings {
        if let Ok(key) = name.parse() {
            has_credential |= !matches!(key, Key::BaseUrl | Key::SkipSignature);
            builder = builder.with_config(key, value);
        }
    }
    let is_signed = !is_true(builder.get_config_value(&Key::SkipSignature));
    if !has_credential {
        if is_signed {
            return Err(Error::new(
                ErrorKind::Authentication,
                "there is no credential for Google Cloud Storage",
            )
            .with_hint(
                "set GOOGLE_APPLICATION_CREDENTIALS, or GOOGLE_SKIP_SIGNATURE=true for a public bucket",
            ));
        }
        // Else the store's crate looks for one in the user's home.
        builder = builder.with_config(Key::BearerToken, "");
    }
    let base = builder.get_config_value(&Key::BaseUrl);
    let base = base.as_deref().unwrap_or(BASE).trim_end_matches('/').to_owned();
    let store = builder
        .with_bucket_name(place.container())
        .build()
        .map_err(|error| unusable("Google Cloud Storage", error))?;
    Ok(Provider::Google(Google {
        credentials: is_signed.then(|| Arc::clone(store.credentials())),
        objects: format!("{base}/storage/v1/b/{}/o", quoted(place.container())),
        store: Arc::new(store) as Arc<dyn ObjectStore>,
    }))
}

/// An object, of the fields that are asked for.
#[derive(Debug, Deserialize)]
struct Object {
    name: String,
    #[serde(default)]
    size: Option<String>,
    etag: Option<String>,
    generation: Option<String>,
}

const OBJECT: &str = "name,size,etag,generation";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Objects {
    #[serde(default)]
    items: Vec<Object>,
    next_page_token: Option<String>,
}

impl Object {
    fn stored(self) -> Result<Stored> {
        let size = self.size.as_deref().and_then(|size| size.parse().ok());
        Ok(Stored {
            size: size.ok_or_else(|| unreadable("description of an object"))?,
            is_folder: self.name.ends_with('/'),
            key: self.name,
            etag: self.etag.as_deref().map(|tag| unquoted(tag).to_owned()),
            version: self.generation,
        })
    }
}

impl Google {
    pub(super) async fn look_at(
        &self,
        client: &Client,
        key: &str,
        generation: Option<&str>,
    ) -> Result<Option<Stored>> {
        let mut url = format!("{}/{}?fields={OBJECT}", self.objects, quoted(key));
        if let Some(generation) = generation {
            url.push_str(&format!("&generation={}", quoted(generation)));
        }
        match self.get::<Object>(client, &url).await {
            Ok(object) => object.stored().map(Some),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn list(&self, client: &Client, prefix: &str, most: usize) -> Result<Vec<Stored>> {
        let mut found = Vec::new();
        self.pages(client, prefix, false, &mut |object| {
            take(&mut found, object, most)?;
            Ok(true)
        })
        .await?;
        Ok(found)
    }

    /// The generation of an object with an entity tag, newest first.
    pub(super) async fn version_of(&self, client: &Client, key: &str, etag: &str) -> Result<Option<String>> {
        let mut version = None;
        self.pages(client, key, true, &mut |object| {
            // In order of their names, the exact one first; of one name the oldest first.
            if object.key == key && object.etag.as_deref() == Some(unquoted(etag)) {
                version = object.version;
            }
            Ok(object.key == key)
        })
        .await?;
        Ok(version)
    }

    /// Gives objects to `visit` until it has enough.
    async fn pages(
        &self,
        client: &Client,
        prefix: &str,
        with_versions: bool,
        visit: &mut (dyn FnMut(Stored) -> Result<bool> + Send),
    ) -> Result<()> {
        let first = format!(
            "{}?fields=nextPageToken,items({OBJECT})&maxResults=1000&prefix={}{}",
            self.objects,
            quoted(prefix),
            if with_versions { "&versions=true" } else { "" }
        );
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let url = match &token {
                None => first.clone(),
                Some(token) => format!("{first}&pageToken={}", quoted(token)),
            };
            let page: Objects = self.get(client, &url).await?;
            for object in page.items {
                if !visit(object.stored()?)? {
                    return Ok(());
                }
            }
            match page.next_page_token {
                None => return Ok(()),
                again if again == token => break,
                next => token = next,
            }
        }
        Err(Error::protocol("the object store's listing does not end"))
    }

    async fn get<T: DeserializeOwned>(&self, client: &Client, url: &str) -> Result<T> {
        let mut fetch = Fetch::get(SafeUrl::new(url), "ask Google Cloud Storage").without_credential();
        if let Some(credentials) = &self.credentials {
            let credential = credentials.get_credential().await.map_err(failed)?;
            let mut value =
                HeaderValue::try_from(format!("Bearer {}", credential.bearer)).map_err(|error| {
                    Error::invalid_input("the bearer token cannot be sent").with_source(error)
                })?;
            value.set_sensitive(true);
            fetch = fetch.header(AUTHORIZATION, value);
        }
        let answer = client.fetch(&fetch).await.map_err(refused)?;
        let body = answer
            .body
            .collect(PAGE_LIMIT)
            .await
            .map_err(|error| refused(error.into()))?;
        serde_json::from_slice(&body).map_err(|error| unreadable("answer").with_source(error))
    }
}

/// As one segment of a path, or one value of a query.
fn quoted(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}
