//! Finding versions by name, digest, id or address.

use base64::{Engine, engine::general_purpose::STANDARD};
use cynic::QueryBuilder;
use wandb_artifacts::name::{ArtifactAddress, ArtifactName, ArtifactPath, ArtifactReference, Selector};
use wandb_core::{
    Error, ErrorKind, Result,
    path::{PathContext, ProjectPath},
};
use wandb_schema::operations::artifacts as wire;

use super::{Artifact, convert};
use crate::{Api, runtime::blocking};

/// How every address of an artifact begins.
const SCHEME: &str = "wandb-artifact://";

/// What names one version.
#[derive(Debug, PartialEq)]
enum Target {
    Id(String),
    Name(ArtifactName),
}

impl Target {
    fn parse(text: &str, base_url: &str, context: &PathContext) -> Result<Self> {
        if !text.starts_with(SCHEME) {
            return if is_id(text) {
                Ok(Self::Id(text.to_owned()))
            } else {
                Ok(Self::Name(ArtifactName::parse(text, context)?))
            };
        }
        // The address of an entry names the version that holds it.
        if let Ok(reference) = text.parse::<ArtifactReference>() {
            return Ok(Self::Id(reference.artifact_id().to_owned()));
        }
        let address: ArtifactAddress = text.parse()?;
        let (ArtifactAddress::Id { server, .. } | ArtifactAddress::Name { server, .. }) = &address;
        if let Some(server) = server
            && server.trim_end_matches('/') != base_url.trim_end_matches('/')
        {
            return Err(Error::invalid_input(format!(
                "the artifact is on {server:?}, not on {base_url:?}"
            )));
        }
        Ok(match address {
            ArtifactAddress::Id { id, .. } => Self::Id(id),
            ArtifactAddress::Name { name, .. } => Self::Name(name),
        })
    }
}

/// Whether a text is the opaque id of a version: Base64 of `Artifact:…`. No name that people give begins so.
fn is_id(text: &str) -> bool {
    STANDARD.decode(text).is_ok_and(|bytes| {
        bytes
            .strip_prefix(b"Artifact:")
            .is_some_and(|rest| !rest.is_empty())
    })
}

impl Api {
    /// One version, in any of these forms:
    ///
    /// - `[entity/][project/]collection`, `…:alias` or `…:v3` (without a suffix: `latest`), also of a portfolio;
    /// - a digest of 32 hex digits, alone or after a colon;
    /// - the opaque id, and the addresses `wandb-artifact://…` that manifests and configs hold;
    /// - the web address of its page on the configured server, `https://wandb.ai/entity/project/artifacts/type/collection/v3`
    ///   with or without a tab, or of its collection (the `latest` one).
    ///
    /// One request, after that for the default entity if it is needed; a digest may need a second one, because a collection
    /// or an alias may have such a name, too.
    ///
    /// With an artifact cache ([`ApiBuilder::artifact_cache`](crate::ApiBuilder::artifact_cache)), exact versions and digests
    /// whose manifests were read before are found without a server, too: at once for an offline client, else when no server
    /// can be reached; the result says so ([`is_remembered`](super::ArtifactData::is_remembered)).
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is none or the key may not see it,
    /// [`InvalidInput`](ErrorKind::InvalidInput) when the text is none of these forms.
    pub async fn artifact(&self, name: &str) -> Result<Artifact> {
        match Target::parse(name, self.base_url().as_str(), self.path_context())? {
            Target::Id(id) => by_id(self, &id).await,
            Target::Name(name) => {
                let path = self.resolve_artifact(&name).await?;
                if self.artifact_storage().is_offline() {
                    return remembered(self, &path, &name)
                        .await?
                        .ok_or_else(|| not_remembered(&path));
                }
                match by_name(self, &path, &name).await {
                    // No server was reached: an exact version or a digest is the same as when it was read last.
                    Err(error) if is_unreachable(&error) => {
                        remembered(self, &path, &name).await?.ok_or(error)
                    }
                    result => result,
                }
            }
        }
    }

    /// As [`artifact`](Self::artifact), and the version must be of this type.
    ///
    /// # Errors
    /// As there; [`NotFound`](ErrorKind::NotFound), too, when it is of another type.
    pub async fn artifact_of_type(&self, name: &str, artifact_type: &str) -> Result<Artifact> {
        let artifact = self.artifact(name).await?;
        if artifact.artifact_type == artifact_type {
            return Ok(artifact);
        }
        Err(Error::not_found(format!(
            "artifact \"{}\" of type {artifact_type:?} (it is a {:?})",
            artifact.qualified_name(),
            artifact.artifact_type
        )))
    }

