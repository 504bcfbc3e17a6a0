//! CSV as RFC 4180 has it, with `\n` line ends.

/// Appends one cell, quoted where it must be.
pub(crate) fn write_cell(out: &mut Vec<u8>, text: &str) {
    let plain = text
        .bytes()
        .all(|byte| !matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    let spaced = text.starts_with([' ', '\t']) || text.ends_with([' ', '\t']);
    if plain && !spaced {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Appends one line.
pub(crate) fn write_line<'a>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a str>) {
    let start = out.len();
    let mut count = 0_usize;
    for cell in cells {
        if count > 0 {
            out.push(b',');
        }
        write_cell(out, cell);
        count += 1;
    }
    // One empty cell would be an empty line, which readers skip.
    if count == 1 && out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(cells: &[&str]) -> String {
        let mut out = Vec::new();
        write_line(&mut out, cells.iter().copied());
        String::from_utf8(out).unwrap()
    }

    /// A reader of one record, written from the RFC, to check the writer against.
    fn read(text: &str) -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        let mut characters = text.strip_suffix('\n').unwrap().chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '"' if quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    cells.last_mut().unwrap().push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                other => cells.last_mut().unwrap().push(other),
            }
        }
        cells
    }

    #[test]
    fn quotes_only_where_needed() {
        assert_eq!(line(&["a", "b c", ""]), "a,b c,\n");
        assert_eq!(
            line(&["a,b", "say \"x\"", "two\nlines"]),
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\n"
        );
        assert_eq!(line(&[""]), "\"\"\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn what_is_written_is_read_back(cells in proptest::collection::vec("[a-z,\" \n\r\t]{0,8}", 1..6)) {
            let borrowed: Vec<&str> = cells.iter().map(String::as_str).collect();
            prop_assert_eq!(read(&line(&borrowed)), cells);
        }
    }
}
