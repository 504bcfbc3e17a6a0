//! Addresses of web pages: what a person opens in a browser.

use std::fmt;

use super::{BaseUrl, BaseUrlError, encode_segment, forge_of, parse_http_url, without_trailing_slashes};
use crate::path::{ProjectPath, ReportPath, RunPath, SweepPath};

/// The path of W&B's web pages on a Forge host.
const FORGE_APP_PATH: &str = "/wandb";

/// The address under which a server's web pages lie. Printed without a trailing slash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AppUrl(String);

impl AppUrl {
    /// The web address that belongs to an API address (official: `api_to_app_url`):
    /// `https://forge.coreweave.com/wandb` for the public service under either name, `://api.wandb.` becomes `://wandb.`
    /// (but `api.wandb.test` becomes `app.wandb.test`), other `://api.` become `://app.`, anything else is unchanged.
    pub fn derive(base_url: &BaseUrl) -> Self {
        if let Some((forge, _)) = forge_of(base_url.host()) {
            return Self(format!("https://{forge}{FORGE_APP_PATH}"));
        }
        let text = base_url.as_str();
        if text.contains("://api.wandb.") && !text.contains("://api.wandb.test") {
            Self(text.replacen("://api.", "://", 1))
        } else {
            Self(text.replacen("://api.", "://app.", 1))
        }
    }

    /// Reads a web address as `WANDB_APP_URL` gives it. Trailing slashes are stripped.
    ///
    /// # Errors
    /// When the text is not an http(s) URL or has a user, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        parse_http_url(text).map(|url| Self(without_trailing_slashes(&url)))
    }

    /// The address without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A project's workspace page: `…/entity/project/workspace`.
    pub fn project_url(&self, path: &ProjectPath) -> String {
        self.page(path, &["workspace"])
    }

    /// A run's page: `…/entity/project/runs/run`.
    pub fn run_url(&self, path: &RunPath) -> String {
        self.page(path.project_path(), &["runs", path.run().as_str()])
    }

    /// A sweep's page: `…/entity/project/sweeps/sweep`.
    pub fn sweep_url(&self, path: &SweepPath) -> String {
        self.page(path.project_path(), &["sweeps", path.sweep().as_str()])
    }

    /// A report's page: `…/entity/project/reports/Title-with-dashes--id`.
    pub fn report_url(&self, path: &ReportPath) -> String {
        self.page(path.project_path(), &["reports", &path.last_segment()])
    }

    /// Where a user creates and sees API keys.
    pub fn authorize_url(&self) -> String {
        format!("{}/authorize", self.0)
    }

    fn page(&self, project: &ProjectPath, rest: &[&str]) -> String {
        let mut text = self.0.clone();
        for segment in [project.entity().as_str(), project.project().as_str()]
            .iter()
            .chain(rest)
        {
            text.push('/');
            text.push_str(&encode_segment(segment));
        }
        text
    }
}

impl fmt::Display for AppUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for AppUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}
