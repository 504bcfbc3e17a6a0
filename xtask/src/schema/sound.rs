//! Whether a schema is sound in itself.

use std::collections::BTreeSet;

use super::model::{BUILT_IN, Kind, Schema};

const ROOTS: &[&str] = &["Query", "Mutation", "Subscription"];

/// Names that nothing defines, types that nothing reaches, interfaces that are not kept, inputs used as outputs.
pub(super) fn check(schema: &Schema) -> Vec<String> {
    let mut broken = Vec::new();
    if !schema.types.contains_key("Query") {
        broken.push("there is no Query".to_owned());
    }
    for (name, found) in &schema.types {
        if matches!(found.kind, Kind::Object | Kind::Interface | Kind::InputObject) && found.fields.is_empty()
        {
            broken.push(format!("{name} has no field"));
        }
        for (field_name, field) in &found.fields {
            let is_input = found.kind == Kind::InputObject;
            uses(
                schema,
                &format!("{name}.{field_name}"),
                field.type_ref.name(),
                is_input,
                &mut broken,
            );
            for (argument, input) in &field.arguments {
                let path = format!("{name}.{field_name}({argument}:)");
                uses(schema, &path, input.type_ref.name(), true, &mut broken);
            }
        }
        for link in &found.links {
            check_link(schema, name, link, &mut broken);
        }
    }
    let reached = reachable(schema);
    for name in schema
        .types
        .keys()
        .filter(|name| !reached.contains(name.as_str()))
    {
        broken.push(format!("{name} is reachable from no operation"));
    }
    broken
}

fn uses(schema: &Schema, path: &str, name: &str, as_input: bool, broken: &mut Vec<String>) {
    if BUILT_IN.contains(&name) {
        return;
    }
    match schema.types.get(name).map(|found| found.kind) {
        None => broken.push(format!("{path} has the type {name}, which is not defined")),
        Some(Kind::Scalar | Kind::Enum) => {}
        Some(kind) if (kind == Kind::InputObject) != as_input => {
            broken.push(format!("{path} cannot have the {kind} {name}"));
        }
        Some(_) => {}
    }
}

fn check_link(schema: &Schema, name: &str, link: &str, broken: &mut Vec<String>) {
    let Some(target) = schema.types.get(link) else {
        broken.push(format!("{name} names {link}, which is not defined"));
        return;
    };
    let found = &schema.types[name];
    if found.kind == Kind::Union {
        if target.kind != Kind::Object {
            broken.push(format!(
                "the union {name} has the {} {link} as a member",
                target.kind
            ));
        }
        return;
    }
    if target.kind != Kind::Interface {
        broken.push(format!("{name} implements the {} {link}", target.kind));
        return;
    }
    for (field_name, wanted) in &target.fields {
        if !found
            .fields
            .get(field_name)
            .is_some_and(|field| field.type_ref.fits(&wanted.type_ref))
        {
            broken.push(format!("{name} does not keep {link}.{field_name}"));
        }
    }
}

fn reachable(schema: &Schema) -> BTreeSet<&str> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&str> = ROOTS.to_vec();
    while let Some(name) = waiting.pop() {
        let Some((name, found)) = schema.types.get_key_value(name) else {
            continue;
        };
        if !reached.insert(name.as_str()) {
            continue;
        }
        waiting.extend(found.links.iter().map(String::as_str));
        for field in found.fields.values() {
            waiting.push(field.type_ref.name());
            waiting.extend(field.arguments.values().map(|argument| argument.type_ref.name()));
        }
        if found.kind == Kind::Interface {
            let implementing = schema
                .types
                .iter()
                .filter(|(_, other)| other.links.contains(name));
            waiting.extend(implementing.map(|(other, _)| other.as_str()));
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use crate::schema::sdl::read;

    fn check(text: &str) -> Vec<String> {
        super::check(&read(text).unwrap())
    }

    #[test]
    fn a_sound_schema_has_no_fault() {
        let text =
            "type Query { node(at: At): Node } interface Node { id: ID } type Run implements Node { id: ID! }
                    input At { id: ID! }";
        assert!(check(text).is_empty());
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(
            check("type Query { a: Missing }"),
            ["Query.a has the type Missing, which is not defined"]
        );
        assert_eq!(
            check("type Query { a: Int } type Run { id: ID }"),
            ["Run is reachable from no operation"]
        );
        assert_eq!(
            check("scalar X"),
            ["there is no Query", "X is reachable from no operation"]
        );
        assert_eq!(
            check("type Query { n: N r: R } interface N { id: ID! } type R implements N { id: ID }"),
            ["R does not keep N.id"]
        );
        assert_eq!(
            check("type Query { a(x: Query): Int }"),
            ["Query.a(x:) cannot have the type Query"]
        );
        assert_eq!(
            check("type Query { a: I } input I { x: Int }"),
            ["Query.a cannot have the input I"]
        );
    }
}
