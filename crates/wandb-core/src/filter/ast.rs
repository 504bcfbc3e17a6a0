//! The syntax tree that every form of a filter is read into and printed from.

use std::{
    ops::{BitAnd, BitOr, Not},
    str::FromStr,
};

use serde_json::Value as Json;

use super::{
    check,
    error::FilterError,
    field::{FieldPath, RunAttribute},
    literal::{Literal, Scalar},
    text,
};

/// How deep a filter may be nested. Readers refuse more, so that no input can exhaust the stack.
pub const MAX_DEPTH: usize = 48;

/// Which runs are wanted.
///
/// A filter is made by the builder functions ([`config`](super::config), [`state`](super::state), …), by
/// [`parse_any`](Self::parse_any) and its siblings, and combined with `&`, `|` and `!`. It is always in normal form:
/// groups of one kind are not nested in each other, no group has exactly one member, and nothing is negated twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    node: Node,
}

/// The top of a [`Filter`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Node {
    /// Every member holds. Without members: every run. Members are never `And`.
    And(Vec<Filter>),
    /// At least one member holds. There are at least two members, none of them `Or`.
    Or(Vec<Filter>),
    /// The member does not hold. Never `Not` itself, nor a condition whose operator has an exact opposite.
    Not(Box<Filter>),
    /// One comparison.
    Condition(Condition),
    /// JSON that goes to the server as it is, see [`Filter::raw_json`]. Always an object.
    Raw(Json),
}

/// One comparison of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is compared.
    pub field: FieldPath,
    /// With what and how.
    pub predicate: Predicate,
}

/// A comparison: the operator with its value. [The module](super) has the table of what each one means.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Predicate {
    /// Equal.
    Eq(Literal),
    /// The opposite of [`Eq`](Self::Eq): also true where the field is missing.
    Ne(Literal),
    /// Greater than.
    Gt(Scalar),
    /// Greater than or equal.
    Gte(Scalar),
    /// Less than.
    Lt(Scalar),
    /// Less than or equal.
    Lte(Scalar),
    /// Equal to one of these.
    In(Vec<Literal>),
    /// The opposite of [`In`](Self::In): also true where the field is missing.
    NotIn(Vec<Literal>),
    /// The field is there (`true`) or missing (`false`).
    Exists(bool),
    /// The text matches a regular expression somewhere (RE2 syntax).
    Regex(String),
    /// The text holds this text, or the list holds this element.
    Contains(Scalar),
}

/// The operator of a [`Predicate`], without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operator {
    /// `$eq`, or a bare value.
    Eq,
    /// `$ne`
    Ne,
    /// `$gt`
    Gt,
    /// `$gte`
    Gte,
    /// `$lt`
    Lt,
    /// `$lte`
    Lte,
    /// `$in`
    In,
    /// `$nin`
    NotIn,
    /// `$exists`
    Exists,
    /// `$regex`
    Regex,
    /// `$contains`
    Contains,
}

impl Operator {
    /// Every comparison operator.
    pub const ALL: [Self; 11] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::In,
        Self::NotIn,
        Self::Exists,
        Self::Regex,
        Self::Contains,
    ];

    /// The name in a Mongo filter.
    #[must_use]
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Eq => "$eq",
            Self::Ne => "$ne",
            Self::Gt => "$gt",
            Self::Gte => "$gte",
            Self::Lt => "$lt",
            Self::Lte => "$lte",
            Self::In => "$in",
            Self::NotIn => "$nin",
            Self::Exists => "$exists",
            Self::Regex => "$regex",
            Self::Contains => "$contains",
        }
    }

    /// The operator of a Mongo name.
    #[must_use]
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operator| operator.wire_name() == name)
    }
}

impl Predicate {
    /// The operator without its value.
    #[must_use]
    pub fn operator(&self) -> Operator {
        match self {
            Self::Eq(_) => Operator::Eq,
            Self::Ne(_) => Operator::Ne,
            Self::Gt(_) => Operator::Gt,
            Self::Gte(_) => Operator::Gte,
            Self::Lt(_) => Operator::Lt,
            Self::Lte(_) => Operator::Lte,
            Self::In(_) => Operator::In,
            Self::NotIn(_) => Operator::NotIn,
            Self::Exists(_) => Operator::Exists,
            Self::Regex(_) => Operator::Regex,
            Self::Contains(_) => Operator::Contains,
        }
    }

    /// The predicate that holds exactly where this one does not, if the language has one.
    ///
    /// `>` has none: neither `>` nor `<=` holds for a missing field or for another type.
    fn opposite(self) -> Result<Self, Self> {
        Ok(match self {
            Self::Eq(value) => Self::Ne(value),
            Self::Ne(value) => Self::Eq(value),
            Self::In(values) => Self::NotIn(values),
            Self::NotIn(values) => Self::In(values),
            Self::Exists(there) => Self::Exists(!there),
            other => return Err(other),
        })
    }
}

