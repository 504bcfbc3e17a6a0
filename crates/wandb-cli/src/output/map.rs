//! An object whose keys are data: a run's metadata, a medium.

use wandb_api::value::Map;

use super::field::{csv_value, write_entries};
use super::{Format, csv, json};

/// The object in a format that is not for people; CSV has its keys as the header and its values as the one line.
pub(crate) fn rendered(map: &Map, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    if format == Format::Csv {
        csv::write_line(&mut out, map.keys());
        let cells: Vec<_> = map.iter().map(|(_, value)| csv_value(value)).collect();
        csv::write_line(&mut out, cells.iter().map(|cell| &**cell));
        return out;
    }
    write_entries(&mut out, map.iter());
    if format != Format::Jsonl {
        out = json::indented(&out);
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use wandb_api::Value;

    use super::*;

    #[test]
    fn each_format_has_the_whole_object() {
        let value = Value::parse(r#"{"program":"train.py","args":["-v"],"gpu":null}"#).unwrap();
        let text = |format| String::from_utf8(rendered(value.as_map().unwrap(), format)).unwrap();
        assert_eq!(
            text(Format::Jsonl),
            "{\"program\":\"train.py\",\"args\":[\"-v\"],\"gpu\":null}\n"
        );
        assert_eq!(
            text(Format::Csv),
            "program,args,gpu\ntrain.py,\"[\"\"-v\"\"]\",null\n"
        );
        assert!(text(Format::Json).starts_with("{\n  \"program\""));
    }
}
