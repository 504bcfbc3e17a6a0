//! The filter of a report as a tree.

use serde_json::{Map as JsonMap, Value as Json, json};

use super::{Key, QueryGeneratorError, Section};
use crate::filter::{MAX_DEPTH, json_path::JsonPath, nearest::nearest};

/// How a group joins its filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupOperator {
    /// All of them.
    And,
    /// At least one of them.
    Or,
}

impl GroupOperator {
    /// `AND` or `OR`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::Or => "OR",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::And, Self::Or]
            .into_iter()
            .find(|operator| operator.as_str().eq_ignore_ascii_case(name))
    }
}

/// How a leaf compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeafOperator {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// `<`
    Lt,
    /// `<=`
    Lte,
    /// `IN`
    In,
    /// `NIN`
    NotIn,
    /// `REGEX`
    Regex,
    /// `WITHINSECONDS`: a time not longer ago than so many seconds (inventory §3.5).
    WithinSeconds,
}

impl LeafOperator {
    pub(super) const ALL: [Self; 10] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::In,
        Self::NotIn,
        Self::Regex,
        Self::WithinSeconds,
    ];

    /// The name in a report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::In => "IN",
            Self::NotIn => "NIN",
            Self::Regex => "REGEX",
            Self::WithinSeconds => "WITHINSECONDS",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "==" => Some(Self::Eq),
            _ => Self::ALL.into_iter().find(|operator| operator.as_str() == name),
        }
    }
}

/// One comparison of a report filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// What is compared.
    pub key: Key,
    /// How.
    pub operator: LeafOperator,
    /// With what; `None` if the leaf has no value at all, which is not the same as null.
    pub value: Option<Json>,
    /// Whether it is switched off.
    pub disabled: bool,
}

impl Leaf {
    /// An active leaf.
    #[must_use]
    pub fn new(key: Key, operator: LeafOperator, value: Json) -> Self {
        Self {
            key,
            operator,
            value: Some(value),
            disabled: false,
        }
    }
}

/// The filter of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportFilter {
    /// Several filters, joined.
    Group {
        /// How they are joined.
        operator: GroupOperator,
        /// The filters.
        filters: Vec<ReportFilter>,
    },
    /// One comparison.
    Leaf(Leaf),
}

impl ReportFilter {
    /// Reads a report filter: a tree of `{op, filters}` and `{key, op, value, disabled}`, or the flat `filterV2` form,
    /// whose items name the connector to the item before them. As usual `AND` binds more strongly than `OR`.
    ///
    /// `null` and `{}` are no filter.
    ///
    /// # Errors
    /// When the JSON has another form, or names an unknown operator or section.
    pub fn from_json(json: &Json) -> Result<Option<Self>, QueryGeneratorError> {
        match json {
            Json::Null => Ok(None),
            Json::Object(members) if members.is_empty() => Ok(None),
            _ => read(json, &JsonPath::Root, 0).map(Some),
        }
    }

    /// The tree form.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Group { operator, filters } => json!({
                "op": operator.as_str(),
                "filters": filters.iter().map(Self::to_json).collect::<Vec<_>>(),
            }),
            Self::Leaf(leaf) => {
                let mut members = JsonMap::new();
                members.insert(
                    "key".to_owned(),
                    json!({"section": leaf.key.section.as_str(), "name": leaf.key.name}),
                );
                members.insert("op".to_owned(), json!(leaf.operator.as_str()));
                if let Some(value) = &leaf.value {
                    members.insert("value".to_owned(), value.clone());
                }
                if leaf.disabled {
                    members.insert("disabled".to_owned(), json!(true));
                }
                Json::Object(members)
            }
        }
    }
}

fn malformed(path: &JsonPath<'_>, expected: &'static str) -> QueryGeneratorError {
    QueryGeneratorError::Malformed {
        path: path.to_string(),
        expected,
    }
}

fn unknown_operator<'name>(
    path: &JsonPath<'_>,
    operator: &str,
    known: impl IntoIterator<Item = &'name str>,
) -> QueryGeneratorError {
    QueryGeneratorError::UnknownOperator {
        path: path.to_string(),
        operator: operator.to_owned(),
        nearest: nearest(operator, known).map(str::to_owned),
    }
}

