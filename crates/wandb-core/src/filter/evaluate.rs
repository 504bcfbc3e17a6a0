//! Evaluating a filter over a run on this side.

use std::{borrow::Cow, cmp::Ordering};

use regex::Regex;

use super::{
    ast::{Condition, Filter, Node, Predicate},
    compare::{compare, equals, text},
    error::{FilterError, FilterErrorKind},
    field::{FieldPath, KeyPath, RunAttribute, with_stored_suffix},
    literal::Literal,
    pattern::compile,
};
use crate::{
    timestamp::Timestamp,
    value::{Map, Value},
};

/// A run as a filter sees it.
pub trait RunDocument {
    /// The value of an attribute; `None` or null if the run has none. Times are RFC 3339 texts, tags a list of texts.
    fn attribute(&self, attribute: RunAttribute) -> Option<Cow<'_, Value>>;

    /// The config, unwrapped: `{"lr": 0.1}`, not `{"lr": {"value": 0.1}}`.
    fn config(&self) -> &Map;

    /// The summary.
    fn summary(&self) -> &Map;

    /// Whether the run logged a metric of this name.
    fn has_metric(&self, name: &str) -> bool;
}

impl<T: RunDocument + ?Sized> RunDocument for &T {
    fn attribute(&self, attribute: RunAttribute) -> Option<Cow<'_, Value>> {
        (**self).attribute(attribute)
    }

    fn config(&self) -> &Map {
        (**self).config()
    }

    fn summary(&self) -> &Map {
        (**self).summary()
    }

    fn has_metric(&self, name: &str) -> bool {
        (**self).has_metric(name)
    }
}

/// A filter that is ready to be evaluated over many runs: patterns compiled, times read.
#[derive(Debug, Clone)]
pub struct Evaluator {
    root: Step,
}

#[derive(Debug, Clone)]
enum Step {
    All(Vec<Step>),
    Any(Vec<Step>),
    Not(Box<Step>),
    Test(FieldPath, Test),
}

#[derive(Debug, Clone)]
enum Test {
    OneOf(Vec<Operand>),
    Order(Operand, fn(Ordering) -> bool),
    Exists,
    Matches(Regex),
    Contains(Literal),
}

/// A literal, with its time if it is compared with times.
#[derive(Debug, Clone)]
enum Operand {
    Literal(Literal),
    Time(Timestamp),
}

impl Evaluator {
    /// Prepares a filter.
    ///
    /// # Errors
    /// When a part is raw JSON or looks at an attribute that only the server knows, or [`Filter::check`] fails.
    pub fn new(filter: &Filter) -> Result<Self, FilterError> {
        filter.check()?;
        Ok(Self {
            root: prepare(filter)?,
        })
    }

    /// Whether a run passes the filter.
    #[must_use]
    pub fn matches(&self, run: &impl RunDocument) -> bool {
        self.root.holds(run)
    }
}

impl Filter {
    /// Whether a run passes the filter. For more than one run, make an [`Evaluator`] once.
    ///
    /// # Errors
    /// As [`Evaluator::new`].
    pub fn matches(&self, run: &impl RunDocument) -> Result<bool, FilterError> {
        Ok(Evaluator::new(self)?.matches(run))
    }
}

fn prepare(filter: &Filter) -> Result<Step, FilterError> {
    let all = |members: &[Filter]| members.iter().map(prepare).collect::<Result<Vec<_>, _>>();
    Ok(match filter.node() {
        Node::And(members) => Step::All(all(members)?),
        Node::Or(members) => Step::Any(all(members)?),
        Node::Not(inner) => Step::Not(Box::new(prepare(inner)?)),
        Node::Condition(condition) => prepare_condition(condition)?,
        Node::Raw(_) => {
            return Err(FilterError::new(
                FilterErrorKind::NotEvaluable,
                "raw JSON in a filter can only be evaluated by the server",
            )
            .with_hint("raw JSON must not stand in one \"or\" with a part that is checked locally"));
        }
    })
}

