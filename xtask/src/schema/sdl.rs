//! Reads a schema from the schema definition language.

use cynic_parser::type_system::{
    Definition, FieldDefinition, InputValueDefinition, Type as ParsedType, TypeDefinition,
};

use super::model::{Field, Kind, Schema, Type, TypeRef};
use crate::failure::{Failure, Result};

/// Reads a document of type definitions. `extend type` adds to the type that it names.
///
/// # Errors
/// When the text is not SDL, or defines a type twice.
pub(super) fn read(text: &str) -> Result<Schema> {
    let document = cynic_parser::parse_type_system_document(text)
        .map_err(|cause| Failure::about("not a schema document", cause))?;
    let mut schema = Schema::default();
    for definition in document.definitions() {
        match definition {
            Definition::Type(definition) => {
                let name = definition.name().to_owned();
                if schema.types.insert(name, convert(definition)?).is_some() {
                    return Err(Failure::new(format!("{} is defined twice", definition.name())));
                }
            }
            Definition::TypeExtension(extension) => {
                let added = convert(extension)?;
                match schema.types.get_mut(extension.name()) {
                    Some(kind) => {
                        kind.fields.extend(added.fields);
                        kind.values.extend(added.values);
                        kind.links.extend(added.links);
                    }
                    None => {
                        schema.types.insert(extension.name().to_owned(), added);
                    }
                }
            }
            // Roots are found by their names, and no directive of ours changes a type.
            Definition::Schema(_) | Definition::SchemaExtension(_) | Definition::Directive(_) => {}
        }
    }
    Ok(schema)
}

fn convert(definition: TypeDefinition<'_>) -> Result<Type> {
    let mut result;
    match definition {
        TypeDefinition::Scalar(_) => result = Type::new(Kind::Scalar),
        TypeDefinition::Object(object) => {
            result = Type::new(Kind::Object);
            result.links = object.implements_interfaces().map(str::to_owned).collect();
            for field in object.fields() {
                result.fields.insert(field.name().to_owned(), field_of(field)?);
            }
        }
        TypeDefinition::Interface(interface) => {
            result = Type::new(Kind::Interface);
            result.links = interface.implements_interfaces().map(str::to_owned).collect();
            for field in interface.fields() {
                result.fields.insert(field.name().to_owned(), field_of(field)?);
            }
        }
        TypeDefinition::Union(union) => {
            result = Type::new(Kind::Union);
            result.links = union.members().map(|member| member.name().to_owned()).collect();
        }
        TypeDefinition::Enum(choice) => {
            result = Type::new(Kind::Enum);
            result.values = choice.values().map(|value| value.value().to_owned()).collect();
        }
        TypeDefinition::InputObject(input) => {
            result = Type::new(Kind::InputObject);
            for field in input.fields() {
                result.fields.insert(field.name().to_owned(), input_of(field)?);
            }
        }
    }
    Ok(result)
}

fn field_of(field: FieldDefinition<'_>) -> Result<Field> {
    let mut result = Field {
        type_ref: type_ref_of(field.ty())?,
        arguments: Default::default(),
        has_default: false,
    };
    for argument in field.arguments() {
        result
            .arguments
            .insert(argument.name().to_owned(), input_of(argument)?);
    }
    Ok(result)
}

fn input_of(input: InputValueDefinition<'_>) -> Result<Field> {
    Ok(Field {
        type_ref: type_ref_of(input.ty())?,
        arguments: Default::default(),
        has_default: input.default_value().is_some(),
    })
}

fn type_ref_of(parsed: ParsedType<'_>) -> Result<TypeRef> {
    let text = parsed.to_string();
    TypeRef::parse(&text).ok_or_else(|| Failure::new(format!("not a type: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_type_is_read() {
        let schema = read(
            r#"
            scalar JSON
            interface Node { id: ID! }
            type Run implements Node { id: ID! files(first: Int = 50, names: [String!]): [File] }
            union Thing = Run | File
            enum State { running finished }
            input Patch { id: ID!, tags: [String!] = [] }
            extend type Run { more: JSON }
            type File { id: ID! }
            "#,
        )
        .unwrap();
        assert_eq!(schema.types["Run"].kind, Kind::Object);
        assert!(schema.types["Run"].links.contains("Node"));
        assert!(schema.types["Run"].fields.contains_key("more"));
        let files = &schema.types["Run"].fields["files"];
        assert_eq!(files.type_ref.to_string(), "[File]");
        assert!(files.arguments["first"].has_default);
        assert!(!files.arguments["names"].has_default);
        assert_eq!(schema.types["State"].values.len(), 2);
        assert_eq!(schema.types["Thing"].links.len(), 2);
        assert!(schema.types["Patch"].fields["id"].is_required());
        assert!(!schema.types["Patch"].fields["tags"].is_required());
        assert_eq!(schema.types["JSON"].kind, Kind::Scalar);
    }

    #[test]
    fn what_is_not_a_schema_is_an_error() {
        assert!(read("").is_err());
        assert!(read("query { viewer { id } }").is_err());
        assert!(read("scalar A scalar A").is_err());
    }
}
