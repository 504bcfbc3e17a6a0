//! How to get at object stores.

use std::{fmt, sync::Arc, time::Duration};

use object_store::{ObjectStore, RetryConfig, path::Path as ObjectPath};
use wandb_core::{Client, Error, ErrorKind, Result, secret::Secret};
use wandb_transport::Transport;

use super::{
    connector::Connector,
    error::failed,
    open::{OpenStore, Provider},
};
use crate::reference::{ObjectAddress, Scheme};

/// How often a store is asked again, and for how long: as patient as requests to the W&B server are.
const RETRIES: usize = 5;
const PATIENCE: Duration = Duration::from_secs(60);

/// How to get at object stores: a transport, and settings under the names of the stores' usual environment variables.
///
/// | store | settings |
/// |---|---|
/// | S3 | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, `AWS_S3_ENDPOINT_URL` (official), `AWS_VIRTUAL_HOSTED_STYLE_REQUEST`, `AWS_SKIP_SIGNATURE`, `AWS_REQUEST_PAYER`; roles: `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`, `AWS_ROLE_SESSION_NAME`, `AWS_ENDPOINT_URL_STS`, `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, `AWS_CONTAINER_CREDENTIALS_FULL_URI`, `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`, `AWS_METADATA_ENDPOINT`, `AWS_IMDSV1_FALLBACK` |
/// | Google | `GOOGLE_APPLICATION_CREDENTIALS`, `GOOGLE_SERVICE_ACCOUNT` (a file), `GOOGLE_SERVICE_ACCOUNT_KEY` (JSON), `GOOGLE_BEARER_TOKEN`, `GOOGLE_BASE_URL`, `GOOGLE_SKIP_SIGNATURE` |
/// | Azure | `AZURE_STORAGE_ACCOUNT_NAME`, and for that account `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_STORAGE_SAS_TOKEN`, `AZURE_STORAGE_TOKEN`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`, `AZURE_TENANT_ID`, `AZURE_AUTHORITY_HOST`, `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_IDENTITY_ENDPOINT`, `AZURE_OBJECT_ID`, `AZURE_MSI_RESOURCE_ID`; `AZURE_STORAGE_ENDPOINT`, `AZURE_SKIP_SIGNATURE` |
///
/// Public buckets need `AWS_SKIP_SIGNATURE=true` and the like. Without a credential S3 asks the machine it runs on, and Google is
/// an error. In Azure the address decides where a request goes, so credentials go to the named account only, and every other
/// account is asked without one.
#[derive(Clone)]
pub struct ObjectStores {
    transport: Arc<dyn Transport>,
    settings: Arc<[Setting]>,
}

#[derive(Clone)]
struct Setting {
    store: Scheme,
    name: String,
    value: Secret,
}

/// What is known of the name of a setting.
enum Known {
    /// It is one, of this store, under the name that the store's crate knows.
    Setting(Scheme, String),
    /// It is of a store, and means nothing here: the address or the transport decides.
    DecidedElsewhere,
    Unknown,
}

impl ObjectStores {
    /// Stores over a transport, with settings.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the setting, and never its value, when no store of this build knows
    /// it, or when it is about what the address or the transport decides.
    pub fn new(
        transport: Arc<dyn Transport>,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self> {
        let mut known = Vec::new();
        for (name, value) in settings {
            match known_as(&name) {
                Known::Setting(store, name) => known.push(Setting {
                    store,
                    name,
                    value: Secret::new(value),
                }),
                Known::DecidedElsewhere => {
                    return Err(Error::invalid_input(format!(
                        "the object store setting {name:?} is not taken: the address or the transport decides that"
                    )));
                }
                Known::Unknown => {
                    return Err(Error::invalid_input(format!(
                        "no object store of this program knows the setting {name:?}"
                    ))
                    .with_hint("settings have the names of the stores' environment variables, in full"));
                }
            }
        }
        Ok(Self {
            transport,
            settings: known.into(),
        })
    }

    /// Stores over a transport, with those of some variables that are settings; a whole environment may be given. The
    /// environment is not read here.
    pub fn from_variables(
        transport: Arc<dyn Transport>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let known = variables
            .into_iter()
            .filter_map(|(name, value)| match known_as(&name) {
                Known::Setting(store, name) if !value.is_empty() => Some(Setting {
                    store,
                    name,
                    value: Secret::new(value),
                }),
                _ => None,
            });
        let settings = known.collect();
        Self { transport, settings }
    }

    /// The store of an address. What is asked of it past its crate goes through these stores' transport, too, with the clock
    /// and the patience of `like`, and with nothing else of it: no credential, no configured header.
    pub(crate) fn open(&self, place: &ObjectAddress, like: &Client) -> Result<OpenStore> {
        let transport = Arc::clone(&self.transport);
        let client = Client::builder(like.base_url().clone(), transport, Arc::clone(like.runtime()));
        Ok(OpenStore {
            provider: self.provider(place)?,
            place: place.clone(),
            client: client.retry(like.retry_policy().clone()).build(),
        })
    }

    fn of(&self, store: Scheme) -> impl Iterator<Item = (&str, &str)> {
        let settings = self.settings.iter().filter(move |setting| setting.store == store);
        settings.map(|setting| (setting.name.as_str(), setting.value.expose()))
    }

    fn provider(&self, place: &ObjectAddress) -> Result<Provider> {
        let retry = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: PATIENCE,
            ..RetryConfig::default()
        };
        let connector = Connector(Arc::clone(&self.transport));
        match place.scheme() {
            #[cfg(feature = "s3")]
            Scheme::S3 => super::s3::open(self.of(Scheme::S3), place, connector, retry),
            #[cfg(feature = "gs")]
            Scheme::Gs => super::google::open(self.of(Scheme::Gs), place, connector, retry),
            #[cfg(feature = "azure")]
            Scheme::Azure => super::azure::open(self.of(Scheme::Azure), place, connector, retry),
            _ => {
                let _ = (connector, retry);
                Err(Error::new(
                    ErrorKind::Unsupported,
                    "this program was built without that object store",
                )
                .with_hint("build it with the feature of the store, or skip references"))
            }
        }
    }
}

