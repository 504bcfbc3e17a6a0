//! Where the bytes of a version's files are.

use std::sync::Arc;

use async_trait::async_trait;
use cynic::QueryBuilder;
use wandb_artifacts::{
    Manifest, ManifestEntry,
    layout::{ArtifactLocation, StorageLayout},
    transfer::{ArtifactResolver, ResolvedArtifact, UrlSource},
};
use wandb_core::{Error, Result, redact::SafeUrl};
use wandb_schema::operations::artifact_files as wire;

use super::{Artifact, ArtifactData, files::Member, lookup};
use crate::{Api, listing};

/// How many addresses a request asks for (official: `WANDB_ARTIFACT_FETCH_FILE_URL_BATCH_SIZE`).
pub(super) const BATCH: usize = 5_000;

/// The addresses of a version's files, asked for by path: signed ones first, the server's own when those fail.
#[derive(Debug)]
pub(super) struct MembershipUrls {
    api: Api,
    member: Member,
    artifact: Arc<ArtifactData>,
    layout: StorageLayout,
    region: Option<String>,
}

impl MembershipUrls {
    pub(super) fn new(artifact: &Artifact, manifest: &Manifest) -> Result<Self> {
        Ok(Self {
            api: artifact.api.clone(),
            member: Member::of(artifact)?,
            artifact: Arc::clone(&artifact.data),
            layout: manifest.layout(),
            region: manifest.region().map(str::to_owned),
        })
    }

    async fn page(
        &self,
        names: &[String],
        cursor: Option<String>,
        urls: &mut Vec<(String, SafeUrl)>,
    ) -> Result<Option<String>> {
        let description = format!("find the addresses of files of \"{}\"", self.member.name());
        let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let operation = wire::GetArtifactMembershipFileUrls::build(self.member.variables(
            Some(names.to_vec()),
            cursor,
            count,
        ));
        let answer: wire::GetArtifactMembershipFileUrls = self.api.execute(&operation, &description).await?;
        let connection = answer
            .project
            .and_then(|project| project.artifact_collection)
            .and_then(|collection| collection.artifact_membership)
            .ok_or_else(|| Error::not_found(format!("artifact \"{}\"", self.member.name())))?
            .files;
        let Some(connection) = connection else {
            return Ok(None);
        };
        for edge in connection.edges {
            // Without an address there is still the server's own.
            if let Some(file) = edge.node.filter(|file| !file.direct_url.is_empty()) {
                urls.push((file.name, SafeUrl::new(file.direct_url)));
            }
        }
        listing::next(connection.page_info).map_err(|error| error.in_operation(description))
    }
}

#[async_trait]
impl UrlSource for MembershipUrls {
    async fn urls(&self, paths: &[&str]) -> Result<Vec<(String, SafeUrl)>> {
        let names: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut urls = Vec::with_capacity(names.len());
        let mut cursor = None;
        // A server may give fewer than were asked for.
        loop {
            let before = (cursor.clone(), urls.len());
            cursor = self.page(&names, cursor, &mut urls).await?;
            if cursor.is_none() {
                return Ok(urls);
            }
            if (&before.0, before.1) == (&cursor, urls.len()) || urls.len() > names.len() {
                return Err(Error::protocol("the server's list of addresses does not end"));
            }
        }
    }

    fn batch_size(&self) -> usize {
        BATCH
    }

    fn fallback(&self, entry: &ManifestEntry) -> Option<SafeUrl> {
        let location = ArtifactLocation {
            entity: &self.artifact.source_entity,
            project: &self.artifact.source_project,
            collection: &self.artifact.source_collection,
            region: self.region.as_deref(),
            artifact_id: None,
        };
        let path = self.layout.fallback_path(&location, entry)?;
        let base = self.api.base_url().as_str().trim_end_matches('/');
        Some(SafeUrl::new(format!("{base}/{path}")))
    }
}

/// Finds the versions that `wandb-artifact://` references name, on the same server.
#[derive(Debug)]
pub(super) struct Resolver(pub(super) Api);

#[async_trait]
impl ArtifactResolver for Resolver {
    async fn resolve(&self, artifact_id: &str) -> Result<ResolvedArtifact> {
        let artifact = lookup::by_id(&self.0, artifact_id).await?;
        let manifest = artifact.kept_manifest().await?;
        Ok(ResolvedArtifact {
            urls: Arc::new(MembershipUrls::new(&artifact, &manifest)?),
            manifest,
        })
    }
}
