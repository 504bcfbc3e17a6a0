//! What the server says about itself (protocol §2.18).

use async_graphql::SimpleObject;

use super::scalars::Json;

/// Filters mean exactly what the documentation of this server says, with numbers compared as numbers and absent values as
/// null. No other server has this feature, so that it also tells the embedded server from a self-hosted one on the same
/// machine. The official client passes over names that it does not know.
const EXACT_FILTERS: &str = "WB_EXACT_FILTERS";
/// Single members of a run can be changed, and refused when somebody else was faster (`wbPatchRun`, `Run.wbRevision`).
const RUN_PATCH: &str = "WB_RUN_PATCH";
/// Versions of artifacts may have XXH128 digests, and are asked which ones they have.
pub(super) const DIGEST_ALGORITHM: &str = "ARTIFACT_DIGEST_ALGORITHM";
/// Features that are really there. What is not named is off, and the official client falls back (protocol §0.4).
const FEATURES: &[&str] = &[
    "FILESTREAM_GZIP",
    "LARGE_FILENAMES",
    "MARK_RUN_FILES_UPLOADED",
    "SWEEPS_QUERY_FILTERING",
    EXACT_FILTERS,
    RUN_PATCH,
    "ARTIFACT_COLLECTIONS_FILTERING_SORTING",
    "ARTIFACT_COLLECTION_MEMBERSHIP_FILES",
    "ARTIFACT_COLLECTION_MEMBERSHIP_FILE_DOWNLOAD_HANDLER",
    DIGEST_ALGORITHM,
    "ARTIFACT_MEMBERSHIP_IN_LINK_ARTIFACT_RESPONSE",
    "ARTIFACT_TAGS",
    "ARTIFACT_V2_DOWNLOAD_HANDLER_SUPPORTS_ARTIFACT_ID",
    "CLIENT_IDS",
    "PROJECT_ARTIFACT_COLLECTION_MEMBERSHIP",
    "TOTAL_COUNT_IN_FILE_CONNECTION",
    "UNLINK_ARTIFACT",
    "USE_ARTIFACT_WITH_ENTITY_AND_PROJECT_INFORMATION",
];

/// Whether the server has a feature.
pub(super) fn offers(feature: &str) -> bool {
    FEATURES.contains(&feature)
}

/// The server.
#[derive(Debug, SimpleObject)]
pub(crate) struct ServerInfo {
    /// What the server can do.
    features: Vec<Option<ServerFeature>>,
    /// Versions of the official client that the server takes.
    cli_version_info: Option<Json>,
    /// Whether a newer server exists; unknown here.
    latest_local_version_info: Option<LatestLocalVersionInfo>,
}

/// One ability.
#[derive(Debug, SimpleObject)]
pub(crate) struct ServerFeature {
    /// Name as the clients know it.
    name: String,
    /// True when it may be used.
    is_enabled: bool,
}

/// Version of a self-hosted server.
#[derive(Debug, SimpleObject)]
pub(crate) struct LatestLocalVersionInfo {
    out_of_date: bool,
    latest_version_string: String,
    version_on_this_instance_string: String,
}

impl ServerInfo {
    /// What this build can do.
    pub(crate) fn current() -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            features: FEATURES
                .iter()
                .map(|name| {
                    Some(ServerFeature {
                        name: (*name).to_owned(),
                        is_enabled: true,
                    })
                })
                .collect(),
            cli_version_info: Some(Json(
                r#"{"min_cli_version":"0.10.0","max_cli_version":"99.0.0"}"#.to_owned(),
            )),
            latest_local_version_info: Some(LatestLocalVersionInfo {
                out_of_date: false,
                latest_version_string: version.to_owned(),
                version_on_this_instance_string: version.to_owned(),
            }),
        }
    }
}
