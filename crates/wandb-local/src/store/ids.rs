//! Opaque ids: base64 of a kind and a row number, as the wire has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Entity,
    Project,
    /// The form that registries parse: `ProjectInternalId:<n>` (protocol §0.6).
    ProjectInternal,
    Run,
    File,
    CustomChart,
    View,
    ApiKey,
    Invite,
    Sweep,
    Agent,
    Artifact,
    ArtifactType,
    /// A sequence or a portfolio.
    ArtifactCollection,
    ArtifactMembership,
    ArtifactAlias,
    ArtifactManifest,
    ArtifactUpload,
    ArtifactTag,
    CollectionTag,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Entity => "Entity",
            Self::Project => "Project",
            Self::ProjectInternal => "ProjectInternalId",
            Self::Run => "Run",
            Self::File => "File",
            Self::CustomChart => "CustomChart",
            Self::View => "View",
            Self::ApiKey => "ApiKey",
            Self::Invite => "Invite",
            Self::Sweep => "Sweep",
            Self::Agent => "Agent",
            Self::Artifact => "Artifact",
            Self::ArtifactType => "ArtifactType",
            Self::ArtifactCollection => "ArtifactCollection",
            Self::ArtifactMembership => "ArtifactCollectionMembership",
            Self::ArtifactAlias => "ArtifactAlias",
            Self::ArtifactManifest => "ArtifactManifest",
            Self::ArtifactUpload => "ArtifactUpload",
            Self::ArtifactTag => "ArtifactTag",
            Self::CollectionTag => "CollectionTag",
        }
    }

    /// The id of row `number`.
    pub(crate) fn encode(self, number: i64) -> String {
        STANDARD.encode(format!("{}:{number}", self.prefix()))
    }

    /// The row number in an id of this kind.
    pub(crate) fn decode(self, id: &str) -> Option<i64> {
        let bytes = STANDARD.decode(id).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?;
        text.strip_prefix(self.prefix())?.strip_prefix(':')?.parse().ok()
    }
}

/// The cursor of the item at `offset` of a list: an offset, as the real server's cursors are.
pub(crate) fn cursor(offset: u64) -> String {
    STANDARD.encode(format!("arrayconnection:{offset}"))
}

/// The offset in a cursor made by [`cursor`].
pub(crate) fn offset_of(cursor: &str) -> Option<u64> {
    let bytes = STANDARD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes)
        .ok()?
        .strip_prefix("arrayconnection:")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_one_kind() {
        let id = Kind::Run.encode(42);
        assert_eq!(Kind::Run.decode(&id), Some(42));
        assert_eq!(Kind::Project.decode(&id), None);
        assert_eq!(Kind::Run.decode("not base64!"), None);
        assert_eq!(Kind::Project.decode(&Kind::ProjectInternal.encode(1)), None);
    }

    #[test]
    fn cursors_carry_offsets() {
        assert_eq!(offset_of(&cursor(0)), Some(0));
        assert_eq!(cursor(7), "YXJyYXljb25uZWN0aW9uOjc=");
        assert_eq!(offset_of("bm9uc2Vuc2U="), None);
    }
}
