//! Where settings and credentials lie, as a function of environment, home and current directory.
//!
//! Nothing is opened or looked for here: where the official client takes the first file that exists, all candidates are
//! given in order.

use std::path::{Path, PathBuf};

/// Where the files are that settings come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsFiles {
    /// The user's settings: `$WANDB_CONFIG_DIR/settings` or `~/.config/wandb/settings`. `None` without a home.
    pub user_settings: Option<PathBuf>,
    /// The profiles of `wb`, beside the user's settings, in a file of their own: the official client keeps only the
    /// `[default]` section when it writes a settings file.
    pub profiles: Option<PathBuf>,
    /// The project's settings: `.wandb/settings` counts if the directory `.wandb` exists, else `wandb/settings`; both
    /// under `$WANDB_DIR` or the current directory.
    pub project_settings: [PathBuf; 2],
    /// The netrc files: `$NETRC` alone, or `~/.netrc` and `~/_netrc`, of which the first that exists counts. A new one
    /// is written as the first of them. Empty without a home.
    pub netrc: Vec<PathBuf>,
    /// The cache of access tokens: `~/.config/wandb/credentials.json`. The setting `credentials_file` takes precedence.
    pub credentials: Option<PathBuf>,
    /// The directory above the artifact cache, shared with the official client: `wandb` in the platform's cache directory
    /// (`$XDG_CACHE_HOME`, else `~/.cache`; `~/Library/Caches`; `%LOCALAPPDATA%`). The setting `cache_dir` takes precedence.
    pub artifact_cache: Option<PathBuf>,
}

impl SettingsFiles {
    /// The places, from environment variables, the user's home directory (if there is one) and the current directory.
    pub fn locations<'a>(
        environment: impl IntoIterator<Item = (&'a str, &'a str)>,
        home: Option<&Path>,
        current_directory: &Path,
    ) -> Self {
        let (mut config_directory, mut root, mut netrc, mut caches) = (None, None, None, None);
        for (name, value) in environment.into_iter().filter(|(_, value)| !value.is_empty()) {
            match name {
                "WANDB_CONFIG_DIR" => config_directory = Some(expand(value, home)),
                "WANDB_DIR" => root = Some(expand(value, home)),
                "NETRC" => netrc = Some(expand(value, home)),
                // As platformdirs has it, which the official client asks. The specification wants an absolute path.
                "XDG_CACHE_HOME" if cfg!(not(any(windows, target_os = "macos"))) => {
                    caches = Some(PathBuf::from(value)).filter(|path| path.is_absolute());
                }
                "LOCALAPPDATA" if cfg!(windows) => caches = Some(PathBuf::from(value).join("wandb")),
                _ => {}
            }
        }
        let default_directory = home.map(|home| home.join(".config").join("wandb"));
        let config_directory = config_directory.or_else(|| default_directory.clone());
        let root = root.map_or_else(
            || current_directory.to_path_buf(),
            |root| current_directory.join(root),
        );
        let artifact_cache = if cfg!(windows) {
            caches.map(|caches| caches.join("wandb").join("Cache"))
        } else {
            let of_home = if cfg!(target_os = "macos") {
                "Library/Caches"
            } else {
                ".cache"
            };
            let caches = caches.or_else(|| home.map(|home| home.join(of_home)));
            caches.map(|caches| caches.join("wandb"))
        };
        let home_netrc = || {
            let mut names = [".netrc", "_netrc"];
            if cfg!(windows) {
                names.reverse();
            }
            home.map(|home| names.map(|name| home.join(name)).to_vec())
                .unwrap_or_default()
        };
        Self {
            user_settings: config_directory
                .as_ref()
                .map(|directory| directory.join("settings")),
            profiles: config_directory.map(|directory| directory.join("profiles")),
            project_settings: [".wandb", "wandb"].map(|name| root.join(name).join("settings")),
            netrc: netrc.map_or_else(home_netrc, |path| vec![path]),
            credentials: default_directory.map(|directory| directory.join("credentials.json")),
            artifact_cache,
        }
    }
}

/// `~` and `~/…` are the home directory, as in Python's `expanduser`. Other users' homes are not known here.
pub(super) fn expand(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.to_path_buf(),
        (Some(rest), Some(home)) if rest.starts_with(['/', std::path::MAIN_SEPARATOR]) => {
            home.join(&rest[1..])
        }
        _ => PathBuf::from(path),
    }
}
