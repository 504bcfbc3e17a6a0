//! Sets of classes: the labels of boxes and masks.

use wandb_core::Value;

use super::{Context, MediaError, fields::Fields};

/// One class.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Class {
    /// What boxes and masks name it by; nearly always an integer.
    pub id: Value,
    /// What people name it by.
    pub name: Option<String>,
}

/// `wandb.Classes`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Classes {
    classes: Vec<Class>,
}

impl Classes {
    pub(super) fn parse(path: &str, value: &Value) -> Result<Self, MediaError> {
        let fields = Fields::new(path, "", value)?;
        let list = fields.need("class_set", fields.list("class_set")?)?;
        let class = |(place, value)| {
            let fields = Fields::new(path, format!("class_set[{place}]"), value)?;
            Ok(Class {
                id: fields.need("id", fields.get("id"))?.clone(),
                name: fields.text("name")?.map(str::to_owned),
            })
        };
        let classes = list.iter().enumerate().map(class).collect::<Result<_, _>>()?;
        Ok(Self { classes })
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn as_slice(&self) -> &[Class] {
        &self.classes
    }

    /// The name of a class by its number.
    #[must_use]
    pub fn name(&self, id: i64) -> Option<&str> {
        self.classes
            .iter()
            .find(|class| class.id.as_i64() == Some(id))
            .and_then(|class| class.name.as_deref())
    }
}

/// The file with the classes of an image or of a column.
#[derive(Debug, Clone)]
pub struct ClassesFile {
    context: Context,
    path: String,
}

impl ClassesFile {
    /// From `{"type": "classes-file", "path": …, "digest": …}`.
    pub(super) fn of(context: &Context, fields: &Fields<'_>) -> Result<Self, MediaError> {
        Ok(Self {
            context: context.clone(),
            path: fields.need("path", fields.path("path")?)?.to_owned(),
        })
    }

    /// The entry.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Fetches and reads it.
    ///
    /// # Errors
    /// When the file is absent or no set of classes.
    pub async fn read(&self) -> Result<Classes, MediaError> {
        let value = self.context.json(&self.path).await?;
        Classes::parse(&self.path, &value)
    }
}
