//! Files of a version as the server lists them, and the addresses of their bytes.

use std::sync::Arc;

use cynic::QueryBuilder;
use serde::Serialize;
use wandb_core::{Error, Result, page::Page, redact::SafeUrl, timestamp::Timestamp};
use wandb_schema::operations::artifact_files as wire;

use super::{Artifact, ArtifactData};
use crate::{
    Api,
    listing::{self, Ask, Listing, ListingQuery},
};

impl Artifact {
    /// The files as the server lists them, references included. The [`manifest`](Self::manifest) is the authority; this is
    /// for addresses, media types and times.
    pub fn files(&self) -> ArtifactFiles {
        let query = ArtifactFilesQuery {
            api: self.api.clone(),
            artifact: Arc::clone(&self.data),
            names: None,
        };
        ArtifactFiles::new(query, 50)
    }
}

/// A file of a version, as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ArtifactFile {
    /// The opaque id.
    pub id: String,
    /// The path in the artifact. It comes from the server: never join it to a path by hand.
    pub name: String,
    /// How many bytes.
    pub size: u64,
    /// The digest of the entry, as on the wire.
    pub digest: Option<String>,
    /// The MD5 of the bytes, in Base64.
    pub md5: Option<String>,
    /// The media type.
    pub mimetype: Option<String>,
    /// When it was written.
    pub updated_at: Option<Timestamp>,
    /// Where the bytes are; of a reference, what it refers to. It may be signed: `Debug` masks the signature, it is left out
    /// when this is serialised, and it expires.
    #[serde(skip)]
    pub url: SafeUrl,
}

impl ArtifactFile {
    fn from_wire(wire: wire::ArtifactFile) -> Result<Self> {
        let name = wire
            .display_name
            .filter(|name| !name.is_empty())
            .unwrap_or(wire.name);
        let size = u64::try_from(wire.size_bytes.0)
            .map_err(|_| Error::protocol(format!("file {name:?} has a negative size")))?;
        let updated_at = wire
            .updated_at
            .map(|text| Timestamp::parse(&text.0))
            .transpose()
            .map_err(|error| {
                Error::protocol(format!("the time of file {name:?} cannot be read")).with_source(error)
            })?;
        Ok(Self {
            id: wire.id.into_inner(),
            name,
            size,
            digest: wire.digest.filter(|digest| !digest.is_empty()),
            md5: wire.md5.filter(|md5| !md5.is_empty()),
            mimetype: wire.mimetype,
            updated_at,
            url: SafeUrl::new(wire.direct_url),
        })
    }
}

/// A listing of the files of a version, 50 a page. Made by [`Artifact::files`]. A version that has no number yet is refused.
pub type ArtifactFiles = Listing<ArtifactFilesQuery>;

/// What [`ArtifactFiles`] asks.
#[derive(Debug, Clone)]
pub struct ArtifactFilesQuery {
    api: Api,
    artifact: Arc<ArtifactData>,
    names: Option<Vec<String>>,
}

impl ArtifactFiles {
    /// Only files with these paths.
    pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.query.names = Some(names.into_iter().map(Into::into).collect());
        self
    }
}

impl ListingQuery for ArtifactFilesQuery {
    type Item = ArtifactFile;

    fn check(&self) -> Result<()> {
        Member::of(&self.artifact).map(drop)
    }

    async fn fetch(&self, ask: Ask) -> Result<Page<ArtifactFile>> {
        let member = Member::of(&self.artifact)?;
        fetch_page(&self.api, &member, self.names.clone(), ask.cursor, ask.count).await
    }
}

/// A version in its collection, as the wire names it where files are asked for.
#[derive(Debug, Clone)]
pub(super) struct Member {
    entity: String,
    project: String,
    collection: String,
    version: String,
}

impl Member {
    pub(super) fn of(artifact: &ArtifactData) -> Result<Self> {
        let version = artifact.version.ok_or_else(|| {
            Error::invalid_input(format!(
                "artifact \"{}\" has no number yet: it is {}",
                artifact.exact_name(),
                artifact.state
            ))
        })?;
        Ok(Self {
            entity: artifact.entity.clone(),
            project: artifact.project.clone(),
            collection: artifact.collection.clone(),
            version: version.to_string(),
        })
    }

    pub(super) fn variables(
        &self,
        names: Option<Vec<String>>,
        cursor: Option<String>,
        count: u32,
    ) -> wire::MembershipFilesVariables {
        wire::MembershipFilesVariables {
            entity: Some(self.entity.clone()),
            project: self.project.clone(),
            collection: self.collection.clone(),
            alias: self.version.clone(),
            names,
            cursor,
            per_page: i32::try_from(count).unwrap_or(i32::MAX),
        }
    }

    pub(super) fn name(&self) -> String {
        format!(
            "{}/{}/{}:{}",
            self.entity, self.project, self.collection, self.version
        )
    }
}

async fn fetch_page(
    api: &Api,
    member: &Member,
    names: Option<Vec<String>>,
    cursor: Option<String>,
    count: u32,
) -> Result<Page<ArtifactFile>> {
    let description = format!("list the files of \"{}\"", member.name());
    let operation = wire::ArtifactMembershipFiles::build(member.variables(names, cursor, count));
    let answer: wire::ArtifactMembershipFiles = api.execute(&operation, &description).await?;
    let connection = answer
        .project
        .and_then(|project| project.artifact_collection)
        .and_then(|collection| collection.artifact_membership)
        .ok_or_else(|| Error::not_found(format!("artifact \"{}\"", member.name())))?
        .files
        .ok_or_else(no_files)?;
    let page = || {
        let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
        listing::page(
            nodes.into_iter().map(ArtifactFile::from_wire),
            connection.page_info,
        )
    };
    page().map_err(|error: Error| error.in_operation(description))
}

fn no_files() -> Error {
    Error::protocol("the server gave no files where a page of files was asked for")
}
