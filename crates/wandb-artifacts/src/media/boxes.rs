//! Bounding boxes.

use wandb_core::Value;

use super::{Context, MediaError, fields::Fields, file::MediaFile};

/// Where a box is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum BoxPosition {
    /// By its edges.
    Edges {
        /// The left one.
        min_x: f64,
        /// The upper one.
        min_y: f64,
        /// The right one.
        max_x: f64,
        /// The lower one.
        max_y: f64,
    },
    /// By its middle.
    Middle {
        /// The middle from the left.
        x: f64,
        /// The middle from the top.
        y: f64,
        /// From edge to edge.
        width: f64,
        /// From edge to edge.
        height: f64,
    },
}

/// What the numbers of a position count.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoxDomain {
    /// Fractions of the width and height of the image; this is what no `domain` means.
    Fraction,
    /// Pixels.
    Pixel,
    /// Something else.
    Other(String),
}

/// One box on an image.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BoundingBox {
    /// Where it is.
    pub position: BoxPosition,
    /// In which unit.
    pub domain: BoxDomain,
    /// The class of what is inside.
    pub class_id: Option<i64>,
    /// The text next to it.
    pub caption: Option<String>,
    /// Named numbers, for example confidence.
    pub scores: Vec<(String, f64)>,
}

/// One layer of boxes on an image: `predictions`, `ground_truth`, ….
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BoundingBoxes {
    boxes: Vec<BoundingBox>,
    labels: Vec<(i64, String)>,
}

impl BoundingBoxes {
    /// From a list of boxes (artifacts), or an object with `box_data` and `class_labels` (the files of runs).
    pub(super) fn parse(path: &str, at: &str, value: &Value) -> Result<Self, MediaError> {
        let (list, labels) = if let Some(list) = value.as_list() {
            (list, Vec::new())
        } else {
            let fields = Fields::new(path, at, value)?;
            let list = fields.need("box_data", fields.list("box_data")?)?;
            (list, labels(&fields)?)
        };
        let boxes = list
            .iter()
            .enumerate()
            .map(|(place, value)| parse_box(&Fields::new(path, format!("{at}[{place}]"), value)?))
            .collect::<Result<_, _>>()?;
        Ok(Self { boxes, labels })
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn as_slice(&self) -> &[BoundingBox] {
        &self.boxes
    }

    /// Names of classes, where the boxes have their own (the files of runs). In artifacts the image has them.
    #[must_use]
    pub fn labels(&self) -> &[(i64, String)] {
        &self.labels
    }
}

fn labels(fields: &Fields<'_>) -> Result<Vec<(i64, String)>, MediaError> {
    let Some(object) = fields.object("class_labels")? else {
        return Ok(Vec::new());
    };
    // Official: the keys are numbers as texts, the values texts.
    let label = |(key, value): (&str, &Value)| Some((key.parse().ok()?, value.as_str()?.to_owned()));
    Ok(object.map().iter().filter_map(label).collect())
}

fn parse_box(fields: &Fields<'_>) -> Result<BoundingBox, MediaError> {
    let position = fields.need("position", fields.object("position")?)?;
    let need = |key| position.need(key, position.number(key)?);
    let position = match position.numbers("middle")? {
        Some(middle) => {
            let &[x, y] = middle.as_slice() else {
                return Err(position.missing("middle[1]"));
            };
            BoxPosition::Middle {
                x,
                y,
                width: need("width")?,
                height: need("height")?,
            }
        }
        None => BoxPosition::Edges {
            min_x: need("minX")?,
            min_y: need("minY")?,
            max_x: need("maxX")?,
            max_y: need("maxY")?,
        },
    };
    let mut scores = Vec::new();
    if let Some(object) = fields.object("scores")? {
        for (key, value) in object.map().iter().filter(|(_, value)| !value.is_null()) {
            let score = value.as_f64().ok_or_else(|| object.wrong(key, "a number"))?;
            scores.push((key.to_owned(), score));
        }
    }
    Ok(BoundingBox {
        position,
        domain: match fields.text("domain")? {
            None | Some("fraction") => BoxDomain::Fraction,
            Some("pixel") => BoxDomain::Pixel,
            Some(other) => BoxDomain::Other(other.to_owned()),
        },
        class_id: fields.get("class_id").and_then(Value::as_i64),
        caption: fields.text("box_caption")?.map(str::to_owned),
        scores,
    })
}

/// One layer of boxes, there or in a file of its own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BoxLayer {
    /// In the image's object, as artifacts have them.
    Inline(BoundingBoxes),
    /// In a file, as runs have them.
    File(MediaFile),
}

impl BoxLayer {
    pub(super) fn parse(context: &Context, at: &str, value: &Value) -> Result<Self, MediaError> {
        let path = context.path();
        if value.as_map().is_some_and(|map| map.get("path").is_some()) {
            let fields = Fields::new(path, at, value)?;
            return Ok(Self::File(MediaFile::of(context, &fields)?));
        }
        Ok(Self::Inline(BoundingBoxes::parse(path, at, value)?))
    }

    /// The boxes, fetched if they are in a file.
    ///
    /// # Errors
    /// When the file cannot be had or does not hold boxes.
    pub async fn read(&self) -> Result<BoundingBoxes, MediaError> {
        match self {
            Self::Inline(boxes) => Ok(boxes.clone()),
            Self::File(file) => BoundingBoxes::parse(file.path(), "", &file.json().await?),
        }
    }
}
