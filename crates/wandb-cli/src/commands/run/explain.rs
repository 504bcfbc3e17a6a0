//! `wb run list --explain`: what would be asked, without asking for runs.

use std::io::Write;

use wandb_api::Api;
use wandb_api::filter::Filter;
use wandb_api::order::Order;

use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::Format;
use crate::output::field::{Field, write_object};
use crate::output::{csv, json};

/// Prints the filter as text, what of it is sent, what is checked on this side, the order, and what the reader may not
/// expect.
pub(super) async fn print(
    context: &mut Context,
    api: &Api,
    filter: Option<&Filter>,
    order: Option<&Order>,
) -> CommandResult {
    let everything = Filter::everything();
    let explanation = api.explain(filter.unwrap_or(&everything)).await?;
    let order = order.cloned().unwrap_or_default().to_string();
    let mut text = Vec::new();
    match context.format() {
        Format::Table => writeln!(text, "{explanation}\norder: {order}")?,
        format => {
            let reasons: Vec<String> = explanation
                .conditions()
                .iter()
                .filter_map(|explained| {
                    Some(format!("{}: {}", explained.condition, explained.local_because?))
                })
                .chain(explanation.notes().iter().cloned())
                .collect();
            let local = (!explanation.is_server_only()).then(|| explanation.local_part().to_string());
            let fields = [
                ("filter", Field::owned(explanation.filter().to_string())),
                ("sent", Field::owned(explanation.server_part().to_mongo_text())),
                ("checked_locally", local.map_or(Field::Null, Field::owned)),
                ("order", Field::text(&order)),
                ("notes", Field::texts(&reasons)),
            ];
            if format == Format::Csv {
                csv::write_line(&mut text, fields.iter().map(|(name, _)| *name));
                let cells: Vec<_> = fields.iter().map(|(_, field)| field.csv_text()).collect();
                csv::write_line(&mut text, cells.iter().map(|cell| &**cell));
            } else {
                write_object(&mut text, &fields);
                if format == Format::Json {
                    text = json::indented(&text);
                }
                text.push(b'\n');
            }
        }
    }
    context.out.write_all(&text)?;
    Ok(context.out.flush()?)
}
