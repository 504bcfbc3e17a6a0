//! Downloading a version.

use std::{collections::HashSet, path::PathBuf, sync::Arc};

use wandb_artifacts::{
    filenames::NamePolicy,
    name::CollectionName,
    plan::PlanSummary,
    transfer::{Checkout, Download, DownloadOptions, DownloadedArtifact, Progress},
};
use wandb_core::{Error, ErrorKind, Result, path::safe_relative_path};
use wandb_storage::Placement;

use super::{
    Artifact,
    urls::{MembershipUrls, Resolver},
};

/// Where and how a version is downloaded. The defaults: everything, references too, below the client's
/// [artifact directory](crate::Api::artifact_directory), through the client's artifact cache if it has one.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ArtifactDownloadOptions {
    root: Option<PathBuf>,
    prefix: String,
    names: NamePolicy,
    skip_cache: bool,
    allow_missing_references: bool,
    skip_references: bool,
    unsized_limit: Option<u64>,
    placement: Placement,
    connections: Option<(usize, usize)>,
    progress: Option<Arc<dyn Progress>>,
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    stores: Option<wandb_artifacts::stores::ObjectStores>,
}

impl ArtifactDownloadOptions {
    /// Below this directory, which is made if needed.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self {
            root: Some(root.into()),
            ..Self::default()
        }
    }

    /// Only files whose paths begin with a text (official: `path_prefix`). Nothing is asked for the others.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Which names of files are taken. [`NamePolicy::Portable`] unless set: names that not every system can hold, beside each
    /// other, end the download before anything is written. With [`NamePolicy::System`] those are taken that this system can
    /// hold; names that the disk takes for one are still an error, and hostile names always are.
    pub fn names(mut self, policy: NamePolicy) -> Self {
        self.names = policy;
        self
    }

    /// Neither takes bytes out of the cache nor puts them in. A cache that cannot be opened is no error then.
    pub fn skip_cache(mut self, skip: bool) -> Self {
        self.skip_cache = skip;
        self
    }

    /// Passes over references whose objects are gone, and lists them in the result.
    pub fn allow_missing_references(mut self, allow: bool) -> Self {
        self.allow_missing_references = allow;
        self
    }

    /// Fetches no reference; all are listed in the result.
    pub fn skip_references(mut self, skip: bool) -> Self {
        self.skip_references = skip;
        self
    }

    /// How many bytes a reference may have whose size was not recorded; 16 GiB unless set.
    pub fn unsized_limit(mut self, bytes: u64) -> Self {
        self.unsized_limit = Some(bytes);
        self
    }

    /// How files get out of the cache and into it; by copying (or a reflink) unless set.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// How many files are fetched at once: `first` to begin with, up to `most` while the server does well.
    pub fn connections(mut self, first: usize, most: usize) -> Self {
        self.connections = Some((first, most));
        self
    }

    /// Tells someone how far it is.
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// How to get at `s3://`, `gs://` and Azure references; as the client was told
    /// ([`ApiBuilder::object_stores`](crate::ApiBuilder::object_stores)) unless set.
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    pub fn object_stores(mut self, stores: wandb_artifacts::stores::ObjectStores) -> Self {
        self.stores = Some(stores);
        self
    }
}

impl Artifact {
    /// The directory that this version is downloaded to by default: `collection:vN`, as it was logged, in the client's
    /// [artifact directory](crate::Api::artifact_directory).
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a collection whose name would lead elsewhere, and for a version without a
    /// number.
    pub fn default_root(&self) -> Result<PathBuf> {
        let version = self.source_version.or(self.version).ok_or_else(|| {
            Error::invalid_input(format!(
                "artifact \"{}\" has no number yet: it is {}",
                self.exact_name(),
                self.state
            ))
        })?;
        let collection = CollectionName::new(self.source_collection.as_str())?;
        let folder = collection.directory_name(version).ok_or_else(|| {
            Error::invalid_input(format!("{collection:?} cannot be the name of a directory"))
                .with_hint("name the directory to download to")
        })?;
        Ok(self.api.artifact_directory().join(folder))
    }

