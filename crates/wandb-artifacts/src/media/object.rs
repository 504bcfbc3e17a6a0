//! Any media object, and which one a JSON object is.

use std::sync::Arc;

use wandb_core::Value;

use super::{
    BoundingBoxes, Classes, Context, EntryReader, FileMedia, Histogram, Image, JoinedTable, Mask, MediaError,
    MediaFile, PartitionedTable, ReadOptions, SavedModel, Table, TableFile, TableReference, Video, batch,
    fields::Fields,
    lookup::{self, Found, KINDS},
    table,
};

/// An object that was logged as `wandb.<Media>`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Media {
    /// `wandb.Table`.
    Table(Table),
    /// `wandb.JoinedTable`.
    JoinedTable(JoinedTable),
    /// `wandb.PartitionedTable`.
    PartitionedTable(PartitionedTable),
    /// A table in a run's summary or history, not yet read.
    TableFile(TableFile),
    /// A joined or partitioned table in a run's summary or history, which is in an artifact.
    TableReference(TableReference),
    /// `wandb.Image`.
    Image(Image),
    /// `wandb.ImageMask` by itself.
    Mask(Mask),
    /// `wandb.BoundingBoxes2D` by itself.
    BoundingBoxes(BoundingBoxes),
    /// `wandb.Classes`.
    Classes(Classes),
    /// `wandb.Audio`.
    Audio(FileMedia),
    /// `wandb.Video`.
    Video(Video),
    /// `wandb.Html`. The official client may have added a style sheet.
    Html(FileMedia),
    /// `wandb.Object3D`: a point cloud or a scene.
    Object3d(FileMedia),
    /// `wandb.Molecule`.
    Molecule(FileMedia),
    /// `wandb.Bokeh`: the JSON of a document.
    Bokeh(FileMedia),
    /// `wandb.Plotly`: the JSON of a figure.
    Plotly(FileMedia),
    /// `wandb.Histogram`.
    Histogram(Histogram),
    /// `wandb.Graph`: its object, as it is, or that of its file.
    Graph(Value),
    /// A trace tree (`WBTraceTree`): its object, as it is.
    TraceTree(Value),
    /// A saved model, which is never loaded.
    SavedModel(SavedModel),
    /// Several media under one key of a run.
    List(Vec<Media>),
    /// A type that is not known here.
    Unknown {
        /// Its `_type`.
        kind: String,
        /// The object.
        value: Value,
    },
}

/// Types of objects in runs, beside those of artifacts: files of tables, and lists of media.
pub(super) const RUN_KINDS: &[&str] = &[
    "table-file",
    "incremental-table-file",
    "images/separated",
    "images",
    "audio",
    "videos",
    "html",
    "object3D",
    "molecule",
    "bokeh",
    "plotly",
];

/// Whether objects of a `_type` are media.
pub(super) fn is_known(kind: &str) -> bool {
    KINDS.contains(&kind) || RUN_KINDS.contains(&kind)
}

impl Media {
    /// Reads the object that was logged under a name, as the official `Artifact.get(name)` does.
    ///
    /// The object is in the entry `<name>.<kind>.json`; the name may have that end, or lack only the `.json`. The manifest
    /// is looked at once, and only what the object itself needs is fetched: its JSON, and the arrays of a table. An entry
    /// that is a reference to another artifact is read from there. `None` when there is no such entry.
    ///
    /// # Errors
    /// When several entries fit ([`MediaError::Ambiguous`]), when an entry cannot be had, when the object is not what its
    /// type promises.
    pub async fn read(reader: &Arc<dyn EntryReader>, name: &str) -> Result<Option<Self>, MediaError> {
        Self::read_with(reader, name, &ReadOptions::default()).await
    }

