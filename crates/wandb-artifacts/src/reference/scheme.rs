//! Who handles an address.

/// The kinds of addresses that references have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `http://` and `https://`.
    Http,
    /// `https://*.blob.core.windows.net` (official: such an address is always taken for Azure).
    Azure,
    /// `file://`.
    File,
    /// `s3://`.
    S3,
    /// `gs://`.
    Gs,
    /// `wandb-artifact://`: an entry of a logged version.
    Artifact,
    /// `wandb-client-artifact://`: an entry of a version that is not logged yet; only drafts have it.
    ClientArtifact,
    /// Anything else: tracked, never downloaded.
    Other,
}

impl Scheme {
    /// The scheme of an address.
    #[must_use]
    pub fn of(address: &str) -> Self {
        let Some((scheme, rest)) = address.split_once("://") else {
            return Self::Other;
        };
        match scheme.to_ascii_lowercase().as_str() {
            "https" if is_azure(rest) => Self::Azure,
            "http" | "https" => Self::Http,
            "file" => Self::File,
            "s3" => Self::S3,
            "gs" => Self::Gs,
            "wandb-artifact" => Self::Artifact,
            "wandb-client-artifact" => Self::ClientArtifact,
            _ => Self::Other,
        }
    }
}

fn is_azure(rest: &str) -> bool {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    host.to_ascii_lowercase().ends_with(".blob.core.windows.net")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_told_apart() {
        for (address, scheme) in [
            ("https://example.com/a", Scheme::Http),
            ("HTTP://example.com", Scheme::Http),
            ("https://acc.blob.core.windows.net/c/b", Scheme::Azure),
            ("https://example.com/?x=.blob.core.windows.net", Scheme::Http),
            ("file:///data/x", Scheme::File),
            ("s3://bucket/key", Scheme::S3),
            ("gs://bucket/key", Scheme::Gs),
            ("wandb-artifact://0a/x", Scheme::Artifact),
            ("wandb-client-artifact://abc/x", Scheme::ClientArtifact),
            ("ftp://host/x", Scheme::Other),
            ("plain text", Scheme::Other),
        ] {
            assert_eq!(Scheme::of(address), scheme, "{address}");
        }
    }
}
