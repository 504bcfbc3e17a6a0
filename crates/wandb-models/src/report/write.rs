//! Creating, changing and deleting reports.

use cynic::{Id, MutationBuilder};
use wandb_core::{Error, ErrorKind, Result, path::ProjectPath, retry::Repeat};
use wandb_schema::operations::reports as wire;

use super::Report;
use crate::{Api, ids};

/// A report that is being created. Made by [`Api::create_report`]; nothing is sent until [`save`](Self::save).
#[derive(Debug, Clone)]
#[must_use = "a report is created by save()"]
pub struct NewReport {
    api: Api,
    project: String,
    input: wire::UpsertViewInput,
}

impl NewReport {
    /// The description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.input.description = Some(text.into());
        self
    }

    /// The content, as JSON text; an empty page unless set.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when it is no JSON object.
    pub fn spec(mut self, text: impl Into<String>) -> Result<Self> {
        self.input.spec = Some(checked(text.into())?);
        Ok(self)
    }

    /// Keeps it a draft.
    pub fn draft(mut self) -> Self {
        self.input.kind = Some("runs/draft".to_owned());
        self
    }

    /// Creates it.
    ///
    /// It is not repeated on failures that leave open whether the server acted: a second report would be the result.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn save(self) -> Result<Report> {
        let Self {
            api,
            project,
            mut input,
        } = self;
        let path: ProjectPath = api.project_path(&project).await?;
        let description = format!("create a report in \"{path}\"");
        input.entity_name = Some(path.entity().as_str().to_owned());
        input.project_name = Some(path.project().as_str().to_owned());
        input.name = Some(ids::random(&**api.client().runtime(), 12));
        input.created_using = Some(wire::ViewSource::WandbSdk);
        upsert(&api, input, Repeat::OnlyIfRefused, description).await
    }
}

/// Changes of a report: what is not named stays as it is. Made by [`Report::edit`]; nothing is sent until
/// [`save`](Self::save).
#[derive(Debug, Clone)]
#[must_use = "changes are sent by save()"]
pub struct ReportEdit {
    report: Report,
    input: wire::UpsertViewInput,
    if_unchanged: bool,
}

impl ReportEdit {
    /// The title.
    pub fn display_name(mut self, title: impl Into<String>) -> Self {
        self.input.display_name = Some(title.into());
        self
    }

    /// The description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.input.description = Some(text.into());
        self
    }

    /// The content, as JSON text. It is replaced as a whole: the server keeps no parts.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when it is no JSON object.
    pub fn spec(mut self, text: impl Into<String>) -> Result<Self> {
        self.input.spec = Some(checked(text.into())?);
        Ok(self)
    }

    /// Only if the report is as it was when it was read: title, description, content and the time of its last change. Else
    /// [`save`](Self::save) is a [`Conflict`](ErrorKind::Conflict), and nothing is overwritten.
    ///
    /// The wire has no such condition (`upsertView`, protocol §2.13): the report is read again just before the change and
    /// compared, on every server. A change of another in that moment (one round trip) is not seen, and is overwritten where it
    /// is of the same field.
    pub fn if_unchanged(mut self) -> Self {
        self.if_unchanged = true;
        self
    }

    /// Sends the changes and gives the report as it is then. Without changes nothing is sent.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when the report changed and [`NotFound`](ErrorKind::NotFound) when it was deleted, with
    /// [`if_unchanged`](Self::if_unchanged); else as the server refuses it.
    pub async fn save(self) -> Result<Report> {
        let Self {
            report,
            mut input,
            if_unchanged,
        } = self;
        if input.display_name.is_none() && input.description.is_none() && input.spec.is_none() {
            return Ok(report);
        }
        let description = format!("change report {:?}", report.id);
        if if_unchanged {
            let now = report.reload().await?;
            check_unchanged(&report, &now).map_err(|error| error.in_operation(description.clone()))?;
        }
        input.id = Some(Id::new(report.id.clone()));
        upsert(&report.api, input, Repeat::Always, description).await
    }
}

fn check_unchanged(before: &Report, now: &Report) -> Result<()> {
    let changed: Vec<&str> = [
        ("display_name", before.display_name == now.display_name),
        ("description", before.description == now.description),
        ("spec", before.spec == now.spec),
        ("updated_at", before.updated_at == now.updated_at),
    ]
    .into_iter()
    .filter(|(_, same)| !same)
    .map(|(name, _)| name)
    .collect();
    if changed.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!("the report was changed since it was read: {}", changed.join(", ")),
    )
    .with_hint("read it again, and make the change in what it is now"))
}

impl Report {
    /// Begins to change the report.
    pub fn edit(&self) -> ReportEdit {
        ReportEdit {
            report: self.clone(),
            input: wire::UpsertViewInput::default(),
            if_unchanged: false,
        }
    }

    /// Deletes the report, with its drafts.
    ///
    /// # Errors
    /// [`NotVisible`](wandb_core::ErrorKind::NotVisible) when the key may not, or when the server does not do it and
    /// does not say why.
    pub async fn delete(&self) -> Result<()> {
        let description = format!("delete report {:?}", self.id);
        let operation = wire::DeleteView::build(wire::DeleteViewVariables {
            input: wire::DeleteViewInput {
                id: Some(Id::new(self.id.clone())),
                delete_drafts: Some(true),
            },
        });
        let answer: wire::DeleteView = self.api.mutate(&operation, Repeat::Always, &description).await?;
        match answer.delete_view.and_then(|payload| payload.success) {
            Some(true) => Ok(()),
            _ => Err(Error::new(
                ErrorKind::NotVisible,
                "the server did not delete it and does not say why",
            )
            .in_operation(description)),
        }
    }
}

impl Api {
    /// Begins a report in a project, with a title.
    pub fn create_report(&self, project: impl Into<String>, title: impl Into<String>) -> NewReport {
        NewReport {
            api: self.clone(),
            project: project.into(),
            input: wire::UpsertViewInput {
                kind: Some("runs".to_owned()),
                display_name: Some(title.into()),
                description: Some(String::new()),
                spec: Some(r#"{"version":5,"panelSettings":{},"blocks":[],"width":"readable","authors":[],"discussionThreads":[],"ref":{}}"#.to_owned()),
                ..wire::UpsertViewInput::default()
            },
        }
    }
}

fn checked(text: String) -> Result<String> {
    match serde_json::from_str(&text) {
        Ok(serde_json::Value::Object(_)) => Ok(text),
        Ok(_) => Err(Error::invalid_input(
            "the content of a report has to be a JSON object",
        )),
        Err(error) => Err(Error::invalid_input("the content of a report has to be JSON").with_source(error)),
    }
}

async fn upsert(
    api: &Api,
    input: wire::UpsertViewInput,
    repeat: Repeat,
    description: String,
) -> Result<Report> {
    let operation = wire::UpsertView::build(wire::UpsertViewVariables { input });
    let answer: wire::UpsertView = api.mutate(&operation, repeat, &description).await?;
    answer
        .upsert_view
        .and_then(|payload| payload.view)
        .ok_or_else(|| Error::protocol("the server does not say what became of the report"))
        .and_then(|view| Report::from_placed(api, view))
        .map_err(|error| error.in_operation(description))
}
