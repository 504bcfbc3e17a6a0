//! Web addresses: what a person copies from the browser.
//!
//! A page of a server is understood if it is the configured one, or the public service when that is configured or
//! nothing is. An address of another server is refused: the same path on the configured server would be another object.

use percent_encoding::percent_decode_str;
use url::Url;

use super::error::{ObjectKind, PathError, PathProblem};
use super::name::{RunId, SweepId};
use super::object::{AnyPath, ProjectPath};
use super::parse::{PathContext, named, project_path, report_path};

/// Roots of the public service's pages: host and path prefix.
const PUBLIC_ROOTS: &[&str] = &[
    "https://wandb.ai",
    "https://www.wandb.ai",
    "https://app.wandb.ai",
    "https://forge.coreweave.com/wandb",
    "https://api.wandb.ai",
    "https://api.forge.coreweave.com",
];

/// First segments that are pages of the site, not entities.
const SITE_PAGES: &[&str] = &[
    "authorize",
    "home",
    "login",
    "logout",
    "org",
    "orgs",
    "profile",
    "registry",
    "settings",
    "signup",
    "site",
    "teams",
];

/// Third segments that are pages of a project.
const PROJECT_PAGES: &[&str] = &[
    "workspace",
    "overview",
    "table",
    "runs",
    "sweeps",
    "reports",
    "reportlist",
    "artifacts",
    "jobs",
    "launch",
    "automations",
    "groups",
    "panel",
    "weave",
    "settings",
];

/// A page within a project, as its web address names it: for the things that a project has besides those of
/// [`AnyPath`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectPage {
    /// The project.
    pub project: ProjectPath,
    /// The segments after the project, decoded, without empty ones.
    pub segments: Vec<String>,
}

impl ProjectPage {
    /// Reads the web address of any page of a project of the configured server. `None` when the text is no web address: it
    /// does not begin with `http://` or `https://`.
    ///
    /// # Errors
    /// When it is a page of another server, of the site itself, or no valid address.
    pub fn parse(text: &str, context: &PathContext) -> Option<Result<Self, PathError>> {
        page(text, context).map(|page| page.map_err(named(ObjectKind::Project, text)))
    }
}

/// Reads a web address. `None` when the text is none.
pub(super) fn parse(text: &str, context: &PathContext) -> Option<Result<AnyPath, PathProblem>> {
    page(text, context).map(|page| page.and_then(object))
}

fn page(text: &str, context: &PathContext) -> Option<Result<ProjectPage, PathProblem>> {
    let text = text.trim();
    let is_http = ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    is_http.then(|| read(text, context))
}

fn read(text: &str, context: &PathContext) -> Result<ProjectPage, PathProblem> {
    let url = Url::parse(text).map_err(|_| PathProblem::InvalidUrl)?;
    let encoded = path_under_root(&url, context)?;
    let mut segments = Vec::new();
    for segment in encoded.split('/').filter(|segment| !segment.is_empty()) {
        let decoded = percent_decode_str(segment)
            .decode_utf8()
            .map_err(|_| PathProblem::InvalidUrl)?;
        segments.push(decoded.into_owned());
    }
    let [entity, project, ..] = segments.as_slice() else {
        return Err(PathProblem::OtherPage);
    };
    if SITE_PAGES.contains(&entity.as_str()) {
        return Err(PathProblem::OtherPage);
    }
    let project = project_path(Some(entity), project)?;
    segments.drain(..2);
    Ok(ProjectPage { project, segments })
}

fn object(page: ProjectPage) -> Result<AnyPath, PathProblem> {
    let ProjectPage { project, segments } = page;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        // What follows an object's own segment is a page of it: `/overview`, `/files/…`, `/logs`.
        ["runs", id, ..] => Ok(AnyPath::Run(project.with_run(RunId::new(*id)?))),
        ["sweeps", id, ..] => Ok(AnyPath::Sweep(project.with_sweep(SweepId::new(*id)?))),
        ["reports", last, ..] => report_path(project, last).map(AnyPath::Report),
        ["groups", group, ..] => Ok(AnyPath::Group {
            project,
            group: (*group).to_owned(),
        }),
        [] => Ok(AnyPath::Project(project)),
        // An artifact's page names an artifact; only the list of them is the project's.
        ["artifacts", _, ..] => Err(PathProblem::OtherPage),
        [page, ..] if PROJECT_PAGES.contains(page) => Ok(AnyPath::Project(project)),
        _ => Err(PathProblem::OtherPage),
    }
}

/// The path after the address of the server's pages, still encoded.
fn path_under_root<'a>(url: &'a Url, context: &PathContext) -> Result<&'a str, PathProblem> {
    let mut roots: Vec<&str> = Vec::new();
    if let Some((base_url, app_url)) = &context.server {
        roots.extend([app_url.as_str(), base_url.as_str()]);
    }
    if context
        .server
        .as_ref()
        .is_none_or(|(base_url, _)| base_url.is_public_service())
    {
        roots.extend(PUBLIC_ROOTS);
    }
    roots
        .into_iter()
        .filter_map(|root| {
            let root = Url::parse(root).ok()?;
            // The scheme may differ (`http://wandb.ai/…` is often written); a port that is given may not.
            if root.host() != url.host() || root.port() != url.port() {
                return None;
            }
            let rest = url.path().strip_prefix(root.path().trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then_some(rest)
        })
        // The longest root wins: on a server with a path prefix, the prefix is no entity.
        .min_by_key(|rest| rest.len())
        .ok_or_else(|| PathProblem::OtherServer(host_and_port(url)))
}

fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
