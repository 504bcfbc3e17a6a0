//! Reports: saved views of a project (protocol §2.13).

use super::shared::PageInfo;
use crate::{
    scalars::{DateTime, JsonString},
    schema,
};

/// Variables of [`ProjectViews`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct ProjectViewsVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// Where to go on.
    pub report_cursor: Option<String>,
    /// How many at most.
    pub report_limit: i32,
    /// `runs` for reports.
    pub view_type: Option<String>,
    /// Only the view of this name.
    pub view_name: Option<String>,
}

/// `ProjectViews`: one page of a project's reports.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ProjectViewsVariables")]
pub struct ProjectViews {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ViewsProject>,
}

/// A page of views, below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "ProjectViewsVariables")]
pub struct ViewsProject {
    /// The project's name, as the server spells it.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
    /// The page.
    #[arguments(viewType: $view_type, viewName: $view_name, first: $report_limit, after: $report_cursor)]
    pub all_views: Option<ViewConnection>,
}

/// A page of views.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ViewConnection {
    /// One edge per view.
    pub edges: Vec<ViewEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a view.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ViewEdge {
    /// The view.
    pub node: Option<View>,
}

/// A view.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct View {
    /// The opaque id.
    pub id: cynic::Id,
    /// A random identifier.
    pub name: Option<String>,
    /// The title.
    pub display_name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// Who wrote it.
    pub user: Option<ViewUser>,
    /// The content, as JSON text.
    pub spec: Option<JsonString>,
    /// When it was created.
    pub created_at: DateTime,
    /// When it was last changed.
    pub updated_at: Option<DateTime>,
}

/// Who wrote a view.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "User")]
pub struct ViewUser {
    /// The login name.
    pub username: Option<String>,
    /// Where the picture is.
    pub photo_url: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// Variables of [`GetView`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct GetViewVariables {
    /// The opaque id.
    pub id: cynic::Id,
}

/// `GetView`: one view by its id, `null` when there is none.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "GetViewVariables")]
pub struct GetView {
    /// The view.
    #[arguments(id: $id)]
    pub view: Option<PlacedView>,
}

/// A view with the place that it is in.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "View")]
pub struct PlacedView {
    /// The view.
    #[cynic(spread)]
    pub view: View,
    /// The project.
    pub project: Option<ViewProject>,
}

/// The project of a view.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project")]
pub struct ViewProject {
    /// The project's name.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
}

/// Which program wrote a view.
#[derive(cynic::Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewSource {
    /// An SDK.
    #[cynic(rename = "WANDB_SDK")]
    WandbSdk,
    /// The app.
    #[cynic(rename = "WANDB_UI")]
    WandbUi,
    /// The app's panel for sharing.
    #[cynic(rename = "WANDB_UI_SHARE_PANEL")]
    WandbUiSharePanel,
    /// Weave.
    #[cynic(rename = "WEAVE_UI")]
    WeaveUi,
}

/// What [`UpsertView`] creates or changes. A missing member stays as it is.
#[derive(cynic::InputObject, Debug, Clone, Default)]
pub struct UpsertViewInput {
    /// The view to change; none to create one.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub id: Option<cynic::Id>,
    /// The entity.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub entity_name: Option<String>,
    /// The project.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
    /// `runs`, or `runs/draft`.
    #[cynic(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// A random identifier.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The title.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The description.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The content, as JSON text.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// Which program writes it.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub created_using: Option<ViewSource>,
}

/// Variables of [`UpsertView`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UpsertViewVariables {
    /// What to create or change.
    pub input: UpsertViewInput,
}

/// `UpsertView`: creates a view, or changes one.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UpsertViewVariables")]
pub struct UpsertView {
    /// What became of it.
    #[arguments(input: $input)]
    pub upsert_view: Option<UpsertViewPayload>,
}

/// What became of it.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UpsertViewPayload {
    /// The view.
    pub view: Option<PlacedView>,
    /// Whether it is new.
    pub inserted: Option<bool>,
}

/// What [`DeleteView`] deletes.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteViewInput {
    /// The view.
    pub id: Option<cynic::Id>,
    /// Whether its drafts go, too.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub delete_drafts: Option<bool>,
}

/// Variables of [`DeleteView`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteViewVariables {
    /// What to delete.
    pub input: DeleteViewInput,
}

/// `DeleteView`: deletes a view.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteViewVariables")]
pub struct DeleteView {
    /// Whether it is gone.
    #[arguments(input: $input)]
    pub delete_view: Option<DeleteViewPayload>,
}

/// Whether it is gone.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct DeleteViewPayload {
    /// Whether it is gone.
    pub success: Option<bool>,
}
