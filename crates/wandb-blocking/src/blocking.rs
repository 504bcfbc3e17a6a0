//! The wrapper around handles, and the iterator over streams.

use std::ops::{Deref, DerefMut};

use futures_core::Stream;
use futures_util::StreamExt as _;
use serde::{Serialize, Serializer};
use wandb_core::Result;

use crate::mirror::Mirror;
use crate::runtime::Runtime;

/// A handle whose methods wait. See the [crate](crate).
///
/// Its data, and whatever needs no waiting, is reached through [`Deref`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Blocking<T> {
    // Dropped before the runtime, because what it holds may belong to tasks there.
    pub(crate) inner: T,
    pub(crate) runtime: Runtime,
}

impl<T> Blocking<T> {
    /// The asynchronous handle inside.
    pub fn asynchronous(&self) -> &T {
        &self.inner
    }

    /// What stands here for a value that came out of the handle inside, for example for media in the cell of a table:
    /// `table.mirrored(cell.media()?)`. It shares this handle's threads.
    pub fn mirrored<U: Mirror>(&self, value: U) -> U::Mirrored {
        value.mirror(&self.runtime)
    }

    /// The asynchronous handle, for code that has a runtime.
    pub fn into_asynchronous(self) -> T {
        self.inner
    }
}

impl<T> Deref for Blocking<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

/// For handles that collect changes before they are sent, such as a run's summary.
impl<T> DerefMut for Blocking<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: Serialize> Serialize for Blocking<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.inner.serialize(serializer)
    }
}

/// A stream as an iterator. Each step waits for the next item; what a listing fetches ahead goes on meanwhile.
///
/// After the end it gives nothing more. Dropping it ends what is fetched ahead.
#[derive(Debug)]
#[must_use = "nothing is read until it is iterated"]
pub struct Items<S> {
    stream: Option<S>,
    runtime: Runtime,
}

impl<S> Items<S> {
    pub(crate) fn new(stream: S, runtime: &Runtime) -> Self {
        Self {
            stream: Some(stream),
            runtime: runtime.clone(),
        }
    }
}

impl<S, T> Iterator for Items<S>
where
    S: Stream<Item = Result<T>> + Unpin + Send,
    T: Mirror + Send,
{
    type Item = Result<T::Mirrored>;

    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.stream.as_mut()?;
        match next_of(stream, &self.runtime) {
            Some(item) => Some(item.mirror(&self.runtime)),
            None => {
                self.stream = None;
                None
            }
        }
    }
}

/// Waits for the next item of a stream.
pub(crate) fn next_of<S, T>(stream: &mut S, runtime: &Runtime) -> Option<Result<T>>
where
    S: Stream<Item = Result<T>> + Unpin + Send,
    T: Send,
{
    runtime
        .wait::<_, wandb_core::Error>(async { Ok(stream.next().await) })
        .transpose()
        .map(Result::flatten)
}
