//! Report filters as Mongo-style JSON, and back.

use jiff::SignedDuration;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::{
    GroupOperator, Key, Leaf, LeafOperator, QueryGenerator, QueryGeneratorError, ReportFilter, Section,
};
use crate::{
    filter::{MAX_DEPTH, json_path::JsonPath, nearest::nearest},
    timestamp::Timestamp,
};

/// Why a part of a report filter is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IgnoreReason {
    /// It is switched off.
    Disabled,
    /// No field has been chosen.
    NoName,
    /// No value has been filled in.
    NoValue,
    /// The group holds nothing to choose from.
    Empty,
}

/// A part of a report filter that is not applied, by the app neither.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct IgnoredFilter {
    /// Its JSON path in the tree form.
    pub path: String,
    /// Why.
    pub reason: IgnoreReason,
}

/// A server filter made of a report filter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MongoFilter {
    /// The filter; `None` if no part of the report filter is active.
    pub json: Option<Json>,
    /// The parts that are not active.
    pub ignored: Vec<IgnoredFilter>,
}

impl QueryGenerator {
    /// Turns a report filter into a server filter.
    ///
    /// # Errors
    /// When a leaf has a value that its operator cannot take, or counts back from a time that was not given
    /// ([`with_now`](Self::with_now)).
    pub fn filter_to_mongo(&self, filter: &ReportFilter) -> Result<MongoFilter, QueryGeneratorError> {
        let mut ignored = Vec::new();
        let json = self.tree_to_mongo(filter, "$".to_owned(), 0, &mut ignored)?;
        Ok(MongoFilter { json, ignored })
    }

    fn tree_to_mongo(
        &self,
        filter: &ReportFilter,
        path: String,
        depth: usize,
        ignored: &mut Vec<IgnoredFilter>,
    ) -> Result<Option<Json>, QueryGeneratorError> {
        if depth > MAX_DEPTH {
            return Err(QueryGeneratorError::TooDeep { path });
        }
        let (operator, filters) = match filter {
            ReportFilter::Leaf(leaf) => return self.leaf_to_mongo(leaf, &path, ignored),
            ReportFilter::Group { operator, filters } => (*operator, filters),
        };
        let mut members = Vec::with_capacity(filters.len());
        for (place, filter) in filters.iter().enumerate() {
            members.extend(self.tree_to_mongo(
                filter,
                format!("{path}.filters[{place}]"),
                depth + 1,
                ignored,
            )?);
        }
        Ok(match operator {
            // An empty `$and` is every run, as new reports have it; one that has become empty must not be that.
            GroupOperator::And if members.is_empty() && !filters.is_empty() => None,
            GroupOperator::And => Some(json!({"$and": members})),
            // An empty `$or` is an error on a server.
            GroupOperator::Or if members.is_empty() => {
                if filters.is_empty() {
                    ignored.push(IgnoredFilter {
                        path,
                        reason: IgnoreReason::Empty,
                    });
                }
                None
            }
            GroupOperator::Or => Some(json!({"$or": members})),
        })
    }

    /// `None`, and an entry in `ignored`, if the leaf is not active.
    pub(crate) fn leaf_to_mongo(
        &self,
        leaf: &Leaf,
        path: &str,
        ignored: &mut Vec<IgnoredFilter>,
    ) -> Result<Option<Json>, QueryGeneratorError> {
        let mut ignore = |reason| {
            ignored.push(IgnoredFilter {
                path: path.to_owned(),
                reason,
            });
            Ok(None)
        };
        if leaf.disabled {
            return ignore(IgnoreReason::Disabled);
        }
        if leaf.key.name.is_empty() {
            return ignore(IgnoreReason::NoName);
        }
        let value = match &leaf.value {
            None => return ignore(IgnoreReason::NoValue),
            Some(Json::Null) if !matches!(leaf.operator, LeafOperator::Eq | LeafOperator::Ne) => {
                return ignore(IgnoreReason::NoValue);
            }
            Some(value) => value,
        };
        let malformed = |expected| QueryGeneratorError::Malformed {
            path: format!("{path}.value"),
            expected,
        };
        match leaf.operator {
            // A server would read an object as operators.
            _ if value.is_object() => return Err(malformed("a plain value")),
            LeafOperator::In | LeafOperator::NotIn if !value.is_array() => {
                return Err(malformed("a list of values"));
            }
            LeafOperator::Regex if !value.is_string() => return Err(malformed("a pattern")),
            _ => {}
        }
        if leaf.key.section == Section::Tags {
            return tag_to_mongo(leaf, value, path).map(Some);
        }
        let field = Self::key_to_server_path(&leaf.key);
        let comparison = match leaf.operator {
            LeafOperator::Eq => value.clone(),
            LeafOperator::WithinSeconds => {
                let seconds = value.as_f64().filter(|seconds| *seconds >= 0.0);
                let seconds = seconds.ok_or_else(|| malformed("a number of seconds"))?;
                json!({"$gte": self.seconds_ago(seconds, path)?.to_string()})
            }
            operator => json!({mongo_name(operator): value}),
        };
        Ok(Some(json!({field: comparison})))
    }

