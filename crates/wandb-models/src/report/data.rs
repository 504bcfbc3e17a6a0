//! What a report carries.

use serde::{Serialize, Serializer};
use wandb_core::{
    Error, Result,
    path::{ProjectPath, ReportPath},
    timestamp::Timestamp,
};
use wandb_schema::operations::reports as wire;

use super::ReportSpec;
use crate::Api;

/// Who wrote a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportUser {
    /// The login name.
    pub username: Option<String>,
    /// Where the picture is.
    pub photo_url: Option<String>,
    /// The e-mail address, if the server shows it.
    pub email: Option<String>,
}

/// The data of one report, under the official snake_case names.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReportData {
    /// The opaque id.
    pub id: String,
    /// A random identifier.
    pub name: Option<String>,
    /// The title.
    pub display_name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The entity that owns the project.
    pub entity: String,
    /// The project.
    pub project: String,
    /// Who wrote it; `None` when the account is gone.
    pub user: Option<ReportUser>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// The page in the browser: `…/reports/Title-with-dashes--id`; `None` for a report without a title (official:
    /// `BetaReport.url`).
    pub url: Option<String>,
    /// The content as JSON text, as the server holds it; empty when it sent none. It serialises as the JSON that it is,
    /// or as the text when it is none.
    #[serde(serialize_with = "as_json")]
    pub spec: String,
}

fn as_json<S: Serializer>(text: &str, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match ReportSpec::parse(text) {
        Ok(spec) => spec.raw().serialize(serializer),
        Err(_) => serializer.serialize_str(text),
    }
}

pub(super) fn from_wire(api: &Api, project: &ProjectPath, wire: wire::View) -> Result<ReportData> {
    let id = wire.id.into_inner();
    let time = |text: &str| {
        Timestamp::parse(text).map_err(|error| {
            Error::protocol(format!("a time of report {id:?} cannot be read")).with_source(error)
        })
    };
    let created_at = time(&wire.created_at.0)?;
    let updated_at = wire.updated_at.map(|text| time(&text.0)).transpose()?;
    let display_name = wire.display_name.filter(|name| !name.is_empty());
    let url = display_name
        .as_deref()
        .and_then(|title| ReportPath::new(project.clone(), title, &id).ok())
        .map(|path| api.app_url().report_url(&path));
    Ok(ReportData {
        id,
        name: wire.name,
        display_name,
        description: wire.description,
        entity: project.entity().as_str().to_owned(),
        project: project.project().as_str().to_owned(),
        user: wire.user.map(|user| ReportUser {
            username: user.username,
            photo_url: user.photo_url,
            email: user.email,
        }),
        created_at,
        updated_at,
        url,
        spec: wire.spec.map(|text| text.0).unwrap_or_default(),
    })
}
