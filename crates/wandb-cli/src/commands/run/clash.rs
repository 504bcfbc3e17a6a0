//! Files of one download whose names are in each other's way: `A.txt` and `a.txt` are one file where the disk does not tell
//! upper from lower case (macOS, Windows), and the later would silently replace the earlier.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use wandb_api::File;
use wandb_api::path::{clash_key, safe_relative_path};

use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::text;
use crate::ui::Ui;

/// Pairs that are warned of by name; the number of the others is told.
const SHOWN: usize = 5;

/// Refuses files that would be in each other's way below `root`, and warns of those that would be so elsewhere: what is
/// downloaded here may be copied there.
pub(super) async fn check(files: &[File], root: &Path, ui: Ui) -> CommandResult {
    let clashes = find(files.iter().map(|file| file.name.as_str()));
    if clashes.is_empty() {
        return Ok(());
    }
    let target = root.to_owned();
    let probed = tokio::task::spawn_blocking(move || {
        let real = first_real(&clashes, &target)?;
        Ok((clashes, real))
    });
    let (clashes, real) = probed
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|error| Failure::io(format!("try file names in \"{}\"", root.display()), error))?;
    if let Some(index) = real {
        let what = format!(
            "files {} would be in each other's way in \"{}\"",
            clashes[index],
            root.display()
        );
        return Err(Failure::new(ExitStatus::Conflict, what)
            .hint("nothing was downloaded; name the files, and give those two a --root each"));
    }
    for clash in clashes.iter().take(SHOWN) {
        ui.warn(&text::single_line(&format!(
            "files {clash} would be in each other's way on a disk that does not tell their names apart (macOS, Windows)"
        )));
    }
    if let Some(more) = clashes.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        ui.warn(&format!("so would {} more", text::counted(more as u64, "pair")));
    }
    Ok(())
}

/// Two files that some disk cannot hold both.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Clash {
    /// The name of a file.
    file: String,
    /// What would be at the same place: the other file, or a directory that it needs.
    other_place: String,
    /// The name of the other file.
    other: String,
}

impl fmt::Display for Clash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} and {:?}", self.file, self.other)
    }
}

/// The clashes among names. Names that are not safe are left out: they are refused one by one, and must not be tried.
fn find<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Clash> {
    let names: Vec<&str> = names.filter(|name| safe_relative_path(name).is_ok()).collect();
    let clash = |file: &str, other_place: &str, other: &str| Clash {
        file: file.to_owned(),
        other_place: other_place.to_owned(),
        other: other.to_owned(),
    };
    let mut clashes = Vec::new();
    let mut files: HashMap<String, &str> = HashMap::new();
    for &name in &names {
        let earlier = *files.entry(clash_key(name)).or_insert(name);
        if earlier != name {
            clashes.push(clash(earlier, name, name));
        }
    }
    let mut directories: HashSet<&str> = HashSet::new();
    for &name in &names {
        for (end, _) in name.match_indices('/') {
            let directory = &name[..end];
            if !directories.insert(directory) {
                continue;
            }
            if let Some(file) = files.get(&clash_key(directory)) {
                clashes.push(clash(file, directory, name));
            }
        }
    }
    clashes
}

/// The first clash that is one on the disk of `root`. It is tried there, in a directory of its own, because nothing else
/// tells how a file system compares names.
fn first_real(clashes: &[Clash], root: &Path) -> io::Result<Option<usize>> {
    let place = tempfile::Builder::new()
        .prefix(".wb-names-")
        .tempdir_in(existing(root))?;
    for (index, clash) in clashes.iter().enumerate() {
        let base = place.path().join(index.to_string());
        let file = base.join(&clash.file);
        fs::create_dir_all(file.parent().unwrap_or(&base))?;
        fs::write(&file, "")?;
        if fs::symlink_metadata(base.join(&clash.other_place)).is_ok() {
            return Ok(Some(index));
        }
        fs::remove_dir_all(&base)?;
    }
    Ok(None)
}

/// The nearest directory that is there: `root` itself is made by the download.
fn existing(root: &Path) -> PathBuf {
    root.ancestors()
        .find(|path| path.is_dir())
        .unwrap_or(Path::new("."))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str]) -> Vec<String> {
        find(names.iter().copied())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn names_that_fold_to_one_are_found() {
        assert_eq!(found(&["A.txt", "b", "a.txt"]), [r#""A.txt" and "a.txt""#]);
        assert_eq!(
            found(&["x/Ü", "X/u\u{308}"]).len(),
            1,
            "case and composition, in a directory too"
        );
        assert_eq!(
            found(&["a/b", "A"]),
            [r#""A" and "a/b""#],
            "a file and a directory"
        );
        assert_eq!(
            found(&["a", "a/b/c", "a/b/d"]),
            [r#""a" and "a/b/c""#],
            "once a directory"
        );
    }

    #[test]
    fn names_that_do_not_clash_are_left_alone() {
        let none: [&str; 0] = [];
        // Two directories become one, and hold both files.
        assert_eq!(found(&["A/x", "a/y", "x", "y", "ab", "a b"]), none);
        // One name twice is one file.
        assert_eq!(found(&["a", "a"]), none);
        // These never reach the disk.
        assert_eq!(found(&["../A", "../a", "/X", "/x"]), none);
    }

    #[test]
    fn the_disk_decides_which_clash_is_real() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("not/yet/there");
        fs::write(dir.path().join("case"), "").unwrap();
        let folds = dir.path().join("CASE").exists();
        let clashes = find(["A.txt", "a.txt"].into_iter());
        assert_eq!(first_real(&clashes, &root).unwrap(), folds.then_some(0));
        // A file and a directory of exactly one name are so on every disk.
        let clashes = find(["b", "b/c", "q/B", "q/B/c"].into_iter());
        assert_eq!(first_real(&clashes, &root).unwrap(), Some(0));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left");
    }
}
