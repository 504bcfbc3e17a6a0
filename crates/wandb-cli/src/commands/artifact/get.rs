//! `wb artifact get`: a table as rows, other media as an object, a file as its path.

use std::io::Write;

use wandb_api::Artifact;
use wandb_api::Value;
use wandb_api::artifact::ArtifactDownloadOptions;
use wandb_api::artifacts::media::{Media, MediaFile, Table};
use wandb_api::value::Map;

use crate::cli::ArtifactGetArgs;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::Format;
use crate::output::csv;
use crate::output::field::{Field, display_value, write_entries};
use crate::output::json;
use crate::output::table::{Cell, Column, Table as Lines};

/// Shows one entry.
pub(super) async fn get(context: &mut Context, arguments: &ArtifactGetArgs) -> CommandResult {
    let connection = context.connect().await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    match artifact.get(&arguments.entry).await? {
        Some(media) => show(context, media).await,
        None => file(context, &artifact, &arguments.entry).await,
    }
}

/// A file that is no medium: downloaded, and its place told.
async fn file(context: &mut Context, artifact: &Artifact, entry: &str) -> CommandResult {
    if artifact.manifest().await?.get(entry).is_none() {
        let name = artifact.exact_name();
        return Err(
            Failure::new(ExitStatus::NotFound, format!("{name} has no entry \"{entry}\""))
                .hint(format!("`wb artifact manifest {name}` lists the entries")),
        );
    }
    let path = artifact
        .download_entry(entry, &ArtifactDownloadOptions::default())
        .await?;
    let mut object = Map::new();
    object.insert("type", "file");
    object.insert("path", path.display().to_string());
    write_object(context, &object)
}

async fn show(context: &mut Context, media: Media) -> CommandResult {
    let broken = wandb_api::Error::from;
    let object = match media {
        Media::Table(table) => return write_table(context, &table),
        Media::PartitionedTable(parts) => return write_table(context, &parts.read().await.map_err(broken)?),
        Media::TableFile(file) => return write_table(context, &file.read().await.map_err(broken)?),
        Media::TableReference(reference) => {
            let table = reference
                .open()
                .await
                .map_err(broken)?
                .into_table()
                .await
                .map_err(broken)?;
            return write_table(context, &table);
        }
        Media::Image(image) => {
            let mut object = with_file("image", &image.file).await?;
            set(&mut object, "format", image.format.map(Value::from));
            set(&mut object, "width", image.width.map(number));
            set(&mut object, "height", image.height.map(number));
            set(&mut object, "caption", image.caption.map(Value::from));
            object.insert("boxes", names(image.boxes.iter().map(|(name, _)| name.as_str())));
            object.insert("masks", names(image.masks.iter().map(|(name, _)| name.as_str())));
            object
        }
        Media::Mask(mask) => with_file("mask", &mask.file).await?,
        Media::Video(video) => {
            let mut object = with_file("video", &video.file).await?;
            set(&mut object, "width", video.width.map(number));
            set(&mut object, "height", video.height.map(number));
            set(&mut object, "caption", video.caption.map(Value::from));
            object
        }
        Media::Audio(file) => captioned("audio", file.file, file.caption).await?,
        Media::Html(file) => captioned("html", file.file, file.caption).await?,
        Media::Object3d(file) => captioned("object3D", file.file, file.caption).await?,
        Media::Molecule(file) => captioned("molecule", file.file, file.caption).await?,
        Media::Bokeh(file) => captioned("bokeh", file.file, file.caption).await?,
        Media::Plotly(file) => captioned("plotly", file.file, file.caption).await?,
        Media::SavedModel(model) => {
            let mut object = typed("saved-model");
            let files = model.files().await.map_err(broken)?;
            let places = files
                .into_iter()
                .map(|(_, place)| Value::from(place.display().to_string()));
            object.insert("files", Value::List(places.collect()));
            object
        }
        Media::Graph(value) => valued("graph", value),
        Media::TraceTree(value) => valued("trace-tree", value),
        Media::Unknown { kind, value, .. } => valued(&kind, value),
        other => {
            return Err(Failure::new(
                ExitStatus::Failed,
                format!("{} has no form on the command line", kind_of(&other)),
            )
            .hint("the library reads it: Artifact::get"));
        }
    };
    write_object(context, &object)
}

fn kind_of(media: &Media) -> &'static str {
    match media {
        Media::JoinedTable(_) => "a joined table",
        Media::BoundingBoxes(_) => "a list of boxes",
        Media::Classes(_) => "a list of classes",
        Media::Histogram(_) => "a histogram",
        Media::List(_) => "a list of media",
        _ => "this medium",
    }
}

