//! Reads a schema from a live server's answer to an introspection query.

use std::process::Command;

use serde_json::Value;

use super::model::{Field, Kind, Schema, Type, TypeRef};
use crate::failure::{Failure, Result};
use crate::process;

/// Asks the server at a base URL. The request is made by a small Python script, so that this crate, which CI builds before
/// it can check anything, needs no HTTP and no TLS.
///
/// # Errors
/// When Python is missing, the server does not answer, or the answer is no introspection result.
pub(super) fn ask(base_url: &str) -> Result<Schema> {
    let script = process::workspace_root().join("xtask/python/introspect.py");
    let text = process::stdout_of(Command::new("python3").arg(script).arg(base_url))?;
    let answer: Value = serde_json::from_str(&text)
        .map_err(|cause| Failure::about("the server's answer is not JSON", cause))?;
    read(&answer).ok_or_else(|| Failure::new("the server's answer is not an introspection result"))
}

/// Reads `{"data": {"__schema": {"types": […]}}}`. `None` when it has another shape.
fn read(answer: &Value) -> Option<Schema> {
    let mut schema = Schema::default();
    for described in answer["data"]["__schema"]["types"].as_array()? {
        let name = described["name"].as_str()?;
        if name.starts_with("__") {
            continue;
        }
        let kind = match described["kind"].as_str()? {
            "SCALAR" => Kind::Scalar,
            "OBJECT" => Kind::Object,
            "INTERFACE" => Kind::Interface,
            "UNION" => Kind::Union,
            "ENUM" => Kind::Enum,
            "INPUT_OBJECT" => Kind::InputObject,
            _ => return None,
        };
        let mut result = Type::new(kind);
        let list = |key: &str| described[key].as_array().map_or(&[][..], Vec::as_slice);
        for field in list("fields").iter().chain(list("inputFields")) {
            let mut read = input(field)?;
            for argument in field["args"].as_array().map_or(&[][..], Vec::as_slice) {
                read.arguments
                    .insert(argument["name"].as_str()?.to_owned(), input(argument)?);
            }
            result.fields.insert(field["name"].as_str()?.to_owned(), read);
        }
        for value in list("enumValues") {
            result.values.insert(value["name"].as_str()?.to_owned());
        }
        let links = if kind == Kind::Union {
            list("possibleTypes")
        } else {
            list("interfaces")
        };
        for link in links {
            result.links.insert(link["name"].as_str()?.to_owned());
        }
        schema.types.insert(name.to_owned(), result);
    }
    Some(schema)
}

fn input(described: &Value) -> Option<Field> {
    Some(Field {
        type_ref: type_ref(&described["type"])?,
        arguments: Default::default(),
        has_default: !described["defaultValue"].is_null(),
    })
}

fn type_ref(described: &Value) -> Option<TypeRef> {
    // The query asks for a few levels of wrapping only, which bounds the recursion.
    match described["kind"].as_str()? {
        "NON_NULL" => Some(TypeRef::NonNull(Box::new(type_ref(&described["ofType"])?))),
        "LIST" => Some(TypeRef::List(Box::new(type_ref(&described["ofType"])?))),
        _ => Some(TypeRef::Named(described["name"].as_str()?.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_becomes_the_same_schema_as_its_sdl() {
        let answer = json!({"data": {"__schema": {"types": [
            {"kind": "OBJECT", "name": "Query", "interfaces": [], "fields": [{
                "name": "run",
                "args": [{"name": "name", "defaultValue": null, "type": {"kind": "NON_NULL", "name": null,
                    "ofType": {"kind": "SCALAR", "name": "String"}}}],
                "type": {"kind": "LIST", "name": null, "ofType": {"kind": "OBJECT", "name": "Run"}}
            }]},
            {"kind": "OBJECT", "name": "Run", "interfaces": [], "fields":
                [{"name": "id", "args": [], "type": {"kind": "SCALAR", "name": "ID"}}]},
            {"kind": "ENUM", "name": "S", "enumValues": [{"name": "a"}]},
            {"kind": "OBJECT", "name": "__Type", "fields": []},
        ]}}});
        let live = read(&answer).unwrap();
        let text = "type Query { run(name: String!): [Run] } type Run { id: ID } enum S { a }";
        let written = crate::schema::sdl::read(text).unwrap();
        assert!(live.lacks(&written).is_empty());
        assert!(written.lacks(&live).is_empty());
        assert_eq!(live.size(), written.size());
    }

    #[test]
    fn other_answers_are_refused() {
        assert!(read(&json!({"data": null, "errors": [{"message": "introspection is off"}]})).is_none());
        assert!(read(&json!({"data": {"__schema": {"types": [{"kind": "OBJECT"}]}}})).is_none());
    }
}
