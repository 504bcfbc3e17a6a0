//! From the JSON of a filter to a condition.

use rusqlite::types::Value as SqlValue;
use serde_json::{Map, Value};

use super::error::FilterError;
use super::field::{Document, Field, List, Subject};
use super::functions::compile_regex;
use super::predicate::{Condition, Place, Test};
use super::sql::SqlFragment;
use super::time;
use crate::lenient;

/// The largest filter text. A list of ten thousand run names fits several times.
const MAX_BYTES: usize = 1 << 20;
/// How deep `$and`, `$or`, `$nor` and `$not` may nest.
const MAX_DEPTH: usize = 64;
/// How many comparisons a filter may make. SQLite takes 32,766 parameters a statement; a comparison needs at most two.
const MAX_COMPARISONS: usize = 5_000;

/// The condition that a filter puts on its subject; `None` when it puts none (no text, blank, null or `{}`).
///
/// # Errors
/// The filter is not JSON, too large, or names fields or operators that do not exist or do not fit together.
pub(crate) fn compile_filter(
    subject: Subject,
    text: Option<&str>,
) -> Result<Option<SqlFragment>, FilterError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.len() > MAX_BYTES {
        return Err(FilterError::TooLarge {
            what: "bytes",
            limit: MAX_BYTES,
        });
    }
    // Python's encoder writes bare NaN here as well.
    let strict = lenient::strict(text).map_err(|source| FilterError::Json(source.into()))?;
    let filter: Value = serde_json::from_str(&strict).map_err(|source| FilterError::Json(source.into()))?;
    match &filter {
        Value::Null => Ok(None),
        Value::Object(members) if members.is_empty() => Ok(None),
        _ => {
            let mut compiler = Compiler {
                subject,
                comparisons: 0,
            };
            compiler.filter(&filter, "the filter", 0).map(Some)
        }
    }
}

struct Compiler {
    subject: Subject,
    comparisons: usize,
}

impl Compiler {
    /// A filter object: every member must hold.
    fn filter(&mut self, filter: &Value, place: &str, depth: usize) -> Result<SqlFragment, FilterError> {
        if depth > MAX_DEPTH {
            return Err(FilterError::TooLarge {
                what: "nested levels",
                limit: MAX_DEPTH,
            });
        }
        let Value::Object(members) = filter else {
            return Err(FilterError::NotAnObject {
                place: place.to_owned(),
            });
        };
        let parts = members.iter().map(|(key, value)| match key.as_str() {
            "$and" => Ok(SqlFragment::all(self.branches(key, value, depth)?)),
            "$or" => Ok(SqlFragment::any(self.branches(key, value, depth)?)),
            "$nor" => Ok(SqlFragment::any(self.branches(key, value, depth)?).negated()),
            "$not" => Ok(self.filter(value, "the operand of $not", depth + 1)?.negated()),
            operator if operator.starts_with('$') => Err(FilterError::UnknownOperator {
                operator: operator.to_owned(),
                field: None,
            }),
            name => {
                let field = Field::parse(self.subject, name).ok_or_else(|| FilterError::UnknownField {
                    field: name.to_owned(),
                })?;
                self.condition(&Named { name, field }, value, depth)
            }
        });
        Ok(SqlFragment::all(parts.collect::<Result<_, _>>()?))
    }

    fn branches(
        &mut self,
        operator: &str,
        list: &Value,
        depth: usize,
    ) -> Result<Vec<SqlFragment>, FilterError> {
        let Value::Array(filters) = list else {
            return Err(FilterError::NotAList {
                operator: operator.to_owned(),
            });
        };
        let place = format!("every branch of {operator}");
        filters
            .iter()
            .map(|filter| self.filter(filter, &place, depth + 1))
            .collect()
    }

    /// What a field must meet: a bare value to equal, or an object of operators that must all hold.
    fn condition(
        &mut self,
        field: &Named<'_>,
        value: &Value,
        depth: usize,
    ) -> Result<SqlFragment, FilterError> {
        if depth > MAX_DEPTH {
            return Err(FilterError::TooLarge {
                what: "nested levels",
                limit: MAX_DEPTH,
            });
        }
        match value {
            Value::Object(members) if members.keys().any(|key| key.starts_with('$')) => {
                let parts = members
                    .iter()
                    .map(|(operator, operand)| self.operator(field, operator, operand, depth));
                Ok(SqlFragment::all(parts.collect::<Result<_, _>>()?))
            }
            _ => self.compare(field, Comparison::Equal, value),
        }
    }

