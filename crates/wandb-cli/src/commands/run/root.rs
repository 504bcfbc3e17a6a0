//! The directory that a download fills: whether anything can be made in it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::out_file::cause;

/// Refuses a root in which nothing can be made, once and before anything is asked for; each file would fail by itself. A
/// directory that is there and may hold every file already is left to what is found in it.
pub(super) async fn check(root: &Path, may_be_complete: bool) -> CommandResult {
    if may_be_complete && root.is_dir() {
        return Ok(());
    }
    if let Some(file) = root.ancestors().find(|path| fs::metadata(path).is_ok())
        && !file.as_os_str().is_empty()
        && !file.is_dir()
    {
        let what = format!(
            "\"{}\" is a file, not a directory: nothing can be downloaded there",
            file.display()
        );
        return Err(Failure::new(ExitStatus::Failed, what));
    }
    let place = existing(root);
    let probed = tokio::task::spawn_blocking(move || {
        tempfile::Builder::new()
            .prefix(".wb-root-")
            .tempdir_in(place)?
            .close()
    });
    probed
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|error| {
            Failure::io(
                format!("cannot download to \"{}\"", root.display()),
                cause(&error),
            )
        })
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

    #[test]
    fn the_nearest_directory_is_one_that_is_there() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(existing(&dir.path().join("not/yet/there")), dir.path());
        assert_eq!(existing(dir.path()), dir.path());
        assert_eq!(existing(Path::new("not/yet/there")), Path::new("."));
    }

    #[tokio::test]
    async fn a_file_is_no_root_and_a_root_is_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for root in [file.clone(), file.join("below")] {
            for may_be_complete in [false, true] {
                assert!(check(&root, may_be_complete).await.is_err(), "{root:?}");
            }
        }
        check(&dir.path().join("new/one"), false).await.unwrap();
        check(dir.path(), false).await.unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left");
    }
}
