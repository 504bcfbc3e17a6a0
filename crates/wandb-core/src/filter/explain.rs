//! What of a filter goes to the server, and what must be checked on this side.

use std::fmt;

use super::{
    ast::{Condition, Filter, Node, Predicate},
    error::FilterError,
    evaluate::Evaluator,
    field::{FieldPath, RunAttribute},
    literal::{Literal, Scalar},
};

/// What a server is trusted with.
///
/// Whatever it is not trusted with is left out of what is sent, and checked on this side: more runs travel, none is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerRules {
    /// Whether a config path with a dot finds keys that hold the dot (W#2819, W#3087: the real server finds no run).
    ///
    /// Set it for a project without such keys, to have nested config values compared by the server.
    pub dotted_config: bool,
    /// Whether `$contains` works on runs; it is known from automations only (inventory §3.6).
    pub contains: bool,
    /// Whether the attributes work that no documentation of run filters names: `user`, `notes`, `commit`,
    /// `updatedAt` (inventory §3.1).
    pub undocumented_attributes: bool,
    /// Whether `$ne`, `$nin` and `$nor` pass runs that lack the field, as in Mongo and not as in SQL. If not, "or is
    /// null" is added to what is sent.
    pub negation_passes_missing: bool,
}

impl ServerRules {
    /// The hosted service and its self-managed form: only what is documented or observed.
    #[must_use]
    pub fn hosted() -> Self {
        Self {
            dotted_config: false,
            contains: false,
            undocumented_attributes: false,
            negation_passes_missing: false,
        }
    }

    /// A server with exactly the semantics of [the filter language](super), such as the embedded one.
    #[must_use]
    pub fn exact() -> Self {
        Self {
            dotted_config: true,
            contains: true,
            undocumented_attributes: true,
            negation_passes_missing: true,
        }
    }

    /// Why a condition is not left to the server; `None` if it is.
    fn reason_for_local(&self, condition: &Condition) -> Option<&'static str> {
        match &condition.field {
            FieldPath::Config(key) if !self.dotted_config && key.is_dotted() => {
                return Some("the server finds no config keys that hold a dot");
            }
            FieldPath::Attribute(
                RunAttribute::User | RunAttribute::Notes | RunAttribute::Commit | RunAttribute::UpdatedAt,
            ) if !self.undocumented_attributes => {
                return Some("the server is not documented to filter by it");
            }
            _ => {}
        }
        if matches!(condition.predicate, Predicate::Contains(_)) && !self.contains {
            return Some("the server is not documented to know $contains for runs");
        }
        None
    }
}

/// One condition of an [`Explanation`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExplainedCondition {
    /// The condition.
    pub condition: Condition,
    /// Why it is checked on this side; `None` if it is left to the server.
    pub local_because: Option<&'static str>,
}

/// How a filter is split between the server and this side; made by [`Filter::explain`].
///
/// A run passes the filter exactly if it passes both parts. `Display` gives the lines of `wb run list --explain`.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    filter: Filter,
    server: Filter,
    local: Filter,
    conditions: Vec<ExplainedCondition>,
    notes: Vec<String>,
}

impl Explanation {
    /// The filter as a whole.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What is sent. Every run that passes the filter passes it, so that no run is lost.
    #[must_use]
    pub fn server_part(&self) -> &Filter {
        &self.server
    }

    /// What is left to check over the runs that the server gives; every run passes it if nothing is left.
    #[must_use]
    pub fn local_part(&self) -> &Filter {
        &self.local
    }

    /// Whether the server does all of it.
    #[must_use]
    pub fn is_server_only(&self) -> bool {
        self.local.is_everything()
    }

    /// The check for [`local_part`](Self::local_part); `None` if nothing is left to check.
    ///
    /// # Errors
    /// When the rest cannot be evaluated on this side, see [`Evaluator::new`].
    pub fn local_evaluator(&self) -> Result<Option<Evaluator>, FilterError> {
        if self.is_server_only() {
            return Ok(None);
        }
        Evaluator::new(&self.local).map(Some)
    }