impl Filter {
    /// The filter that every run passes: `{}`.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            node: Node::And(Vec::new()),
        }
    }

    /// The filter that no run passes: the id is one of none.
    #[must_use]
    pub fn nothing() -> Self {
        Self::condition(RunAttribute::Name, Predicate::In(Vec::new()))
    }

    /// One comparison.
    #[must_use]
    pub fn condition(field: impl Into<FieldPath>, predicate: Predicate) -> Self {
        Self {
            node: Node::Condition(Condition {
                field: field.into(),
                predicate,
            }),
        }
    }

    /// All of these. Of none: [`everything`](Self::everything).
    #[must_use]
    pub fn all_of(filters: impl IntoIterator<Item = Self>) -> Self {
        let mut members = Vec::new();
        for filter in filters {
            match filter.node {
                // Taking the list over keeps a long chain of `&` linear.
                Node::And(inner) if members.is_empty() => members = inner,
                Node::And(inner) => members.extend(inner),
                _ => members.push(filter),
            }
        }
        if members.len() == 1 {
            return members.remove(0);
        }
        Self {
            node: Node::And(members),
        }
    }

    /// At least one of these. Of none: [`nothing`](Self::nothing).
    #[must_use]
    pub fn any_of(filters: impl IntoIterator<Item = Self>) -> Self {
        let mut members = Vec::new();
        for filter in filters {
            match filter.node {
                Node::Or(inner) if members.is_empty() => members = inner,
                Node::Or(inner) => members.extend(inner),
                Node::And(ref inner) if inner.is_empty() => return filter,
                _ => members.push(filter),
            }
        }
        match members.len() {
            0 => Self::nothing(),
            1 => members.remove(0),
            _ => Self {
                node: Node::Or(members),
            },
        }
    }

    /// None of these: `$nor`.
    #[must_use]
    pub fn none_of(filters: impl IntoIterator<Item = Self>) -> Self {
        !Self::any_of(filters)
    }

    /// Reads a filter of the text grammar, `config.lr > 0.01 and state = "finished"`; see the
    /// [module](super#the-text-grammar) for it.
    ///
    /// # Errors
    /// When the text is not of the grammar, names an unknown field, or a value does not fit. The error has the place,
    /// and [`FilterError::caret`] points at it.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        text::parse(text)
    }

    /// Reads a filter that a person typed: Mongo-style JSON if it starts with `{`, else the text grammar.
    ///
    /// # Errors
    /// As [`parse_mongo`](Self::parse_mongo) and [`parse`](Self::parse).
    pub fn parse_any(text: &str) -> Result<Self, FilterError> {
        if text.trim_start().starts_with('{') {
            Self::parse_mongo(text)
        } else {
            Self::parse(text)
        }
    }

    /// Passes JSON to the server as it is: for a field or an operator that this crate does not know.
    ///
    /// Only the form is checked. Such a part is never evaluated on this side, and it is printed in the text grammar as
    /// `json {…}`.
    ///
    /// # Errors
    /// When it is not a JSON object, or is nested deeper than [`MAX_DEPTH`].
    pub fn raw_json(json: Json) -> Result<Self, FilterError> {
        check::raw(&json)?;
        Ok(Self {
            node: Node::Raw(json),
        })
    }

    /// The top of the tree.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Takes the tree apart.
    #[must_use]
    pub fn into_node(self) -> Node {
        self.node
    }

    /// Whether it is the filter that every run passes.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(&self.node, Node::And(members) if members.is_empty())
    }

    /// The conditions, in order.
    #[must_use]
    pub fn conditions(&self) -> Vec<&Condition> {
        let mut found = Vec::new();
        self.collect_conditions(&mut found);
        found
    }

    fn collect_conditions<'filter>(&'filter self, found: &mut Vec<&'filter Condition>) {
        match &self.node {
            Node::And(members) | Node::Or(members) => {
                for member in members {
                    member.collect_conditions(found);
                }
            }
            Node::Not(inner) => inner.collect_conditions(found),
            Node::Condition(condition) => found.push(condition),
            Node::Raw(_) => {}
        }
    }

    /// Checks what the types cannot: that times are times, patterns are regular expressions, keys are not empty, and
    /// the nesting is at most [`MAX_DEPTH`]. Every reader has done so already; a filter of the builder has not.
    ///
    /// # Errors
    /// When one of these does not hold.
    pub fn check(&self) -> Result<(), FilterError> {
        check::filter(self)
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::everything()
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    /// [`Filter::parse_any`].
    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse_any(text)
    }
}

impl From<Condition> for Filter {
    fn from(condition: Condition) -> Self {
        Self {
            node: Node::Condition(condition),
        }
    }
}

impl BitAnd for Filter {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self::all_of([self, other])
    }
}

impl BitOr for Filter {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self::any_of([self, other])
    }
}

impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        if self.is_everything() {
            return Self::nothing();
        }
        if self == Self::nothing() {
            return Self::everything();
        }
        match self.node {
            Node::Not(inner) => *inner,
            Node::Condition(Condition { field, predicate }) => match predicate.opposite() {
                Ok(opposite) => Self::condition(field, opposite),
                Err(predicate) => Self {
                    node: Node::Not(Box::new(Self::condition(field, predicate))),
                },
            },
            node => Self {
                node: Node::Not(Box::new(Self { node })),
            },
        }
    }
}
