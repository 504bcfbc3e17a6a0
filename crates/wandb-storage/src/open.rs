//! Opening files that are not ours.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

/// Opens an ordinary file that somebody else named, for reading. Symbolic links are followed.
///
/// What it is is looked at before it is opened, and never waited for: opening a pipe waits for a writer, perhaps for ever, and
/// opening a device may do something.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for anything but an ordinary file, else as [`File::open`].
pub fn open_ordinary(path: impl AsRef<Path>) -> io::Result<File> {
    let path = path.as_ref();
    let is_ordinary = |facts: fs::Metadata| {
        if facts.is_file() {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not an ordinary file",
        ))
    };
    is_ordinary(fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A pipe may have taken its place since. Of no effect on ordinary files.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    is_ordinary(file.metadata()?)?;
    Ok(file)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{io::Read, process::Command};

    use super::*;

    #[test]
    fn only_ordinary_files_are_opened_and_pipes_are_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, pipe) = (
            folder.path().join("file"),
            folder.path().join("link"),
            folder.path().join("pipe"),
        );
        fs::write(&file, "abc").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [&file, &link] {
            let mut text = String::new();
            open_ordinary(path).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "abc");
        }
        for path in [&*pipe, folder.path(), Path::new("/dev/null")] {
            assert_eq!(
                open_ordinary(path).unwrap_err().kind(),
                io::ErrorKind::InvalidInput,
                "{path:?}"
            );
        }
        assert_eq!(
            open_ordinary(folder.path().join("none")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
