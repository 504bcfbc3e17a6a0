//! Files of one artifact with the same bytes: fetched once, and copied.

use std::{collections::HashSet, sync::Arc};

use wandb_core::{Error, ErrorKind, Result};
use wandb_storage::{Existing, FileFacts, Found, Placement};

use super::{
    Download,
    blocking::{blocking, cancelled},
    download::place,
    present::VerifiedFacts,
    publisher::{Counts, Publisher, Ready, Work},
};
use crate::plan::{DownloadPlan, Location};

impl Download {
    /// Copies files whose bytes came under another name.
    pub(super) async fn copy_repeated(
        &self,
        repeated: Vec<(usize, usize)>,
        work: Work,
    ) -> Result<(Counts, VerifiedFacts)> {
        let (manifest, directory) = (Arc::clone(&self.manifest), work.directory.clone());
        let mut sources = Vec::with_capacity(repeated.len());
        for (index, first) in repeated {
            let entry = &manifest.entries()[first];
            let name = entry.relative_path()?;
            // Its facts are those of a moment ago, so they are looked at before the proof is taken.
            if let Found::File(stat) = directory.look_at(&name)?
                && let Some(digest) = work.facts.digest(entry.path(), &stat)
            {
                sources.push((index, name, stat, digest));
            } else {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "{:?} changed while the artifact was downloaded",
                        directory.path_of(&name)
                    ),
                ));
            }
        }
        let publisher = Publisher::start(work);
        let ready = publisher.sender();
        blocking(move || {
            for (index, source, stat, digest) in sources {
                let facts = FileFacts {
                    size: stat.size,
                    digest,
                };
                let name = manifest.entries()[index].relative_path()?;
                let placed = directory.place_from(
                    &name,
                    Existing::Replace,
                    (&directory, &source),
                    (&stat, &facts),
                    // Two members of a version are two files, however the cache is linked.
                    Placement::Copy,
                )?;
                let file = placed.ok_or_else(|| {
                    Error::new(
                        ErrorKind::Conflict,
                        format!("{:?} changed while it was copied", directory.path_of(&source)),
                    )
                })?;
                ready.send(Ready::copied(index, file)).map_err(|_| cancelled())?;
            }
            Ok(())
        })
        .await?;
        publisher.finish().await
    }

    /// Splits what is wanted into files and references to fetch, and files whose bytes come with one of those, each with that
    /// one.
    pub(super) fn without_repeated(&self, wanted: Vec<usize>) -> (Vec<usize>, Vec<(usize, usize)>) {
        let entries = self.manifest.entries();
        let plan = DownloadPlan::make(&entries[self.scope()], |entry| {
            match place(&self.manifest, &wanted, entry) {
                Some(_) => Location::Server,
                None => Location::Target,
            }
        });
        if plan.repeated.is_empty() {
            return (wanted, Vec::new());
        }
        let index = |entry| place(&self.manifest, &wanted, entry).map(|place| wanted[place]);
        let repeated: Vec<(usize, usize)> = plan
            .repeated
            .iter()
            .filter_map(|(entry, first)| Some((index(entry)?, index(first)?)))
            .collect();
        let copies: HashSet<usize> = repeated.iter().map(|(index, _)| *index).collect();
        let rest = wanted
            .into_iter()
            .filter(|index| !copies.contains(index))
            .collect();
        (rest, repeated)
    }
}
