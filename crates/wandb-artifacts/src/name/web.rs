//! Web addresses of artifact versions: `https://wandb.ai/entity/project/artifacts/type/collection/version`.

use wandb_core::{
    path::{PathContext, ProjectPage},
    redact::redact_url,
};

use super::{
    ArtifactName, Selector,
    error::{ArtifactNameError, ArtifactNameProblem},
    part::CollectionName,
};

/// The segment between a project and its artifacts.
const MARK: &str = "artifacts";

/// Reads the address of a version's page, of whatever tab; without a version it names the latest. `None` when the text is
/// no web address.
///
/// The type is not looked at: a collection has one, and its name alone finds it.
pub(super) fn parse(text: &str, context: &PathContext) -> Option<Result<ArtifactName, ArtifactNameError>> {
    // Neither the query nor a credential before the host is shown.
    let error = |problem| {
        let shown = text.split(['?', '#']).next().unwrap_or_default();
        ArtifactNameError::new(&redact_url(shown), problem)
    };
    let page = ProjectPage::parse(text, context)?;
    Some(
        page.map_err(|source| ArtifactNameProblem::Project(Box::new(source)))
            .and_then(|page| named(&page))
            .map_err(error),
    )
}

fn named(page: &ProjectPage) -> Result<ArtifactName, ArtifactNameProblem> {
    let segments: Vec<&str> = page.segments.iter().map(String::as_str).collect();
    let (collection, version) = match segments[..] {
        [MARK, _type, collection] => (collection, None),
        [MARK, _type, collection, version, ..] => (collection, Some(version)),
        _ => return Err(ArtifactNameProblem::Address),
    };
    let name = ArtifactName::new(CollectionName::new(collection).map_err(ArtifactNameProblem::Part)?)
        .in_project(&page.project);
    match version {
        None => Ok(name),
        Some(version) => {
            let selector = Selector::parse(version).map_err(ArtifactNameProblem::Part)?;
            Ok(name.with_selector(selector))
        }
    }
}
