//! Which crate may depend on which: the one table, and the check of `cargo metadata` against it.

use std::path::PathBuf;

use serde_json::Value;

use crate::failure::{Failure, Result};

/// Allowed normal and build dependencies between our crates. Arrows point down only.
///
/// `wandb-local` stands beside the client, not under it: it is written against the schema and the protocol, so that
/// one mistake cannot hide in both.
const EDGES: &[(&str, &[&str])] = &[
    ("wandb-schema", &[]),
    // A format and no part of the client: PyYAML's answers judge it, so that the server may read with it, too.
    ("wandb-yaml", &[]),
    ("wandb-transport", &[]),
    ("wandb-core", &["wandb-transport"]),
    ("wandb-storage", &["wandb-core"]),
    (
        "wandb-artifacts",
        &["wandb-core", "wandb-storage", "wandb-transport"],
    ),
    (
        "wandb-record",
        &["wandb-core", "wandb-storage", "wandb-transport"],
    ),
    (
        "wandb-models",
        &[
            "wandb-artifacts",
            "wandb-core",
            "wandb-schema",
            "wandb-storage",
            "wandb-transport",
            "wandb-yaml",
        ],
    ),
    (
        "wandb-blocking",
        &["wandb-artifacts", "wandb-core", "wandb-models", "wandb-transport"],
    ),
    (
        "wandb-arrow",
        &["wandb-artifacts", "wandb-core", "wandb-models", "wandb-storage"],
    ),
    (
        "wandb-api",
        &[
            "wandb-arrow",
            "wandb-artifacts",
            "wandb-blocking",
            "wandb-models",
            "wandb-core",
            "wandb-record",
            "wandb-transport",
        ],
    ),
    ("wandb-local", &["wandb-transport", "wandb-yaml"]),
    ("wandb-cli", &["wandb-api", "wandb-artifacts", "wandb-local"]),
    (
        "wandb-tests",
        &[
            "wandb-api",
            "wandb-artifacts",
            "wandb-core",
            "wandb-local",
            "wandb-models",
            "wandb-schema",
            "wandb-transport",
        ],
    ),
    ("xtask", &[]),
];

/// What tests and examples of a crate may use beside its allowed edges. The embedded server is not among the crates
/// that may: its tests do not see our client either.
const DEVELOPMENT_EDGES: &[(&str, &[&str])] = &[
    ("wandb-core", &["wandb-local"]),
    ("wandb-models", &["wandb-local"]),
    ("wandb-api", &["wandb-local"]),
];

/// Outside crates that few of ours may name, with the crates that may. A name that ends in `*` is a prefix.
const RESERVED: &[(&str, &[&str])] = &[
    ("hyper*", &["wandb-transport", "wandb-local", "wandb-tests"]),
    ("rustls*", &["wandb-transport", "wandb-tests"]),
    ("reqwest", &[]),
    ("native-tls", &[]),
    ("axum*", &["wandb-local", "wandb-tests"]),
    ("async-graphql*", &["wandb-local"]),
    ("rusqlite", &["wandb-local", "wandb-tests"]),
    ("cynic*", &["wandb-schema", "wandb-models", "xtask"]),
    ("cap-std", &["wandb-storage"]),
    ("arrow*", &["wandb-arrow"]),
    ("parquet", &["wandb-arrow"]),
    ("clap*", &["wandb-cli"]),
    ("indicatif", &["wandb-cli"]),
    ("comfy-table", &["wandb-cli"]),
];

/// What the check needs to know of a package of the workspace.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest: PathBuf,
    pub(super) dependencies: Vec<Dependency>,
}

/// One declared dependency.
#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// Only tests, examples and benches see it.
    pub(super) development: bool,
}

/// Reads the packages out of `cargo metadata --no-deps`.
///
/// # Errors
/// When the document has another shape.
pub(super) fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let shape = || Failure::new("cargo metadata has an unexpected shape");
    let mut packages = Vec::new();
    for package in metadata["packages"].as_array().ok_or_else(shape)? {
        let mut dependencies = Vec::new();
        for dependency in package["dependencies"].as_array().ok_or_else(shape)? {
            dependencies.push(Dependency {
                name: dependency["name"].as_str().ok_or_else(shape)?.to_owned(),
                development: dependency["kind"] == "dev",
            });
        }
        packages.push(Package {
            name: package["name"].as_str().ok_or_else(shape)?.to_owned(),
            manifest: PathBuf::from(package["manifest_path"].as_str().ok_or_else(shape)?),
            dependencies,
        });
    }
    Ok(packages)
}

