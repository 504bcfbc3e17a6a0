//! From a name to the entry that holds its object: the rule of the official `Artifact.get`, in one look at the manifest.

use super::{Context, MediaError};

/// What stands before `.json` in the entries of media objects (inventory §7), which is also their `_type`.
pub(super) const KINDS: &[&str] = &[
    "table",
    "eval-table",
    "joined-table",
    "partitioned-table",
    "image-file",
    "classes",
    "bounding-boxes",
    "mask",
    "audio-file",
    "video-file",
    "html-file",
    "object3D-file",
    "molecule-file",
    "bokeh-file",
    "plotly-file",
    "histogram",
    "graph-file",
    "wb_trace_tree",
    "pytorch-model-file",
    "sklearn-model-file",
    "tfkeras-model-file",
];

/// The kind that the path of an entry ends in.
pub(super) fn kind_of(path: &str) -> Option<&'static str> {
    let stem = path.strip_suffix(".json")?;
    KINDS.iter().copied().find(|kind| {
        stem.strip_suffix(kind)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', '/']))
    })
}

/// Whether a path ends in `<something>.json`, so that it can hold an object of a kind that is not known here.
fn may_be_new_kind(path: &str) -> bool {
    path.strip_suffix(".json")
        .is_some_and(|stem| stem.rsplit('/').next().is_some_and(|name| name.contains('.')))
}

/// What a name leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// An entry of a known kind.
    Entry(String),
    /// An entry that may hold an object of a kind that is not known here; its `_type` decides.
    Perhaps(String),
}

/// The entry that a name means.
///
/// The official rule: `<name>.<kind>.json`, or the name as it is when it ends so already. Beyond it, a name may lack only
/// the `.json`.
pub(super) async fn find(context: &Context, name: &str) -> Result<Found, MediaError> {
    let failed = |source| super::context::read_failed(name, source);
    let reader = context.reader();
    let exact = name.ends_with(".json") && reader.entry(name).await.map_err(failed)?.is_some();
    if exact && kind_of(name).is_some() {
        return Ok(Found::Entry(name.to_owned()));
    }
    let names = reader
        .names_with_prefix(&format!("{name}."))
        .await
        .map_err(failed)?;
    Ok(match choose(name, names)? {
        Found::Entry(path) => Found::Entry(path),
        _ if exact && may_be_new_kind(name) => Found::Perhaps(name.to_owned()),
        other => other,
    })
}

/// The entry that a name means, among those that begin with the name and a dot.
fn choose(name: &str, mut names: Vec<String>) -> Result<Found, MediaError> {
    // `name.kind.json`, or `name.json` where the name ends in a kind.
    let direct = |path: &str| {
        let rest = path
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('.'))
            .unwrap_or_default();
        let new_part = rest.strip_suffix(".json");
        rest == "json" || new_part.is_some_and(|part| !part.is_empty() && !part.contains(['.', '/']))
    };
    names.retain(|path| direct(path));
    let mut known: Vec<String> = names
        .iter()
        .filter(|path| kind_of(path).is_some())
        .cloned()
        .collect();
    known.sort_unstable();
    known.dedup();
    if known.len() > 1 {
        return Err(MediaError::Ambiguous {
            name: name.to_owned(),
            candidates: known,
        });
    }
    if let Some(path) = known.pop() {
        return Ok(Found::Entry(path));
    }
    names.retain(|path| may_be_new_kind(path));
    Ok(match <[String; 1]>::try_from(names) {
        Ok([path]) => Found::Perhaps(path),
        Err(_) => Found::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(name: &str, names: &[&str]) -> Result<Found, MediaError> {
        choose(name, names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn a_kind_is_a_whole_word_at_the_end() {
        assert_eq!(kind_of("t.table.json"), Some("table"));
        assert_eq!(kind_of("a/b/x.joined-table.json"), Some("joined-table"));
        assert_eq!(kind_of("x.eval-table.json"), Some("eval-table"));
        assert_eq!(kind_of("dir/table.json"), Some("table"));
        assert_eq!(kind_of("timetable.json"), None);
        assert_eq!(kind_of("t.table"), None);
        assert_eq!(kind_of("é.json"), None);
    }

    #[test]
    fn a_name_means_the_entry_with_a_kind_behind_it() {
        let names = [
            "t.table.json",
            "t.table.json.bak",
            "t.png",
            "t.x.image-file.json",
            "t.d/e.table.json",
        ];
        assert_eq!(among("t", &names).unwrap(), Found::Entry("t.table.json".into()));
        assert_eq!(
            among("t.table", &names).unwrap(),
            Found::Entry("t.table.json".into())
        );
        assert_eq!(
            among("t.x", &names).unwrap(),
            Found::Entry("t.x.image-file.json".into())
        );
        assert_eq!(among("u", &names).unwrap(), Found::Nothing);
    }

    #[test]
    fn two_kinds_under_one_name_are_listed() {
        let error = among("t", &["t.table.json", "t.image-file.json"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#""t" can be any of t.image-file.json, t.table.json"#
        );
    }

    #[test]
    fn an_unknown_kind_is_worth_a_look_when_it_is_the_only_one() {
        assert_eq!(
            among("t", &["t.hologram.json"]).unwrap(),
            Found::Perhaps("t.hologram.json".into())
        );
        assert_eq!(
            among("t", &["t.hologram.json", "t.table.json"]).unwrap(),
            Found::Entry("t.table.json".into())
        );
        assert_eq!(among("t", &["t.a.json", "t.b.json"]).unwrap(), Found::Nothing);
        assert_eq!(among("config", &["config.json"]).unwrap(), Found::Nothing);
    }
}
