//! Tests of the filter language, by form.

mod evaluate;
mod explain;
mod garbage;
mod mongo;
mod report;
mod text;
