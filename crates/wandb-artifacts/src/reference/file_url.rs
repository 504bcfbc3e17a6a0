//! `file://` addresses.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What would end the path of a URL, or change it when it is decoded.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'?')
    .add(b'#')
    .add(b'"')
    .add(b'<')
    .add(b'>');

/// The local path of a `file://` address. `None` when it names another host, or is no such address.
///
/// The official client writes `file://` and the path as it is, and other programs encode it; the path as it is wins when
/// something is there.
#[must_use]
pub fn path_of_file_url(address: &str) -> Option<PathBuf> {
    let (scheme, rest) = address.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("file") {
        return None;
    }
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    let plain = local(rest)?;
    if plain.exists() || !rest.contains('%') {
        return Some(plain);
    }
    let decoded = percent_decode_str(rest).decode_utf8().ok()?;
    local(&decoded)
}

fn local(path: &str) -> Option<PathBuf> {
    if !path.starts_with('/') {
        return None;
    }
    // `/C:/data` is a path with a drive.
    let path = if cfg!(windows) { &path[1..] } else { path };
    Some(PathBuf::from(path))
}

/// The address of a local path, which must be absolute. `None` when it is not, or is not Unicode.
#[must_use]
pub fn file_url_of(path: &Path) -> Option<String> {
    if !path.is_absolute() {
        return None;
    }
    let text = path.to_str()?;
    let text = if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.to_owned()
    };
    let slash = if text.starts_with('/') { "" } else { "/" };
    Some(format!("file://{slash}{}", utf8_percent_encode(&text, RESERVED)))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_and_addresses() {
        for (address, path) in [
            ("file:///data/x", Some("/data/x")),
            ("FILE://localhost/data/x", Some("/data/x")),
            ("file:///data/a%20b", Some("/data/a b")),
            ("file://host/x", None),
            ("file:/x", None),
            ("http:///x", None),
        ] {
            assert_eq!(
                path_of_file_url(address).as_deref(),
                path.map(Path::new),
                "{address}"
            );
        }
        let path = Path::new("/none/a b#c%é?");
        assert_eq!(path_of_file_url(&file_url_of(path).unwrap()).unwrap(), path);
        assert_eq!(file_url_of(Path::new("relative")), None);
    }
}
