//! `wb run metadata`.

use std::io::Write;

use wandb_api::value::Map;

use crate::cli::RunMetadataArgs;
use crate::commands::details::Details;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::field::{csv_value, display_value, write_entries};
use crate::output::{Format, csv, json};

/// Shows what the process noted about itself.
pub(super) async fn metadata(context: &mut Context, arguments: &RunMetadataArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let path = run.run_path().to_string();
    let metadata = run.metadata().await?.ok_or_else(|| {
        let what = format!("run {path} has no metadata");
        Failure::new(ExitStatus::NotFound, what).hint("the official SDK writes it as wandb-metadata.json")
    })?;
    if context.format() == Format::Table {
        let mut details = Details::new(&path, context.screen);
        for (key, value) in metadata.iter() {
            details.line(key, &display_value(value));
        }
        context.out.write_all(details.render().as_bytes())?;
    } else {
        let written = rendered(&metadata, context.format());
        context.out.write_all(&written)?;
    }
    Ok(context.out.flush()?)
}

/// The object in a format that is not for people.
fn rendered(metadata: &Map, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    if format == Format::Csv {
        csv::write_line(&mut out, metadata.keys());
        let cells: Vec<_> = metadata.iter().map(|(_, value)| csv_value(value)).collect();
        csv::write_line(&mut out, cells.iter().map(|cell| &**cell));
        return out;
    }
    write_entries(&mut out, metadata.iter());
    if format == Format::Json {
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
