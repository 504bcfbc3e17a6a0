//! The files below a local directory, in one order on every machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use wandb_core::{Error, Result};

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WalkedFile {
    /// Its path below the directory, with `/` between segments.
    pub(super) name: String,
    /// Where it is.
    pub(super) path: PathBuf,
}

/// Lists the files below a directory, sorted by name, at most `most`. Symbolic links are followed, to files and to
/// directories, as the official client does; one that leads back to a directory that it is in is an error, for it has no end.
/// What is neither a file nor a directory (a pipe, a device) is an error, too: nothing is left out silently.
pub(super) fn walk(root: &Path, most: usize) -> Result<Vec<WalkedFile>> {
    let mut files = Vec::new();
    let mut above = Vec::new();
    inside(root, "", most, &mut above, &mut files)?;
    files.sort_by(|left: &WalkedFile, right| left.name.cmp(&right.name));
    Ok(files)
}

fn inside(
    folder: &Path,
    name: &str,
    most: usize,
    above: &mut Vec<PathBuf>,
    files: &mut Vec<WalkedFile>,
) -> Result<()> {
    let failed = |error| Error::io(format!("list {folder:?}"), error);
    let canonical = folder.canonicalize().map_err(failed)?;
    if above.contains(&canonical) {
        return Err(Error::invalid_input(format!(
            "the symbolic link {folder:?} leads back to a directory that it is in"
        )));
    }
    above.push(canonical);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let file_name = entry.file_name();
        let Some(text) = file_name.to_str() else {
            return Err(Error::invalid_input(format!(
                "the name of {path:?} is not Unicode"
            )));
        };
        let name = if name.is_empty() {
            text.to_owned()
        } else {
            format!("{name}/{text}")
        };
        let kind = fs::metadata(&path).map_err(|error| Error::io(format!("look at {path:?}"), error))?;
        if kind.is_dir() {
            inside(&path, &name, most, above, files)?;
        } else if kind.is_file() {
            if files.len() >= most {
                return Err(Error::invalid_input(format!(
                    "there are more than {most} files below {folder:?}"
                ))
                .with_hint("raise the limit if that is meant"));
            }
            files.push(WalkedFile { name, path });
        } else {
            return Err(Error::invalid_input(format!(
                "{path:?} is neither a file nor a directory"
            )));
        }
    }
    above.pop();
    Ok(())
}
