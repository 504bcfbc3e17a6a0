//! Printing filters in the text grammar.

use std::fmt;

use super::super::{
    ast::{Condition, Filter, Node, Predicate},
    field::{FieldPath, RunAttribute},
    literal::Literal,
};

impl fmt::Display for Filter {
    /// The canonical text, which [`Filter::parse`] reads back to an equal filter.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node() {
            Node::And(members) if members.is_empty() => formatter.write_str("all"),
            Node::And(members) => joined(formatter, members, " and "),
            Node::Or(members) => joined(formatter, members, " or "),
            Node::Not(inner) => {
                formatter.write_str("not ")?;
                member(formatter, inner)
            }
            Node::Condition(condition) => fmt::Display::fmt(condition, formatter),
            Node::Raw(json) => write!(formatter, "json {json}"),
        }
    }
}

/// Groups of the other kind get parentheses, also where precedence would do without: it is easier to read.
fn member(formatter: &mut fmt::Formatter<'_>, filter: &Filter) -> fmt::Result {
    match filter.node() {
        Node::And(members) if !members.is_empty() => write!(formatter, "({filter})"),
        Node::Or(_) => write!(formatter, "({filter})"),
        _ => fmt::Display::fmt(filter, formatter),
    }
}

fn joined(formatter: &mut fmt::Formatter<'_>, members: &[Filter], separator: &str) -> fmt::Result {
    for (place, filter) in members.iter().enumerate() {
        if place > 0 {
            formatter.write_str(separator)?;
        }
        member(formatter, filter)?;
    }
    Ok(())
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.predicate {
            Predicate::Eq(tag @ Literal::String(_)) if *field == FieldPath::Attribute(RunAttribute::Tags) => {
                write!(formatter, "{field} has {tag}")
            }
            Predicate::Eq(value) => write!(formatter, "{field} = {value}"),
            Predicate::Ne(value) => write!(formatter, "{field} != {value}"),
            Predicate::Gt(value) => write!(formatter, "{field} > {value}"),
            Predicate::Gte(value) => write!(formatter, "{field} >= {value}"),
            Predicate::Lt(value) => write!(formatter, "{field} < {value}"),
            Predicate::Lte(value) => write!(formatter, "{field} <= {value}"),
            Predicate::In(values) => write!(formatter, "{field} in {}", Literal::List(values.clone())),
            Predicate::NotIn(values) => write!(formatter, "{field} not in {}", Literal::List(values.clone())),
            Predicate::Exists(true) => write!(formatter, "{field} exists"),
            Predicate::Exists(false) => write!(formatter, "{field} not exists"),
            Predicate::Regex(pattern) => write!(formatter, "{field} =~ {}", Literal::from(pattern)),
            Predicate::Contains(value) => write!(formatter, "{field} contains {value}"),
        }
    }
}
