//! Commands as a reader can type them.

use std::path::{Path, PathBuf};

/// `word` as one word of a POSIX shell.
pub(crate) fn quote(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./=:,+@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// How this program can be called from here: `wb` if that is what the search path finds, else the path to it.
pub(crate) fn program_name() -> String {
    let Ok(program) = std::env::current_exe() else {
        return "wb".to_owned();
    };
    let search = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&search).any(|dir| is_same(&dir.join("wb"), &program)) {
        return "wb".to_owned();
    }
    let here = std::env::current_dir().ok();
    let shorter = here.and_then(|here| Some(Path::new(".").join(program.strip_prefix(here).ok()?)));
    quote(&shorter.unwrap_or(program).display().to_string())
}

fn is_same(left: &Path, right: &Path) -> bool {
    let resolved = |path: &Path| -> Option<PathBuf> { path.canonicalize().ok() };
    resolved(left).is_some_and(|left| Some(left) == resolved(right))
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        assert_eq!(quote("run"), "run");
        assert_eq!(quote("local/sample"), "local/sample");
        assert_eq!(quote("state = \"x\""), "'state = \"x\"'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("~/x"), "'~/x'");
    }
}
