//! Names in the metadata of schemas and fields.

/// On the schema: the path of the run, when the writer was told.
pub const RUN: &str = "wandb.run";

/// On a field: the logged key that the column holds. It is the column's name, too.
pub const KEY: &str = "wandb.key";

/// On a field: how values are encoded in a text column; only ever [`JSON`]. Absent where a text is a logged text.
pub const ENCODING: &str = "wandb.encoding";

/// Value of [`ENCODING`]: each text is one JSON value in W&B's form, with bare `NaN`, `Infinity` and `-Infinity`, which
/// [`Value::parse`](wandb_core::Value::parse) and Python's `json` read. Without such a number it is strict JSON.
pub const JSON: &str = "json";

/// On a field that has nulls: what they mean, one of [`NULLS_ABSENT`], [`NULLS_LOGGED`], [`NULLS_BOTH`].
pub const NULLS: &str = "wandb.nulls";

/// Value of [`NULLS`]: every null is a row in which the key was not logged.
pub const NULLS_ABSENT: &str = "absent";

/// Value of [`NULLS`]: every null was logged as `null`.
pub const NULLS_LOGGED: &str = "logged";

/// Value of [`NULLS`]: some nulls were logged, others are rows without the key. The column whose [`LOGGED_NULL_OF`]
/// names this key tells which.
pub const NULLS_BOTH: &str = "both";

/// On a Boolean field without nulls: the key whose logged `null`s it marks with `true`.
pub const LOGGED_NULL_OF: &str = "wandb.logged_null_of";

/// What the name of such a column ends in, after the key; underscores follow while the name is a logged key.
pub const LOGGED_NULL_SUFFIX: &str = ".logged_null";

/// On a field of a table: the type that the table says its column has, as in `column_types`: `number`, `image-file`, ….
/// A union of several types is joined by `|`.
pub const COLUMN_TYPE: &str = "wandb.column_type";

/// On a field of a table: the entry with the arrays of the column, when they were not read.
pub const STORED_ARRAY: &str = "wandb.stored_array";
