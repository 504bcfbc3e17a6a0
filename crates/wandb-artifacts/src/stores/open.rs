//! One bucket or container, open.

use futures_util::TryStreamExt;
use object_store::{Attribute, GetOptions, GetResult, ObjectMeta, path::Path as ObjectPath};
use wandb_core::{Error, Result, client::Client};

use super::{
    error::failed,
    settings::{Store, path_of},
};
use crate::reference::{ObjectAddress, unquoted};

/// A store, and what is asked of it past the crate `object_store`.
pub(super) enum Provider {
    #[cfg(feature = "s3")]
    S3(super::s3::S3),
    #[cfg(feature = "gs")]
    Google(super::google::Google),
    #[cfg(feature = "azure")]
    Azure(super::azure::Azure),
}

/// A bucket or container.
pub(crate) struct OpenStore {
    pub(super) provider: Provider,
    pub(super) place: ObjectAddress,
    /// For what is asked past the store's crate.
    pub(super) client: Client,
}

/// What a store says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) key: String,
    /// In bytes.
    pub(crate) size: u64,
    /// The entity tag, without its quotes.
    pub(crate) etag: Option<String>,
    /// The version, or Google's generation; `None` in a bucket without versions.
    pub(crate) version: Option<String>,
    /// Whether it only stands for a directory.
    pub(crate) is_folder: bool,
}

impl Stored {
    pub(super) fn of(meta: ObjectMeta) -> Self {
        Self {
            key: meta.location.to_string(),
            size: meta.size,
            etag: meta.e_tag.as_deref().map(|tag| unquoted(tag).to_owned()),
            // What S3 calls the one version of a bucket without versions.
            version: meta.version.filter(|version| version != "null"),
            is_folder: false,
        }
    }
}

impl OpenStore {
    pub(super) fn store(&self) -> &Store {
        match &self.provider {
            #[cfg(feature = "s3")]
            Provider::S3(s3) => &s3.store,
            #[cfg(feature = "gs")]
            Provider::Google(google) => &google.store,
            #[cfg(feature = "azure")]
            Provider::Azure(azure) => &azure.store,
        }
    }

    /// The object, its bytes still streaming; `None` when there is none.
    pub(super) async fn fetch(&self, version: Option<&str>) -> Result<Option<GetResult>> {
        self.get(GetOptions {
            version: version.map(str::to_owned),
            ..GetOptions::default()
        })
        .await
    }

    async fn get(&self, options: GetOptions) -> Result<Option<GetResult>> {
        let path = path_of(self.place.key())?;
        match self.store().get_opts(&path, options).await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Looks at the object of the address without its bytes; `None` when there is none.
    pub(crate) async fn look_at(&self, version: Option<&str>) -> Result<Option<Stored>> {
        #[cfg(feature = "gs")]
        if let Provider::Google(google) = &self.provider {
            return google.look_at(&self.client, self.place.key(), version).await;
        }
        // The name of a directory, and so of no object that could be got.
        if self.place.key().ends_with('/') {
            return Ok(None);
        }
        let found = self
            .get(GetOptions {
                version: version.map(str::to_owned),
                head: true,
                ..GetOptions::default()
            })
            .await?;
        Ok(found.map(|found| {
            let text = |attribute: &Attribute| {
                found
                    .attributes
                    .get(attribute)
                    .map(|value| value.as_ref().to_owned())
            };
            let is_folder = text(&Attribute::ContentType).is_some_and(|kind| kind.contains("x-directory"))
                || text(&Attribute::Metadata("hdi_isfolder".into())).as_deref() == Some("true");
            let mut stored = Stored::of(found.meta);
            if version.is_some() && stored.version.is_none() {
                stored.version = version.map(str::to_owned);
            }
            Stored { is_folder, ..stored }
        }))
    }

    /// All objects below the address as a directory, in order of their names, at most `most`.
    ///
    /// What only stands for a directory is left out; of S3 objects without bytes, too (official: both).
    pub(crate) async fn list(&self, most: usize) -> Result<Vec<Stored>> {
        let key = self.place.key().trim_end_matches('/');
        let prefix = if key.is_empty() {
            String::new()
        } else {
            format!("{key}/")
        };
        let mut found = match &self.provider {
            #[cfg(feature = "s3")]
            Provider::S3(s3) => s3.list(&self.client, &prefix, most).await?,
            #[cfg(feature = "gs")]
            Provider::Google(google) => google.list(&self.client, &prefix, most).await?,
            #[cfg(feature = "azure")]
            Provider::Azure(azure) => listed(&azure.store, &prefix, most).await?,
        };
        found.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(found)
    }

    /// The version of the object with an entity tag, newest first.
    pub(super) async fn version_of(&self, etag: &str) -> Result<Option<String>> {
        match &self.provider {
            #[cfg(feature = "s3")]
            Provider::S3(s3) => s3.version_of(&self.client, self.place.key(), etag).await,
            #[cfg(feature = "gs")]
            Provider::Google(google) => google.version_of(&self.client, self.place.key(), etag).await,
            #[cfg(feature = "azure")]
            Provider::Azure(azure) => azure.version_of(&self.client, self.place.key(), etag).await,
        }
    }
}

/// What the store's own crate lists below a prefix.
pub(super) async fn listed(store: &Store, prefix: &str, most: usize) -> Result<Vec<Stored>> {
    let path = ObjectPath::parse(prefix).map_err(|error| {
        Error::invalid_input(format!("the prefix {prefix:?} cannot be used")).with_source(error)
    })?;
    let mut found = Vec::new();
    let mut listing = store.list(Some(&path));
    while let Some(meta) = listing.try_next().await.map_err(failed)? {
        take(&mut found, Stored::of(meta), most)?;
    }
    Ok(found)
}

/// Takes one more, unless there are too many.
pub(super) fn take(found: &mut Vec<Stored>, stored: Stored, most: usize) -> Result<()> {
    if stored.key.ends_with('/') {
        return Ok(());
    }
    if found.len() >= most {
        return Err(
            Error::invalid_input(format!("there are more than {most} objects below the prefix"))
                .with_hint("raise the limit if that is meant"),
        );
    }
    found.push(stored);
    Ok(())
}
