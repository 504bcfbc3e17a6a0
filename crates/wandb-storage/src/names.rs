//! Which names a file system takes for one. Nothing tells but trying.

use std::{io, path::Path};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions},
};
use wandb_core::path::RelativePath;

use crate::{StorageError, directory::parent_of, part};

/// Makes empty files in a directory of its own, which goes with it.
///
/// What comes of that holds for the file system of that directory. A part of the target that is mounted from elsewhere, or a
/// folder in it that was set to fold names on its own (ext4), is not seen.
#[derive(Debug)]
pub struct NameProbe {
    parent: Dir,
    name: String,
    place: Option<Dir>,
}

impl NameProbe {
    /// A probe in a directory, or in the nearest one above it that is there: a target that is not there yet is not made.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn near(path: &Path) -> Result<Self, StorageError> {
        let existing = path
            .ancestors()
            .find(|path| path.is_dir())
            .unwrap_or(Path::new("."));
        let failed = |error| StorageError::io("try file names in", existing)(error);
        let parent = Dir::open_ambient_dir(existing, ambient_authority()).map_err(failed)?;
        let name = loop {
            let name = format!(".wb-names-{:08x}", part::unique());
            match parent.create_dir(&name) {
                Ok(()) => break name,
                // Another process took this name first.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        };
        // From here on it is removed, whatever happens.
        let mut probe = Self {
            parent,
            name,
            place: None,
        };
        probe.place = Some(probe.parent.open_dir(&probe.name).map_err(failed)?);
        Ok(probe)
    }

    /// Makes an empty file and the directories that it needs. Whether there was room: not where something that was made before
    /// is under the same name for this file system.
    ///
    /// # Errors
    /// [`StorageError::Io`], also for a name that this file system cannot hold.
    pub fn has_room(&mut self, name: &RelativePath) -> Result<bool, StorageError> {
        let Some(place) = &self.place else {
            return Ok(true);
        };
        let made = parent_of(name)
            .map_or(Ok(()), |parent| place.create_dir_all(parent))
            .and_then(|()| place.open_with(name.as_str(), OpenOptions::new().write(true).create_new(true)));
        match made {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(StorageError::io("try the file name", name.as_str())(error)),
        }
    }
}

impl Drop for NameProbe {
    fn drop(&mut self) {
        // An open directory cannot be removed on Windows.
        self.place = None;
        let _ = self.parent.remove_dir_all(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use wandb_core::path::safe_relative_path;

    use super::*;

    #[test]
    fn the_disk_decides_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("case"), "").unwrap();
        let folds = folder.path().join("CASE").exists();
        let mut probe = NameProbe::near(&folder.path().join("not/yet/there")).unwrap();
        let mut has_room = |name: &str| probe.has_room(&safe_relative_path(name).unwrap()).unwrap();
        assert!(has_room("d/a.txt"));
        assert_eq!(has_room("d/A.txt"), !folds);
        assert_eq!(has_room("D/a.txt"), !folds);
        assert!(has_room("D/b.txt"), "directories may become one");
        assert!(!has_room("d/a.txt"), "it is there");
        assert!(!has_room("d/a.txt/x"), "a file is no directory");
        assert!(!has_room("d"), "a directory is no file");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        drop(probe);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
