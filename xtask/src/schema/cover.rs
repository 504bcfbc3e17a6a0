//! Whether a server's schema can answer everything that a contract may ask.

use super::model::{BUILT_IN, Field, Kind, Schema, Type};

impl Schema {
    /// What `contract` has and this schema lacks, or has in an incompatible form.
    ///
    /// A server may promise more (no null where the contract allows one), accept more (null where the contract always
    /// sends a value), and have types, fields, arguments and enum values beside the contract's. It may not ask for an
    /// argument that the contract does not know.
    pub(super) fn lacks(&self, contract: &Self) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, wanted) in &contract.types {
            if BUILT_IN.contains(&name.as_str()) {
                continue;
            }
            match self.types.get(name) {
                None => missing.push(format!("{} {name} is missing", wanted.kind)),
                Some(found) if found.kind != wanted.kind => {
                    missing.push(format!(
                        "{name} is a {} and should be a {}",
                        found.kind, wanted.kind
                    ));
                }
                Some(found) => lacks_type(name, found, wanted, &mut missing),
            }
        }
        missing
    }
}

fn lacks_type(name: &str, found: &Type, wanted: &Type, missing: &mut Vec<String>) {
    for value in wanted.values.difference(&found.values) {
        missing.push(format!("{name} lacks the value {value}"));
    }
    for link in wanted.links.difference(&found.links) {
        let relation = if wanted.kind == Kind::Union {
            "lacks the member"
        } else {
            "does not implement"
        };
        missing.push(format!("{name} {relation} {link}"));
    }
    for (field_name, wanted_field) in &wanted.fields {
        let path = format!("{name}.{field_name}");
        match found.fields.get(field_name) {
            None => missing.push(format!("{path} is missing")),
            Some(found_field) if wanted.kind == Kind::InputObject => {
                lacks_input(&path, found_field, wanted_field, missing);
            }
            Some(found_field) => lacks_field(&path, found_field, wanted_field, missing),
        }
    }
    if wanted.kind == Kind::InputObject {
        unknown_required(name, found, wanted, missing);
    }
}

/// A field is read: what the server gives must fit what the contract expects.
fn lacks_field(path: &str, found: &Field, wanted: &Field, missing: &mut Vec<String>) {
    if !found.type_ref.fits(&wanted.type_ref) {
        missing.push(format!(
            "{path} is {} and should be {}",
            found.type_ref, wanted.type_ref
        ));
    }
    for (argument, wanted_argument) in &wanted.arguments {
        let path = format!("{path}({argument}:)");
        match found.arguments.get(argument) {
            None => missing.push(format!("{path} is missing")),
            Some(found_argument) => lacks_input(&path, found_argument, wanted_argument, missing),
        }
    }
    for (argument, found_argument) in &found.arguments {
        if found_argument.is_required() && !wanted.arguments.contains_key(argument) {
            missing.push(format!(
                "{path}({argument}:) is required and the contract does not know it"
            ));
        }
    }
}

/// An argument is written: what the contract sends must fit what the server accepts.
fn lacks_input(path: &str, found: &Field, wanted: &Field, missing: &mut Vec<String>) {
    // With a default, the server accepts the absence of a value although its type says "no null".
    let accepted = match &found.type_ref {
        super::model::TypeRef::NonNull(inner) if found.has_default && !wanted.type_ref.is_non_null() => inner,
        other => other,
    };
    if !wanted.type_ref.fits(accepted) {
        missing.push(format!(
            "{path} takes {} and should take {}",
            found.type_ref, wanted.type_ref
        ));
    }
}

fn unknown_required(name: &str, found: &Type, wanted: &Type, missing: &mut Vec<String>) {
    for (member, field) in &found.fields {
        if field.is_required() && !wanted.fields.contains_key(member) {
            missing.push(format!(
                "{name}.{member} is required and the contract does not know it"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::sdl::read;

    fn lacks(server: &str, contract: &str) -> Vec<String> {
        read(server).unwrap().lacks(&read(contract).unwrap())
    }

    #[test]
    fn a_server_may_have_and_promise_more() {
        let contract = "type Query { run(name: String!): Run } type Run { id: ID } enum S { a }";
        let server =
            "type Query { run(name: String, more: Int): Run! other: Int } type Run { id: ID! x: Int }
                      enum S { a b } scalar Z";
        assert!(lacks(server, contract).is_empty());
    }

    #[test]
    fn missing_things_are_named() {
        let contract = "type Query { run(name: String!, desc: String): Run other: Int } type Run { id: ID }
                        enum S { a b } union U = Run | Query interface Node { id: ID }";
        let server = "type Query { run(name: String!): Run } type Run { id: ID } enum S { a } union U = Run";
        assert_eq!(
            lacks(server, contract),
            [
                "interface Node is missing",
                "Query.other is missing",
                "Query.run(desc:) is missing",
                "S lacks the value b",
                "U lacks the member Query"
            ]
        );
    }

    #[test]
    fn nulls_are_wrong_in_one_direction_only() {
        assert_eq!(
            lacks("type Query { a: Int }", "type Query { a: Int! }"),
            ["Query.a is Int and should be Int!"]
        );
        assert_eq!(
            lacks("type Query { a(x: Int!): Int }", "type Query { a(x: Int): Int }"),
            ["Query.a(x:) takes Int! and should take Int"]
        );
        assert!(
            lacks(
                "type Query { a(x: Int! = 3): Int }",
                "type Query { a(x: Int): Int }"
            )
            .is_empty()
        );
        assert_eq!(
            lacks("input P { id: ID!, more: Int! }", "input P { id: ID }"),
            [
                "P.id takes ID! and should take ID",
                "P.more is required and the contract does not know it"
            ]
        );
        assert_eq!(
            lacks("type Query { a(x: Int!): Int }", "type Query { a: Int }"),
            ["Query.a(x:) is required and the contract does not know it"]
        );
    }

    #[test]
    fn a_type_of_another_kind_does_not_cover() {
        assert_eq!(
            lacks("scalar A", "enum A { x }"),
            ["A is a scalar and should be a enum"]
        );
        assert_eq!(
            lacks(
                "type R { i: ID } type Query { r: R }",
                "interface N { i: ID } type R implements N { i: ID }"
            ),
            ["interface N is missing", "R does not implement N"]
        );
    }
}
