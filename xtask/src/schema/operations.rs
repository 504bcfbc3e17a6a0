//! Validates operation documents against a schema.
//!
//! `cynic` proves at compile time that our operations are valid in the contract. This check reads the text that is
//! really sent, so that it also holds for the embedded server's schema and for anything that `cynic` does not see.

use std::collections::{BTreeMap, BTreeSet};

use cynic_parser::Value;
use cynic_parser::common::OperationType;
use cynic_parser::executable::{
    Argument, Directive, ExecutableDocument, FieldSelection, OperationDefinition, Selection,
};

use super::model::{BUILT_IN, Field, Kind, Schema, TypeRef};
use crate::failure::{Failure, Result};

const ROOTS: &[&str] = &["Query", "Mutation", "Subscription"];

/// Operations read from one text. Ours hold no named fragments, so that all of them can stand in one document.
pub(super) struct Operations {
    document: ExecutableDocument,
}

/// Reads operations that follow each other.
///
/// # Errors
/// When the text is not GraphQL.
pub(super) fn read(text: &str) -> Result<Operations> {
    cynic_parser::parse_executable_document(text)
        .map(|document| Operations { document })
        .map_err(|cause| Failure::about("not operation documents", cause))
}

impl Operations {
    pub(super) fn count(&self) -> usize {
        self.document.operations().count()
    }

    /// Everything in the operations that `schema` does not allow.
    pub(super) fn check(&self, schema: &Schema) -> Vec<String> {
        let mut broken = Vec::new();
        let mut names = BTreeSet::new();
        for operation in self.document.operations() {
            let name = operation.name().unwrap_or("(no name)");
            if !names.insert(name) {
                broken.push(format!("{name}: the name is used twice"));
            }
            check_operation(schema, name, operation, &mut broken);
        }
        broken
    }
}

/// The fragments on a root type in a Rust source: each is one operation.
pub(super) fn count_declared(source: &str) -> usize {
    source
        .lines()
        .filter(|line| line.starts_with("#[cynic("))
        .filter(|line| {
            ROOTS
                .iter()
                .any(|root| line.contains(&format!("graphql_type = \"{root}\"")))
        })
        .count()
}

fn check_operation(
    schema: &Schema,
    name: &str,
    operation: OperationDefinition<'_>,
    broken: &mut Vec<String>,
) {
    let mut checker = Checker {
        schema,
        variables: BTreeMap::new(),
        used: BTreeSet::new(),
        broken: Vec::new(),
    };
    for variable in operation.variable_definitions() {
        let declared = TypeRef::parse(&variable.ty().to_string());
        let known = declared.as_ref().map(TypeRef::name).is_some_and(|name| {
            BUILT_IN.contains(&name)
                || schema
                    .types
                    .get(name)
                    .is_some_and(|found| matches!(found.kind, Kind::Scalar | Kind::Enum | Kind::InputObject))
        });
        if !known {
            checker.broken.push(format!(
                "${} has the unknown input type {}",
                variable.name(),
                variable.ty()
            ));
        }
        if let Some(type_ref) = declared {
            let has_default = variable.default_value().is_some_and(|value| !value.is_null());
            checker.variables.insert(variable.name(), (type_ref, has_default));
        }
    }
    let root = match operation.operation_type() {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    checker.selections(root, root, operation.selection_set());
    let unused: Vec<&str> = checker
        .variables
        .keys()
        .copied()
        .filter(|variable| !checker.used.contains(variable))
        .collect();
    for variable in unused {
        checker
            .broken
            .push(format!("${variable} is declared and not used"));
    }
    broken.extend(checker.broken.into_iter().map(|fault| format!("{name}: {fault}")));
}

struct Checker<'a> {
    schema: &'a Schema,
    variables: BTreeMap<&'a str, (TypeRef, bool)>,
    used: BTreeSet<&'a str>,
    broken: Vec<String>,
}

