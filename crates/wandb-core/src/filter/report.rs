//! Filters of reports: read from their trees and flat lists, printed as trees.

use serde_json::Value as Json;

use super::{
    ast::{Condition, Filter, Node, Predicate},
    error::{FilterError, FilterErrorKind},
    literal::Literal,
};
use crate::{
    query_generator::{
        GroupOperator, IgnoredFilter, Leaf, LeafOperator, QueryGenerator, QueryGeneratorError, ReportFilter,
    },
    timestamp::Timestamp,
};

/// A filter that was read from a report, and what of the report is not in it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReportReading {
    /// The filter.
    pub filter: Filter,
    /// Parts that the app does not apply either: switched off, or not filled in.
    pub ignored: Vec<IgnoredFilter>,
}

impl Filter {
    /// Reads the filter of a report: the tree `{op: "OR", filters: […]}` or the flat `filterV2` form (inventory §3.2,
    /// §3.5). `null` and `{}` are every run.
    ///
    /// # Errors
    /// When it is no report filter, names an unknown field, or asks for the last so many seconds, which needs
    /// [`from_report_at`](Self::from_report_at).
    pub fn from_report(report: &Json) -> Result<ReportReading, FilterError> {
        Self::read_report(report, &QueryGenerator::new())
    }

    /// Like [`from_report`](Self::from_report), with the time that "within the last …" counts back from.
    ///
    /// # Errors
    /// As [`from_report`](Self::from_report), but for that.
    pub fn from_report_at(report: &Json, now: Timestamp) -> Result<ReportReading, FilterError> {
        Self::read_report(report, &QueryGenerator::new().with_now(now))
    }

    fn read_report(report: &Json, generator: &QueryGenerator) -> Result<ReportReading, FilterError> {
        let tree = ReportFilter::from_json(report)?;
        let mut ignored = Vec::new();
        let filter = match &tree {
            None => Self::everything(),
            Some(tree) => {
                read_tree(tree, generator, "$".to_owned(), &mut ignored)?.unwrap_or_else(Self::everything)
            }
        };
        filter.check()?;
        Ok(ReportReading { filter, ignored })
    }

    /// The tree form of reports, an `OR` of `AND`s as the app expects it at the top.
    /// [`from_report`](Self::from_report) reads it back to an equal filter.
    ///
    /// # Errors
    /// When a part has no form there: `exists`, `contains`, raw JSON, and the negation of anything but `=` and `in`.
    pub fn to_report(&self) -> Result<ReportFilter, FilterError> {
        self.check()?;
        let groups = match self.node() {
            Node::Or(members) => members.iter().map(all_group).collect::<Result<_, _>>()?,
            _ => vec![all_group(self)?],
        };
        Ok(group(GroupOperator::Or, groups))
    }
}

/// `None` if the app would not apply anything of it.
fn read_tree(
    tree: &ReportFilter,
    generator: &QueryGenerator,
    path: String,
    ignored: &mut Vec<IgnoredFilter>,
) -> Result<Option<Filter>, FilterError> {
    match tree {
        ReportFilter::Group { operator, filters } => {
            let mut members = Vec::with_capacity(filters.len());
            for (place, filter) in filters.iter().enumerate() {
                members.extend(read_tree(
                    filter,
                    generator,
                    format!("{path}.filters[{place}]"),
                    ignored,
                )?);
            }
            if members.is_empty() && (!filters.is_empty() || *operator == GroupOperator::Or) {
                return Ok(None);
            }
            Ok(Some(match operator {
                GroupOperator::And => Filter::all_of(members),
                GroupOperator::Or => Filter::any_of(members),
            }))
        }
        ReportFilter::Leaf(leaf) => {
            let Some(mongo) = generator.leaf_to_mongo(leaf, &path, ignored)? else {
                return Ok(None);
            };
            let filter = Filter::from_mongo(&mongo).map_err(|error| error.moved_to_json(path))?;
            Ok(Some(filter))
        }
    }
}

fn group(operator: GroupOperator, filters: Vec<ReportFilter>) -> ReportFilter {
    ReportFilter::Group { operator, filters }
}

fn all_group(filter: &Filter) -> Result<ReportFilter, FilterError> {
    let members = match filter.node() {
        Node::And(members) => members.iter().map(nested).collect::<Result<_, _>>()?,
        _ => vec![nested(filter)?],
    };
    Ok(group(GroupOperator::And, members))
}

fn nested(filter: &Filter) -> Result<ReportFilter, FilterError> {
    let refuse = |what: &str| {
        Err(FilterError::new(
            FilterErrorKind::NotRepresentable,
            format!("a report filter cannot hold {what}: {filter}"),
        ))
    };
    match filter.node() {
        Node::And(members) => Ok(group(
            GroupOperator::And,
            members.iter().map(nested).collect::<Result<_, _>>()?,
        )),
        Node::Or(members) => Ok(group(
            GroupOperator::Or,
            members.iter().map(nested).collect::<Result<_, _>>()?,
        )),
        Node::Condition(condition) => leaf(condition).map_or_else(|| refuse("this operator"), Ok),
        Node::Not(_) => refuse("a negation"),
        Node::Raw(_) => refuse("raw JSON"),
    }
}

fn leaf(Condition { field, predicate }: &Condition) -> Option<ReportFilter> {
    let list = |values: &[Literal]| Json::Array(values.iter().map(Literal::to_json).collect());
    let (operator, value) = match predicate {
        Predicate::Eq(value) => (LeafOperator::Eq, value.to_json()),
        Predicate::Ne(value) => (LeafOperator::Ne, value.to_json()),
        Predicate::Gt(value) => (LeafOperator::Gt, value.as_literal().to_json()),
        Predicate::Gte(value) => (LeafOperator::Gte, value.as_literal().to_json()),
        Predicate::Lt(value) => (LeafOperator::Lt, value.as_literal().to_json()),
        Predicate::Lte(value) => (LeafOperator::Lte, value.as_literal().to_json()),
        Predicate::In(values) => (LeafOperator::In, list(values)),
        Predicate::NotIn(values) => (LeafOperator::NotIn, list(values)),
        Predicate::Regex(pattern) => (LeafOperator::Regex, Json::from(pattern.as_str())),
        Predicate::Exists(_) | Predicate::Contains(_) => return None,
    };
    Some(ReportFilter::Leaf(Leaf::new(
        QueryGenerator::server_path_to_key(&field.to_wire()),
        operator,
        value,
    )))
}

impl From<QueryGeneratorError> for FilterError {
    fn from(error: QueryGeneratorError) -> Self {
        let kind = match &error {
            QueryGeneratorError::UnknownOperator { .. } => FilterErrorKind::UnknownOperator,
            QueryGeneratorError::UnknownSection { .. } => FilterErrorKind::UnknownField,
            QueryGeneratorError::NotRepresentable { .. } | QueryGeneratorError::NeedsTime { .. } => {
                FilterErrorKind::NotRepresentable
            }
            QueryGeneratorError::TooDeep { .. } => FilterErrorKind::TooDeep,
            _ => FilterErrorKind::WrongValue,
        };
        let mut converted = Self::new(kind, error.problem());
        for hint in error.hints() {
            converted = converted.with_hint(hint);
        }
        match error.path() {
            Some(path) => converted.moved_to_json(path.to_owned()),
            None => converted,
        }
    }
}
