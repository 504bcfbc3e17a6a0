//! Addresses of objects in stores: `s3://`, `gs://`, and blobs of Azure.

use percent_encoding::percent_decode_str;
use wandb_core::Error;

use super::Scheme;

/// The end of the host of a blob's address.
const AZURE_HOST: &str = ".blob.core.windows.net";

/// The place of an object, or of all objects below a prefix, taken apart (official: the handlers' `_parse_uri`).
///
/// Keys are taken as they are written: no scheme of the official client decodes them. What follows a `?` or a `#` is not of the
/// key, so an object whose name has one of them has no address.
///
/// | scheme | form | the version |
/// |---|---|---|
/// | S3 | `s3://bucket/key` | `?versionId=…` |
/// | Google | `gs://bucket/key` | `#generation` |
/// | Azure | `https://account.blob.core.windows.net/container/name` | `?versionId=…` |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectAddress {
    scheme: Scheme,
    account: String,
    container: String,
    key: String,
    version: Option<String>,
}

/// Why an address names no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectAddressError {
    /// Neither S3 nor Google nor Azure.
    #[error("it is of no object store")]
    NoStore,
    /// The part after the scheme is empty.
    #[error("it names no bucket or container")]
    NoContainer,
    /// The host of a blob is not `account.blob.core.windows.net`.
    #[error("its host is not that of a storage account")]
    NoAccount,
    /// An object whose name has a `?` or a `#`.
    #[error("an object with a \"?\" or a \"#\" in its name has no address")]
    UnspeakableName,
}

impl From<ObjectAddressError> for Error {
    fn from(error: ObjectAddressError) -> Self {
        Self::invalid_input("the address of the object cannot be used").with_source(error)
    }
}

impl ObjectAddress {
    /// Takes an address apart.
    ///
    /// # Errors
    /// When it is of no store, or lacks the bucket, the container or the account.
    pub fn parse(address: &str) -> Result<Self, ObjectAddressError> {
        let scheme = Scheme::of(address);
        if !matches!(scheme, Scheme::S3 | Scheme::Gs | Scheme::Azure) {
            return Err(ObjectAddressError::NoStore);
        }
        let (_, rest) = address.split_once("://").ok_or(ObjectAddressError::NoStore)?;
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (account, container, key) = match scheme {
            Scheme::Azure => {
                let (container, key) = path.split_once('/').unwrap_or((path, ""));
                (account_of(host)?, container, key)
            }
            _ => ("", host, path),
        };
        // Google's keys have no leading slash (official: it is stripped).
        let key = if scheme == Scheme::Gs {
            key.trim_start_matches('/')
        } else {
            key
        };
        if container.is_empty() {
            return Err(ObjectAddressError::NoContainer);
        }
        let version = match scheme {
            Scheme::Gs => (!fragment.is_empty()).then(|| fragment.to_owned()),
            _ => query_value(query, "versionId"),
        };
        Ok(Self {
            scheme,
            account: account.to_ascii_lowercase(),
            container: container.to_owned(),
            key: key.to_owned(),
            version,
        })
    }

    /// The store.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The storage account of Azure; empty elsewhere.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The bucket; in Azure the container.
    #[must_use]
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The name of the object, or a prefix; empty for the whole bucket.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The version that the address names, if it does.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The address without a version, as entries have it (official).
    #[must_use]
    pub fn bare(&self) -> String {
        self.joined(&self.key)
    }

    /// The address of another object of the same bucket.
    ///
    /// # Errors
    /// When its name cannot stand in an address.
    pub fn with_key(&self, key: &str) -> Result<String, ObjectAddressError> {
        if key.contains(['?', '#']) {
            return Err(ObjectAddressError::UnspeakableName);
        }
        Ok(self.joined(key))
    }

    fn joined(&self, key: &str) -> String {
        let (account, container) = (&self.account, &self.container);
        match self.scheme {
            Scheme::Azure => format!("https://{account}{AZURE_HOST}/{container}/{key}"),
            Scheme::Gs => format!("gs://{container}/{key}"),
            _ => format!("s3://{container}/{key}"),
        }
    }
}

