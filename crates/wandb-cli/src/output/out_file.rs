//! A result file that appears under its name only when it is whole.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};

/// A file that is being written beside its final name. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct OutFile {
    path: PathBuf,
    replace: bool,
    writer: BufWriter<NamedTempFile>,
}

impl OutFile {
    /// Prepares the file. An existing target is refused before any work is done, unless it may be replaced.
    pub(crate) fn create(path: &Path, replace: bool) -> CommandResult<Self> {
        if !replace && fs::symlink_metadata(path).is_ok() {
            return Err(exists(path));
        }
        if path.is_dir() {
            return Err(Failure::usage(format!(
                "\"{}\" is a directory, not a file",
                path.display()
            )));
        }
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".wb-").suffix(".part");
        // The result is an ordinary file of the user's, so it gets ordinary permissions (the umask is applied).
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(parent).map_err(|error| {
            Failure::io(
                format!("create a file in \"{}\"", parent.display()),
                cause(&error),
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            replace,
            writer: BufWriter::with_capacity(256 * 1024, file),
        })
    }

    /// Makes a failed write say which file it was.
    pub(crate) fn failed(&self, error: io::Error) -> Failure {
        Failure::io(format!("write \"{}\"", self.path.display()), error)
    }

    /// Gives the file its name, after its bytes are on the disk. Returns its size in bytes.
    pub(crate) fn publish(self) -> CommandResult<u64> {
        let Self {
            path,
            replace,
            writer,
        } = self;
        let failed = |error| Failure::io(format!("write \"{}\"", path.display()), error);
        let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        let size = file.as_file().metadata().map_err(failed)?.len();
        let published = if replace {
            file.persist(&path)
        } else {
            file.persist_noclobber(&path)
        };
        match published {
            Ok(_) => Ok(size),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&path)),
            Err(error) => Err(failed(error.error)),
        }
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn exists(path: &Path) -> Failure {
    Failure::new(
        ExitStatus::Conflict,
        format!("\"{}\" exists already", path.display()),
    )
    .hint("choose another name, or give --replace")
}

/// tempfile wraps the error of the system in one that names the temporary file, which tells the reader nothing.
pub(crate) fn cause(error: &io::Error) -> io::Error {
    io::Error::from(error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let mut file = OutFile::create(&path, false).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert!(names(dir.path()).is_empty());

        let mut file = OutFile::create(&path, false).unwrap();
        file.write_all(b"whole").unwrap();
        assert_eq!(file.publish().unwrap(), 5);
        assert_eq!(names(dir.path()), ["rows.jsonl"]);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn an_existing_target_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.csv");
        let late = OutFile::create(&path, false).unwrap();
        fs::write(&path, "old").unwrap();
        assert_eq!(
            OutFile::create(&path, false).unwrap_err().status(),
            ExitStatus::Conflict
        );
        assert_eq!(
            late.publish().unwrap_err().status(),
            ExitStatus::Conflict,
            "also if it appears in between"
        );
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let file = OutFile::create(&path, true).unwrap();
        file.publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(names(dir.path()), ["rows.csv"]);
    }

    #[test]
    fn a_missing_directory_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let failure = OutFile::create(&dir.path().join("no/such/rows.csv"), false).unwrap_err();
        assert_eq!(failure.status(), ExitStatus::Failed);
    }
}
