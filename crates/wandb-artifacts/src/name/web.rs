//! Web addresses of artifact versions: `https://wandb.ai/entity/project/artifacts/type/collection/version`.

use percent_encoding::percent_decode_str;
use wandb_core::path::{PathContext, ProjectPath};

use super::{
    ArtifactPath, Selector,
    error::{ArtifactNameError, ArtifactNameProblem},
    part::CollectionName,
};

/// The segment between a project and what is within it.
const MARK: &str = "/artifacts/";

pub(super) fn is_web_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// Reads the address of a version's page, of whatever tab; without a version it names the latest.
pub(super) fn parse(text: &str, context: &PathContext) -> Result<ArtifactPath, ArtifactNameError> {
    let page = text.split(['?', '#']).next().unwrap_or_default();
    // Neither the query nor a credential before the host is shown.
    let error = |problem| ArtifactNameError::new(&wandb_core::redact::redact_url(page), problem);
    let (project, rest) = page
        .split_once(MARK)
        .ok_or_else(|| error(ArtifactNameProblem::Address))?;
    let project = ProjectPath::parse(project, context)
        .map_err(|source| error(ArtifactNameProblem::Project(Box::new(source))))?;
    let mut segments = rest
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8());
    let (Some(_type), Some(Ok(collection))) = (segments.next(), segments.next()) else {
        return Err(error(ArtifactNameProblem::Address));
    };
    let part = |source| error(ArtifactNameProblem::Part(source));
    let collection = CollectionName::new(collection).map_err(part)?;
    let selector = match segments.next() {
        None => Selector::Unspecified,
        Some(Ok(version)) if version.is_empty() => Selector::Unspecified,
        Some(Ok(version)) => Selector::parse(&version).map_err(part)?,
        Some(Err(_)) => return Err(error(ArtifactNameProblem::Address)),
    };
    Ok(ArtifactPath::new(
        project.entity().clone(),
        project.project().clone(),
        collection,
        selector,
    ))
}