/// Whether the address of a blob has its own signature, so that it is as good as any `https://` address.
#[must_use]
pub fn is_signed_blob(address: &str) -> bool {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    Scheme::of(address) == Scheme::Azure && query.split('&').any(|pair| pair.starts_with("sig="))
}

/// The account of a host, which is one label: a name with a dot would lead to another host than was written.
fn account_of(host: &str) -> Result<&str, ObjectAddressError> {
    let account = host
        .len()
        .checked_sub(AZURE_HOST.len())
        .and_then(|end| Some((host.get(..end)?, host.get(end..)?)))
        .filter(|(_, end)| end.eq_ignore_ascii_case(AZURE_HOST))
        .map(|(account, _)| account);
    let is_label = |name: &str| {
        let mut letters = name.bytes();
        !name.is_empty() && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
    };
    account
        .filter(|account| is_label(account))
        .ok_or(ObjectAddressError::NoAccount)
}

fn query_value(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    let value = percent_decode_str(value).decode_utf8().ok()?.into_owned();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_taken_apart_as_the_official_client_does() {
        for (address, account, container, key, version, bare) in [
            (
                "s3://b/dir/x y%20z",
                "",
                "b",
                "dir/x y%20z",
                None,
                "s3://b/dir/x y%20z",
            ),
            (
                "S3://b/k?versionId=a%2Bb&x=1",
                "",
                "b",
                "k",
                Some("a+b"),
                "s3://b/k",
            ),
            ("s3://b", "", "b", "", None, "s3://b/"),
            ("s3://b/k#17", "", "b", "k", None, "s3://b/k"),
            ("gs://b/dir/k#17", "", "b", "dir/k", Some("17"), "gs://b/dir/k"),
            ("gs://b//k?versionId=3", "", "b", "k", None, "gs://b/k"),
            (
                "https://Acc.blob.core.windows.net/c/d/e?versionId=2026-01-01T00%3A00%3A00Z",
                "acc",
                "c",
                "d/e",
                Some("2026-01-01T00:00:00Z"),
                "https://acc.blob.core.windows.net/c/d/e",
            ),
        ] {
            let found = ObjectAddress::parse(address).unwrap();
            assert_eq!(
                (found.account(), found.container(), found.key(), found.version()),
                (account, container, key, version),
                "{address}"
            );
            assert_eq!(found.bare(), bare);
        }
        for (address, fault) in [
            ("http://h/x", ObjectAddressError::NoStore),
            ("s3:///x", ObjectAddressError::NoContainer),
            (
                "https://acc.blob.core.windows.net/",
                ObjectAddressError::NoContainer,
            ),
            (
                "https://evil.acc.blob.core.windows.net/c/x",
                ObjectAddressError::NoAccount,
            ),
            (
                "https://u@acc.blob.core.windows.net/c/x",
                ObjectAddressError::NoAccount,
            ),
        ] {
            assert_eq!(ObjectAddress::parse(address).unwrap_err(), fault, "{address}");
        }
        let blob = "https://acc.blob.core.windows.net/c/x";
        assert!(is_signed_blob(&format!("{blob}?sv=1&sig=abc")) && !is_signed_blob(blob));
        let bucket = ObjectAddress::parse("s3://b/dir").unwrap();
        assert_eq!(bucket.with_key("dir/a b").unwrap(), "s3://b/dir/a b");
        assert!(bucket.with_key("dir/a?b").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(s3|gs|https)://.{0,40}", blob in "[^/]{0,12}") {
            let _ = ObjectAddress::parse(&text);
            let _ = ObjectAddress::parse(&format!("https://{blob}.blob.core.windows.net/c/x"));
        }

        #[test]
        fn what_is_printed_is_read_back(container in "[a-z0-9-]{1,10}", key in "[^?#/][^?#]{0,20}", scheme in 0..3) {
            let text = match scheme {
                0 => format!("s3://{container}/{key}"),
                1 => format!("gs://{container}/{key}"),
                _ => format!("https://acc.blob.core.windows.net/{container}/{key}"),
            };
            let found = ObjectAddress::parse(&text).unwrap();
            prop_assert_eq!((found.container(), found.key()), (&*container, &*key));
            prop_assert_eq!(ObjectAddress::parse(&found.bare()).unwrap(), found);
        }
    }
}
