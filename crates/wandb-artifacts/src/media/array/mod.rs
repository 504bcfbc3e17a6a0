//! NumPy arrays: what the array columns of a table hold.
//!
//! The official client stores such a column as one array of all rows, in an `.npz` file beside the table.

mod npy;
mod npz;
mod view;

pub use npy::{ArrayError, Element, NdArray};
pub(super) use npz::read_npz;
pub use view::ArrayView;

#[cfg(test)]
mod tests;
