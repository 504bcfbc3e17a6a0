//! The Mongo-style JSON form, which is what the server takes.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use super::{
    ast::{Condition, Filter, MAX_DEPTH, Node, Operator, Predicate},
    check,
    document::Document,
    error::{FilterError, FilterErrorKind},
    field::FieldPath,
    json_path::JsonPath,
    literal::{Literal, Scalar},
    nearest::nearest,
};

/// The operators that stand where a field could stand.
const GROUPS: [&str; 4] = ["$and", "$or", "$nor", "$not"];

impl Filter {
    /// Reads a Mongo-style filter.
    ///
    /// `{}` and `null` are every run. Several keys, and several operators of one key, must all hold.
    ///
    /// # Errors
    /// When a field or an operator is not known, a value does not fit its operator, or the nesting is too deep. The
    /// error names the place, for example `$.config.lr.$gtt`. JSON that this crate does not know but the server does
    /// goes through [`raw_json`](Self::raw_json).
    pub fn from_mongo(json: &Json) -> Result<Self, FilterError> {
        Self::from_document(Document::from_json(json)?)
    }

    /// Reads a Mongo-style filter from its text, see [`from_mongo`](Self::from_mongo).
    ///
    /// Reading the text itself keeps what a JSON value has lost: a repeated key is an error, and numbers are exact.
    ///
    /// # Errors
    /// When the text is not JSON, repeats a key, or is no filter.
    pub fn parse_mongo(text: &str) -> Result<Self, FilterError> {
        Self::from_document(Document::parse(text)?)
    }

    /// Like [`raw_json`](Self::raw_json), from a text.
    ///
    /// # Errors
    /// When the text is not JSON, not an object, repeats a key, or is nested too deep.
    pub fn parse_raw_json(text: &str) -> Result<Self, FilterError> {
        let document = Document::parse(text)?;
        refuse_repeated_keys(&document, &JsonPath::Root)?;
        Self::raw_json(document.into_json())
    }

    pub(super) fn from_document(document: Document) -> Result<Self, FilterError> {
        match document {
            Document::Null => Ok(Self::everything()),
            Document::Object(members) => {
                let filter = read_filter(members, &JsonPath::Root, 0)?;
                // Several members make a group of their own, which can add a level to those that were counted.
                check::filter(&filter)?;
                Ok(filter)
            }
            other => Err(FilterError::new(
                FilterErrorKind::WrongValue,
                format!("a filter in JSON must be an object, not {}", other.kind()),
            )),
        }
    }

    /// The canonical Mongo-style form. [`from_mongo`](Self::from_mongo) reads it back to an equal filter, unless a
    /// part of it is [raw](Self::raw_json).
    #[must_use]
    pub fn to_mongo(&self) -> Json {
        match self.node() {
            Node::And(members) if members.is_empty() => json!({}),
            Node::And(members) => json!({"$and": members.iter().map(Self::to_mongo).collect::<Vec<_>>()}),
            Node::Or(members) => json!({"$or": members.iter().map(Self::to_mongo).collect::<Vec<_>>()}),
            // `$not` is not among the documented operators of run filters, and at this place not Mongo's either.
            Node::Not(inner) => match inner.node() {
                Node::Or(members) => json!({"$nor": members.iter().map(Self::to_mongo).collect::<Vec<_>>()}),
                _ => json!({"$nor": [inner.to_mongo()]}),
            },
            Node::Condition(condition) => condition.to_mongo(),
            Node::Raw(json) => json.clone(),
        }
    }

    /// The text of [`to_mongo`](Self::to_mongo), which is what the `filters` variable of a query holds.
    #[must_use]
    pub fn to_mongo_text(&self) -> String {
        self.to_mongo().to_string()
    }
}

impl Condition {
    fn to_mongo(&self) -> Json {
        let value = match &self.predicate {
            Predicate::Eq(value) => value.to_json(),
            other => json!({other.operator().wire_name(): other.value_json()}),
        };
        json!({self.field.to_wire(): value})
    }
}

impl Predicate {
    /// The value beside the operator.
    fn value_json(&self) -> Json {
        match self {
            Self::Eq(value) | Self::Ne(value) => value.to_json(),
            Self::Gt(value)
            | Self::Gte(value)
            | Self::Lt(value)
            | Self::Lte(value)
            | Self::Contains(value) => value.as_literal().to_json(),
            Self::In(values) | Self::NotIn(values) => {
                Json::Array(values.iter().map(Literal::to_json).collect())
            }
            Self::Exists(there) => Json::Bool(*there),
            Self::Regex(pattern) => Json::String(pattern.clone()),
        }
    }
}