    fn seconds_ago(&self, seconds: f64, path: &str) -> Result<Timestamp, QueryGeneratorError> {
        let now = self.now.ok_or_else(|| QueryGeneratorError::NeedsTime {
            path: path.to_owned(),
        })?;
        // Longer ago than time itself is as long ago as can be.
        let earlier = SignedDuration::try_from_secs_f64(seconds)
            .ok()
            .and_then(|duration| now.as_jiff().checked_sub(duration).ok());
        Ok(earlier.unwrap_or(jiff::Timestamp::MIN).into())
    }

    /// Turns a server filter into a report filter; `None` for `null` and `{}`.
    ///
    /// # Errors
    /// When a part has no form in a report: `$exists`, `$contains`, the negation of anything but `=` and `IN`; or the JSON
    /// is no filter.
    pub fn mongo_to_filter(&self, mongo: &Json) -> Result<Option<ReportFilter>, QueryGeneratorError> {
        match mongo {
            Json::Null => Ok(None),
            Json::Object(members) if members.is_empty() => Ok(None),
            _ => filter_from_mongo(mongo, &JsonPath::Root, 0, Sense::Positive).map(Some),
        }
    }
}

/// A leaf of one tag: its value says whether the tag is wanted.
fn tag_to_mongo(leaf: &Leaf, value: &Json, path: &str) -> Result<Json, QueryGeneratorError> {
    let wanted = *value != Json::Bool(false);
    let has = |wanted: bool| {
        if wanted {
            json!({"tags": leaf.key.name})
        } else {
            json!({"$or": [{"tags": null}, {"tags": {"$ne": leaf.key.name}}]})
        }
    };
    match leaf.operator {
        LeafOperator::In => Ok(json!({"tags": {"$in": value}})),
        LeafOperator::NotIn => Ok(json!({"tags": {"$nin": value}})),
        LeafOperator::Eq => Ok(has(wanted)),
        LeafOperator::Ne => Ok(has(!wanted)),
        other => Err(QueryGeneratorError::UnknownOperator {
            path: format!("{path}.op"),
            operator: other.as_str().to_owned(),
            nearest: None,
        }),
    }
}

fn mongo_name(operator: LeafOperator) -> &'static str {
    match operator {
        LeafOperator::Eq => "$eq",
        LeafOperator::Ne => "$ne",
        LeafOperator::Gt => "$gt",
        LeafOperator::Gte | LeafOperator::WithinSeconds => "$gte",
        LeafOperator::Lt => "$lt",
        LeafOperator::Lte => "$lte",
        LeafOperator::In => "$in",
        LeafOperator::NotIn => "$nin",
        LeafOperator::Regex => "$regex",
    }
}

/// The leaf operators that have a Mongo form of their own.
fn from_mongo_name(name: &str) -> Option<LeafOperator> {
    LeafOperator::ALL
        .into_iter()
        .filter(|operator| *operator != LeafOperator::WithinSeconds)
        .find(|operator| mongo_name(*operator) == name)
}

/// Whether a filter or its negation is wanted. A report has no negation, so it is carried down to the leaves.
#[derive(Clone, Copy, PartialEq)]
enum Sense {
    Positive,
    Negative,
}

impl Sense {
    fn opposite(self) -> Self {
        match self {
            Self::Positive => Self::Negative,
            Self::Negative => Self::Positive,
        }
    }

    /// De Morgan: the negation of an `AND` is an `OR` of negations.
    fn of_group(self, operator: GroupOperator) -> GroupOperator {
        match (self, operator) {
            (Self::Positive, operator) => operator,
            (Self::Negative, GroupOperator::And) => GroupOperator::Or,
            (Self::Negative, GroupOperator::Or) => GroupOperator::And,
        }
    }
}

fn malformed(path: &JsonPath<'_>, expected: &'static str) -> QueryGeneratorError {
    QueryGeneratorError::Malformed {
        path: path.to_string(),
        expected,
    }
}

/// One filter is itself, several are joined.
fn joined(operator: GroupOperator, mut filters: Vec<ReportFilter>) -> ReportFilter {
    if filters.len() == 1 {
        return filters.remove(0);
    }
    ReportFilter::Group { operator, filters }
}