    fn operator(
        &mut self,
        field: &Named<'_>,
        operator: &str,
        operand: &Value,
        depth: usize,
    ) -> Result<SqlFragment, FilterError> {
        let (comparison, negated) = match operator {
            "$eq" => (Comparison::Equal, false),
            "$ne" => (Comparison::Equal, true),
            "$gt" => (Comparison::Above, false),
            "$gte" => (Comparison::AboveOrEqual, false),
            "$lt" => (Comparison::Below, false),
            "$lte" => (Comparison::BelowOrEqual, false),
            "$in" => (Comparison::In, false),
            "$nin" => (Comparison::In, true),
            "$regex" => (Comparison::Matches, false),
            "$contains" => (Comparison::Contains, false),
            "$exists" => {
                let wanted = match operand {
                    Value::Bool(wanted) => *wanted,
                    Value::Number(number) => number.as_f64() != Some(0.0),
                    _ => return Err(field.operand("$exists", "true or false")),
                };
                let exists = self.compare(field, Comparison::Exists, operand)?;
                return Ok(if wanted { exists } else { exists.negated() });
            }
            "$not" => return Ok(self.condition(field, operand, depth + 1)?.negated()),
            _ => {
                return Err(FilterError::UnknownOperator {
                    operator: operator.to_owned(),
                    field: Some(field.name.to_owned()),
                });
            }
        };
        let compared = self.compare(field, comparison, operand)?;
        Ok(if negated { compared.negated() } else { compared })
    }

    fn compare(
        &mut self,
        field: &Named<'_>,
        comparison: Comparison,
        operand: &Value,
    ) -> Result<SqlFragment, FilterError> {
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(FilterError::TooLarge {
                what: "comparisons",
                limit: MAX_COMPARISONS,
            });
        }
        match &field.field {
            Field::Text { column } => field.text(column, comparison, operand),
            Field::Time { column } => field.scalar(column, comparison, operand, |value| match value {
                Value::Null => Ok(Some(SqlValue::Null)),
                value => {
                    let time = time::microseconds(value);
                    let expected = "a time such as \"2024-05-01T12:00:00Z\", or seconds since 1970";
                    Ok(Some(SqlValue::Integer(
                        time.ok_or_else(|| field.operand(comparison.name(), expected))?,
                    )))
                }
            }),
            Field::Number { expression } => {
                field.scalar(expression, comparison, operand, |value| match value {
                    Value::Null => Ok(Some(SqlValue::Null)),
                    Value::Number(number) => Ok(Some(match number.as_i64() {
                        Some(integer) => SqlValue::Integer(integer),
                        None => SqlValue::Real(number.as_f64().unwrap_or(f64::NAN)),
                    })),
                    Value::Array(_) | Value::Object(_) => Err(field.operand(comparison.name(), "a number")),
                    Value::Bool(_) | Value::String(_) => Ok(None),
                })
            }
            Field::List(list) => field.elements(*list, comparison, operand),
            Field::HistoryKey(key) => field.history_key(key, comparison, operand),
            Field::Json { document, path } => field.json(*document, path, comparison, operand),
        }
    }
}

/// What is left of the operators once negations are taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Below,
    BelowOrEqual,
    Above,
    AboveOrEqual,
    In,
    Exists,
    Matches,
    Contains,
}

impl Comparison {
    /// The operator, for messages.
    fn name(self) -> &'static str {
        match self {
            Self::Equal => "$eq",
            Self::Below => "$lt",
            Self::BelowOrEqual => "$lte",
            Self::Above => "$gt",
            Self::AboveOrEqual => "$gte",
            Self::In => "$in",
            Self::Exists => "$exists",
            Self::Matches => "$regex",
            Self::Contains => "$contains",
        }
    }

    /// The SQL operator of an order comparison.
    fn sign(self) -> Option<&'static str> {
        match self {
            Self::Below => Some("<"),
            Self::BelowOrEqual => Some("<="),
            Self::Above => Some(">"),
            Self::AboveOrEqual => Some(">="),
            _ => None,
        }
    }

    /// Whether null, or a missing value, compares so with null.
    fn holds_between_nulls(self) -> bool {
        matches!(self, Self::Equal | Self::BelowOrEqual | Self::AboveOrEqual)
    }
}

/// A field with the name that the client used for it.
struct Named<'a> {
    name: &'a str,
    field: Field<'a>,
}

