//! Media that are no tables, as JSON objects under the names that W&B itself gives their members.

use std::future::Future;
use std::pin::Pin;

use wandb_api::Value;
use wandb_api::artifacts::media::{
    BoundingBox, BoundingBoxes, BoxDomain, BoxPosition, Classes, Histogram, Image, Media, MediaFile,
    SavedModel,
};
use wandb_api::value::Map;

use super::sheet::Sheet;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};

fn broken(error: wandb_api::artifacts::media::MediaError) -> Failure {
    wandb_api::Error::from(error).into()
}

/// The object of a medium; its files are downloaded. Boxed, since a list of media holds media.
pub(super) fn of(media: Media) -> Pin<Box<dyn Future<Output = CommandResult<Map>> + Send>> {
    Box::pin(async move {
        Ok(match media {
            Media::Image(image) => image_object(image).await?,
            Media::Mask(mask) => with_file("mask", &mask.file).await?,
            Media::Video(video) => {
                let mut object = captioned("video", &video.file, video.caption).await?;
                set(&mut object, "width", video.width.map(number));
                set(&mut object, "height", video.height.map(number));
                object
            }
            Media::Audio(media) => captioned("audio", &media.file, media.caption).await?,
            Media::Html(media) => captioned("html", &media.file, media.caption).await?,
            Media::Object3d(media) => captioned("object3D", &media.file, media.caption).await?,
            Media::Molecule(media) => captioned("molecule", &media.file, media.caption).await?,
            Media::Bokeh(media) => captioned("bokeh", &media.file, media.caption).await?,
            Media::Plotly(media) => captioned("plotly", &media.file, media.caption).await?,
            Media::BoundingBoxes(boxes) => {
                let mut object = typed("bounding-boxes");
                object.insert("box_data", box_list(&boxes));
                if !boxes.labels().is_empty() {
                    let labels = boxes.labels().iter();
                    let labels: Map = labels
                        .map(|(id, name)| (id.to_string(), Value::from(name.as_str())))
                        .collect();
                    object.insert("class_labels", Value::Map(labels));
                }
                object
            }
            Media::Classes(classes) => {
                let mut object = typed("classes");
                object.insert("class_set", class_list(&classes));
                object
            }
            Media::Histogram(histogram) => histogram_object(&histogram),
            Media::Graph(value) => valued("graph", value),
            Media::TraceTree(value) => valued("trace-tree", value),
            Media::SavedModel(model) => model_object(&model).await?,
            Media::List(items) => {
                let mut objects = Vec::with_capacity(items.len());
                for item in items {
                    objects.push(Value::Map(of(item).await?));
                }
                let mut object = typed("list");
                object.insert("items", Value::List(objects));
                object
            }
            Media::Unknown { kind, value, .. } => valued(&kind, value),
            table => table_object(table).await?,
        })
    })
}

/// A table inside of a list: its columns and rows as values.
async fn table_object(media: Media) -> CommandResult<Map> {
    match super::table(media).await? {
        Ok(tables) => Ok(table_value(&tables.sheet()?)),
        // A kind that the library learnt and this program did not.
        Err(_) => Err(
            Failure::new(ExitStatus::Failed, "this medium has no form on the command line")
                .hint("the library reads it: Artifact::get"),
        ),
    }
}

fn table_value(sheet: &Sheet<'_>) -> Map {
    let mut object = typed("table");
    let columns = sheet.columns().iter().map(|name| Value::from(name.as_str()));
    object.insert("columns", Value::List(columns.collect()));
    let rows = sheet.rows().map(|row| {
        let cells = row.into_iter().map(|cell| cell.unwrap_or(Value::Null));
        Value::List(cells.collect())
    });
    object.insert("rows", Value::List(rows.collect()));
    object
}