    /// Downloads the version: what is there and verified costs nothing, what the cache has comes from there, and the rest is
    /// fetched, hashed while it streams, and published only after size and digest match. An interrupted download is gone on
    /// with by the next call. See [`Download`] for the details.
    ///
    /// A second download of an unchanged version asks for nothing, if the client has an artifact cache: the manifest, the
    /// record of what was verified and the bytes are there. Without one, the manifest is asked for and the files are read
    /// again.
    ///
    /// # Errors
    /// As [`Download::run`] and [`manifest`](Self::manifest).
    pub async fn download(&self, options: &ArtifactDownloadOptions) -> Result<DownloadedArtifact> {
        let operation = format!("download artifact \"{}\"", self.exact_name());
        let run = async {
            let download = self.prepare(options).await?;
            download.run().await
        };
        run.await.map_err(|error| error.in_operation(operation))
    }

    /// What a download would do, from what is on this machine. The manifest is asked for if it is not known; files are not.
    ///
    /// # Errors
    /// As [`download`](Self::download), as far as it gets.
    pub async fn download_plan(&self, options: &ArtifactDownloadOptions) -> Result<PlanSummary> {
        self.prepare(options).await?.plan().await
    }

    /// Plans to make a directory hold exactly the version's files (official: `checkout`): shows what would be removed, and
    /// does it when it is [run](ArtifactCheckout::run).
    ///
    /// # Errors
    /// As [`download`](Self::download), and [`InvalidInput`](ErrorKind::InvalidInput) with a prefix, because everything else
    /// would have to go.
    pub async fn checkout(&self, options: &ArtifactDownloadOptions) -> Result<ArtifactCheckout> {
        if !options.prefix.is_empty() {
            return Err(Error::invalid_input(
                "a checkout is of a whole artifact, not of a prefix",
            ));
        }
        let download = self.prepare(options).await?;
        Ok(ArtifactCheckout {
            checkout: download.checkout().await?,
        })
    }

    /// Downloads a version that has one file, and gives its place.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when it has none or several; else as [`download`](Self::download).
    pub async fn file(&self, options: &ArtifactDownloadOptions) -> Result<PathBuf> {
        let manifest = self.by(options).await.manifest().await?;
        let [entry] = manifest.entries() else {
            return Err(Error::invalid_input(format!(
                "artifact \"{}\" has {} files, not one",
                self.exact_name(),
                manifest.len()
            ))
            .with_hint("download the artifact, or one of its files by its path"));
        };
        self.download_entry(entry.path(), options).await
    }

    /// Downloads one file by its path, and gives its place.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such file, [`Unsupported`](ErrorKind::Unsupported) for a reference
    /// that is only tracked; else as [`download`](Self::download).
    pub async fn download_entry(&self, path: &str, options: &ArtifactDownloadOptions) -> Result<PathBuf> {
        let operation = format!("download {path:?} of artifact \"{}\"", self.exact_name());
        let mut places = self.download_entries(&[path], options, operation).await?;
        places
            .pop()
            .ok_or_else(|| Error::not_found(format_args!("entry {path:?}")))
    }

