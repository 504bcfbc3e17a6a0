//! Typed media of artifacts and runs. Feature `media`.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use wandb_artifacts::media::{self, BoundingBoxes, Classes, EntryInfo, Histogram, MediaError, ReadOptions};
use wandb_core::value::Value;
use wandb_core::{Error, Result};
use wandb_models::ArtifactDownloadOptions;

use super::Artifact;
use crate::Blocking;
use crate::mirror::{Mirror, mirror, plain};
use crate::runtime::Runtime;

plain!(BoundingBoxes, Classes, EntryInfo, Histogram, Value);

mirror! {
    from wandb_artifacts::media;
    ClassesFile {
        async fn read(&self) -> Result<Classes>;
    }
    FileMedia {
        field file -> MediaFile;
    }
    Image {
        field file -> MediaFile;
        field classes -> Option<ClassesFile>;
        field boxes -> Vec<(String, BoxLayer)>;
        field masks -> Vec<(String, Mask)>;
        by_hand box_layer;
        by_hand mask;
    }
    JoinedTable {
        field table1 -> TableReference;
        field table2 -> TableReference;
    }
    Mask {
        field file -> MediaFile;
    }
    MediaFile {
        async fn bytes(&self) -> Result<Bytes>;
        async fn text(&self) -> Result<String>;
        async fn json(&self) -> Result<Value>;
        async fn local_path(&self) -> Result<PathBuf>;
    }
    PartitionedTable {
        async fn parts(&self) -> Result<Vec<String>>;
        async fn part(&self, path: &str) -> Result<Table>;
        async fn read(&self) -> Result<Table>;
    }
    SavedModel {
        async fn entries(&self) -> Result<Vec<String>>;
        async fn dependency_entries(&self) -> Result<Vec<String>>;
        async fn files(&self) -> Result<Vec<(String, PathBuf)>>;
    }
    Table {
        fn foreign_table(&self, column: &str) -> Option<TableReference>;
        fn media(&self, object: &Value) -> Result<Media, MediaError>;
    }
    TableFile {
        field file -> MediaFile;
        field artifact -> Option<TableReference>;
        async fn read(&self) -> Result<Table>;
    }
    TableReference {
        async fn open(&self) -> Result<AnyTable>;
    }
    Video {
        field file -> MediaFile;
    }
}

/// The entries of an artifact, whose methods wait. From [`Artifact::entry_reader`], or from a reader of one's own.
pub type EntryReader = Blocking<Arc<dyn media::EntryReader>>;

impl From<Arc<dyn media::EntryReader>> for EntryReader {
    fn from(reader: Arc<dyn media::EntryReader>) -> Self {
        Self {
            inner: reader,
            runtime: Runtime::default(),
        }
    }
}

impl Mirror for Arc<dyn media::EntryReader> {
    type Mirrored = EntryReader;

    fn mirror(self, runtime: &Runtime) -> Self::Mirrored {
        Blocking {
            inner: self,
            runtime: runtime.clone(),
        }
    }
}

impl EntryReader {
    /// Waits for [`EntryReader::entry`](media::EntryReader::entry).
    ///
    /// # Errors
    /// As there.
    pub fn entry(&self, path: &str) -> Result<Option<EntryInfo>> {
        self.runtime.wait(self.inner.entry(path))
    }

    /// Waits for [`EntryReader::names_with_prefix`](media::EntryReader::names_with_prefix).
    ///
    /// # Errors
    /// As there.
    pub fn names_with_prefix(&self, prefix: &str) -> Result<Vec<String>> {
        self.runtime.wait(self.inner.names_with_prefix(prefix))
    }

    /// Waits for [`EntryReader::bytes`](media::EntryReader::bytes).
    ///
    /// # Errors
    /// As there.
    pub fn bytes(&self, path: &str, limit: u64) -> Result<Bytes> {
        self.runtime.wait(self.inner.bytes(path, limit))
    }

    /// Waits for [`EntryReader::path`](media::EntryReader::path).
    ///
    /// # Errors
    /// As there.
    pub fn path(&self, path: &str) -> Result<PathBuf> {
        self.runtime.wait(self.inner.path(path))
    }

    /// Waits for [`EntryReader::paths`](media::EntryReader::paths).
    ///
    /// # Errors
    /// As there.
    pub fn paths(&self, paths: &[String]) -> Result<Vec<PathBuf>> {
        self.runtime.wait(self.inner.paths(paths))
    }

