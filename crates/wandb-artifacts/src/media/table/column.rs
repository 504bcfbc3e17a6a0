//! The types of columns, as `column_types` has them.

use wandb_core::{Value, value::Map};

use crate::media::{MediaError, fields::Fields};

/// Where the arrays of a column are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredArray {
    /// The entry: an `.npz` archive.
    pub path: String,
    /// The array inside of it.
    pub key: String,
}

/// The type of a column, or of what is inside of its cells. Types may be nested.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ColumnType {
    /// Always `null`.
    None,
    /// Texts.
    String,
    /// Integers and floats.
    Number,
    /// Points in time, stored as milliseconds since 1970 in UTC.
    Timestamp,
    /// Truth values.
    Boolean,
    /// Anything but `null`.
    Any,
    /// Nothing was logged yet that would tell.
    Unknown,
    /// Values that fit no type.
    Invalid,
    /// A Python object, kept as JSON.
    Object {
        /// Its class.
        class_name: Option<String>,
    },
    /// One value; with `is_set`, one of several.
    Const {
        /// The value, or the list of values.
        value: Value,
        /// Whether it is a set of values.
        is_set: bool,
    },
    /// One of several types. With [`None`](Self::None) among them the column is optional.
    Union(Vec<ColumnType>),
    /// Lists.
    List {
        /// Of what.
        element: Box<ColumnType>,
        /// Of which length, when all have the same.
        length: Option<u64>,
    },
    /// NumPy arrays.
    Array {
        /// The extents of the array in one cell.
        shape: Vec<u64>,
        /// Where they are, when they are not in the cells.
        stored: Option<StoredArray>,
    },
    /// Objects with these members, in the order of the file.
    Dictionary(Vec<(String, ColumnType)>),
    /// Tables.
    Table(Option<Box<ColumnType>>),
    /// Numbers of classes.
    ClassId {
        /// The entry with the classes.
        classes: Option<String>,
        /// The numbers that occur.
        valid: Vec<Value>,
    },
    /// Texts that name the row; other tables refer to them.
    PrimaryKey,
    /// Texts that name a row of another table.
    ForeignKey {
        /// The entry of that table.
        table: String,
        /// Its column.
        column: String,
    },
    /// Numbers of rows of another table, from 0.
    ForeignIndex {
        /// The entry of that table.
        table: String,
    },
    /// Names of artifact versions.
    ArtifactVersion,
    /// Media, or a type that is not known here.
    Other {
        /// For example `image-file`.
        name: String,
        /// What is known of all values: class maps, layers of boxes, ….
        parameters: Map,
    },
}