impl fmt::Debug for ObjectStores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values hold keys.
        let names: Vec<&str> = self
            .settings
            .iter()
            .map(|setting| setting.name.as_str())
            .collect();
        formatter
            .debug_struct("ObjectStores")
            .field("settings", &names)
            .finish_non_exhaustive()
    }
}

/// Names are known in full only: `token` alone could be of any store.
fn known_as(name: &str) -> Known {
    let mut name = name.to_ascii_lowercase();
    if name == "aws_s3_endpoint_url" {
        "aws_endpoint_url_s3".clone_into(&mut name);
    }
    let known: Option<(Scheme, Option<bool>)> = match name.split_once('_').map(|(store, _)| store) {
        #[cfg(feature = "s3")]
        Some("aws") => Some((Scheme::S3, super::s3::takes(&name))),
        #[cfg(feature = "gs")]
        Some("google") => Some((Scheme::Gs, super::google::takes(&name))),
        #[cfg(feature = "azure")]
        Some("azure") => Some((Scheme::Azure, super::azure::takes(&name))),
        _ => None,
    };
    match known {
        Some((store, Some(true))) => Known::Setting(store, name),
        Some((_, Some(false))) => Known::DecidedElsewhere,
        _ => Known::Unknown,
    }
}

/// The place of an object in its store.
pub(super) fn path_of(key: &str) -> Result<ObjectPath> {
    ObjectPath::parse(key)
        .ok()
        // What would come back as another key is none: a slash at either end.
        .filter(|path| path.as_ref() == key)
        .ok_or_else(|| {
            Error::invalid_input(format!("the object's name {key:?} cannot be used"))
                .with_hint("names with empty, \".\" or \"..\" segments are not supported")
        })
}

/// A setting that could not be used names itself, and not its value.
pub(super) fn unusable(store: &str, error: object_store::Error) -> Error {
    failed(error).in_operation(format!("use the settings of {store}"))
}

/// A switch as the stores' crate reads it.
pub(super) fn is_true(value: Option<String>) -> bool {
    let value = value.unwrap_or_default().to_ascii_lowercase();
    matches!(value.as_str(), "1" | "true" | "on" | "yes" | "y")
}

/// A store for requests.
pub(super) type Store = Arc<dyn ObjectStore>;

#[cfg(all(test, feature = "s3"))]
mod tests {
    use wandb_transport::ScriptedTransport;

    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn transport() -> Arc<dyn Transport> {
        Arc::new(ScriptedTransport::ordered())
    }

    #[test]
    fn a_setting_that_nobody_knows_is_named_and_its_value_is_not() {
        for name in [
            "AWS_ACES_KEY_ID",
            "token",
            "MY_KEY",
            "AWS_BUCKET",
            "AWS_ALLOW_HTTP",
            "AWS_CHECKSUM_ALGORITHM",
        ] {
            let error = ObjectStores::new(transport(), pairs(&[(name, "s3cr3t")])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let text = format!("{error} {error:?}");
            assert!(text.contains(name) && !text.contains("s3cr3t"), "{text}");
        }
        let stores = ObjectStores::new(
            transport(),
            pairs(&[
                ("AWS_REGION", "eu"),
                ("aws_s3_endpoint_url", "http://h"),
                ("AWS_SECRET_ACCESS_KEY", "s3cr3t"),
            ]),
        );
        let text = format!("{:?}", stores.unwrap());
        assert!(text.contains("aws_region") && !text.contains("s3cr3t"), "{text}");
    }

    #[test]
    fn of_an_environment_only_settings_are_taken() {
        let stores = ObjectStores::from_variables(
            transport(),
            pairs(&[
                ("HOME", "/me"),
                ("AWS_PROFILE", "x"),
                ("AWS_REGION", "eu"),
                ("AWS_SESSION_TOKEN", ""),
            ]),
        );
        assert_eq!(stores.of(Scheme::S3).collect::<Vec<_>>(), [("aws_region", "eu")]);
    }

    #[test]
    fn names_that_would_come_back_as_others_are_refused() {
        for key in ["a//b", "a/../b", "/a", "a/", ""] {
            assert_eq!(path_of(key).is_ok(), key.is_empty(), "{key}");
        }
        assert_eq!(path_of("a b/c%20d").unwrap().as_ref(), "a b/c%20d");
    }
}
