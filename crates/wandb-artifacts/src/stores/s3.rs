//! S3: listings with versions, by requests that the store's crate signs.

use std::{sync::Arc, time::Duration};

use http::Method;
use object_store::{
    ObjectStore, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey},
    path::Path as ObjectPath,
    signer::{SignedUrlOptions, Signer},
};
use wandb_core::{Client, Error, ErrorKind, Result, client::Fetch, redact::SafeUrl};

use super::{
    connector::Connector,
    error::{failed, unreadable},
    open::{Provider, Stored, listed, take},
    settings::{Store, is_true, unusable},
    xml::{Fields, Listing, MOST_PAGES, page},
};
use crate::reference::{ObjectAddress, unquoted};

/// How long the signature of one request is good for.
const SIGNED_FOR: Duration = Duration::from_secs(300);

/// One bucket.
pub(super) struct S3 {
    pub(super) store: Store,
    signer: AmazonS3,
    is_signed: bool,
}

/// Whether a setting is taken; `None` when it is not known.
pub(super) fn takes(name: &str) -> Option<bool> {
    use AmazonS3ConfigKey as Key;
    let key: Key = name.parse().ok()?;
    Some(matches!(
        key,
        Key::AccessKeyId
            | Key::SecretAccessKey
            | Key::Token
            | Key::Region
            | Key::DefaultRegion
            | Key::Endpoint
            | Key::S3Endpoint
            | Key::VirtualHostedStyleRequest
            | Key::SkipSignature
            | Key::RequestPayer
            | Key::WebIdentityTokenFile
            | Key::RoleArn
            | Key::RoleSessionName
            | Key::StsEndpoint
            | Key::ContainerCredentialsRelativeUri
            | Key::ContainerCredentialsFullUri
            | Key::ContainerAuthorizationTokenFile
            | Key::MetadataEndpoint
            | Key::ImdsV1Fallback
    ))
}

