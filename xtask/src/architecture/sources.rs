//! Every source file: its header, its size. Every crate: its folder, its lints.

use std::path::{Path, PathBuf};

use super::edges::Package;
use crate::failure::{Failure, Result};

/// Lines a file may have before its tests. Over 500, ask whether it holds two things.
const BUDGET: usize = 800;

/// Files that may be larger, each with the reason.
const LARGER: &[(&str, &str)] = &[];

/// A source file, with a path relative to the root and `/` between its parts.
#[derive(Debug)]
pub(super) struct Source {
    path: String,
    text: String,
}

/// Reads every `.rs` file of the workspace's folders.
///
/// # Errors
/// When a folder or a file cannot be read.
pub(super) fn read(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut folders: Vec<PathBuf> = ["crates", "tests", "xtask", "fuzz"]
        .map(|name| root.join(name))
        .into();
    while let Some(folder) = folders.pop() {
        if !folder.exists() {
            continue;
        }
        let cannot_read = |cause| Failure::about(format!("cannot read {}", folder.display()), cause);
        for entry in std::fs::read_dir(&folder).map_err(cannot_read)? {
            let entry = entry.map_err(cannot_read)?;
            let path = entry.path();
            if entry.file_type().map_err(cannot_read)?.is_dir() {
                // A crate built on its own leaves its own target folder behind.
                if entry.file_name() != "target" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path)
                    .map_err(|cause| Failure::about(format!("cannot read {}", path.display()), cause))?;
                let relative = path.strip_prefix(root).unwrap_or(&path);
                sources.push(Source {
                    path: relative.to_string_lossy().replace('\\', "/"),
                    text,
                });
            }
        }
    }
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(sources)
}

/// Files without a header, files over their budget, and budget exceptions that nothing needs.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    check_against(sources, LARGER)
}

fn check_against(sources: &[Source], larger: &[(&str, &str)]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        if !has_header(&source.text) {
            broken.push(format!("{} does not start with a //! header", source.path));
        }
        let lines = lines_before_tests(source);
        let excused = larger.iter().any(|(path, _)| *path == source.path);
        if lines > BUDGET && !excused {
            broken.push(format!(
                "{} has {lines} lines before its tests (budget {BUDGET}): split it, or give the reason in \
                 xtask/src/architecture/sources.rs",
                source.path
            ));
        } else if lines <= BUDGET && excused {
            broken.push(format!(
                "{} is within the budget: take it off the list of larger files",
                source.path
            ));
        }
    }
    for (path, _) in larger {
        if !sources.iter().any(|source| source.path == *path) {
            broken.push(format!(
                "the list of larger files names {path}, which does not exist"
            ));
        }
    }
    broken
}

/// Crate folders that are not named as their crates, and manifests that do not take the workspace's lints.
///
/// # Errors
/// When a manifest cannot be read.
pub(super) fn check_manifests(packages: &[Package], root: &Path) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for package in packages {
        let folder = package.manifest.parent().unwrap_or(Path::new(""));
        let relative = folder.strip_prefix(root).unwrap_or(folder);
        if relative.starts_with("crates") && relative != Path::new("crates").join(&package.name) {
            broken.push(format!(
                "{} is in {}, not in crates/{0}",
                package.name,
                relative.display()
            ));
        }
        let text = std::fs::read_to_string(&package.manifest)
            .map_err(|cause| Failure::about(format!("cannot read {}", package.manifest.display()), cause))?;
        if !takes_workspace_lints(&text) {
            broken.push(format!(
                "{}/Cargo.toml does not take the workspace's lints",
                relative.display()
            ));
        }
    }
    Ok(broken)
}

fn takes_workspace_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true")
}

/// Whether the first thing in the file is its header. An inner attribute may stand before it.
fn has_header(text: &str) -> bool {
    let mut lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    lines
        .next()
        .is_some_and(|line| line.starts_with("//! ") && line.trim().len() > "//! ".len())
}

/// Lines that count: all of them up to the test module; none in a file that is itself tests.
fn lines_before_tests(source: &Source) -> usize {
    let is_tests = source.path.ends_with("/tests.rs")
        || source.path.contains("/tests/")
        || source.path.starts_with("tests/");
    if is_tests {
        return 0;
    }
    let mut after_attribute = false;
    for (number, line) in source.text.lines().enumerate() {
        if after_attribute && line.starts_with("mod ") && line.ends_with('{') {
            return number.saturating_sub(1);
        }
        after_attribute = line == "#[cfg(test)]";
    }
    source.text.lines().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: String) -> Source {
        Source {
            path: path.to_owned(),
            text,
        }
    }

    fn with_lines(count: usize) -> String {
        format!("//! Header.\n{}", "fn f() {}\n".repeat(count - 1))
    }

    #[test]
    fn a_file_without_a_header_is_found() {
        assert!(has_header("//! What it is.\n"));
        assert!(has_header("#![no_std]\n\n//! What it is.\n"));
        assert!(!has_header("// What it is.\n"));
        assert!(!has_header("//!\nuse x;\n"));
        assert!(!has_header("use x;\n//! Too late.\n"));
        assert!(!has_header(""));
        let broken = check_against(&[source("crates/a/src/lib.rs", "use x;\n".into())], &[]);
        assert_eq!(broken, ["crates/a/src/lib.rs does not start with a //! header"]);
    }

    #[test]
    fn the_budget_is_a_limit_not_a_wish() {
        let fits = source("crates/a/src/lib.rs", with_lines(BUDGET));
        let too_long = source("crates/a/src/big.rs", with_lines(BUDGET + 1));
        let broken = check_against(&[fits, too_long], &[]);
        assert_eq!(broken.len(), 1);
        assert!(
            broken[0].starts_with("crates/a/src/big.rs has 801 lines"),
            "{broken:?}"
        );
    }

    #[test]
    fn tests_do_not_count() {
        let text = format!(
            "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            with_lines(10),
            "// x\n".repeat(2000)
        );
        assert_eq!(lines_before_tests(&source("crates/a/src/lib.rs", text)), 10);
        assert_eq!(
            lines_before_tests(&source("crates/a/src/tests.rs", with_lines(2000))),
            0
        );
        assert_eq!(
            lines_before_tests(&source("crates/a/tests/it.rs", with_lines(2000))),
            0
        );
        // `mod tests;` keeps its lines elsewhere and hides nothing of this file.
        let text = format!("//! H.\n#[cfg(test)]\nmod tests;\n{}", "fn f() {}\n".repeat(20));
        assert_eq!(lines_before_tests(&source("crates/a/src/lib.rs", text)), 23);
    }

    #[test]
    fn an_exception_that_nothing_needs_is_found() {
        let small = source("a.rs", with_lines(3));
        assert_eq!(
            check_against(&[small], &[("a.rs", "why"), ("b.rs", "why")]).len(),
            2
        );
        assert!(check_against(&[source("a.rs", with_lines(900))], &[("a.rs", "why")]).is_empty());
    }

    #[test]
    fn lints_are_taken_from_the_workspace() {
        assert!(takes_workspace_lints(
            "[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n"
        ));
        assert!(!takes_workspace_lints("[package]\nname = \"x\"\n"));
        assert!(!takes_workspace_lints(
            "[lints]\n[lints.rust]\nworkspace = true\n"
        ));
    }
}
