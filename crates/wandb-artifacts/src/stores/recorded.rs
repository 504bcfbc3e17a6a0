//! The object that an entry of a manifest recorded.
//!
//! Official: the recorded version; else the current object, if its entity tag is the recorded one; else the version that has that
//! tag. We also look for it when the current object was deleted, and in Google's store, too.

use object_store::GetResult;
use wandb_core::{Error, ErrorKind, Result};

use super::open::OpenStore;
use crate::{manifest::ManifestEntry, reference::check_etag};

/// What an entry recorded of its object.
pub(crate) struct Recorded<'a> {
    /// The entity tag; `None` of an entry that was logged without a look at the object.
    etag: Option<String>,
    version: Option<String>,
    address: &'a str,
}

impl<'a> Recorded<'a> {
    pub(crate) fn of(entry: &'a ManifestEntry) -> Self {
        let version = entry.extra().get("versionID").and_then(|version| {
            // Generations are numbers in manifests of the official client.
            let number = version.as_i64().map(|number| number.to_string());
            version.as_str().map(str::to_owned).or(number)
        });
        Self {
            etag: (!entry.is_unchecked_reference()).then(|| entry.digest().to_string()),
            version,
            address: entry.address().unwrap_or_default(),
        }
    }

    fn check(&self, etag: Option<&str>) -> Result<()> {
        match &self.etag {
            None => Ok(()),
            Some(expected) => check_etag(expected, self.address, etag).map_err(|fault| {
                Error::new(ErrorKind::Integrity, "the object is not the one that was logged")
                    .with_source(fault)
            }),
        }
    }
}

impl OpenStore {
    /// The recorded object, its bytes still streaming.
    pub(crate) async fn recorded(&self, recorded: &Recorded<'_>) -> Result<GetResult> {
        #[cfg(feature = "gs")]
        if let super::open::Provider::Google(_) = &self.provider {
            return self.recorded_by_google(recorded).await;
        }
        let found = self.fetch(recorded.version.as_deref()).await?;
        let wrong = match found {
            Some(found) => match recorded.check(found.meta.e_tag.as_deref()) {
                Ok(()) => return Ok(found),
                Err(wrong) => Some(wrong),
            },
            None => None,
        };
        let etag = recorded.etag.as_deref().filter(|_| recorded.version.is_none());
        self.older(etag, wrong).await
    }

    /// Google's generations are what they were when they were logged; their tags, which also change with what is said of an
    /// object, are those of another interface than the one that gives bytes.
    #[cfg(feature = "gs")]
    async fn recorded_by_google(&self, recorded: &Recorded<'_>) -> Result<GetResult> {
        if let Some(generation) = &recorded.version
            && let Some(found) = self.fetch(Some(generation)).await?
        {
            return Ok(found);
        }
        if recorded.etag.is_none() {
            return self.fetch(None).await?.ok_or_else(|| self.gone());
        }
        // A bucket whose old generations were removed may still have these bytes as the current ones (official).
        let wrong = match self.look_at(None).await? {
            Some(current) => match recorded.check(current.etag.as_deref()) {
                Ok(()) => {
                    let found = self.fetch(current.version.as_deref()).await?;
                    return found.ok_or_else(|| self.gone());
                }
                Err(wrong) => Some(wrong),
            },
            None => None,
        };
        self.older(recorded.etag.as_deref(), wrong).await
    }

    /// The version with an entity tag, when the current object is another one (`wrong`) or gone.
    async fn older(&self, etag: Option<&str>, wrong: Option<Error>) -> Result<GetResult> {
        let Some(etag) = etag else {
            return Err(wrong.unwrap_or_else(|| self.gone()));
        };
        let version = match self.version_of(etag).await {
            Ok(version) => version,
            // That nobody may look for it says nothing of the object; that another one is there does.
            Err(error) => {
                tracing::debug!(%error, "older versions of the object could not be listed");
                return Err(wrong.unwrap_or_else(|| self.gone()));
            }
        };
        let found = match &version {
            Some(version) => self.fetch(Some(version)).await?,
            None => None,
        };
        found.ok_or_else(|| match wrong {
            None => self.gone(),
            Some(wrong) => Error::not_found(format!(
                "a version of {} with the entity tag that was logged",
                self.place.bare()
            ))
            .with_source(wrong),
        })
    }

    fn gone(&self) -> Error {
        Error::not_found(format!("object {}", self.place.bare()))
    }
}
