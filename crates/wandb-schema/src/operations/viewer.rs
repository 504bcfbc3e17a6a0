//! Who the key belongs to (protocol §2.5).

use crate::schema;

/// `GetViewer`: the user behind the key, `null` when there is none.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query")]
pub struct GetViewer {
    /// The user.
    pub viewer: Option<Viewer>,
}

/// The user behind the key.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "User")]
pub struct Viewer {
    /// The opaque id.
    pub id: cynic::Id,
    /// The full name.
    pub name: String,
    /// The login name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the user administers the server.
    pub admin: Option<bool>,
    /// The default entity.
    pub entity: Option<String>,
    /// The teams.
    pub teams: Option<Teams>,
}

/// The teams of a user.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "EntityConnection")]
pub struct Teams {
    /// One edge per team.
    pub edges: Vec<TeamEdge>,
}

/// An edge to a team.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "EntityEdge")]
pub struct TeamEdge {
    /// The team.
    pub node: Option<Team>,
}

/// A team.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Entity")]
pub struct Team {
    /// Its name.
    pub name: String,
}
