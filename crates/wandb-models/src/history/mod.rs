//! History: what a run logged, row by row (protocol §2.9, design "History").
//!
//! | type | what it gives |
//! |---|---|
//! | [`History`] → [`SampledHistory`] | a **sample**, thinned by the server; fast, for plots |
//! | [`Scan`] → [`RowBatch`]es or [`HistoryRow`]s | **every** row, in step order, each once |
//!
//! In a row `NaN`, `+Infinity`, `-Infinity`, `null` and "not logged" (absent) are five different things.
//!
//! # How a scan is exact
//!
//! The server serves windows of steps and thins a window that holds more rows than asked for, without saying so. So a
//! window is trusted only when its answer has room to spare; otherwise it is split and asked again (`plan`).
//! Windows are as wide as the run is sparse, so a run with 26 rows spread over a billion steps costs a few requests and
//! not a million. Several windows are in flight and are delivered in order; memory is bounded by
//! page size × concurrency. At the end, what came is compared with what the server counts.

mod extent;
mod fetch;
mod keys;
mod plan;
mod request;
mod row;
mod sampled;
mod scan;

pub use row::{HistoryRow, RowBatch};
pub use sampled::{History, HistoryStream, SampledHistory};
pub use scan::{Scan, ScanReport, ScanStream};

pub(crate) use extent::extent;