    /// The conditions in order, each with its place.
    #[must_use]
    pub fn conditions(&self) -> &[ExplainedCondition] {
        &self.conditions
    }

    /// What a reader may not expect, one sentence each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "filter: {}", self.filter)?;
        writeln!(formatter, "sent to the server: {}", self.server.to_mongo())?;
        if self.is_server_only() {
            write!(formatter, "checked locally: nothing")?;
        } else {
            write!(formatter, "checked locally: {}", self.local)?;
        }
        for explained in &self.conditions {
            if let Some(reason) = explained.local_because {
                write!(formatter, "\n  {}: {reason}", explained.condition)?;
            }
        }
        for note in &self.notes {
            write!(formatter, "\nnote: {note}")?;
        }
        Ok(())
    }
}

impl Filter {
    /// Splits the filter for the hosted service, see [`explain_for`](Self::explain_for).
    #[must_use]
    pub fn explain(&self) -> Explanation {
        self.explain_for(&ServerRules::hosted())
    }

    /// Splits the filter into what a server is asked and what is checked on this side.
    #[must_use]
    pub fn explain_for(&self, rules: &ServerRules) -> Explanation {
        let local = Filter::all_of(
            conjuncts(self)
                .filter(|part| !is_trusted(part, rules, true))
                .cloned(),
        );
        let conditions = self
            .conditions()
            .into_iter()
            .map(|condition| ExplainedCondition {
                condition: condition.clone(),
                local_because: rules.reason_for_local(condition),
            })
            .collect();
        Explanation {
            server: implied(self, rules, true),
            local,
            conditions,
            notes: notes(self, rules),
            filter: self.clone(),
        }
    }
}

/// The parts that must all hold.
fn conjuncts(filter: &Filter) -> impl Iterator<Item = &Filter> {
    match filter.node() {
        Node::And(members) => members.iter(),
        _ => std::slice::from_ref(filter).iter(),
    }
}

/// Whether what is sent for the filter, or for its negation if not `positive`, is all that there is to check.
fn is_trusted(filter: &Filter, rules: &ServerRules, positive: bool) -> bool {
    match filter.node() {
        Node::And(members) | Node::Or(members) => {
            members.iter().all(|member| is_trusted(member, rules, positive))
        }
        Node::Not(inner) => is_trusted(inner, rules, !positive),
        Node::Condition(condition) => {
            rules.reason_for_local(condition).is_none() && !is_weakened(condition, rules, positive)
        }
        Node::Raw(_) => true,
    }
}

/// Whether a condition is sent with "or is null": then a list that holds a null passes, too, and must be checked again.
fn is_weakened(condition: &Condition, rules: &ServerRules, positive: bool) -> bool {
    if rules.negation_passes_missing {
        return false;
    }
    // Only the server can compare these, so there is nothing to check them with.
    if matches!(&condition.field, FieldPath::Attribute(attribute) if attribute.is_server_only()) {
        return false;
    }
    let condition = Filter::from(condition.clone());
    let wanted = if positive { condition } else { !condition };
    or_missing(wanted.clone()) != wanted
}

/// The strongest filter in trusted conditions that is implied by the filter, or by its negation if not `positive`.
fn implied(filter: &Filter, rules: &ServerRules, positive: bool) -> Filter {
    // A negation is carried down to the conditions (De Morgan), because the negation of something weaker is stronger.
    match (filter.node(), positive) {
        (Node::And(members), true) | (Node::Or(members), false) => {
            Filter::all_of(members.iter().map(|member| implied(member, rules, positive)))
        }
        (Node::Or(members), true) | (Node::And(members), false) => {
            Filter::any_of(members.iter().map(|member| implied(member, rules, positive)))
        }
        (Node::Not(inner), _) => implied(inner, rules, !positive),
        (Node::Raw(_), true) => filter.clone(),
        (Node::Raw(_), false) => !filter.clone(),
        (Node::Condition(condition), _) => {
            if rules.reason_for_local(condition).is_some() {
                return Filter::everything();
            }
            let condition = Filter::from(in_utc(condition));
            let wanted = if positive { condition } else { !condition };
            if rules.negation_passes_missing {
                wanted
            } else {
                or_missing(wanted)
            }
        }
    }
}