    /// Downloads files by their paths, together, and gives the place of each.
    pub(super) async fn download_entries(
        &self,
        paths: &[impl AsRef<str> + Sync],
        options: &ArtifactDownloadOptions,
        operation: String,
    ) -> Result<Vec<PathBuf>> {
        let artifact = self.by(options).await;
        let mut entries = Vec::with_capacity(paths.len());
        let mut seen = HashSet::new();
        for path in paths {
            let entry = artifact.entry(path.as_ref()).await?;
            if seen.insert(path.as_ref()) {
                entries.push(entry);
            }
        }
        // A prefix names others too; a manifest of these entries names them only. Its digest is not the version's, and is not
        // asked for.
        let whole = artifact.manifest().await?;
        let chosen = wandb_artifacts::Manifest::with_layout(whole.layout(), whole.region())
            .with_entries(entries)
            .map_err(|error| Error::protocol("the entries cannot stand alone").with_source(error))?;
        let mut options = options.clone();
        options.prefix.clear();
        let run = async {
            let download = artifact.prepare_with(Arc::new(chosen), &options).await?;
            download.run().await
        };
        let downloaded = run.await.map_err(|error| error.in_operation(operation))?;
        if let Some(tracked) = downloaded
            .tracked
            .first()
            .or(downloaded.missing_references.first())
        {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{:?} is a reference that is not downloaded", tracked.path),
            ));
        }
        paths
            .iter()
            .map(|path| Ok(safe_relative_path(path.as_ref())?.under(&downloaded.root)))
            .collect()
    }

    async fn prepare(&self, options: &ArtifactDownloadOptions) -> Result<Download> {
        let artifact = self.by(options).await;
        let manifest = artifact.manifest().await?;
        artifact.prepare_with(manifest, options).await
    }

    /// The handle that a download goes by: one without a cache where the cache is to be skipped and cannot be opened.
    async fn by(&self, options: &ArtifactDownloadOptions) -> Self {
        let mut artifact = self.clone();
        if options.skip_cache && self.api.artifact_cache().await.is_err() {
            artifact.api = self.api.without_artifact_cache();
        }
        artifact
    }

    async fn prepare_with(
        &self,
        manifest: Arc<wandb_artifacts::Manifest>,
        options: &ArtifactDownloadOptions,
    ) -> Result<Download> {
        let root = match &options.root {
            Some(root) => root.clone(),
            None => self.default_root()?,
        };
        let mut inner = DownloadOptions::below(root)
            .prefix(&*options.prefix)
            .names(options.names)
            .skip_cache(options.skip_cache)
            .allow_missing_references(options.allow_missing_references)
            .skip_references(options.skip_references)
            .placement(options.placement)
            .resolver(Arc::new(Resolver(self.api.clone())));
        if let Some(bytes) = options.unsized_limit {
            inner = inner.unsized_limit(bytes);
        }
        if let Some((first, most)) = options.connections {
            inner = inner.connections(first, most);
        }
        if let Some(progress) = &options.progress {
            inner = inner.progress(Arc::clone(progress));
        }
        #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
        if let Some(stores) = options.stores.as_ref().or(self.api.object_stores()) {
            inner = inner.object_stores(stores.clone());
        }
        if let Some(cache) = self.api.artifact_cache().await? {
            inner = inner.cache(cache);
        }
        let urls = MembershipUrls::new(self, &manifest)?;
        let client = self.api.client().clone();
        Ok(Download::new(client, manifest, Arc::new(urls), inner))
    }
}

/// A checkout that was planned. Made by [`Artifact::checkout`].
#[derive(Debug)]
#[must_use]
pub struct ArtifactCheckout {
    checkout: Checkout,
}

impl ArtifactCheckout {
    /// What will be removed, in order. Symbolic links are removed, not followed.
    #[must_use]
    pub fn removals(&self) -> &[wandb_artifacts::transfer::Removal] {
        self.checkout.removals()
    }

    /// What the download would do, once what stands in its way is removed. See [`Checkout::plan`].
    ///
    /// # Errors
    /// As [`Artifact::download_plan`].
    pub async fn plan(&self) -> Result<PlanSummary> {
        self.checkout.plan().await
    }

    /// Removes what stands where a file or a folder of the version must be, downloads what is missing, then removes what else
    /// does not belong. See [`Checkout::run`].
    ///
    /// # Errors
    /// As [`Artifact::download`]; only what stood in the way is removed then.
    pub async fn run(self) -> Result<(DownloadedArtifact, Vec<wandb_artifacts::transfer::Removal>)> {
        self.checkout.run().await
    }
}
