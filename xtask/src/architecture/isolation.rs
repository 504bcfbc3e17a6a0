//! The bases of some crates must be usable without a network stack: `cargo tree` proves it.

use std::collections::BTreeSet;

use crate::failure::Result;
use crate::process;

/// Crates whose base (no default features, no dev-dependencies) holds no HTTP client and no TLS. Those that do not exist
/// yet are checked from the day that they do.
const NETWORK_FREE: &[&str] = &[
    "wandb-schema",
    "wandb-transport",
    "wandb-core",
    "wandb-storage",
    "wandb-record",
    "wandb-artifacts",
    "wandb-models",
];

/// Crates that are, or bring, an HTTP or TLS implementation. `http`, `http-body` and `http-body-util` are types only.
const FORBIDDEN: &[&str] = &[
    "attohttpc",
    "aws-lc-rs",
    "aws-lc-sys",
    "curl",
    "curl-sys",
    "h2",
    "h3",
    "hyper",
    "hyper-rustls",
    "hyper-tls",
    "hyper-util",
    "isahc",
    "native-tls",
    "openssl",
    "openssl-sys",
    "quinn",
    "reqwest",
    "ring",
    "rustls",
    "rustls-native-certs",
    "tokio-native-tls",
    "tokio-rustls",
    "ureq",
    "webpki-roots",
];

/// Checks each network-free crate among `names`; returns which were checked and what is broken.
///
/// # Errors
/// When `cargo tree` fails.
pub(super) fn check(names: &[&str]) -> Result<(Vec<&'static str>, Vec<String>)> {
    let mut checked = Vec::new();
    let mut broken = Vec::new();
    for name in NETWORK_FREE.iter().filter(|name| names.contains(name)) {
        let tree = process::stdout_of(process::cargo().args([
            "tree",
            "--package",
            name,
            "--edges",
            "normal",
            "--no-default-features",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]))?;
        broken.extend(
            forbidden_in(&tree)
                .into_iter()
                .map(|found| format!("the base of {name} pulls in {found}")),
        );
        checked.push(*name);
    }
    Ok((checked, broken))
}

/// The forbidden crates of a `cargo tree --prefix none --format {p}`.
fn forbidden_in(tree: &str) -> BTreeSet<&str> {
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| FORBIDDEN.contains(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tls_crate_in_the_tree_is_found_once() {
        let tree = "wandb-core v0.1.0 (/w)\nhttp v1.3.1\nrustls v0.23.1\nring v0.17.0\nrustls v0.23.1 (*)\n";
        assert_eq!(
            forbidden_in(tree).into_iter().collect::<Vec<_>>(),
            ["ring", "rustls"]
        );
    }

    #[test]
    fn types_of_http_are_not_an_http_stack() {
        assert!(
            forbidden_in("http v1.3.1\nhttp-body v1.0.1\nhttp-body-util v0.1.3\nbytes v1.10.0\n").is_empty()
        );
    }
}
