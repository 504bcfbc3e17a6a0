//! Which keys a scan is for.

/// Which rows a scan gives, and which keys of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyChoice {
    /// Every row, with every key.
    Everything,
    /// Rows that have all of the keys, with `_step` and these (official: `scan_history(keys=…)` of 2020).
    All(Vec<String>),
    /// Rows that have at least one of the keys, with `_step` and those that they have: an outer join on the step.
    Any(Vec<String>),
}

impl KeyChoice {
    pub(super) fn keys(&self) -> &[String] {
        match self {
            Self::Everything => &[],
            Self::All(keys) | Self::Any(keys) => keys,
        }
    }
}

/// The keys without repetition and without the step, which every row carries.
pub(super) fn tidy<S: Into<String>>(keys: impl IntoIterator<Item = S>) -> Vec<String> {
    let mut tidy: Vec<String> = Vec::new();
    for key in keys {
        let key = key.into();
        if key != "_step" && !tidy.contains(&key) {
            tidy.push(key);
        }
    }
    tidy
}