impl Named<'_> {
    fn operand(&self, operator: &'static str, expected: &'static str) -> FilterError {
        FilterError::Operand {
            operator,
            field: self.name.to_owned(),
            expected,
        }
    }

    fn inapplicable(&self, comparison: Comparison) -> FilterError {
        FilterError::Inapplicable {
            operator: comparison.name(),
            field: self.name.to_owned(),
        }
    }

    fn list<'v>(&self, operand: &'v Value) -> Result<&'v [Value], FilterError> {
        operand
            .as_array()
            .map(Vec::as_slice)
            .ok_or_else(|| self.operand("$in", "a list (so does $nin)"))
    }

    fn pattern<'v>(&self, comparison: Comparison, operand: &'v Value) -> Result<&'v str, FilterError> {
        let text = operand
            .as_str()
            .ok_or_else(|| self.operand(comparison.name(), "a string"))?;
        if comparison == Comparison::Matches {
            compile_regex(text).map_err(|source| FilterError::Regex {
                field: self.name.to_owned(),
                source,
            })?;
        }
        Ok(text)
    }

    /// A comparison of an SQL expression with values of its own type. `convert` gives null for null, nothing for a
    /// value of another type (which never matches), an error for one that makes no sense. The result is never null,
    /// so that it can be negated.
    fn scalar(
        &self,
        expression: &str,
        comparison: Comparison,
        operand: &Value,
        convert: impl Fn(&Value) -> Result<Option<SqlValue>, FilterError>,
    ) -> Result<SqlFragment, FilterError> {
        let is_null = || SqlFragment::new(format!("{expression} IS NULL"), Vec::new());
        match comparison {
            Comparison::Exists => Ok(SqlFragment::new(format!("{expression} IS NOT NULL"), Vec::new())),
            Comparison::Matches | Comparison::Contains => Err(self.inapplicable(comparison)),
            Comparison::In => {
                let mut values = Vec::new();
                let mut parts = Vec::new();
                for value in self.list(operand)? {
                    match convert(value)? {
                        Some(SqlValue::Null) => parts.push(is_null()),
                        Some(value) => values.push(value),
                        None => {}
                    }
                }
                parts.extend(is_one_of(expression, values));
                Ok(SqlFragment::any(parts))
            }
            _ => Ok(match convert(operand)? {
                None => SqlFragment::constant(false),
                Some(SqlValue::Null) if comparison.holds_between_nulls() => is_null(),
                Some(SqlValue::Null) => SqlFragment::constant(false),
                Some(value) => match comparison.sign() {
                    None => SqlFragment::new(format!("{expression} IS ?"), vec![value]),
                    Some(sign) => {
                        let sql = format!("({expression} {sign} ? AND {expression} IS NOT NULL)");
                        SqlFragment::new(sql, vec![value])
                    }
                },
            }),
        }
    }

    fn text(
        &self,
        column: &str,
        comparison: Comparison,
        operand: &Value,
    ) -> Result<SqlFragment, FilterError> {
        match comparison {
            Comparison::Matches => {
                let pattern = self.pattern(comparison, operand)?;
                Ok(SqlFragment::new(
                    format!("wandb_regexp(?, {column})"),
                    vec![pattern.to_owned().into()],
                ))
            }
            Comparison::Contains => {
                let part = self.pattern(comparison, operand)?;
                let sql = format!("(instr({column}, ?) > 0 AND {column} IS NOT NULL)");
                Ok(SqlFragment::new(sql, vec![part.to_owned().into()]))
            }
            _ => self.scalar(column, comparison, operand, |value| match value {
                Value::Null => Ok(Some(SqlValue::Null)),
                Value::String(text) => Ok(Some(text.clone().into())),
                Value::Array(_) => {
                    Err(self.operand(comparison.name(), "a string (for one of several, use $in)"))
                }
                Value::Object(_) => {
                    Err(self.operand(comparison.name(), "a string, or an object of $ operators"))
                }
                Value::Bool(_) | Value::Number(_) => Ok(None),
            }),
        }
    }

    /// A list in equality means exactly these elements, in any order; anything else asks for one element that matches.
    fn elements(
        &self,
        list: List,
        comparison: Comparison,
        operand: &Value,
    ) -> Result<SqlFragment, FilterError> {
        let List { element, rows } = list;
        if comparison == Comparison::Exists {
            return Ok(SqlFragment::constant(true));
        }
        if let (Comparison::Equal, Value::Array(values)) = (comparison, operand) {
            let texts: Option<std::collections::BTreeSet<&str>> = values.iter().map(Value::as_str).collect();
            let Some(texts) = texts else {
                return Ok(SqlFragment::constant(false));
            };
            let count = format!("(SELECT count(DISTINCT {element}) FROM {rows}");
            let length = SqlValue::Integer(texts.len() as i64);
            let total = SqlFragment::new(format!("{count}) = ?"), vec![length.clone()]);
            let values = texts.into_iter().map(|text| text.to_owned().into()).collect();
            let Some(mut listed) = is_one_of(element, values) else {
                return Ok(total);
            };
            listed.params.push(length);
            let listed = SqlFragment::new(format!("{count} AND {}) = ?", listed.sql), listed.params);
            return Ok(SqlFragment::all(vec![total, listed]));
        }
        // A list contains an element, and not a part of one.
        let comparison = match comparison {
            Comparison::Contains => Comparison::Equal,
            other => other,
        };
        let one = self.text(element, comparison, operand)?;
        let sql = format!("EXISTS (SELECT 1 FROM {rows} AND {})", one.sql);
        Ok(SqlFragment::new(sql, one.params))
    }

    fn history_key(
        &self,
        key: &str,
        comparison: Comparison,
        operand: &Value,
    ) -> Result<SqlFragment, FilterError> {
        let sql = "EXISTS (SELECT 1 FROM run_keys k WHERE k.run_id = r.id AND k.key = ?)";
        let logged = SqlFragment::new(sql, vec![key.to_owned().into()]);
        match (comparison, operand) {
            (Comparison::Exists, _) => Ok(logged),
            (Comparison::Equal, Value::Null) => Ok(logged.negated()),
            (Comparison::Equal, _) => Err(self.operand("$eq", "null here; use $exists")),
            _ => Err(self.inapplicable(comparison)),
        }
    }

    fn json(
        &self,
        document: Document,
        path: &str,
        comparison: Comparison,
        operand: &Value,
    ) -> Result<SqlFragment, FilterError> {
        if comparison.sign().is_some() && matches!(operand, Value::Array(_) | Value::Object(_)) {
            return Err(self.operand(comparison.name(), "a number, a string or a boolean"));
        }
        if let (Comparison::Equal, Value::Object(members)) = (comparison, operand) {
            self.check_literal(members)?;
        }
        let value = || operand.clone();
        let test = match comparison {
            Comparison::Equal => Test::Equal(value()),
            Comparison::Below => Test::Below(value()),
            Comparison::BelowOrEqual => Test::BelowOrEqual(value()),
            Comparison::Above => Test::Above(value()),
            Comparison::AboveOrEqual => Test::AboveOrEqual(value()),
            Comparison::In => Test::In(self.list(operand)?.to_vec()),
            Comparison::Exists => Test::Exists,
            Comparison::Matches => Test::Matches(self.pattern(comparison, operand)?.to_owned()),
            Comparison::Contains => match operand {
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(self.operand(comparison.name(), "a string, a number or a truth value"));
                }
                _ => Test::Contains(value()),
            },
        };
        let place = Place {
            config: document == Document::Config,
            path: path.to_owned(),
        };
        let condition = serde_json::to_string(&Condition { place, test });
        let condition = condition.map_err(|source| FilterError::Json(source.into()))?;
        Ok(SqlFragment::new(
            format!("wandb_matches({}, ?)", document.column()),
            vec![condition.into()],
        ))
    }

    /// An object to compare with as a whole must not look like an object of operators: that would be a slip.
    fn check_literal(&self, members: &Map<String, Value>) -> Result<(), FilterError> {
        match members.keys().find(|key| key.starts_with('$')) {
            None => Ok(()),
            Some(operator) => Err(FilterError::UnknownOperator {
                operator: operator.clone(),
                field: Some(self.name.to_owned()),
            }),
        }
    }
}

/// Membership in a list; nothing for an empty one. The list is one parameter, whatever its length.
fn is_one_of(expression: &str, values: Vec<SqlValue>) -> Option<SqlFragment> {
    let list: Vec<Value> = values
        .into_iter()
        .filter_map(|value| match value {
            SqlValue::Text(text) => Some(text.into()),
            SqlValue::Integer(integer) => Some(integer.into()),
            SqlValue::Real(real) => Some(real.into()),
            SqlValue::Null | SqlValue::Blob(_) => None,
        })
        .collect();
    let sql = format!("({expression} IN (SELECT value FROM json_each(?)) AND {expression} IS NOT NULL)");
    (!list.is_empty()).then(|| SqlFragment::new(sql, vec![Value::from(list).to_string().into()]))
}