async fn image_object(image: Image) -> CommandResult<Map> {
    let mut object = captioned("image", &image.file, image.caption).await?;
    set(&mut object, "format", image.format.map(Value::from));
    set(&mut object, "width", image.width.map(number));
    set(&mut object, "height", image.height.map(number));
    set(&mut object, "grouping", image.grouping);
    let mut boxes = Map::new();
    for (name, layer) in &image.boxes {
        let layer = layer.read().await.map_err(broken)?;
        boxes.insert(name.as_str(), box_list(&layer));
    }
    object.insert("boxes", Value::Map(boxes));
    let mut masks = Map::new();
    for (name, mask) in &image.masks {
        masks.insert(name.as_str(), Value::Map(with_file("mask", &mask.file).await?));
    }
    object.insert("masks", Value::Map(masks));
    if let Some(classes) = &image.classes {
        object.insert("classes", class_list(&classes.read().await.map_err(broken)?));
    }
    Ok(object)
}

fn box_list(boxes: &BoundingBoxes) -> Value {
    Value::List(boxes.as_slice().iter().map(box_value).collect())
}

fn box_value(one: &BoundingBox) -> Value {
    let mut position = Map::new();
    match one.position {
        BoxPosition::Edges {
            min_x,
            min_y,
            max_x,
            max_y,
        } => {
            for (name, value) in [("minX", min_x), ("minY", min_y), ("maxX", max_x), ("maxY", max_y)] {
                position.insert(name, value);
            }
        }
        BoxPosition::Middle { x, y, width, height } => {
            position.insert("middle", Value::List(vec![Value::from(x), Value::from(y)]));
            position.insert("width", width);
            position.insert("height", height);
        }
        // A form that the library learnt and this program did not: the other members say which box it is.
        _ => {}
    }
    let mut object = Map::new();
    object.insert("position", Value::Map(position));
    let domain = match &one.domain {
        BoxDomain::Fraction => None,
        BoxDomain::Pixel => Some("pixel"),
        BoxDomain::Other(name) => Some(name.as_str()),
        _ => None,
    };
    set(&mut object, "domain", domain.map(Value::from));
    set(&mut object, "class_id", one.class_id.map(Value::from));
    set(
        &mut object,
        "box_caption",
        one.caption.as_deref().map(Value::from),
    );
    if !one.scores.is_empty() {
        let scores = one.scores.iter();
        let scores: Map = scores
            .map(|(name, value)| (name.clone(), Value::from(*value)))
            .collect();
        object.insert("scores", Value::Map(scores));
    }
    Value::Map(object)
}

fn class_list(classes: &Classes) -> Value {
    let list = classes.as_slice().iter().map(|class| {
        let mut object = Map::new();
        object.insert("id", class.id.clone());
        set(&mut object, "name", class.name.as_deref().map(Value::from));
        Value::Map(object)
    });
    Value::List(list.collect())
}

fn histogram_object(histogram: &Histogram) -> Map {
    let numbers = |numbers: &[f64]| Value::List(numbers.iter().map(|number| Value::from(*number)).collect());
    let mut object = typed("histogram");
    object.insert("values", numbers(&histogram.values));
    object.insert("bins", numbers(&histogram.edges));
    object
}

async fn model_object(model: &SavedModel) -> CommandResult<Map> {
    let mut object = typed("saved-model");
    object.insert("kind", model.kind.as_str());
    let files = model.files().await.map_err(broken)?;
    let places = files
        .into_iter()
        .map(|(_, place)| Value::from(place.display().to_string()));
    object.insert("files", Value::List(places.collect()));
    Ok(object)
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
    let path = file.local_path().await.map_err(broken)?;
    object.insert("path", path.display().to_string());
    let size = std::fs::metadata(&path)
        .map_err(|error| Failure::io(format!("look at \"{}\"", path.display()), error))?;
    object.insert("size", number(size.len()));
    set(&mut object, "sha256", file.sha256().map(Value::from));
    Ok(object)
}

async fn captioned(kind: &str, file: &MediaFile, caption: Option<String>) -> CommandResult<Map> {
    let mut object = with_file(kind, file).await?;
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