fn typed(kind: &str) -> Map {
    let mut object = Map::new();
    object.insert("type", kind);
    object
}

fn valued(kind: &str, value: Value) -> Map {
    let mut object = typed(kind);
    object.insert("value", value);
    object
}

async fn with_file(kind: &str, file: &MediaFile) -> CommandResult<Map> {
    let mut object = typed(kind);
    let path = file.local_path().await.map_err(wandb_api::Error::from)?;
    object.insert("path", path.display().to_string());
    let size = std::fs::metadata(&path)
        .map_err(|error| Failure::io(format!("look at \"{}\"", path.display()), error))?;
    object.insert("size", number(size.len()));
    set(&mut object, "sha256", file.sha256().map(Value::from));
    Ok(object)
}

async fn captioned(kind: &str, file: MediaFile, caption: Option<String>) -> CommandResult<Map> {
    let mut object = with_file(kind, &file).await?;
    set(&mut object, "caption", caption.map(Value::from));
    Ok(object)
}

fn set(object: &mut Map, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(key, value);
    }
}

fn number(count: u64) -> Value {
    Value::from(i64::try_from(count).unwrap_or(i64::MAX))
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    Value::List(names.map(Value::from).collect())
}

fn write_object(context: &mut Context, object: &Map) -> CommandResult {
    match context.format() {
        Format::Table => {
            // A path is what most want to go on with.
            let line = match object.get("path").or_else(|| object.get("value")) {
                Some(value) => display_value(value),
                None => display_value(&Value::Map(object.clone())),
            };
            context.out.write_all(format!("{line}\n").as_bytes())?;
        }
        Format::Csv => {
            return Err(Failure::usage("this entry has no CSV form").hint("give --output json"));
        }
        Format::Json | Format::Jsonl => {
            let mut buffer = Vec::new();
            write_entries(&mut buffer, object.iter());
            if context.format() == Format::Json {
                buffer = json::indented(&buffer);
            }
            buffer.push(b'\n');
            context.out.write_all(&buffer)?;
        }
    }
    Ok(context.out.flush()?)
}

/// A table: rows as objects in JSON lines, rows as lists beside the columns in JSON, lines in CSV and for people.
fn write_table(context: &mut Context, table: &Table) -> CommandResult {
    let missing = table.missing_increments();
    if !missing.is_empty() {
        context
            .ui
            .warn("the table is incomplete: some of its increments are not in this version");
    }
    let columns: Vec<&str> = table.columns().iter().map(|column| column.name()).collect();
    match context.format() {
        Format::Table => {
            let titles = columns
                .iter()
                .map(|name| Column::value((*name).to_owned()))
                .collect();
            let mut lines = Lines::new(titles, context.screen.style, context.screen.width);
            for row in table.rows() {
                let cells = row
                    .to_values()
                    .iter()
                    .map(|value| Cell::new(display_value(value)))
                    .collect();
                lines.row(&mut context.out, cells)?;
            }
            let hidden = lines.finish(&mut context.out)?;
            context.out.flush()?;
            context.tell_count(table.len() as u64, "row");
            context.tell_hidden(hidden);
            return Ok(());
        }
        Format::Csv => {
            let mut line = Vec::new();
            csv::write_line(&mut line, columns.iter().copied());
            context.out.write_all(&line)?;
            for row in table.rows() {
                line.clear();
                let values = row.to_values();
                let texts: Vec<_> = values
                    .iter()
                    .map(|value| Field::Value(value).csv_text().into_owned())
                    .collect();
                csv::write_line(&mut line, texts.iter().map(String::as_str));
                context.out.write_all(&line)?;
            }
        }
        Format::Jsonl => {
            let mut line = Vec::new();
            for row in table.rows() {
                line.clear();
                let values = row.to_values();
                write_entries(&mut line, columns.iter().copied().zip(&values));
                line.push(b'\n');
                context.out.write_all(&line)?;
            }
        }
        Format::Json => {
            let mut text = b"{\"type\":\"table\",\"columns\":".to_vec();
            names(columns.iter().copied()).write_json(&mut text);
            text.extend_from_slice(b",\"rows\":[");
            for (index, row) in table.rows().enumerate() {
                text.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
                Value::List(row.to_values()).write_json(&mut text);
                context.out.write_all(&text)?;
                text.clear();
            }
            text.extend_from_slice(b"\n]}\n");
            context.out.write_all(&text)?;
        }
    }
    Ok(context.out.flush()?)
}