    /// Waits for [`EntryReader::artifact`](media::EntryReader::artifact).
    ///
    /// # Errors
    /// As there.
    pub fn artifact(&self, uri: &str) -> Result<Self> {
        self.runtime.wait(self.inner.artifact(uri)).mirror(&self.runtime)
    }
}

impl Artifact {
    /// Waits for [`Artifact::get`](wandb_models::Artifact::get).
    ///
    /// # Errors
    /// As there.
    pub fn get(&self, name: &str) -> Result<Option<Media>> {
        self.runtime.wait(self.inner.get(name)).mirror(&self.runtime)
    }

    /// Waits for [`Artifact::get_with`](wandb_models::Artifact::get_with).
    ///
    /// # Errors
    /// As there.
    pub fn get_with(&self, name: &str, options: &ReadOptions) -> Result<Option<Media>> {
        self.runtime
            .wait(self.inner.get_with(name, options))
            .mirror(&self.runtime)
    }

    /// Waits for [`Artifact::entry_reader`](wandb_models::Artifact::entry_reader).
    ///
    /// # Errors
    /// As there.
    pub fn entry_reader(&self) -> Result<EntryReader> {
        self.runtime.wait(self.inner.entry_reader()).mirror(&self.runtime)
    }

    /// Waits for [`Artifact::entry_reader_with`](wandb_models::Artifact::entry_reader_with).
    ///
    /// # Errors
    /// As there.
    pub fn entry_reader_with(&self, options: &ArtifactDownloadOptions) -> Result<EntryReader> {
        self.runtime
            .wait(self.inner.entry_reader_with(options))
            .mirror(&self.runtime)
    }
}

impl Image {
    /// As [`Image::box_layer`](media::Image::box_layer).
    pub fn box_layer(&self, name: &str) -> Option<BoxLayer> {
        self.inner.box_layer(name).cloned().mirror(&self.runtime)
    }

    /// As [`Image::mask`](media::Image::mask).
    pub fn mask(&self, name: &str) -> Option<Mask> {
        self.inner.mask(name).cloned().mirror(&self.runtime)
    }
}

/// Makes the blocking form of an enum, variant by variant, and the list of its variants for the check.
macro_rules! mirror_enum {
    (
        $(#[$attribute:meta])* $name:ident in $variants:ident {
            $($variant:ident($content:ty)),* $(,)?
        } $({ $($plain:ident { $($field:ident: $kind:ty),* }),* })?
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("As [`", stringify!($variant), "`](media::", stringify!($name), "::", stringify!($variant), ").")]
                $variant($content),
            )*
            $($(
                #[doc = concat!("As [`", stringify!($plain), "`](media::", stringify!($name), "::", stringify!($plain), ").")]
                $plain {
                    $(
                        #[doc = concat!("As there: `", stringify!($field), "`.")]
                        $field: $kind,
                    )*
                },
            )*)?
            /// One that the asynchronous client came to know after this one was written.
            Other(media::$name),
        }

        impl Mirror for media::$name {
            type Mirrored = $name;

            fn mirror(self, runtime: &Runtime) -> $name {
                match self {
                    $(Self::$variant(content) => $name::$variant(content.mirror(runtime)),)*
                    $($(Self::$plain { $($field),* } => $name::$plain { $($field),* },)*)?
                    other => $name::Other(other),
                }
            }
        }

        #[cfg(test)]
        pub(crate) const $variants: &[&str] = &[$(stringify!($variant),)* $($(stringify!($plain),)*)?];
    };
}

mirror_enum! {
    /// [`Media`](media::Media) whose methods wait.
    Media in MEDIA {
        Table(Table),
        JoinedTable(JoinedTable),
        PartitionedTable(PartitionedTable),
        TableFile(TableFile),
        TableReference(TableReference),
        Image(Image),
        Mask(Mask),
        BoundingBoxes(BoundingBoxes),
        Classes(Classes),
        Audio(FileMedia),
        Video(Video),
        Html(FileMedia),
        Object3d(FileMedia),
        Molecule(FileMedia),
        Bokeh(FileMedia),
        Plotly(FileMedia),
        Histogram(Histogram),
        Graph(Value),
        TraceTree(Value),
        SavedModel(SavedModel),
        List(Vec<Media>),
    } {
        Unknown { kind: String, value: Value }
    }
}

