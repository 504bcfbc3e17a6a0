//! What the server can do (protocol §2.18).

use crate::schema;

/// `ServerFeaturesQuery`: the features that the server advertises.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query")]
pub struct ServerFeaturesQuery {
    /// What is known of the server.
    pub server_info: Option<ServerInfo>,
}

/// What is known of the server.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ServerInfo {
    /// The features.
    pub features: Vec<Option<ServerFeature>>,
}

/// One feature.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ServerFeature {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub is_enabled: bool,
}
