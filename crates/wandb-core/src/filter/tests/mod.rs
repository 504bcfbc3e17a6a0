//! Tests of the filter language, by form.

mod evaluate;
mod explain;
mod mongo;
mod report;
mod text;