mirror_enum! {
    /// [`AnyTable`](media::AnyTable) whose methods wait.
    AnyTable in ANY_TABLE {
        Table(Table),
        Partitioned(PartitionedTable),
        Joined(JoinedTable),
    }
}

mirror_enum! {
    /// [`BoxLayer`](media::BoxLayer) whose methods wait.
    BoxLayer in BOX_LAYER {
        Inline(BoundingBoxes),
        File(MediaFile),
    }
}

impl BoxLayer {
    /// Waits for [`BoxLayer::read`](media::BoxLayer::read).
    ///
    /// # Errors
    /// As there.
    pub fn read(&self) -> Result<BoundingBoxes> {
        match self {
            Self::Inline(boxes) => Ok(boxes.clone()),
            Self::File(file) => {
                let layer = media::BoxLayer::File(file.inner.clone());
                file.runtime.wait(layer.read())
            }
            Self::Other(other) => Runtime::default().wait(other.read()),
        }
    }
}

impl AnyTable {
    /// Waits for [`AnyTable::into_table`](media::AnyTable::into_table).
    ///
    /// # Errors
    /// As there.
    pub fn into_table(self) -> Result<Table> {
        let (table, runtime) = match self {
            Self::Table(table) => return Ok(table),
            Self::Partitioned(parts) => (media::AnyTable::Partitioned(parts.inner), parts.runtime),
            Self::Joined(joined) => (media::AnyTable::Joined(joined.inner), joined.runtime),
            Self::Other(other) => (other, Runtime::default()),
        };
        runtime.wait(table.into_table()).mirror(&runtime)
    }
}

impl Media {
    /// Waits for [`Media::read`](media::Media::read).
    ///
    /// # Errors
    /// As there.
    pub fn read(reader: &EntryReader, name: &str) -> Result<Option<Self>> {
        Self::read_with(reader, name, &ReadOptions::default())
    }

    /// Waits for [`Media::read_with`](media::Media::read_with).
    ///
    /// # Errors
    /// As there.
    pub fn read_with(reader: &EntryReader, name: &str, options: &ReadOptions) -> Result<Option<Self>> {
        reader
            .runtime
            .wait(media::Media::read_with(&reader.inner, name, options))
            .mirror(&reader.runtime)
    }

    /// As [`Media::from_value`](media::Media::from_value).
    ///
    /// # Errors
    /// As there.
    pub fn from_value(files: &EntryReader, name: &str, value: &Value) -> Result<Self> {
        Self::from_value_with(files, name, value, &ReadOptions::default())
    }

    /// As [`Media::from_value_with`](media::Media::from_value_with).
    ///
    /// # Errors
    /// As there.
    pub fn from_value_with(
        files: &EntryReader,
        name: &str,
        value: &Value,
        options: &ReadOptions,
    ) -> Result<Self> {
        media::Media::from_value_with(&files.inner, name, value, options)
            .map_err(Error::from)
            .mirror(&files.runtime)
    }

    /// As [`Media::into_table`](media::Media::into_table).
    pub fn into_table(self) -> Option<Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// As [`Media::into_image`](media::Media::into_image).
    pub fn into_image(self) -> Option<Image> {
        match self {
            Self::Image(image) => Some(image),
            _ => None,
        }
    }

    /// As [`Media::file`](media::Media::file).
    pub fn file(&self) -> Option<MediaFile> {
        match self {
            Self::Image(image) => Some(image.file()),
            Self::Mask(mask) => Some(mask.file()),
            Self::Video(video) => Some(video.file()),
            Self::TableFile(table) => Some(table.file()),
            Self::Audio(media)
            | Self::Html(media)
            | Self::Object3d(media)
            | Self::Molecule(media)
            | Self::Bokeh(media)
            | Self::Plotly(media) => Some(media.file()),
            _ => None,
        }
    }
}

/// What is written out above, for the check.
#[cfg(test)]
pub(crate) const WRITTEN: super::Written = &[
    (
        "Media",
        &[
            MEDIA,
            &[
                "read",
                "read_with",
                "from_value",
                "from_value_with",
                "into_table",
                "into_image",
                "file",
            ],
        ],
    ),
    ("AnyTable", &[ANY_TABLE, &["into_table"]]),
    ("BoxLayer", &[BOX_LAYER, &["read"]]),
    (
        "EntryReader",
        &[&["entry", "names_with_prefix", "bytes", "path", "paths", "artifact"]],
    ),
];
