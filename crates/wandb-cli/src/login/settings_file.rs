//! Changing one key of a settings file (INI), leaving every other line as it is. Pure: text in, text out.

/// The text with `key` of `[section]` set to a value, or removed (`None`). A missing section is added at the end.
///
/// Names are matched as Python's `configparser` does: sections exactly, keys in any case, `=` or `:` after a key.
pub(crate) fn with_setting(text: &str, section: &str, key: &str, value: Option<&str>) -> String {
    let line = value.map(|value| format!("{key} = {value}\n"));
    let mut result = String::with_capacity(text.len() + 64);
    let mut inside = false;
    let mut written = line.is_none();
    // Where the line goes if the section has no such key: after the section's last line that says something.
    let mut end_of_section = None;
    let mut dropping_continuation = false;
    for old in text.split_inclusive('\n') {
        let trimmed = old.trim();
        let starts_indented = old.starts_with([' ', '\t']);
        if dropping_continuation && starts_indented && !trimmed.is_empty() {
            continue;
        }
        dropping_continuation = false;
        if let Some(name) = section_name(trimmed) {
            inside = name == section;
        } else if inside && key_of(trimmed).is_some_and(|name| name.eq_ignore_ascii_case(key)) {
            if let Some(line) = line.as_deref().filter(|_| !written) {
                result.push_str(line);
                written = true;
            }
            dropping_continuation = true;
            if inside {
                end_of_section = Some(result.len());
            }
            continue;
        }
        result.push_str(old);
        if inside && !trimmed.is_empty() {
            end_of_section = Some(result.len());
        }
    }
    let Some(line) = line.filter(|_| !written) else { return result };
    if let Some(at) = end_of_section {
        let lacks_break = !result[..at].ends_with('\n');
        result.insert_str(at, &if lacks_break { format!("\n{line}") } else { line });
        return result;
    }
    if !result.is_empty() {
        if !result.ends_with('\n') {
            result.push('\n');
        }
        result.push('\n');
    }
    result.push_str(&format!("[{section}]\n{line}"));
    result
}

fn section_name(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.split_once(']').map(|(name, _)| name)
}

fn key_of(line: &str) -> Option<&str> {
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (key, _) = line.split_once(['=', ':'])?;
    Some(key.trim())
}

#[cfg(test)]
mod tests {
    use super::with_setting;

    #[test]
    fn adds_changes_and_removes_one_key() {
        let url = Some("http://localhost:8080");
        assert_eq!(with_setting("", "default", "base_url", url), "[default]\nbase_url = http://localhost:8080\n");
        let before = "# mine\n[default]\nentity = team\nBASE_URL: old\n\n[work]\nbase_url = other\n";
        let after = with_setting(before, "default", "base_url", url);
        assert_eq!(
            after,
            "# mine\n[default]\nentity = team\nbase_url = http://localhost:8080\n\n[work]\nbase_url = other\n"
        );
        assert_eq!(with_setting(&after, "default", "base_url", url), after);
        assert_eq!(
            with_setting(&after, "default", "base_url", None),
            "# mine\n[default]\nentity = team\n\n[work]\nbase_url = other\n"
        );
    }

    #[test]
    fn keeps_blank_lines_and_missing_line_ends() {
        assert_eq!(
            with_setting("[default]\nentity = a\n\n[b]\nx = 1", "default", "base_url", Some("u")),
            "[default]\nentity = a\nbase_url = u\n\n[b]\nx = 1"
        );
        assert_eq!(with_setting("[default]", "default", "k", Some("v")), "[default]\nk = v\n");
        assert_eq!(with_setting("[a]\nx = 1", "b", "k", Some("v")), "[a]\nx = 1\n\n[b]\nk = v\n");
    }

    #[test]
    fn a_value_of_several_lines_goes_as_a_whole() {
        assert_eq!(
            with_setting("[default]\nkey = a\n  b\n  c\nother = 1\n", "default", "key", Some("v")),
            "[default]\nkey = v\nother = 1\n"
        );
    }
}