fn prepare_condition(Condition { field, predicate }: &Condition) -> Result<Step, FilterError> {
    if let FieldPath::Attribute(attribute) = field
        && attribute.is_server_only()
    {
        return Err(FilterError::new(
            FilterErrorKind::NotEvaluable,
            format!("{field} can only be compared by the server"),
        ));
    }
    let operand = |literal: &Literal| {
        let time = literal
            .as_str()
            .filter(|_| field.is_time())
            .and_then(|text| Timestamp::parse(text).ok());
        time.map_or_else(|| Operand::Literal(literal.clone()), Operand::Time)
    };
    let operands = |literals: &[Literal]| Test::OneOf(literals.iter().map(operand).collect());
    let (negated, test) = match predicate {
        Predicate::Eq(value) => (false, operands(std::slice::from_ref(value))),
        Predicate::Ne(value) => (true, operands(std::slice::from_ref(value))),
        Predicate::In(values) => (false, operands(values)),
        Predicate::NotIn(values) => (true, operands(values)),
        Predicate::Gt(value) => (false, Test::Order(operand(value.as_literal()), Ordering::is_gt)),
        Predicate::Gte(value) => (false, Test::Order(operand(value.as_literal()), Ordering::is_ge)),
        Predicate::Lt(value) => (false, Test::Order(operand(value.as_literal()), Ordering::is_lt)),
        Predicate::Lte(value) => (false, Test::Order(operand(value.as_literal()), Ordering::is_le)),
        Predicate::Exists(there) => (!there, Test::Exists),
        Predicate::Contains(value) => (false, Test::Contains(value.as_literal().clone())),
        Predicate::Regex(pattern) => {
            let regex = compile(pattern).map_err(|error| {
                FilterError::new(
                    FilterErrorKind::NotEvaluable,
                    format!(
                        "the pattern {} cannot be evaluated locally",
                        Literal::from(pattern)
                    ),
                )
                .with_source(error)
            })?;
            (false, Test::Matches(regex))
        }
    };
    let step = Step::Test(field.clone(), test);
    Ok(if negated { Step::Not(Box::new(step)) } else { step })
}

impl Step {
    fn holds(&self, run: &impl RunDocument) -> bool {
        match self {
            Self::All(steps) => steps.iter().all(|step| step.holds(run)),
            Self::Any(steps) => steps.iter().any(|step| step.holds(run)),
            Self::Not(step) => !step.holds(run),
            Self::Test(field, test) => test.holds(field_value(run, field).as_deref()),
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else {
            // A missing field equals null, and nothing else is true of it.
            return matches!(self, Self::OneOf(operands)
                if operands.iter().any(|operand| matches!(operand, Operand::Literal(Literal::Null))));
        };
        match self {
            Self::OneOf(operands) => any_element(value, |found| {
                operands.iter().any(|operand| operand.equals(found))
            }),
            Self::Order(operand, wanted) => {
                any_element(value, |found| operand.compare(found).is_some_and(wanted))
            }
            Self::Exists => true,
            Self::Matches(regex) => any_element(value, |found| {
                text(found).is_some_and(|text| regex.is_match(text))
            }),
            Self::Contains(part) => match (text(value), part) {
                (Some(whole), Literal::String(part)) => whole.contains(part.as_str()),
                _ => value
                    .as_list()
                    .is_some_and(|items| items.iter().any(|item| equals(item, part))),
            },
        }
    }
}

impl Operand {
    fn compare(&self, value: &Value) -> Option<Ordering> {
        match self {
            Self::Literal(literal) => compare(value, literal),
            Self::Time(wanted) => Some(Timestamp::parse(value.as_str()?).ok()?.cmp(wanted)),
        }
    }

    fn equals(&self, value: &Value) -> bool {
        match self {
            Self::Literal(literal) => equals(value, literal),
            Self::Time(_) => self.compare(value) == Some(Ordering::Equal),
        }
    }
}

/// A list matches as a whole or by one of its elements.
fn any_element(value: &Value, mut holds: impl FnMut(&Value) -> bool) -> bool {
    holds(value) || value.as_list().is_some_and(|items| items.iter().any(holds))
}

/// The value that a condition looks at; `None` if it is missing.
pub(crate) fn field_value<'run>(run: &'run impl RunDocument, field: &FieldPath) -> Option<Cow<'run, Value>> {
    match field {
        // The server keeps attributes in columns, where null and missing are the same.
        FieldPath::Attribute(attribute) => run.attribute(*attribute).filter(|value| !value.is_null()),
        FieldPath::Config(key) => config_value(run.config(), key).map(Cow::Borrowed),
        FieldPath::Summary(key) => run.summary().get_path(key.as_str()).map(Cow::Borrowed),
        FieldPath::KeysInfo(key) => run
            .has_metric(key.as_str())
            .then(|| Cow::Owned(Value::Map(Map::new()))),
    }
}

/// A config value by the path of a filter, looked up as a server does that gets the path's wire form: as it stands, then
/// without one `.value`, which names the stored form and not a nested value.
fn config_value<'run>(config: &'run Map, path: &KeyPath) -> Option<&'run Value> {
    let wire = with_stored_suffix(path);
    let path = wire.as_str();
    if let Some(value) = config.get_path(path) {
        return Some(value);
    }
    path.match_indices(".value").find_map(|(at, suffix)| {
        let rest = &path[at + suffix.len()..];
        if rest.is_empty() || rest.starts_with('.') {
            config.get_path(&format!("{}{rest}", &path[..at]))
        } else {
            None
        }
    })
}
