//! What is at the facade's root: every public type of `wandb-models`, each under one name. The sources are compared, because
//! a type that is forgotten here is missed by nobody but its user.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn source(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names that a file gives out by `pub use`, with what stands before them.
fn re_exports(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for statement in text.split("\npub use ").skip(1) {
        let statement = statement
            .split_once(';')
            .map_or(statement, |(statement, _)| statement);
        let (from, names) = match statement.split_once('{') {
            Some((from, names)) => (from, names.trim_end().trim_end_matches('}')),
            None => statement.rsplit_once("::").unwrap_or(("", statement)),
        };
        let from = from.trim_end_matches("::");
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            // `a::{b::Name, c::{Name}}`: the last segment is the name.
            let name = name.rsplit_once("::").map_or(name, |(_, name)| name);
            let name = name.trim_matches(['{', '}', ' ']);
            found.push((from.to_owned(), name.to_owned()));
        }
    }
    found
}

/// The types that a file declares.
fn declared(text: &str) -> BTreeSet<String> {
    let kinds = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
    let lines = text
        .lines()
        .filter_map(|line| kinds.iter().find_map(|kind| line.strip_prefix(kind)));
    let names = lines.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric()).collect());
    names.collect()
}

fn root_of_models() -> BTreeSet<String> {
    re_exports(&source("wandb-models/src/lib.rs"))
        .into_iter()
        .map(|(_, name)| name)
        .collect()
}

#[test]
fn the_root_is_the_root_of_the_models() {
    let facade: BTreeSet<String> = re_exports(&source("wandb-api/src/lib.rs"))
        .into_iter()
        .filter(|(from, _)| from == "wandb_models")
        .map(|(_, name)| name)
        .collect();
    assert_eq!(facade, root_of_models());
}

#[test]
fn the_models_have_every_type_at_their_root() {
    let root = root_of_models();
    let text = source("wandb-models/src/lib.rs");
    let modules: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert!(
        modules.contains(&"artifact") && modules.contains(&"run"),
        "{modules:?}"
    );
    let mut missing = Vec::new();
    for module in modules {
        let folder = PathBuf::from("wandb-models/src").join(module);
        let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let file = match folder.join("mod.rs") {
            file if manifest_dir.join(&file).is_file() => file,
            _ => folder.with_extension("rs"),
        };
        let text = source(file);
        let mut names = declared(&text);
        names.extend(re_exports(&text).into_iter().map(|(_, name)| name));
        // What a listing asks has its name in the alias only: `Projects = Listing<ProjectsQuery>`.
        names.retain(|name| !text.contains(&format!("= Listing<{name}>")));
        let only_here = names.into_iter().filter(|name| !root.contains(name));
        missing.extend(only_here.map(|name| format!("{module}::{name}")));
    }
    assert!(missing.is_empty(), "not at the root: {missing:?}");
}
