//! Azure: listings with versions, by requests that the store's crate signs.

use std::sync::Arc;

use http::{Method, Request};
use object_store::{
    ObjectStore, RetryConfig,
    azure::{AzureAuthorizer, AzureConfigKey, AzureCredentialProvider, MicrosoftAzureBuilder},
    client::HttpRequestBody,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wandb_core::{Client, Error, ErrorKind, Result, client::Fetch, redact::SafeUrl};

use super::{
    connector::Connector,
    error::failed,
    open::Provider,
    settings::{Store, is_true, unusable},
    xml::{MOST_PAGES, page},
};
use crate::reference::{ObjectAddress, unquoted};

/// One container.
pub(super) struct Azure {
    pub(super) store: Store,
    credentials: Option<AzureCredentialProvider>,
    account: String,
    /// `https://ACCOUNT.blob.core.windows.net/CONTAINER`.
    container: String,
}

/// Whether a setting is taken; `None` when it is not known.
pub(super) fn takes(name: &str) -> Option<bool> {
    use AzureConfigKey as Key;
    let key: Key = name.parse().ok()?;
    Some(matches!(key, Key::AccountName | Key::Endpoint | Key::SkipSignature) || is_credential(key))
}

fn is_credential(key: AzureConfigKey) -> bool {
    use AzureConfigKey as Key;
    matches!(
        key,
        Key::AccessKey
            | Key::SasKey
            | Key::Token
            | Key::ClientId
            | Key::ClientSecret
            | Key::AuthorityId
            | Key::AuthorityHost
            | Key::FederatedTokenFile
            | Key::MsiEndpoint
            | Key::ObjectId
            | Key::MsiResourceId
    )
}

pub(super) fn open<'a>(
    settings: impl Iterator<Item = (&'a str, &'a str)>,
    place: &ObjectAddress,
    connector: Connector,
    retry: RetryConfig,
) -> Result<Provider> {
    use AzureConfigKey as Key;
    let settings: Vec<(Key, &str)> = settings
        .filter_map(|(name, value)| Some((name.parse().ok()?, value)))
        .collect();
    let of = |wanted: Key| {
        settings
            .iter()
            .find(|(key, _)| *key == wanted)
            .map(|(_, value)| *value)
    };
    let has_credential = settings.iter().any(|(key, _)| is_credential(*key));
    let named = of(Key::AccountName);
    if has_credential && named.is_none() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "the credential for Azure does not say which storage account it is for",
        )
        .with_hint("set AZURE_STORAGE_ACCOUNT_NAME"));
    }
    // The address comes from a manifest: a token that somebody else's account was shown would be lost.
    let is_ours = named.is_some_and(|named| named.eq_ignore_ascii_case(place.account()));
    let mut builder = MicrosoftAzureBuilder::new()
        .with_http_connector(connector)
        .with_retry(retry);
    for (key, value) in &settings {
        if is_ours || !is_credential(*key) && !matches!(key, Key::Endpoint) {
            builder = builder.with_config(*key, *value);
        }
    }
    let is_signed = is_ours && has_credential && !is_true(builder.get_config_value(&Key::SkipSignature));
    if !is_signed {
        builder = builder.with_skip_signature(true);
    }
    let account = place.account();
    let endpoint = of(Key::Endpoint).filter(|_| is_ours).map_or_else(
        || format!("https://{account}.blob.core.windows.net"),
        |endpoint| endpoint.trim_end_matches('/').to_owned(),
    );
    let store = builder
        .with_account(account)
        .with_container_name(place.container())
        .build()
        .map_err(|error| unusable("Azure", error))?;
    Ok(Provider::Azure(Azure {
        credentials: is_signed.then(|| Arc::clone(store.credentials())),
        account: account.to_owned(),
        container: format!("{endpoint}/{}", quoted(place.container())),
        store: Arc::new(store) as Arc<dyn ObjectStore>,
    }))
}

impl Azure {
    /// The version of a blob with an entity tag, newest first.
    pub(super) async fn version_of(&self, client: &Client, key: &str, etag: &str) -> Result<Option<String>> {
        let mut marker = String::new();
        let mut version = None;
        for _ in 0..MOST_PAGES {
            let url = format!(
                "{}?restype=container&comp=list&include=versions&prefix={}&marker={}",
                self.container,
                quoted(key),
                quoted(&marker)
            );
            let listing = page(client, &self.signed(&url).await?, &["Blob"]).await?;
            for (_, fields) in &listing.records {
                // In order of their names, the exact one first; of one name the oldest first.
                if fields.get("Name").is_none_or(|found| found != key) {
                    return Ok(version);
                }
                let is_it = fields
                    .get("Etag")
                    .is_some_and(|found| unquoted(found) == unquoted(etag));
                if let Some(found) = fields.get("VersionId").filter(|_| is_it) {
                    version = Some(found.clone());
                }
            }
            match listing.fields.get("NextMarker").filter(|next| !next.is_empty()) {
                None => return Ok(version),
                Some(next) if *next == marker => break,
                Some(next) => marker.clone_from(next),
            }
        }
        Err(Error::protocol("the object store's listing does not end"))
    }

    async fn signed(&self, url: &str) -> Result<Fetch> {
        let mut request = Request::new(HttpRequestBody::empty());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = url
            .parse()
            .map_err(|error| Error::invalid_input("the container has no address").with_source(error))?;
        if let Some(credentials) = &self.credentials {
            let credential = credentials.get_credential().await.map_err(failed)?;
            AzureAuthorizer::new(&credential, &self.account)
                .try_authorize(&mut request)
                .map_err(failed)?;
        } else {
            // Versions are listed since this version of the interface only.
            request
                .headers_mut()
                .insert("x-ms-version", http::HeaderValue::from_static("2019-12-12"));
        }
        let url = SafeUrl::new(request.uri().to_string());
        let mut fetch = Fetch::get(url, "list the versions of a blob").without_credential();
        for (name, value) in request.headers() {
            let mut value = value.clone();
            value.set_sensitive(*name == http::header::AUTHORIZATION);
            fetch = fetch.header(name.clone(), value);
        }
        Ok(fetch)
    }
}

/// As one value of a query.
fn quoted(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}
