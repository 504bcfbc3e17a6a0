//! Several media that a run logged under one key.
//!
//! Two forms are in use. Audio, video and HTML have a list of whole objects under a member of their own; images, molecules
//! and point clouds have `filenames`, with captions, boxes and masks in lists of the same length beside them.

use wandb_core::Value;

use super::{
    Context, FileMedia, Image, Media, MediaError, MediaFile,
    fields::{Fields, check_path},
    image, object,
};

/// The media of a list, or `None` when it has neither form.
pub(super) fn parse(
    context: &Context,
    kind: &str,
    fields: &Fields<'_>,
) -> Result<Option<Vec<Media>>, MediaError> {
    let member = match kind {
        "object3D" => "objects",
        other => other,
    };
    if let Some(objects) = fields.list(member)? {
        return objects
            .iter()
            .map(|member| object::parse_member(context, member))
            .collect::<Result<_, _>>()
            .map(Some);
    }
    let Some(names) = fields.list("filenames")? else {
        return Ok(None);
    };
    let captions = beside(context, fields, "captions", names.len())?;
    let boxes = beside(context, fields, "all_boxes", names.len())?;
    let masks = beside(context, fields, "all_masks", names.len())?;
    let mut list = Vec::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        let name = name
            .as_str()
            .ok_or_else(|| MediaError::shape(context.path(), format!("filenames[{place}] is not a text")))?;
        let file = if name.contains("://") {
            MediaFile::elsewhere(context, name)
        } else {
            let name = full_name(kind, name);
            check_path(context.path(), &name)?;
            MediaFile::at(context, &name)
        };
        let caption = at(captions, place).and_then(Value::as_str).map(str::to_owned);
        list.push(match kind {
            "images/separated" | "images" => {
                let mut picture = Image::of_file(file, caption);
                picture.format = fields.text("format")?.map(str::to_owned);
                picture.width = fields.count("width")?;
                picture.height = fields.count("height")?;
                if let Some(layers) = at(boxes, place) {
                    let layers = Fields::new(context.path(), format!("all_boxes[{place}]"), layers)?;
                    picture.boxes = image::boxes(context, &layers)?;
                }
                if let Some(layers) = at(masks, place) {
                    let layers = Fields::new(context.path(), format!("all_masks[{place}]"), layers)?;
                    picture.masks = image::masks(context, &layers)?;
                }
                Media::Image(picture)
            }
            other => {
                let media = FileMedia { file, caption };
                match other {
                    "molecule" => Media::Molecule(media),
                    "object3D" => Media::Object3d(media),
                    "audio" => Media::Audio(media),
                    "html" => Media::Html(media),
                    "bokeh" => Media::Bokeh(media),
                    "plotly" => Media::Plotly(media),
                    _ => return Ok(None),
                }
            }
        });
    }
    Ok(Some(list))
}

/// A list beside `filenames`. Official: `false` stands for no captions at all.
fn beside<'a>(
    context: &Context,
    fields: &Fields<'a>,
    key: &str,
    length: usize,
) -> Result<Option<&'a [Value]>, MediaError> {
    if fields.get(key).and_then(Value::as_bool) == Some(false) {
        return Ok(None);
    }
    let Some(list) = fields.list(key)? else {
        return Ok(None);
    };
    if list.len() != length {
        return Err(MediaError::shape(
            context.path(),
            format!("{key} has {} members for {length} files", list.len()),
        ));
    }
    Ok(Some(list))
}

fn at(list: Option<&[Value]>, place: usize) -> Option<&Value> {
    list.and_then(|list| list.get(place))
        .filter(|value| !value.is_null())
}

/// Official: point clouds are named relative to their directory, everything else to the run.
fn full_name(kind: &str, name: &str) -> String {
    if kind == "object3D" && !name.starts_with("media/") {
        format!("media/object3D/{name}")
    } else {
        name.to_owned()
    }
}