fn read(json: &Json, path: &JsonPath<'_>, depth: usize) -> Result<ReportFilter, QueryGeneratorError> {
    if depth > MAX_DEPTH {
        return Err(QueryGeneratorError::TooDeep {
            path: path.to_string(),
        });
    }
    let Json::Object(members) = json else {
        return Err(malformed(path, "a filter object"));
    };
    // The order of the official class: a key makes a leaf, else there must be filters.
    if let Some(key) = members.get("key").filter(|key| !key.is_null()) {
        return read_leaf(members, key, path).map(ReportFilter::Leaf);
    }
    let Some(filters) = members.get("filters").filter(|filters| !filters.is_null()) else {
        return Err(malformed(path, "\"key\" or \"filters\""));
    };
    let filters_path = path.key("filters");
    let Json::Array(filters) = filters else {
        return Err(malformed(&filters_path, "a list of filters"));
    };
    let operator = match members.get("op") {
        // Only the flat form goes without.
        None | Some(Json::Null) => return read_flat(filters, &filters_path, depth),
        Some(Json::String(name)) => GroupOperator::from_name(name)
            .ok_or_else(|| unknown_operator(&path.key("op"), name, ["AND", "OR"]))?,
        Some(_) => return Err(malformed(&path.key("op"), "an operator")),
    };
    let filters = filters
        .iter()
        .enumerate()
        .map(|(place, filter)| read(filter, &filters_path.index(place), depth + 1))
        .collect::<Result<_, _>>()?;
    Ok(ReportFilter::Group { operator, filters })
}

/// Reads the flat form into an `OR` of `AND`s.
fn read_flat(
    filters: &[Json],
    path: &JsonPath<'_>,
    depth: usize,
) -> Result<ReportFilter, QueryGeneratorError> {
    let mut groups: Vec<Vec<ReportFilter>> = vec![Vec::new()];
    for (place, item) in filters.iter().enumerate() {
        let path = path.index(place);
        let connector = match item.get("connector") {
            None | Some(Json::Null) => GroupOperator::And,
            Some(Json::String(name)) => GroupOperator::from_name(name)
                .ok_or_else(|| unknown_operator(&path.key("connector"), name, ["AND", "OR"]))?,
            Some(_) => return Err(malformed(&path.key("connector"), "\"AND\" or \"OR\"")),
        };
        let filter = read(item, &path, depth + 2)?;
        // The connector of the first item connects it with nothing.
        if connector == GroupOperator::Or && place > 0 {
            groups.push(Vec::new());
        }
        groups.last_mut().expect("there is always one group").push(filter);
    }
    Ok(ReportFilter::Group {
        operator: GroupOperator::Or,
        filters: groups
            .into_iter()
            .map(|filters| ReportFilter::Group {
                operator: GroupOperator::And,
                filters,
            })
            .collect(),
    })
}

fn read_leaf(
    members: &JsonMap<String, Json>,
    key: &Json,
    path: &JsonPath<'_>,
) -> Result<Leaf, QueryGeneratorError> {
    let key_path = path.key("key");
    let text = |name: &'static str, expected: &'static str| match key.get(name) {
        Some(Json::String(text)) => Ok(text.as_str()),
        _ => Err(malformed(&key_path.key(name), expected)),
    };
    let section = text("section", "a section")?;
    let section = Section::ALL
        .into_iter()
        .find(|known| known.as_str() == section)
        .ok_or_else(|| QueryGeneratorError::UnknownSection {
            path: key_path.key("section").to_string(),
            section: section.to_owned(),
        })?;
    let name = text("name", "a name")?;
    let operator = match members.get("op") {
        Some(Json::String(name)) => LeafOperator::from_name(name).ok_or_else(|| {
            unknown_operator(
                &path.key("op"),
                name,
                LeafOperator::ALL.into_iter().map(LeafOperator::as_str),
            )
        })?,
        _ => return Err(malformed(&path.key("op"), "an operator")),
    };
    let disabled = match members.get("disabled") {
        None | Some(Json::Null) => false,
        Some(Json::Bool(disabled)) => *disabled,
        Some(_) => return Err(malformed(&path.key("disabled"), "true or false")),
    };
    Ok(Leaf {
        key: Key::new(section, name),
        operator,
        value: members.get("value").cloned(),
        disabled,
    })
}
