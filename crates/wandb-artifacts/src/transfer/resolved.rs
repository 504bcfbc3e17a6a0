//! The versions that references lead to: each is resolved once while it is in use, several at the same time, and no more of
//! them are kept than are likely to be used again.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use tokio::sync::OnceCell;
use wandb_core::{Error, ErrorKind, Result};

use super::{ArtifactResolver, ResolvedArtifact, engine::lock, urls::UrlBook};
use crate::{manifest::Manifest, name::ArtifactReference};

/// How many versions are kept. References are fetched in the order of the versions that they lead to, so that more would
/// only take memory.
const KEPT: usize = 64;

/// How many versions one download may lead to, directly or through others: each costs requests, and a manifest may name any
/// number.
const MOST: usize = 10_000;

/// A version, and where its files are.
pub(crate) type ResolvedVersion = (ResolvedArtifact, Arc<UrlBook>);

/// The versions of one download.
#[derive(Default)]
pub(crate) struct ResolvedVersions {
    /// Which entries of the downloaded version are references to which version.
    wanted: HashMap<String, Vec<usize>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// With the number of the last use.
    known: HashMap<String, (u64, Arc<OnceCell<ResolvedVersion>>)>,
    uses: u64,
    met: HashSet<String>,
}

impl ResolvedVersions {
    /// For a download of the version that the manifest describes.
    pub(crate) fn new(manifest: &Manifest) -> Self {
        let mut wanted: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, entry) in manifest.iter().enumerate() {
            if let Some(reference) = reference_of(manifest, index) {
                debug_assert!(entry.is_reference());
                wanted
                    .entry(reference.artifact_id().to_owned())
                    .or_default()
                    .push(index);
            }
        }
        Self {
            wanted,
            state: Mutex::default(),
        }
    }

    /// The version of an id. Whoever asks for the same one meanwhile waits for the same answer; other ids wait for nothing.
    pub(crate) async fn get(
        &self,
        id: &str,
        manifest: &Manifest,
        resolver: &dyn ArtifactResolver,
    ) -> Result<ResolvedVersion> {
        let cell = self.cell(id)?;
        let version = cell.get_or_try_init(|| async {
            let artifact = resolver.resolve(id).await?;
            let everything = (0..artifact.manifest.len()).collect();
            let book = Arc::new(UrlBook::new(
                Arc::clone(&artifact.urls),
                Arc::clone(&artifact.manifest),
                everything,
            ));
            // Addresses are asked for in batches; of those of the version only the ones that we refer to.
            let wanted: HashSet<String> = self
                .wanted
                .get(id)
                .into_iter()
                .flatten()
                .filter_map(|&index| Some(reference_of(manifest, index)?.path().to_owned()))
                .collect();
            for (place, entry) in artifact.manifest.iter().enumerate() {
                if !wanted.contains(entry.path()) {
                    book.is_done(place);
                }
            }
            Ok((artifact, book))
        });
        version.await.cloned()
    }

    fn cell(&self, id: &str) -> Result<Arc<OnceCell<ResolvedVersion>>> {
        let mut state = lock(&self.state);
        state.uses += 1;
        let now = state.uses;
        if let Some((last_use, cell)) = state.known.get_mut(id) {
            *last_use = now;
            return Ok(Arc::clone(cell));
        }
        if !state.met.contains(id) {
            if state.met.len() >= MOST {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("the references lead to more than {MOST} versions"),
                )
                .with_hint("skip references, or download below a prefix"));
            }
            state.met.insert(id.to_owned());
        }
        if state.known.len() >= KEPT {
            let oldest = state.known.iter().min_by_key(|(_, (last_use, _))| *last_use);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                state.known.remove(&oldest);
            }
        }
        let cell = Arc::default();
        state.known.insert(id.to_owned(), (now, Arc::clone(&cell)));
        Ok(cell)
    }
}

/// The entry of another version that an entry leads to.
pub(crate) fn reference_of(manifest: &Manifest, index: usize) -> Option<ArtifactReference> {
    manifest.entries()[index].address()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tokio::sync::Barrier;

    use super::*;
    use crate::transfer::tests::no_urls;

    /// Each call waits for a second one.
    #[derive(Debug)]
    struct InPairs(Barrier, AtomicUsize);

    #[async_trait]
    impl ArtifactResolver for InPairs {
        async fn resolve(&self, _: &str) -> Result<ResolvedArtifact> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.wait().await;
            Ok(ResolvedArtifact {
                manifest: Arc::new(Manifest::new()),
                urls: no_urls(),
            })
        }
    }

    #[tokio::test]
    async fn versions_are_resolved_side_by_side_once_each_and_few_are_kept() {
        let manifest = Manifest::new();
        let versions = ResolvedVersions::new(&manifest);
        let resolver = InPairs(Barrier::new(2), AtomicUsize::new(0));
        let get = |id: &'static str| versions.get(id, &manifest, &resolver);
        // With one lock over both this would not end.
        let (a, b, again) = tokio::join!(get("a"), get("b"), get("a"));
        assert!(a.is_ok() && b.is_ok() && again.is_ok());
        assert_eq!(resolver.1.load(Ordering::Relaxed), 2);
        for number in 0..KEPT - 1 {
            versions.cell(&number.to_string()).unwrap();
            get("b").await.unwrap();
        }
        assert_eq!(lock(&versions.state).known.len(), KEPT);
        assert_eq!(resolver.1.load(Ordering::Relaxed), 2, "what is used stays");
        assert!(!lock(&versions.state).known.contains_key("a"));
        for number in 0..MOST - 2 {
            versions.cell(&number.to_string()).unwrap();
        }
        assert_eq!(
            versions.cell("one more").unwrap_err().kind(),
            ErrorKind::Unsupported
        );
        assert!(versions.cell("a").is_ok(), "what was met once may come again");
    }
}
