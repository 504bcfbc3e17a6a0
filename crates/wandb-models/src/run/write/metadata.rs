//! What the run's process noted about itself.

use futures_util::TryStreamExt;
use wandb_core::{Error, Result, Value, value::Map};

use crate::{File, RunReference};

/// The file that holds it (protocol §2.11).
const METADATA: &str = "wandb-metadata.json";

/// The largest such file that is read, in bytes. Real ones have a few kilobytes.
const LARGEST: usize = 16 << 20;

impl RunReference {
    /// The parsed `wandb-metadata.json`: program, arguments, git commit, machine; `None` when the run has no such file. Its
    /// bytes are verified. The official client gives `None` for every failure (inventory §9.2).
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is no such run,
    /// [`Integrity`](wandb_core::ErrorKind::Integrity) when the bytes are not the promised ones,
    /// [`Protocol`](wandb_core::ErrorKind::Protocol) when they are no JSON object.
    pub async fn metadata(&self) -> Result<Option<Map>> {
        let files: Vec<File> = self
            .files()
            .names([METADATA])
            .limit(10)
            .stream()
            .try_collect()
            .await?;
        // A server that ignores the name must not make another file pass for this one.
        let Some(file) = files.into_iter().find(|file| file.name == METADATA) else {
            return Ok(None);
        };
        let bytes = file.bytes(LARGEST).await?;
        let named =
            |error: Error| error.in_operation(format!("read {METADATA} of run \"{}\"", self.run_path()));
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| named(Error::protocol("the metadata is not text").with_source(error)))?;
        match Value::parse(text) {
            Ok(Value::Map(map)) => Ok(Some(map)),
            Ok(_) => Err(named(Error::protocol("the metadata is not a JSON object"))),
            Err(error) => Err(named(
                Error::protocol("the metadata is not JSON").with_source(error),
            )),
        }
    }
}