    /// [`read`](Self::read) with limits and choices of one's own.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_with(
        reader: &Arc<dyn EntryReader>,
        name: &str,
        options: &ReadOptions,
    ) -> Result<Option<Self>, MediaError> {
        let context = Context::new(Arc::clone(reader), *options, name);
        let (path, certain) = match lookup::find(&context, name).await? {
            Found::Nothing => return Ok(None),
            Found::Entry(path) => (path, true),
            Found::Perhaps(path) => (path, false),
        };
        let context = Context::new(Arc::clone(reader), *options, &path);
        if certain {
            return read_entry(&context).await.map(Some);
        }
        // Any JSON file of a user can be named so; only an object that says what it is counts.
        let value = context.json(&path).await?;
        let says = value
            .as_map()
            .and_then(|map| map.get("_type"))
            .and_then(Value::as_str);
        match says {
            Some(kind)
                if path
                    .strip_suffix(".json")
                    .is_some_and(|stem| stem.ends_with(kind)) =>
            {
                parse(&context, None, &value).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The media that an object in a run's summary or history describes (`{"_type": "image-file", "path": …}`). `name` is
    /// its key, for errors; `files` reads the run's files. Nothing is fetched.
    ///
    /// # Errors
    /// When the object has no `_type`, or is not what it promises.
    pub fn from_value(files: &Arc<dyn EntryReader>, name: &str, value: &Value) -> Result<Self, MediaError> {
        Self::from_value_with(files, name, value, &ReadOptions::default())
    }

    /// [`from_value`](Self::from_value) with limits and choices of one's own for what is fetched later.
    ///
    /// # Errors
    /// As [`from_value`](Self::from_value).
    pub fn from_value_with(
        files: &Arc<dyn EntryReader>,
        name: &str,
        value: &Value,
        options: &ReadOptions,
    ) -> Result<Self, MediaError> {
        parse(&Context::new(Arc::clone(files), *options, name), None, value)
    }

    /// The table, if it is one.
    #[must_use]
    pub fn into_table(self) -> Option<Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The image, if it is one.
    #[must_use]
    pub fn into_image(self) -> Option<Image> {
        match self {
            Self::Image(image) => Some(image),
            _ => None,
        }
    }

    /// The file behind it, if it has exactly one.
    #[must_use]
    pub fn file(&self) -> Option<&MediaFile> {
        match self {
            Self::Image(image) => Some(&image.file),
            Self::Mask(mask) => Some(&mask.file),
            Self::Video(video) => Some(&video.file),
            Self::TableFile(table) => Some(&table.file),
            Self::Audio(media)
            | Self::Html(media)
            | Self::Object3d(media)
            | Self::Molecule(media)
            | Self::Bokeh(media)
            | Self::Plotly(media) => Some(&media.file),
            _ => None,
        }
    }
}

/// Reads the object at the context's entry.
pub(super) async fn read_entry(context: &Context) -> Result<Media, MediaError> {
    let resolved = context.need(context.path()).await?;
    let kind = lookup::kind_of(&resolved.path).or_else(|| lookup::kind_of(context.path()));
    if matches!(kind, Some("table" | "eval-table")) {
        return table::read_table(context).await.map(Media::Table);
    }
    let value = context.json(context.path()).await?;
    let there = context.moved_to(resolved.reader, &resolved.path);
    parse(&there, kind, &value)
}

/// The media that an object describes. Its own `_type` counts; `expected` is for objects that have none.
pub(super) fn parse(context: &Context, expected: Option<&str>, value: &Value) -> Result<Media, MediaError> {
    parse_at(context, expected, value, false)
}

/// A member of a list, which is not a list itself: so nobody can nest them until the stack is full.
pub(super) fn parse_member(context: &Context, value: &Value) -> Result<Media, MediaError> {
    parse_at(context, None, value, true)
}

fn parse_at(
    context: &Context,
    expected: Option<&str>,
    value: &Value,
    in_list: bool,
) -> Result<Media, MediaError> {
    let path = context.path();
    // The one kind that is a bare list (inventory §7).
    if value.as_list().is_some() && expected == Some("bounding-boxes") {
        return BoundingBoxes::parse(path, "", value).map(Media::BoundingBoxes);
    }
    let fields = Fields::new(path, "", value)?;
    // Saved models say `type`.
    let kind = match (fields.text("_type")?, expected) {
        (Some(kind), _) => kind,
        (None, Some(kind)) => kind,
        (None, None) => fields.need("_type", fields.text("type")?)?,
    };
    let file = || FileMedia::parse(context, &fields);
    Ok(match kind {
        "table" | "eval-table" => {
            return Err(MediaError::shape(
                path,
                "a table inside of another object is not read",
            ));
        }
        "table-file" | "incremental-table-file" => {
            Media::TableFile(TableFile::parse(context, kind, &fields)?)
        }
        "joined-table" | "partitioned-table" if fields.get("artifact_path").is_some() => {
            let uri = fields.need("artifact_path", fields.text("artifact_path")?)?;
            Media::TableReference(TableReference::new(MediaFile::elsewhere(context, uri)))
        }
        "joined-table" => Media::JoinedTable(JoinedTable::parse(context, &fields)?),
        "partitioned-table" => Media::PartitionedTable(PartitionedTable::parse(context, &fields)?),
        "image-file" => Media::Image(Image::parse(context, &fields)?),
        "mask" => Media::Mask(Mask::parse(context, &fields)?),
        "bounding-boxes" => Media::BoundingBoxes(BoundingBoxes::parse(path, "", value)?),
        "classes" => Media::Classes(Classes::parse(path, value)?),
        "audio-file" => Media::Audio(file()?),
        "video-file" => Media::Video(Video::parse(context, &fields)?),
        "html-file" => Media::Html(file()?),
        "object3D-file" => Media::Object3d(file()?),
        "molecule-file" => Media::Molecule(file()?),
        "bokeh-file" => Media::Bokeh(file()?),
        "plotly-file" => Media::Plotly(file()?),
        "histogram" => Media::Histogram(Histogram::parse(path, &fields)?),
        "graph-file" => Media::Graph(value.clone()),
        "wb_trace_tree" => Media::TraceTree(value.clone()),
        "pytorch-model-file" | "sklearn-model-file" | "tfkeras-model-file" => {
            Media::SavedModel(SavedModel::parse(context, kind, &fields)?)
        }
        kind if in_list && is_list(kind) => {
            return Err(MediaError::shape(path, "a list of media inside of another one"));
        }
        "images/separated" | "images" | "audio" | "videos" | "html" | "object3D" | "molecule" | "bokeh"
        | "plotly" => match batch::parse(context, kind, &fields)? {
            Some(list) => Media::List(list),
            None => unknown(kind, value),
        },
        other => unknown(other, value),
    })
}

fn is_list(kind: &str) -> bool {
    RUN_KINDS.contains(&kind) && !kind.ends_with("-file")
}

fn unknown(kind: &str, value: &Value) -> Media {
    Media::Unknown {
        kind: kind.to_owned(),
        value: value.clone(),
    }
}
