//! Deleting files of a run (protocol §2.11).

use base64::{Engine, engine::general_purpose::STANDARD};
use cynic::{Id, MutationBuilder, QueryBuilder};
use wandb_core::{Error, ErrorKind, Result, path::RunPath, retry::Repeat};
use wandb_schema::operations::file_writes as wire;

use super::File;
use crate::{Api, Run};

/// How many files one request deletes.
const BATCH: usize = 200;

impl File {
    /// Deletes the file.
    ///
    /// # Errors
    /// [`NotVisible`](ErrorKind::NotVisible) when the key may not, or when the server refuses without a reason.
    pub async fn delete(&self) -> Result<()> {
        let description = format!("delete file {:?} of run \"{}\"", self.name, self.run);
        delete(&self.api, &self.run, vec![Id::new(self.id.clone())], &description).await
    }
}

impl Run {
    /// Deletes files of this run, up to 200 with one request.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a file of another run; else as [`File::delete`]. The first failure
    /// ends the whole; files that were deleted by then are gone.
    pub async fn delete_files<'a>(&self, files: impl IntoIterator<Item = &'a File>) -> Result<()> {
        let description = format!("delete files of run \"{}\"", self.run_path());
        let mut ids = Vec::new();
        for file in files {
            if file.run_path() != self.run_path() {
                return Err(Error::invalid_input(format!(
                    "file {:?} belongs to run \"{}\"",
                    file.name,
                    file.run_path()
                ))
                .in_operation(description));
            }
            ids.push(Id::new(file.id.clone()));
        }
        for batch in ids.chunks(BATCH) {
            delete(self.api(), self.run_path(), batch.to_vec(), &description).await?;
        }
        Ok(())
    }
}

async fn delete(api: &Api, run: &RunPath, files: Vec<Id>, description: &str) -> Result<()> {
    let operation = wire::ProjectInternalId::build(wire::ProjectInternalIdVariables {
        name: run.project().as_str().to_owned(),
        entity: Some(run.entity().as_str().to_owned()),
    });
    let answer: wire::ProjectInternalId = api.execute(&operation, description).await?;
    let project = answer.project.ok_or_else(|| {
        Error::not_found(format!("project \"{}\"", run.project_path())).in_operation(description)
    })?;
    let operation = wire::DeleteFiles::build(wire::DeleteFilesVariables {
        input: wire::DeleteFilesInput {
            files,
            project_id: project_number(project.internal_id.inner()),
        },
    });
    let answer: wire::DeleteFiles = api.mutate(&operation, Repeat::Always, description).await?;
    if answer.delete_files.is_some_and(|payload| payload.success) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::NotVisible,
        "the server refuses to delete and does not say why",
    )
    .in_operation(description))
}

/// The number in Base64 of `ProjectInternalId:<n>` or `Project:<n>` (protocol §0). A server whose ids have another form
/// is asked without it, as old ones are.
fn project_number(internal_id: &str) -> Option<i32> {
    let text = String::from_utf8(STANDARD.decode(internal_id).ok()?).ok()?;
    text.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_project_is_found_or_left_out() {
        for (text, number) in [
            ("ProjectInternalId:42", Some(42)),
            ("Project:7", Some(7)),
            ("Project", None),
            ("a:b", None),
        ] {
            assert_eq!(project_number(&STANDARD.encode(text)), number, "{text}");
        }
        assert_eq!(project_number("?"), None);
    }
}
