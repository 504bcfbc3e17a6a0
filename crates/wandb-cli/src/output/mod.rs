//! What goes to stdout: data, in one of four formats, and nothing else.

pub(crate) mod csv;
pub(crate) mod field;
pub(crate) mod file_format;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod map;
pub(crate) mod out_file;
pub(crate) mod plot;
pub(crate) mod rows;
mod screen;
mod spill;
mod stdout;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod time;

pub(crate) use screen::{Format, Screen};
pub(crate) use stdout::Stdout;