type Members = Vec<(String, Document)>;

fn read_filter(members: Members, path: &JsonPath<'_>, depth: usize) -> Result<Filter, FilterError> {
    if depth > MAX_DEPTH {
        return Err(FilterError::too_deep().at_json(|| path.to_string()));
    }
    refuse_repeats(&members, path)?;
    let mut filters = Vec::with_capacity(members.len());
    for (key, value) in members {
        let path = path.key(&key);
        filters.push(match key.as_str() {
            "$and" => Filter::all_of(read_group(value, &path, depth)?),
            "$or" => Filter::any_of(not_empty(read_group(value, &path, depth)?, &path)?),
            "$nor" => Filter::none_of(not_empty(read_group(value, &path, depth)?, &path)?),
            "$not" => !read_filter(object(value, &path)?, &path, depth + 1)?,
            operator if operator.starts_with('$') => return Err(misplaced_operator(operator, &path)),
            field => {
                let field =
                    FieldPath::from_wire(field).map_err(|error| error.at_json(|| path.to_string()))?;
                read_field(&field, value, &path, depth)?
            }
        });
    }
    Ok(Filter::all_of(filters))
}

fn read_group(value: Document, path: &JsonPath<'_>, depth: usize) -> Result<Vec<Filter>, FilterError> {
    let Document::Array(items) = value else {
        return Err(wrong(
            format!("a list of filters was expected, not {}", value.kind()),
            path,
        ));
    };
    items
        .into_iter()
        .enumerate()
        .map(|(place, item)| {
            let path = path.index(place);
            read_filter(object(item, &path)?, &path, depth + 1)
        })
        .collect()
}

fn object(value: Document, path: &JsonPath<'_>) -> Result<Members, FilterError> {
    match value {
        Document::Object(members) => Ok(members),
        other => Err(wrong(
            format!("a filter object was expected, not {}", other.kind()),
            path,
        )),
    }
}

/// An empty `$or` is an error in Mongo, and there is no telling whether every run or no run was meant.
fn not_empty(filters: Vec<Filter>, path: &JsonPath<'_>) -> Result<Vec<Filter>, FilterError> {
    if filters.is_empty() {
        return Err(wrong("at least one filter is needed".to_owned(), path));
    }
    Ok(filters)
}

/// Reads what stands behind a field: a bare value or an object of operators.
fn read_field(
    field: &FieldPath,
    value: Document,
    path: &JsonPath<'_>,
    depth: usize,
) -> Result<Filter, FilterError> {
    let members = match value {
        Document::Object(members) => members,
        bare => return condition(field, Predicate::Eq(literal(bare, path)?), path),
    };
    if depth > MAX_DEPTH {
        return Err(FilterError::too_deep().at_json(|| path.to_string()));
    }
    refuse_repeats(&members, path)?;
    if members.is_empty() {
        return Err(wrong(
            "an operator was expected in the empty object".to_owned(),
            path,
        ));
    }
    let mut filters = Vec::with_capacity(members.len());
    for (name, value) in members {
        let path = path.key(&name);
        if name == "$not" {
            let Document::Object(_) = value else {
                return Err(wrong(
                    format!("an object of operators was expected, not {}", value.kind()),
                    &path,
                )
                .with_hint("write \"$ne\" for a plain value"));
            };
            filters.push(!read_field(field, value, &path, depth + 1)?);
            continue;
        }
        let Some(operator) = Operator::from_wire(&name) else {
            return Err(unknown_operator(field, &name, &path));
        };
        filters.push(condition(field, read_predicate(operator, value, &path)?, &path)?);
    }
    Ok(Filter::all_of(filters))
}

fn condition(field: &FieldPath, predicate: Predicate, path: &JsonPath<'_>) -> Result<Filter, FilterError> {
    let condition = Condition {
        field: field.clone(),
        predicate,
    };
    check::condition(&condition).map_err(|error| error.at_json(|| path.to_string()))?;
    Ok(condition.into())
}