fn filter_from_mongo(
    json: &Json,
    path: &JsonPath<'_>,
    depth: usize,
    sense: Sense,
) -> Result<ReportFilter, QueryGeneratorError> {
    if depth > MAX_DEPTH {
        return Err(QueryGeneratorError::TooDeep {
            path: path.to_string(),
        });
    }
    let Json::Object(members) = json else {
        return Err(malformed(path, "a filter object"));
    };
    let mut filters = Vec::with_capacity(members.len());
    for (name, value) in members {
        let path = path.key(name);
        filters.push(match name.as_str() {
            "$and" => group_from_mongo(GroupOperator::And, value, &path, depth, sense)?,
            "$or" => group_from_mongo(GroupOperator::Or, value, &path, depth, sense)?,
            "$nor" => group_from_mongo(GroupOperator::Or, value, &path, depth, sense.opposite())?,
            "$not" => filter_from_mongo(value, &path, depth + 1, sense.opposite())?,
            operator if operator.starts_with('$') => {
                return Err(QueryGeneratorError::UnknownOperator {
                    path: path.to_string(),
                    operator: operator.to_owned(),
                    nearest: nearest(operator, ["$and", "$or", "$nor", "$not"]).map(str::to_owned),
                });
            }
            field => field_from_mongo(field, value, &path, depth, sense)?,
        });
    }
    if filters.is_empty() && sense == Sense::Negative {
        return Err(no_opposite("an empty filter", path));
    }
    Ok(joined(sense.of_group(GroupOperator::And), filters))
}

fn group_from_mongo(
    operator: GroupOperator,
    value: &Json,
    path: &JsonPath<'_>,
    depth: usize,
    sense: Sense,
) -> Result<ReportFilter, QueryGeneratorError> {
    let Json::Array(items) = value else {
        return Err(malformed(path, "a list of filters"));
    };
    // A new report is an `OR` of one empty `AND`; the opposite of something empty has no such form.
    if items.is_empty() && (operator == GroupOperator::Or || sense == Sense::Negative) {
        return Err(malformed(path, "at least one filter"));
    }
    let filters = items
        .iter()
        .enumerate()
        .map(|(place, item)| filter_from_mongo(item, &path.index(place), depth + 1, sense))
        .collect::<Result<_, _>>()?;
    Ok(ReportFilter::Group {
        operator: sense.of_group(operator),
        filters,
    })
}

fn field_from_mongo(
    field: &str,
    value: &Json,
    path: &JsonPath<'_>,
    depth: usize,
    sense: Sense,
) -> Result<ReportFilter, QueryGeneratorError> {
    if depth > MAX_DEPTH {
        return Err(QueryGeneratorError::TooDeep {
            path: path.to_string(),
        });
    }
    let key = QueryGenerator::server_path_to_key(field);
    let members: &JsonMap<String, Json> = match value {
        Json::Object(members) => members,
        bare => return leaf(key, LeafOperator::Eq, bare, path, sense),
    };
    if members.is_empty() {
        return Err(malformed(path, "an operator"));
    }
    let mut filters = Vec::with_capacity(members.len());
    for (name, value) in members {
        let path = path.key(name);
        if name == "$not" {
            if !value.is_object() {
                return Err(malformed(&path, "an object of operators"));
            }
            filters.push(field_from_mongo(
                field,
                value,
                &path,
                depth + 1,
                sense.opposite(),
            )?);
            continue;
        }
        if matches!(name.as_str(), "$exists" | "$contains") {
            return Err(QueryGeneratorError::NotRepresentable {
                path: path.to_string(),
                what: format!("\"{name}\""),
            });
        }
        let operator = from_mongo_name(name).ok_or_else(|| QueryGeneratorError::UnknownOperator {
            path: path.to_string(),
            operator: name.clone(),
            nearest: nearest(name, LeafOperator::ALL.into_iter().map(mongo_name)).map(str::to_owned),
        })?;
        filters.push(leaf(key.clone(), operator, value, &path, sense)?);
    }
    Ok(joined(sense.of_group(GroupOperator::And), filters))
}

fn leaf(
    key: Key,
    operator: LeafOperator,
    value: &Json,
    path: &JsonPath<'_>,
    sense: Sense,
) -> Result<ReportFilter, QueryGeneratorError> {
    let operator = match (sense, operator) {
        (Sense::Positive, operator) => operator,
        (Sense::Negative, LeafOperator::Eq) => LeafOperator::Ne,
        (Sense::Negative, LeafOperator::Ne) => LeafOperator::Eq,
        (Sense::Negative, LeafOperator::In) => LeafOperator::NotIn,
        (Sense::Negative, LeafOperator::NotIn) => LeafOperator::In,
        // Neither `>` nor `<=` holds for a missing value, so they are not opposites.
        (Sense::Negative, other) => {
            return Err(no_opposite(
                &format!("the negation of \"{}\"", other.as_str()),
                path,
            ));
        }
    };
    let fits = match operator {
        _ if value.is_object() => false,
        LeafOperator::Eq | LeafOperator::Ne => true,
        LeafOperator::In | LeafOperator::NotIn => value.is_array(),
        LeafOperator::Regex => value.is_string(),
        _ => !value.is_null(),
    };
    if !fits {
        return Err(malformed(path, "a value that fits the operator"));
    }
    Ok(ReportFilter::Leaf(Leaf::new(key, operator, value.clone())))
}

fn no_opposite(what: &str, path: &JsonPath<'_>) -> QueryGeneratorError {
    QueryGeneratorError::NotRepresentable {
        path: path.to_string(),
        what: what.to_owned(),
    }
}