/// Every dependency that no table allows, and every crate that no table knows.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in packages {
        let Some(allowed) = row(EDGES, &package.name) else {
            broken.push(format!(
                "{} is not in the table of edges: add it there",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let ours = packages.iter().any(|other| other.name == dependency.name);
            let verdict = if ours {
                let extra = if dependency.development {
                    row(DEVELOPMENT_EDGES, &package.name)
                } else {
                    None
                };
                allowed.contains(&dependency.name.as_str())
                    || extra.is_some_and(|extra| extra.contains(&dependency.name.as_str()))
            } else {
                reserved_for(&dependency.name).is_none_or(|owners| owners.contains(&package.name.as_str()))
            };
            if !verdict {
                let kind = if dependency.development {
                    "dev-depend"
                } else {
                    "depend"
                };
                broken.push(format!("{} may not {kind} on {}", package.name, dependency.name));
            }
        }
    }
    for (name, _) in EDGES {
        if !packages.iter().any(|package| package.name == *name) {
            broken.push(format!("the table of edges names {name}, which does not exist"));
        }
    }
    broken
}

fn row(table: &'static [(&str, &[&str])], name: &str) -> Option<&'static [&'static str]> {
    table
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| *value)
}

fn reserved_for(name: &str) -> Option<&'static [&'static str]> {
    RESERVED
        .iter()
        .find(|(pattern, _)| match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == *pattern,
        })
        .map(|(_, owners)| *owners)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_with(name: &str, dependency: &str, development: bool) -> Vec<Package> {
        EDGES
            .iter()
            .map(|(known, _)| Package {
                name: (*known).to_owned(),
                manifest: PathBuf::new(),
                dependencies: if *known == name {
                    vec![Dependency {
                        name: dependency.to_owned(),
                        development,
                    }]
                } else {
                    Vec::new()
                },
            })
            .collect()
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let broken = check(&all_with("wandb-core", "wandb-models", false));
        assert_eq!(broken, ["wandb-core may not depend on wandb-models"]);
        assert!(check(&all_with("wandb-models", "wandb-core", false)).is_empty());
    }

    #[test]
    fn nobody_but_the_transport_and_the_server_names_hyper() {
        assert_eq!(
            check(&all_with("wandb-models", "hyper-util", false)),
            ["wandb-models may not depend on hyper-util"]
        );
        assert_eq!(
            check(&all_with("wandb-core", "hyper", true)),
            ["wandb-core may not dev-depend on hyper"]
        );
        assert!(check(&all_with("wandb-transport", "hyper-rustls", false)).is_empty());
        assert!(check(&all_with("wandb-models", "serde", false)).is_empty());
    }

    #[test]
    fn tests_may_use_the_embedded_server_but_the_library_may_not() {
        assert!(check(&all_with("wandb-models", "wandb-local", true)).is_empty());
        assert_eq!(check(&all_with("wandb-models", "wandb-local", false)).len(), 1);
        assert_eq!(check(&all_with("wandb-local", "wandb-models", true)).len(), 1);
        assert_eq!(check(&all_with("wandb-tests", "wandb-cli", true)).len(), 1);
    }

    #[test]
    fn a_new_crate_and_a_vanished_crate_are_found() {
        let mut packages = all_with("xtask", "serde_json", false);
        packages.pop();
        packages.push(Package {
            name: "wandb-new".into(),
            manifest: PathBuf::new(),
            dependencies: Vec::new(),
        });
        let broken = check(&packages);
        assert_eq!(
            broken,
            [
                "wandb-new is not in the table of edges: add it there",
                "the table of edges names xtask, which does not exist"
            ]
        );
    }

    #[test]
    fn metadata_of_another_shape_is_an_error() {
        assert!(packages(&serde_json::json!({"packages": [{"name": "x"}]})).is_err());
        let good = serde_json::json!({"packages": [{
            "name": "x", "manifest_path": "/x/Cargo.toml",
            "dependencies": [{"name": "y", "kind": null}, {"name": "z", "kind": "dev"}]
        }]});
        let read = packages(&good).unwrap();
        assert!(!read[0].dependencies[0].development);
        assert!(read[0].dependencies[1].development);
    }
}