impl<'a> Checker<'a> {
    fn selections(&mut self, path: &str, parent: &str, selections: impl Iterator<Item = Selection<'a>>) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    self.directives(path, field.directives());
                    self.field(path, parent, field);
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(path, fragment.directives());
                    let target = fragment.type_condition().unwrap_or(parent);
                    if self.schema.types.contains_key(target) {
                        self.selections(path, target, fragment.selection_set());
                    } else {
                        self.broken
                            .push(format!("{path} is narrowed to {target}, which does not exist"));
                    }
                }
                Selection::FragmentSpread(spread) => {
                    self.broken.push(format!(
                        "{path} uses the named fragment {}",
                        spread.fragment_name()
                    ));
                }
            }
        }
    }

    /// `@include` and `@skip`, which every server knows.
    fn directives(&mut self, path: &str, directives: impl Iterator<Item = Directive<'a>>) {
        let condition = Field {
            type_ref: TypeRef::NonNull(Box::new(TypeRef::Named("Boolean".to_owned()))),
            arguments: BTreeMap::new(),
            has_default: false,
        };
        for directive in directives {
            let path = format!("{path} @{}", directive.name());
            if !matches!(directive.name(), "include" | "skip") {
                self.broken.push(format!("{path} does not exist"));
            }
            for argument in directive.arguments() {
                self.value(&path, &condition, argument.value());
            }
        }
    }

    fn field(&mut self, path: &str, parent: &str, field: FieldSelection<'a>) {
        if field.name() == "__typename" {
            return;
        }
        let schema = self.schema;
        let path = format!("{path}.{}", field.name());
        let Some(definition) = schema
            .types
            .get(parent)
            .and_then(|found| found.fields.get(field.name()))
        else {
            self.broken
                .push(format!("{path} does not exist ({parent} has no such field)"));
            return;
        };
        self.arguments(&path, definition, field.arguments());
        let target = definition.type_ref.name();
        let composite = schema
            .types
            .get(target)
            .is_some_and(|found| matches!(found.kind, Kind::Object | Kind::Interface | Kind::Union));
        let selects = field.selection_set().next().is_some();
        if composite != selects {
            let fault = if selects {
                "is a leaf and has a selection"
            } else {
                "needs a selection"
            };
            self.broken.push(format!("{path} {fault}"));
        }
        if composite {
            self.selections(&path, target, field.selection_set());
        }
    }

    fn arguments(&mut self, path: &str, definition: &Field, given: impl Iterator<Item = Argument<'a>>) {
        let mut names = BTreeSet::new();
        for argument in given {
            names.insert(argument.name());
            let path = format!("{path}({}:)", argument.name());
            match definition.arguments.get(argument.name()) {
                None => self.broken.push(format!("{path} does not exist")),
                Some(expected) => self.value(&path, expected, argument.value()),
            }
        }
        for (name, expected) in &definition.arguments {
            if expected.is_required() && !names.contains(name.as_str()) {
                self.broken.push(format!("{path}({name}:) is required"));
            }
        }
    }

    fn value(&mut self, path: &str, expected: &Field, value: Value<'a>) {
        let wanted = &expected.type_ref;
        if let Value::Variable(variable) = value {
            let name = variable.name();
            self.used.insert(name);
            let Some((declared, has_default)) = self.variables.get(name) else {
                self.broken
                    .push(format!("{path} uses ${name}, which is not declared"));
                return;
            };
            // A default on either side stands in for an absent value.
            let wanted = match wanted {
                TypeRef::NonNull(inner) if *has_default || expected.has_default => inner,
                other => other,
            };
            if !declared.fits(wanted) {
                self.broken.push(format!(
                    "{path} takes {} and ${name} is {declared}",
                    expected.type_ref
                ));
            }
            return;
        }
        let nullable = match wanted {
            TypeRef::NonNull(inner) => {
                if matches!(value, Value::Null(_)) {
                    self.broken.push(format!("{path} takes no null"));
                }
                inner
            }
            other => other,
        };
        match (value, nullable) {
            (Value::List(list), TypeRef::List(item)) => {
                let item = Field {
                    type_ref: (**item).clone(),
                    arguments: BTreeMap::new(),
                    has_default: false,
                };
                for value in list.items() {
                    self.value(path, &item, value);
                }
            }
            (Value::Null(_), _) => {}
            (value, other) => self.literal(path, other.name(), value),
        }
    }

    fn literal(&mut self, path: &str, type_name: &str, value: Value<'a>) {
        let schema = self.schema;
        let definition = schema.types.get(type_name);
        let kind = definition.map_or(Kind::Scalar, |found| found.kind);
        match (value, kind, definition) {
            (Value::Enum(given), Kind::Enum, Some(definition))
                if definition.values.contains(given.name()) => {}
            (Value::Enum(given), Kind::Enum, _) => {
                self.broken
                    .push(format!("{path} has the unknown value {}", given.name()));
            }
            (Value::Object(object), Kind::InputObject, Some(definition)) => {
                let mut names = BTreeSet::new();
                for member in object.fields() {
                    names.insert(member.name());
                    let path = format!("{path}.{}", member.name());
                    match definition.fields.get(member.name()) {
                        None => self.broken.push(format!("{path} does not exist")),
                        Some(expected) => self.value(&path, expected, member.value()),
                    }
                }
                for (name, expected) in &definition.fields {
                    if expected.is_required() && !names.contains(name.as_str()) {
                        self.broken.push(format!("{path}.{name} is required"));
                    }
                }
            }
            (Value::Enum(_) | Value::Object(_) | Value::List(_), _, _)
            | (_, Kind::Enum | Kind::InputObject, _) => {
                self.broken
                    .push(format!("{path} has a literal that is no {type_name}"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::schema::sdl;

    const SCHEMA: &str = "
        scalar JSON
        enum Order { up down }
        input Patch { id: ID!, tags: [String!], note: String = \"\" }
        interface Node { id: ID! }
        type Run implements Node { id: ID! name: String data: JSON }
        type Query { run(name: String!, order: Order): Run node: Node runs(first: Int = 50): [Run!]! }
        type Mutation { patch(input: Patch!): Run }";

    fn check(text: &str) -> Vec<String> {
        read(text).unwrap().check(&sdl::read(SCHEMA).unwrap())
    }

    #[test]
    fn valid_operations_have_no_fault() {
        let text = "query A($n: String!, $f: Int) { r: run(name: $n, order: up) { id __typename data }
                      runs(first: $f) { id } node { id ... on Run { name } } }
                    mutation B($id: ID!, $t: [String!]) { patch(input: {id: $id, tags: $t}) { id } }";
        assert_eq!(check(text), Vec::<String>::new());
        assert_eq!(read(text).unwrap().count(), 2);
    }

    #[test]
    fn fields_and_arguments_that_do_not_exist_are_found() {
        assert_eq!(
            check("query A { run(name: \"x\", desc: 1) { id missing } }"),
            [
                "A: Query.run(desc:) does not exist",
                "A: Query.run.missing does not exist (Run has no such field)"
            ]
        );
        assert_eq!(
            check("query A { run { id } }"),
            ["A: Query.run(name:) is required"]
        );
        assert_eq!(check("query A { node { ... on Nobody { id } } }").len(), 1);
    }

    #[test]
    fn leaves_have_no_selection_and_composites_have_one() {
        assert_eq!(
            check("query A { runs { id { x } } run(name: \"x\") }"),
            [
                "A: Query.runs.id is a leaf and has a selection",
                "A: Query.run needs a selection"
            ]
        );
    }

    #[test]
    fn variables_are_declared_used_and_of_the_right_type() {
        assert_eq!(
            check("query A($n: String, $u: Int) { run(name: $n) { id } runs(first: $v) { id } }"),
            [
                "A: Query.run(name:) takes String! and $n is String",
                "A: Query.runs(first:) uses $v, which is not declared",
                "A: $u is declared and not used"
            ]
        );
        assert_eq!(
            check("query A($n: String = \"x\") { run(name: $n) { id } }"),
            Vec::<String>::new()
        );
        assert_eq!(check("query A($n: Nope) { run(name: $n) { id } }").len(), 2);
    }

    #[test]
    fn root_fragments_are_counted() {
        let source = "#[cynic(graphql_type = \"Query\", variables = \"V\")]\npub struct A {}\n\
                      #[cynic(graphql_type = \"Run\")]\n#[cynic(graphql_type = \"Mutation\")]\n";
        assert_eq!(super::count_declared(source), 2);
    }

    #[test]
    fn conditions_are_booleans() {
        assert_eq!(
            check("query A($w: Boolean!) { node @include(if: $w) { id } }"),
            Vec::<String>::new()
        );
        assert_eq!(
            check("query A($w: Int) { node @include(if: $w) { id @odd } }"),
            [
                "A: Query @include takes Boolean! and $w is Int",
                "A: Query.node @odd does not exist"
            ]
        );
    }

    #[test]
    fn literals_are_checked_too() {
        assert_eq!(
            check("mutation B { patch(input: {tags: [null], x: 1}) { id } }"),
            [
                "B: Mutation.patch(input:).tags takes no null",
                "B: Mutation.patch(input:).x does not exist",
                "B: Mutation.patch(input:).id is required"
            ]
        );
        assert_eq!(
            check("query A { run(name: \"x\", order: sideways) { id } }"),
            ["A: Query.run(order:) has the unknown value sideways"]
        );
        assert_eq!(check("query A { run(name: up) { id } }").len(), 1);
    }

    #[test]
    fn one_name_twice_is_found_and_other_text_is_an_error() {
        assert_eq!(
            check("query A { node { id } } query A { node { id } }"),
            ["A: the name is used twice"]
        );
        assert!(read("").is_err());
        assert!(read("query A {").is_err());
    }
}