    /// Whether there is such a version. Only *not found* is `false`: a key that may not see it, a server that fails or a
    /// name that cannot be one are errors.
    ///
    /// # Errors
    /// As [`artifact`](Self::artifact), but for [`NotFound`](ErrorKind::NotFound).
    pub async fn artifact_exists(&self, name: &str) -> Result<bool> {
        match self.artifact(name).await {
            Ok(_) => Ok(true),
            Err(error) if is_told_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads an artifact's name or web address, filling in the default entity (asking the server for it if the name needs it)
    /// and project (`uncategorized` without one).
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when it is none.
    pub async fn artifact_path(&self, name: &str) -> Result<ArtifactPath> {
        self.resolve_artifact(&ArtifactName::parse(name, self.path_context())?)
            .await
    }

    pub(super) async fn resolve_artifact(&self, name: &ArtifactName) -> Result<ArtifactPath> {
        let context = self.path_context();
        if name.entity().is_some() || context.entity().is_some() {
            return Ok(name.resolve(context)?);
        }
        let entity = self.default_entity().await?;
        Ok(name.resolve(&context.clone().with_entity(entity))?)
    }
}

/// Whether no server answered at all.
fn is_unreachable(error: &Error) -> bool {
    error.status().is_none() && wandb_core::retry::is_transient(error)
}

/// What the cache knows of an exact version or digest.
async fn remembered(api: &Api, path: &ArtifactPath, name: &ArtifactName) -> Result<Option<Artifact>> {
    let Some(memory) = api.artifact_storage().memory().await? else {
        return Ok(None);
    };
    let project = format!("{}/{}", path.entity(), path.project());
    let place = match path.selector() {
        Selector::Version(version) => format!("{project}/{}:{version}", path.collection()),
        Selector::Alias(_) => match path.selector().as_digest() {
            Some(digest) => format!("{project}/{}:{digest}", path.collection()),
            None => return Ok(None),
        },
        Selector::Unspecified => match name.as_digest() {
            Some(digest) => format!("{project}/{digest}"),
            None => return Ok(None),
        },
    };
    let server = api.base_url().as_str().to_owned();
    let data = blocking(move || Ok(memory.version(&server, &place))).await?;
    Ok(data.map(|data| Artifact::new(api.clone(), data)))
}

fn not_remembered(path: &ArtifactPath) -> Error {
    Error::not_found(format!("artifact \"{path}\" in the cache of this machine")).with_hint(
        "offline, versions are known by their exact number or digest, once their manifests were read",
    )
}

/// Whether the server itself said that the thing is not there. A bare 404 may come from anything that answers HTTP.
pub(super) fn is_told_missing(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
        && (error.status().is_none_or(|status| status == 200) || error.server_message().is_some())
}

pub(super) async fn by_id(api: &Api, id: &str) -> Result<Artifact> {
    let description = format!("read artifact {id:?}");
    let operation = wire::ArtifactByID::build(wire::ArtifactIdVariables {
        id: cynic::Id::new(id),
    });
    let answer: wire::ArtifactByID = api.execute(&operation, &description).await?;
    let wire = answer
        .artifact
        .ok_or_else(|| Error::not_found(format!("artifact {id:?}")))?;
    convert::source(api, wire).map_err(|error| error.in_operation(description))
}

/// One version by its place in a collection.
pub(super) async fn by_path(api: &Api, path: &ArtifactPath) -> Result<Artifact> {
    match membership(api, path).await? {
        Some(artifact) => Ok(artifact),
        None => Err(missing(path)),
    }
}

async fn by_name(api: &Api, path: &ArtifactPath, name: &ArtifactName) -> Result<Artifact> {
    if let Some(artifact) = membership(api, path).await? {
        return Ok(artifact);
    }
    let digest = name.as_digest();
    let of_collection = path.selector().as_digest();
    let Some(digest) = digest.or(of_collection) else {
        return Err(missing(path));
    };
    let digest = digest.to_string();
    let description = format!("find the artifact with the digest {digest}");
    let project = ProjectPath::new(path.entity().clone(), path.project().clone());
    let operation = wire::ArtifactByDigest::build(variables(path, digest.clone()));
    let answer: wire::ArtifactByDigest = api.execute(&operation, &description).await?;
    let found = answer.project.ok_or_else(|| no_project(&project))?.artifact;
    let artifact = found
        .map(|wire| convert::source(api, wire))
        .transpose()
        .map_err(|error| error.in_operation(description))?;
    // A server that reads the digest as something else must not make another version pass for this one.
    artifact
        .filter(|artifact| {
            artifact.digest.eq_ignore_ascii_case(&digest)
                && (name.as_digest().is_some() || artifact.collection == path.collection().as_str())
        })
        .ok_or_else(|| missing(path))
}

async fn membership(api: &Api, path: &ArtifactPath) -> Result<Option<Artifact>> {
    let description = format!("read artifact \"{path}\"");
    let name = match path.selector() {
        Selector::Unspecified => path.collection().to_string(),
        selector => format!("{}:{selector}", path.collection()),
    };
    let operation = wire::ArtifactMembershipByName::build(variables(path, name));
    let answer: wire::ArtifactMembershipByName = api.execute(&operation, &description).await?;
    let project = ProjectPath::new(path.entity().clone(), path.project().clone());
    let absent = || {
        let error = no_project(&project);
        if path.is_registry() {
            return error.with_hint(
                "a registry is below the entity of an organisation, which has another name than the organisation: give that one",
            );
        }
        error
    };
    let found = answer.project.ok_or_else(absent)?.artifact_collection_membership;
    found
        .map(|wire| convert::membership(api, wire, Some(path.selector())))
        .transpose()
        .map(Option::flatten)
        .map_err(|error| error.in_operation(description))
}

fn variables(path: &ArtifactPath, name: String) -> wire::ArtifactNameVariables {
    wire::ArtifactNameVariables {
        entity: Some(path.entity().as_str().to_owned()),
        project: path.project().as_str().to_owned(),
        name,
    }
}

fn missing(path: &ArtifactPath) -> Error {
    Error::not_found(format!("artifact \"{path}\""))
        .with_hint("list the versions of the collection to see their numbers and aliases")
}

pub(super) fn no_project(path: &ProjectPath) -> Error {
    Error::not_found(format!("project \"{path}\""))
        .with_hint("check the spelling; the key may not see a private project")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ids_and_addresses_are_told_apart() {
        let base = "https://api.wandb.ai";
        let context = PathContext::new();
        let target = |text: &str| Target::parse(text, base, &context);
        let id = STANDARD.encode("Artifact:123");
        let is = |text: &str| target(text).unwrap() == Target::Id(id.clone());
        assert!(is(&id));
        let hex: String = b"Artifact:123".iter().map(|byte| format!("{byte:02x}")).collect();
        // The hex of the decoded id, as manifests have it.
        assert!(is(&format!("wandb-artifact://{hex}/a/b.txt")));
        assert!(is(&format!("wandb-artifact://_id/{id}")));
        assert!(is(&format!("wandb-artifact://{base}/_id/{id}")));
        assert_eq!(
            target("wandb-artifact://https://other.example/e/p/c:v1")
                .unwrap_err()
                .kind(),
            ErrorKind::InvalidInput
        );
        for text in ["model", "p/model:v1", "e/p/model:best/one", "QXJ0aWZhY3Q"] {
            assert!(matches!(target(text).unwrap(), Target::Name(_)), "{text}");
        }
        assert_eq!(
            target("https://wandb.ai/e/p/artifacts/model/net/v3/files").unwrap(),
            Target::Name("e/p/net:v3".parse().unwrap())
        );
        for text in [
            "",
            "a/b/c/d",
            "c:",
            "https://wandb.ai/e/p",
            "https://other.example/e/p/artifacts/model/net/v3",
        ] {
            assert_eq!(
                target(text).unwrap_err().kind(),
                ErrorKind::InvalidInput,
                "{text}"
            );
        }
    }

    #[test]
    fn only_the_servers_own_words_mean_missing() {
        let missing = Error::not_found("x");
        assert!(is_told_missing(&missing));
        assert!(is_told_missing(
            &missing
                .clone()
                .with_status(404)
                .with_server_message("artifact not found")
        ));
        assert!(!is_told_missing(&missing.with_status(404)));
        assert!(!is_told_missing(
            &Error::new(ErrorKind::NotVisible, "x").with_status(403)
        ));
    }
}
