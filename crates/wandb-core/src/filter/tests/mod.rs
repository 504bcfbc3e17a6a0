//! Tests of the filter language, by form.

mod mongo;