/// Adds "or is null" to a negation that is true of a missing field.
fn or_missing(wanted: Filter) -> Filter {
    let field = match wanted.node() {
        Node::Condition(Condition { field, predicate }) => match predicate {
            Predicate::Ne(value) if !value.is_null() => field,
            Predicate::NotIn(values) if !values.contains(&Literal::Null) => field,
            _ => return wanted,
        },
        Node::Not(inner) => match inner.node() {
            Node::Condition(condition) => &condition.field,
            _ => return wanted,
        },
        _ => return wanted,
    };
    Filter::condition(field.clone(), Predicate::Eq(Literal::Null)) | wanted
}

/// Times with an offset are sent in UTC, because a server may compare them as texts.
fn in_utc(condition: &Condition) -> Condition {
    if !condition.field.is_time() {
        return condition.clone();
    }
    // jiff reads only times with a zone, so that dates and local times stay as they were written.
    let literal = |value: &Literal| match value {
        Literal::String(text) if !text.ends_with('Z') => Literal::from(
            text.parse::<jiff::Timestamp>()
                .map_or_else(|_| text.clone(), |time| time.to_string()),
        ),
        other => other.clone(),
    };
    let scalar = |value: &Scalar| Scalar::new(literal(value.as_literal())).unwrap_or_else(|| value.clone());
    let predicate = match &condition.predicate {
        Predicate::Eq(value) => Predicate::Eq(literal(value)),
        Predicate::Ne(value) => Predicate::Ne(literal(value)),
        Predicate::Gt(value) => Predicate::Gt(scalar(value)),
        Predicate::Gte(value) => Predicate::Gte(scalar(value)),
        Predicate::Lt(value) => Predicate::Lt(scalar(value)),
        Predicate::Lte(value) => Predicate::Lte(scalar(value)),
        Predicate::In(values) => Predicate::In(values.iter().map(literal).collect()),
        Predicate::NotIn(values) => Predicate::NotIn(values.iter().map(literal).collect()),
        other => other.clone(),
    };
    Condition {
        field: condition.field.clone(),
        predicate,
    }
}

fn notes(filter: &Filter, rules: &ServerRules) -> Vec<String> {
    let mut notes = Vec::new();
    let conditions = filter.conditions();
    let looks_at = |attribute: RunAttribute| {
        conditions
            .iter()
            .any(|condition| condition.field == FieldPath::Attribute(attribute))
    };
    if looks_at(RunAttribute::Name) && *filter != Filter::nothing() {
        notes.push("\"name\" is the run's id; the name that the app shows is \"display_name\"".to_owned());
    }
    if looks_at(RunAttribute::InputArtifacts) || looks_at(RunAttribute::OutputArtifacts) {
        notes.push(
            "artifacts of runs can only be compared by the server, and its rules are not documented"
                .to_owned(),
        );
    }
    if has_weakened(filter, rules, true) {
        notes.push(
            "negations are sent so that no run without the field is lost, and are checked again locally"
                .to_owned(),
        );
    }
    if has_raw(filter) {
        notes.push("raw JSON is sent as it is and not checked".to_owned());
    }
    notes
}

fn has_raw(filter: &Filter) -> bool {
    match filter.node() {
        Node::And(members) | Node::Or(members) => members.iter().any(has_raw),
        Node::Not(inner) => has_raw(inner),
        Node::Condition(_) => false,
        Node::Raw(_) => true,
    }
}

fn has_weakened(filter: &Filter, rules: &ServerRules, positive: bool) -> bool {
    match filter.node() {
        Node::And(members) | Node::Or(members) => {
            members.iter().any(|member| has_weakened(member, rules, positive))
        }
        Node::Not(inner) => has_weakened(inner, rules, !positive),
        Node::Condition(condition) => is_weakened(condition, rules, positive),
        Node::Raw(_) => false,
    }
}
