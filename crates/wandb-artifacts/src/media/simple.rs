//! The small ones: a file with a caption, a video, a histogram, a saved model.

use std::{path::PathBuf, sync::Arc};

use super::{
    Context, EntryReader, MediaError,
    context::{Resolved, read_failed},
    fields::{Fields, check_path},
    file::MediaFile,
};

/// `wandb.Audio`, `Html`, `Object3D`, `Molecule`, `Bokeh`, `Plotly`: a file, perhaps with a caption.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FileMedia {
    /// The file.
    pub file: MediaFile,
    /// The text below it. Official: reading audio that has none fails; here it is just absent.
    pub caption: Option<String>,
}

impl FileMedia {
    pub(super) fn parse(context: &Context, fields: &Fields<'_>) -> Result<Self, MediaError> {
        Ok(Self {
            file: MediaFile::of(context, fields)?,
            caption: fields.text("caption")?.map(str::to_owned),
        })
    }
}

/// `wandb.Video`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Video {
    /// The file: gif, mp4, webm or ogg.
    pub file: MediaFile,
    /// The text below it.
    pub caption: Option<String>,
    /// Pixels from left to right.
    pub width: Option<u64>,
    /// Pixels from top to bottom.
    pub height: Option<u64>,
}

impl Video {
    pub(super) fn parse(context: &Context, fields: &Fields<'_>) -> Result<Self, MediaError> {
        Ok(Self {
            file: MediaFile::of(context, fields)?,
            caption: fields.text("caption")?.map(str::to_owned),
            width: fields.count("width")?,
            height: fields.count("height")?,
        })
    }
}

/// `wandb.Histogram`. It has no file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Histogram {
    /// How many fell into each bin.
    pub values: Vec<f64>,
    /// The edges of the bins, one more than there are bins.
    pub edges: Vec<f64>,
}

impl Histogram {
    pub(super) fn parse(path: &str, fields: &Fields<'_>) -> Result<Self, MediaError> {
        let values = fields.need("values", fields.numbers("values")?)?;
        let edges = match (fields.numbers("bins")?, fields.object("packedBins")?) {
            (Some(bins), _) => bins,
            // Evenly spaced bins, as the history of a run has them.
            (None, Some(packed)) => {
                let start = packed.need("min", packed.number("min")?)?;
                let width = packed.need("size", packed.number("size")?)?;
                (0..=values.len())
                    .map(|place| start + width * place as f64)
                    .collect()
            }
            (None, None) => return Err(fields.missing("bins")),
        };
        if edges.len() != values.len() + 1 {
            return Err(MediaError::shape(
                path,
                format!("{} values need one edge more, not {}", values.len(), edges.len()),
            ));
        }
        Ok(Self { values, edges })
    }
}

/// A saved model: where its files are. They are never loaded: the official client runs whatever code is inside.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SavedModel {
    context: Context,
    /// `pytorch-model-file`, `sklearn-model-file` or `tfkeras-model-file`.
    pub kind: String,
    /// The entry of the model, or the directory of its entries.
    pub path: String,
    /// The directory of Python files that the model needs, if it came with some.
    pub dependencies: Option<String>,
}

/// What is asked of one reader, and where each belongs among the entries.
#[derive(Default)]
struct Asked {
    paths: Vec<String>,
    places: Vec<usize>,
}

impl SavedModel {
    pub(super) fn parse(context: &Context, kind: &str, fields: &Fields<'_>) -> Result<Self, MediaError> {
        Ok(Self {
            context: context.clone(),
            kind: kind.to_owned(),
            path: fields.need("path", fields.path("path")?)?.to_owned(),
            dependencies: fields.path("dep_py_files_path")?.map(str::to_owned),
        })
    }

    /// The entries of the model, sorted: one file, or all files of its directory.
    ///
    /// # Errors
    /// When there is none, or more than [`ReadOptions::parts`](super::ReadOptions::parts) allows.
    pub async fn entries(&self) -> Result<Vec<String>, MediaError> {
        self.below(&self.path).await
    }

    /// The entries of the Python files that came with the model, sorted.
    ///
    /// # Errors
    /// As [`entries`](Self::entries).
    pub async fn dependency_entries(&self) -> Result<Vec<String>, MediaError> {
        match &self.dependencies {
            Some(directory) => self.below(directory).await,
            None => Ok(Vec::new()),
        }
    }

    async fn below(&self, path: &str) -> Result<Vec<String>, MediaError> {
        if self.context.resolve(path).await?.is_some() {
            return Ok(vec![path.to_owned()]);
        }
        let mut names = self
            .context
            .reader()
            .names_with_prefix(&format!("{path}/"))
            .await
            .map_err(|source| read_failed(path, source))?;
        if names.len() > self.context.options().parts {
            return Err(MediaError::TooLarge {
                path: path.to_owned(),
                what: "files",
                limit: self.context.options().parts as u64,
            });
        }
        if names.is_empty() {
            return Err(MediaError::Missing {
                path: self.context.path().to_owned(),
                target: path.to_owned(),
            });
        }
        names.sort_unstable();
        for name in &names {
            check_path(self.context.path(), name)?;
        }
        Ok(names)
    }

    /// Verified files on the disk for [`entries`](Self::entries), with the path of each inside of the model. All of one
    /// artifact are asked for together ([`EntryReader::paths`]).
    ///
    /// # Errors
    /// As [`entries`](Self::entries), and when a file cannot be had.
    pub async fn files(&self) -> Result<Vec<(String, PathBuf)>, MediaError> {
        let entries = self.entries().await?;
        // An entry may refer to another artifact, which has its own reader.
        let mut together: Vec<(Arc<dyn EntryReader>, Asked)> = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            let Resolved { reader, path, .. } = self.context.need(entry).await?;
            let known = together.iter().position(|(other, _)| other.id() == reader.id());
            let known = known.unwrap_or_else(|| {
                together.push((reader, Asked::default()));
                together.len() - 1
            });
            together[known].1.paths.push(path);
            together[known].1.places.push(place);
        }
        let mut files = vec![(String::new(), PathBuf::new()); entries.len()];
        for (reader, Asked { paths, places }) in together {
            let found = reader
                .paths(&paths)
                .await
                .map_err(|source| read_failed(&self.path, source))?;
            if found.len() != paths.len() {
                let problem = format!("{} files were asked for, {} came", paths.len(), found.len());
                return Err(MediaError::shape(&self.path, problem));
            }
            for (place, local) in places.into_iter().zip(found) {
                files[place] = (self.inside(&entries[place]), local);
            }
        }
        Ok(files)
    }

    /// Where an entry is inside of the model.
    fn inside(&self, entry: &str) -> String {
        entry
            .strip_prefix(&self.path)
            .and_then(|rest| rest.strip_prefix('/'))
            .or_else(|| entry.rsplit('/').next())
            .unwrap_or(entry)
            .to_owned()
    }
}