pub(super) fn open<'a>(
    settings: impl Iterator<Item = (&'a str, &'a str)>,
    place: &ObjectAddress,
    connector: Connector,
    retry: RetryConfig,
) -> Result<Provider> {
    let mut builder = AmazonS3Builder::new()
        .with_http_connector(connector)
        .with_retry(retry);
    for (name, value) in settings {
        if let Ok(key) = name.parse() {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder.with_bucket_name(place.container());
    let is_signed = !is_true(builder.get_config_value(&AmazonS3ConfigKey::SkipSignature));
    if !is_signed {
        // The store's crate tells the address of a bucket with a signature only: one of nothing is made, and cut off.
        builder = builder.with_access_key_id("none").with_secret_access_key("none");
    }
    let signer = builder.build().map_err(|error| unusable("S3", error))?;
    Ok(Provider::S3(S3 {
        store: Arc::new(signer.clone()) as Arc<dyn ObjectStore>,
        signer,
        is_signed,
    }))
}

/// Where a listing of versions goes on.
struct Marker {
    key: String,
    version: String,
}

impl S3 {
    /// The current objects below a prefix with their versions, all from one listing. Where versions may not be listed, or the
    /// store does not know them, they are listed without.
    pub(super) async fn list(&self, client: &Client, prefix: &str, most: usize) -> Result<Vec<Stored>> {
        let mut found = Vec::new();
        let first = match self.versions(client, prefix, None).await {
            Ok(first) => first,
            Err(error) if is_no_versions(&error) => {
                tracing::debug!(%error, "versions cannot be listed");
                let mut found = listed(&self.store, prefix, most).await?;
                found.retain(|stored| stored.size > 0);
                return Ok(found);
            }
            Err(error) => return Err(error),
        };
        let mut next = Some(first);
        for _ in 0..MOST_PAGES {
            let Some(listing) = next.take() else {
                return Ok(found);
            };
            for (kind, fields) in &listing.records {
                if kind == "Version" && fields.get("IsLatest").is_some_and(|latest| latest == "true") {
                    let stored = stored_of(fields).ok_or_else(|| unreadable("listing"))?;
                    // Official: objects without bytes only stand for directories.
                    if stored.size > 0 {
                        take(&mut found, stored, most)?;
                    }
                }
            }
            if let Some(marker) = marker_of(&listing)? {
                next = Some(self.versions(client, prefix, Some(&marker)).await?);
            }
        }
        Err(Error::protocol("the object store's listing does not end"))
    }

    /// The version of an object with an entity tag, newest first.
    pub(super) async fn version_of(&self, client: &Client, key: &str, etag: &str) -> Result<Option<String>> {
        let mut marker = None;
        for _ in 0..MOST_PAGES {
            let listing = self.versions(client, key, marker.as_ref()).await?;
            for (kind, fields) in &listing.records {
                // In order of their names, the exact one first.
                if fields.get("Key").is_none_or(|found| found != key) {
                    return Ok(None);
                }
                let is_it = || {
                    fields
                        .get("ETag")
                        .is_some_and(|found| unquoted(found) == unquoted(etag))
                };
                if kind == "Version" && is_it() {
                    // "null" is the version that was written before the bucket had versions.
                    return Ok(fields.get("VersionId").cloned());
                }
            }
            marker = marker_of(&listing)?;
            if marker.is_none() {
                return Ok(None);
            }
        }
        Err(Error::protocol("the object store's listing does not end"))
    }

    async fn versions(&self, client: &Client, prefix: &str, marker: Option<&Marker>) -> Result<Listing> {
        let mut query = vec![("versions", ""), ("prefix", prefix), ("max-keys", "1000")];
        if let Some(marker) = marker {
            query.push(("key-marker", &marker.key));
            if !marker.version.is_empty() {
                query.push(("version-id-marker", &marker.version));
            }
        }
        let options = SignedUrlOptions::new().with_query(query);
        let url = self
            .signer
            .signed_url_opts(Method::GET, &ObjectPath::default(), SIGNED_FOR, &options)
            .await
            .map_err(failed)?;
        let url = if self.is_signed {
            url.to_string()
        } else {
            unsigned(url.as_str())
        };
        let fetch = Fetch::get(SafeUrl::new(url), "list the versions of objects").without_credential();
        page(client, &fetch, &["Version", "DeleteMarker"]).await
    }
}

/// A signed address without its signature.
fn unsigned(url: &str) -> String {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.starts_with("X-Amz-"))
        .collect();
    format!("{base}?{}", kept.join("&"))
}

fn stored_of(fields: &Fields) -> Option<Stored> {
    Some(Stored {
        key: fields.get("Key")?.clone(),
        size: fields.get("Size")?.parse().ok()?,
        etag: fields.get("ETag").map(|tag| unquoted(tag).to_owned()),
        version: fields
            .get("VersionId")
            .filter(|version| *version != "null")
            .cloned(),
        is_folder: false,
    })
}

fn marker_of(listing: &Listing) -> Result<Option<Marker>> {
    if listing
        .fields
        .get("IsTruncated")
        .is_none_or(|truncated| truncated != "true")
    {
        return Ok(None);
    }
    let next = listing.fields.get("NextKeyMarker").filter(|key| !key.is_empty());
    let key = next.ok_or_else(|| unreadable("listing"))?.clone();
    let version = listing
        .fields
        .get("NextVersionIdMarker")
        .cloned()
        .unwrap_or_default();
    Ok(Some(Marker { key, version }))
}

/// Whether a listing of versions was refused as such: permission for it is one of its own, and not every store has versions.
fn is_no_versions(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 403 | 405 | 501)) || error.kind() == ErrorKind::Unsupported
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_cut_off() {
        let signed = "https://h/b/?X-Amz-Algorithm=A&X-Amz-Signature=s&versions=&prefix=X-Amz-y";
        assert_eq!(unsigned(signed), "https://h/b/?versions=&prefix=X-Amz-y");
    }
}
