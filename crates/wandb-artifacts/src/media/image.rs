//! Images with their boxes and masks.

use wandb_core::Value;

use super::{Context, MediaError, boxes::BoxLayer, classes::ClassesFile, fields::Fields, file::MediaFile};

/// `wandb.Image`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Image {
    /// The picture.
    pub file: MediaFile,
    /// `png`, `jpg`, …, as it was logged.
    pub format: Option<String>,
    /// Pixels from left to right.
    pub width: Option<u64>,
    /// Pixels from top to bottom.
    pub height: Option<u64>,
    /// The text below it.
    pub caption: Option<String>,
    /// Images with the same grouping belong together.
    pub grouping: Option<Value>,
    /// What the classes of boxes and masks are called.
    pub classes: Option<ClassesFile>,
    /// Layers of boxes, by name.
    pub boxes: Vec<(String, BoxLayer)>,
    /// Layers of masks, by name.
    pub masks: Vec<(String, Mask)>,
}

/// `wandb.ImageMask`: a picture of the image's size whose pixels are classes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Mask {
    /// The picture.
    pub file: MediaFile,
}

impl Image {
    pub(super) fn parse(context: &Context, fields: &Fields<'_>) -> Result<Self, MediaError> {
        let classes = match fields.object("classes")? {
            Some(classes) => Some(ClassesFile::of(context, &classes)?),
            None => None,
        };
        let caption = fields.text("caption")?.map(str::to_owned);
        let mut image = Self::of_file(MediaFile::of(context, fields)?, caption);
        image.format = fields.text("format")?.map(str::to_owned);
        image.width = fields.count("width")?;
        image.height = fields.count("height")?;
        image.grouping = fields.get("grouping").cloned();
        image.classes = classes;
        if let Some(layers) = fields.object("boxes")? {
            image.boxes = boxes(context, &layers)?;
        }
        if let Some(layers) = fields.object("masks")? {
            image.masks = masks(context, &layers)?;
        }
        Ok(image)
    }

    /// An image of which only the file is known.
    pub(super) fn of_file(file: MediaFile, caption: Option<String>) -> Self {
        Self {
            file,
            format: None,
            width: None,
            height: None,
            caption,
            grouping: None,
            classes: None,
            boxes: Vec::new(),
            masks: Vec::new(),
        }
    }

    /// A layer of boxes by its name.
    #[must_use]
    pub fn box_layer(&self, name: &str) -> Option<&BoxLayer> {
        self.boxes
            .iter()
            .find(|(layer, _)| layer == name)
            .map(|(_, boxes)| boxes)
    }

    /// A layer of masks by its name.
    #[must_use]
    pub fn mask(&self, name: &str) -> Option<&Mask> {
        self.masks
            .iter()
            .find(|(layer, _)| layer == name)
            .map(|(_, mask)| mask)
    }
}

/// The layers of boxes of an image.
pub(super) fn boxes(context: &Context, layers: &Fields<'_>) -> Result<Vec<(String, BoxLayer)>, MediaError> {
    layers
        .map()
        .iter()
        .map(|(key, value)| {
            Ok((
                key.to_owned(),
                BoxLayer::parse(context, &layers.place(key), value)?,
            ))
        })
        .collect()
}

/// The layers of masks of an image.
pub(super) fn masks(context: &Context, layers: &Fields<'_>) -> Result<Vec<(String, Mask)>, MediaError> {
    layers
        .map()
        .iter()
        .map(|(key, value)| {
            let fields = Fields::new(context.path(), layers.place(key), value)?;
            Ok((key.to_owned(), Mask::parse(context, &fields)?))
        })
        .collect()
}

impl Mask {
    pub(super) fn parse(context: &Context, fields: &Fields<'_>) -> Result<Self, MediaError> {
        Ok(Self {
            file: MediaFile::of(context, fields)?,
        })
    }
}
