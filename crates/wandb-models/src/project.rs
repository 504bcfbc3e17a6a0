//! Projects (inventory 1.3).

use cynic::{MutationBuilder, QueryBuilder};
use serde::Serialize;
use wandb_core::{
    Error, Result,
    page::Page,
    path::{EntityName, NameError, ProjectName, ProjectPath},
    retry::Repeat,
    timestamp::Timestamp,
};
use wandb_schema::operations::projects as wire;

use crate::{
    Api, Runs,
    listing::{self, Ask, Listing, ListingQuery},
    run::RunUser,
};

/// A project: plain data, with the official names when serialised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Project {
    /// The opaque id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The entity that owns it.
    pub entity: String,
    /// `[entity, name]`.
    pub path: [String; 2],
    /// The page in the browser.
    pub url: String,
    /// The description.
    pub description: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether it is a benchmark.
    pub is_benchmark: bool,
    /// Who created it; `None` when the account is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<RunUser>,
}

impl Project {
    fn from_wire(api: &Api, wire: wire::Project) -> Result<Self> {
        let wrong = |error: NameError| {
            Error::protocol("the server named a project in a way that no project is named").with_source(error)
        };
        let path = ProjectPath::new(
            EntityName::new(&*wire.entity_name).map_err(wrong)?,
            ProjectName::new(&*wire.name).map_err(wrong)?,
        );
        let created_at = Timestamp::parse(&wire.created_at.0).map_err(|error| {
            Error::protocol(format!("the time of project \"{path}\" cannot be read")).with_source(error)
        })?;
        Ok(Self {
            url: api.app_url().project_url(&path),
            id: wire.id.into_inner(),
            path: [wire.entity_name.clone(), wire.name.clone()],
            name: wire.name,
            entity: wire.entity_name,
            description: wire.description,
            created_at,
            is_benchmark: wire.is_benchmark,
            user: wire.user.map(RunUser::from_wire),
        })
    }

    /// The runs of this project.
    pub fn runs(&self, api: &Api) -> Runs {
        api.runs(format!("{}/{}", self.entity, self.name))
    }

    /// Deletes the project with its runs, sweeps, reports and artifacts, by its id: a project that was made under the same name
    /// since is another one, and stays.
    ///
    /// It is not repeated on failures that leave open whether the server acted.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when it is gone already,
    /// [`NotVisible`](wandb_core::ErrorKind::NotVisible) when the key may not.
    pub async fn delete(&self, api: &Api) -> Result<()> {
        let path = self.path.join("/");
        let description = format!("delete project \"{path}\"");
        let operation = wire::DeleteProject::build(wire::DeleteProjectVariables {
            input: wire::DeleteModelInput { id: self.id.clone() },
        });
        let answer: wire::DeleteProject = api
            .mutate(&operation, Repeat::OnlyIfRefused, &description)
            .await?;
        match answer.delete_model.and_then(|payload| payload.success) {
            Some(true) => {
                // Of its runs and sweeps nothing may be remembered either.
                api.flush();
                Ok(())
            }
            _ => Err(Error::not_found(format!("project \"{path}\"")).in_operation(description)),
        }
    }
}

/// A listing of an entity's projects, 200 a page. Made by [`Api::projects`]. An entity that does not exist has no projects: the
/// server does not tell the two apart.
pub type Projects = Listing<ProjectsQuery>;

/// What [`Projects`] asks.
#[derive(Debug, Clone)]
pub struct ProjectsQuery {
    api: Api,
    entity: Option<String>,
}

impl Projects {
    pub(crate) fn of_entity(api: Api, entity: Option<String>) -> Self {
        // The official client's page size for projects (protocol §2.3).
        Self::new(ProjectsQuery { api, entity }, 200)
    }
}

impl ListingQuery for ProjectsQuery {
    type Item = Project;

    async fn fetch(&self, ask: Ask) -> Result<Page<Project>> {
        let entity = match &self.entity {
            Some(entity) => entity.clone(),
            None => self.api.default_entity().await?.as_str().to_owned(),
        };
        let description = format!("list the projects of {entity:?}");
        let operation = wire::GetProjects::build(wire::GetProjectsVariables {
            entity: Some(entity),
            per_page: ask.first(),
            cursor: ask.cursor,
        });
        let answer: wire::GetProjects = self.api.execute(&operation, &description).await?;
        let Some(connection) = answer.models else {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        };
        page(&self.api, connection).map_err(|error| error.in_operation(description))
    }
}

fn page(api: &Api, connection: wire::ProjectConnection) -> Result<Page<Project>> {
    let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
    listing::page(
        nodes.into_iter().map(|node| Project::from_wire(api, node)),
        connection.page_info,
    )
}

pub(crate) async fn fetch_one(api: &Api, path: &ProjectPath) -> Result<Project> {
    let operation = wire::GetProject::build(wire::GetProjectVariables {
        name: path.project().as_str().to_owned(),
        entity: Some(path.entity().as_str().to_owned()),
    });
    let description = format!("read project \"{path}\"");
    let answer: wire::GetProject = api.execute(&operation, &description).await?;
    match answer.project {
        Some(wire) => {
            let project = Project::from_wire(api, wire).map_err(|error| error.in_operation(description))?;
            api.memory().keep_project(path, &project);
            Ok(project)
        }
        None => Err(Error::not_found(format!("project \"{path}\"")).with_hint(
            "check the spelling, or list the projects of the entity; the key may not see a private one",
        )),
    }
}

impl Api {
    /// Makes a project, by `entity/project` or `project`. One that exists stays as it is and is given.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a name that no new project may have,
    /// [`NotVisible`](wandb_core::ErrorKind::NotVisible) when the key may not.
    pub async fn create_project(&self, path: &str) -> Result<Project> {
        let path = self.project_path(path).await?;
        let description = format!("make project \"{path}\"");
        path.project()
            .check_new()
            .map_err(|error| Error::from(error).in_operation(description.clone()))?;
        let operation = wire::CreateProject::build(wire::CreateProjectVariables {
            input: wire::UpsertModelInput {
                name: Some(path.project().as_str().to_owned()),
                entity_name: Some(path.entity().as_str().to_owned()),
                description: None,
                access: None,
            },
        });
        let answer: wire::CreateProject = self.mutate(&operation, Repeat::Always, &description).await?;
        answer
            .upsert_model
            .and_then(|payload| payload.project)
            .ok_or_else(|| Error::protocol("the server names no project that it made"))
            .and_then(|project| Project::from_wire(self, project))
            .map_err(|error| error.in_operation(description))
    }
}