fn read_predicate(
    operator: Operator,
    value: Document,
    path: &JsonPath<'_>,
) -> Result<Predicate, FilterError> {
    Ok(match operator {
        Operator::Eq => Predicate::Eq(literal(value, path)?),
        Operator::Ne => Predicate::Ne(literal(value, path)?),
        Operator::Gt => Predicate::Gt(scalar(value, path)?),
        Operator::Gte => Predicate::Gte(scalar(value, path)?),
        Operator::Lt => Predicate::Lt(scalar(value, path)?),
        Operator::Lte => Predicate::Lte(scalar(value, path)?),
        Operator::Contains => Predicate::Contains(scalar(value, path)?),
        Operator::In => Predicate::In(literals(value, path)?),
        Operator::NotIn => Predicate::NotIn(literals(value, path)?),
        Operator::Exists => match value {
            Document::Bool(there) => Predicate::Exists(there),
            other => {
                return Err(wrong(
                    format!("true or false was expected, not {}", other.kind()),
                    path,
                ));
            }
        },
        Operator::Regex => match value {
            Document::String(pattern) => Predicate::Regex(pattern),
            other => {
                return Err(wrong(
                    format!("a pattern was expected, not {}", other.kind()),
                    path,
                ));
            }
        },
    })
}

fn literal(value: Document, path: &JsonPath<'_>) -> Result<Literal, FilterError> {
    let kind = value.kind();
    value.into_literal().ok_or_else(|| {
        wrong(
            format!("a plain value was expected, but there is an object in {kind}"),
            path,
        )
    })
}

fn scalar(value: Document, path: &JsonPath<'_>) -> Result<Scalar, FilterError> {
    let kind = value.kind();
    literal(value, path).ok().and_then(Scalar::new).ok_or_else(|| {
        wrong(
            format!("a number, a string or a boolean was expected, not {kind}"),
            path,
        )
    })
}

fn literals(value: Document, path: &JsonPath<'_>) -> Result<Vec<Literal>, FilterError> {
    let Document::Array(items) = value else {
        return Err(wrong(
            format!("a list of values was expected, not {}", value.kind()),
            path,
        ));
    };
    items
        .into_iter()
        .enumerate()
        .map(|(place, item)| literal(item, &path.index(place)))
        .collect()
}

fn wrong(message: String, path: &JsonPath<'_>) -> FilterError {
    FilterError::new(FilterErrorKind::WrongValue, message).at_json(|| path.to_string())
}

/// The error for an operator where a field was expected.
fn misplaced_operator(name: &str, path: &JsonPath<'_>) -> FilterError {
    let error = FilterError::new(
        FilterErrorKind::UnknownOperator,
        format!("unknown operator \"{name}\""),
    )
    .at_json(|| path.to_string());
    if Operator::from_wire(name).is_some() {
        return error.with_hint(format!(
            "\"{name}\" belongs behind a field: {{\"config.lr\": {{\"{name}\": …}}}}"
        ));
    }
    error.with_nearest(nearest(name, GROUPS))
}

/// The error for a key behind a field that is no operator.
fn unknown_operator(field: &FieldPath, name: &str, path: &JsonPath<'_>) -> FilterError {
    let error = FilterError::new(
        FilterErrorKind::UnknownOperator,
        format!("unknown operator \"{name}\""),
    )
    .at_json(|| path.to_string());
    if name == "$options" {
        return error.with_hint("put flags into the pattern, for example \"(?i)resnet\"");
    }
    let operators = Operator::ALL.into_iter().map(Operator::wire_name).chain(["$not"]);
    if let Some(near) = nearest(name, operators.clone()) {
        return error.with_nearest(Some(near));
    }
    if !name.starts_with('$') {
        let with_dollar = format!("${name}");
        if let Some(near) = nearest(&with_dollar, operators) {
            return error.with_nearest(Some(near));
        }
        if !matches!(field, FieldPath::Attribute(_)) {
            return error.with_hint(format!(
                "a nested value is written \"{}.{name}\"",
                field.to_wire()
            ));
        }
    }
    error
}

/// A repeated key would be lost in most JSON readers, so it is never what was meant.
fn refuse_repeats(members: &Members, path: &JsonPath<'_>) -> Result<(), FilterError> {
    let mut seen = HashSet::with_capacity(members.len());
    for (key, _) in members {
        if !seen.insert(key.as_str()) {
            return Err(FilterError::new(
                FilterErrorKind::DuplicateKey,
                format!("the key \"{key}\" stands twice"),
            )
            .at_json(|| path.key(key).to_string())
            .with_hint("join the two with \"$and\", or put both operators into one object"));
        }
    }
    Ok(())
}

fn refuse_repeated_keys(document: &Document, path: &JsonPath<'_>) -> Result<(), FilterError> {
    match document {
        Document::Object(members) => {
            refuse_repeats(members, path)?;
            members
                .iter()
                .try_for_each(|(key, member)| refuse_repeated_keys(member, &path.key(key)))
        }
        Document::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(place, item)| refuse_repeated_keys(item, &path.index(place))),
        _ => Ok(()),
    }
}