impl ColumnType {
    /// Reads `{"wb_type": …, "params": …}` at a place of an entry. The depth is bounded by that of the JSON.
    pub(super) fn parse(path: &str, at: &str, value: &Value) -> Result<Self, MediaError> {
        let fields = Fields::new(path, at, value)?;
        let name = fields.need("wb_type", fields.text("wb_type")?)?;
        let none = Value::Map(Map::new());
        let parameters = fields.get("params").unwrap_or(&none);
        let parameters = Fields::new(path, fields.place("params"), parameters)?;
        let nested = |key: &str, fallback: Self| match parameters.get(key) {
            Some(value) => Self::parse(path, &parameters.place(key), value),
            None => Ok(fallback),
        };
        Ok(match name {
            "none" => Self::None,
            "string" => Self::String,
            "number" => Self::Number,
            "timestamp" => Self::Timestamp,
            "boolean" => Self::Boolean,
            "any" => Self::Any,
            "unknown" => Self::Unknown,
            "invalid" => Self::Invalid,
            "pythonObject" | "object" => Self::Object {
                class_name: parameters.text("class_name")?.map(str::to_owned),
            },
            "const" => Self::Const {
                value: parameters.map().get("val").cloned().unwrap_or(Value::Null),
                is_set: parameters.get("is_set").and_then(Value::as_bool).unwrap_or(false),
            },
            "union" => {
                let list = parameters.list("allowed_types")?.unwrap_or_default();
                let at = parameters.place("allowed_types");
                let parse = |(place, value)| Self::parse(path, &format!("{at}[{place}]"), value);
                Self::Union(list.iter().enumerate().map(parse).collect::<Result<_, _>>()?)
            }
            "list" => Self::List {
                element: Box::new(nested("element_type", Self::Unknown)?),
                length: parameters.count("length")?,
            },
            "ndarray" => Self::array(path, &parameters)?,
            "typedDict" | "dictionary" => match parameters.object("type_map")? {
                Some(members) => Self::Dictionary(
                    members
                        .map()
                        .iter()
                        .map(|(key, value)| {
                            Ok((key.to_owned(), Self::parse(path, &members.place(key), value)?))
                        })
                        .collect::<Result<_, MediaError>>()?,
                ),
                None => Self::Dictionary(Vec::new()),
            },
            "table" | "wandb.Table" => Self::Table(match parameters.get("column_types") {
                Some(value) => {
                    let at = parameters.place("column_types");
                    Some(Box::new(Self::parse(path, &at, value)?))
                }
                None => None,
            }),
            "classesId" | "wandb.Classes_id" => Self::class_id(path, &parameters)?,
            "primaryKey" | "wandb.TablePrimaryKey" => Self::PrimaryKey,
            "foreignKey" | "wandb.TableForeignKey" => Self::ForeignKey {
                table: parameters.need("table", parameters.path("table")?)?.to_owned(),
                column: parameters
                    .need("col_name", parameters.text("col_name")?)?
                    .to_owned(),
            },
            "foreignIndex" | "wandb.TableForeignIndex" => Self::ForeignIndex {
                table: parameters.need("table", parameters.path("table")?)?.to_owned(),
            },
            "artifactVersion" => Self::ArtifactVersion,
            other => Self::Other {
                name: match other {
                    "wandb.Image" => "image-file",
                    other => other,
                }
                .to_owned(),
                parameters: parameters.map().clone(),
            },
        })
    }

    fn array(path: &str, parameters: &Fields<'_>) -> Result<Self, MediaError> {
        let shape = parameters.list("shape")?.unwrap_or_default();
        let extent = |extent: &Value| extent.as_i64().and_then(|extent| u64::try_from(extent).ok());
        let shape: Option<Vec<u64>> = shape.iter().map(extent).collect();
        let stored = match parameters.object("serialization_path")? {
            Some(stored) => Some(StoredArray {
                path: stored.need("path", stored.path("path")?)?.to_owned(),
                key: stored.need("key", stored.text("key")?)?.to_owned(),
            }),
            None => None,
        };
        Ok(Self::Array {
            shape: shape.ok_or_else(|| {
                MediaError::shape(path, format!("{} is no shape", parameters.place("shape")))
            })?,
            stored,
        })
    }

    fn class_id(path: &str, parameters: &Fields<'_>) -> Result<Self, MediaError> {
        let classes = match parameters.object("classes_obj")? {
            Some(classes) => classes.path("path")?.map(str::to_owned),
            None => None,
        };
        let valid = match parameters.get("valid_ids") {
            Some(value) => match Self::parse(path, &parameters.place("valid_ids"), value)? {
                Self::Union(types) => types
                    .into_iter()
                    .filter_map(|allowed| match allowed {
                        Self::Const { value, .. } => Some(value),
                        _ => None,
                    })
                    .collect(),
                _ => Vec::new(),
            },
            None => Vec::new(),
        };
        Ok(Self::ClassId { classes, valid })
    }

    /// The type and, where it is a union, the types that it allows.
    pub fn alternatives(&self) -> impl Iterator<Item = &Self> {
        match self {
            Self::Union(types) => types.as_slice(),
            other => std::slice::from_ref(other),
        }
        .iter()
    }

    /// Whether `null` is allowed.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.alternatives().any(|allowed| *allowed == Self::None)
    }

    /// Whether numbers in the cells are points in time.
    #[must_use]
    pub fn is_timestamp(&self) -> bool {
        self.alternatives().any(|allowed| *allowed == Self::Timestamp)
    }

    /// Where the arrays of the cells are stored, if the column has some.
    #[must_use]
    pub fn stored_array(&self) -> Option<&StoredArray> {
        self.alternatives().find_map(|allowed| match allowed {
            Self::Array { stored, .. } => stored.as_ref(),
            _ => None,
        })
    }
}
