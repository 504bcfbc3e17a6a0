//! Config and summary documents.

use super::scan::{Kind, LenientError, Raw, members, unescape};
use super::strict::push_strict;

/// Keys of a config that are W&B's own.
const OWN_KEYS: [&str; 2] = ["_wandb", "wandb_version"];

/// The config as users mean it, as strict JSON: `{"lr":{"value":0.1,"desc":null}}` becomes `{"lr":0.1}`, and W&B's own
/// keys are gone. A value that is no wrapper is taken as it is. Unwraps once, as the official client does, so a setting
/// that is itself an object with a `value` survives in its wrapper.
///
/// # Errors
/// The text is not a JSON object.
pub(crate) fn unwrap_config(text: &str) -> Result<String, LenientError> {
    let mut out = String::with_capacity(text.len());
    out.push('{');
    for member in members(text)? {
        let (key, value) = member?;
        if OWN_KEYS.contains(&&*unescape(key)) {
            continue;
        }
        push_member(&mut out, key, wrapped(value)?.unwrap_or(value));
    }
    out.push('}');
    Ok(out)
}

/// What a config wrapper holds, if `value` is one.
fn wrapped(value: Raw<'_>) -> Result<Option<Raw<'_>>, LenientError> {
    if value.kind != Kind::Object {
        return Ok(None);
    }
    for member in members(value.text)? {
        let (key, inner) = member?;
        if key == "value" || unescape(key) == "value" {
            return Ok(Some(inner));
        }
    }
    Ok(None)
}

/// Appends a member to an object that is being written. The key is copied as it was written, unless an unpaired
/// surrogate in it would not be strict.
fn push_member(out: &mut String, key: &str, value: Raw<'_>) {
    if !out.ends_with('{') {
        out.push(',');
    }
    push_key(out, key);
    push_strict(out, value);
}

/// Appends a key as it was written in a checked text, and its colon.
fn push_key(out: &mut String, key: &str) {
    // Escapes are rare in keys, and only they can be unpaired surrogates.
    if key.contains("\\u") {
        super::project::push_quoted(out, &unescape(key));
    } else {
        out.push('"');
        out.push_str(key);
        out.push('"');
    }
    out.push(':');
}

/// The object restricted to `keys` at its top level, in its own order, text otherwise untouched (bare tokens stay).
/// Protocol §2.10: `config(keys:)` and `summaryMetrics(keys:)`.
///
/// # Errors
/// The text is not a JSON object.
pub(crate) fn select_keys(text: &str, keys: &[String]) -> Result<String, LenientError> {
    let mut out = String::from("{");
    for member in members(text)? {
        let (key, value) = member?;
        let name = unescape(key);
        if !keys.iter().any(|wanted| *wanted == name) {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        out.push('"');
        out.push_str(key);
        out.push_str("\":");
        out.push_str(value.text);
    }
    out.push('}');
    Ok(out)
}
