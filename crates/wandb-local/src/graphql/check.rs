//! A check on documents before the library sees them.

use std::collections::HashSet;

use async_graphql::parser::types::{BaseType, ExecutableDocument, Type, TypeSystemDefinition};
use async_graphql::{Name, ServerError, Value};

use super::LocalSchema;

/// The names of all types of a schema.
#[derive(Debug)]
pub(crate) struct TypeNames(HashSet<String>);

impl TypeNames {
    /// Reads the names off the schema's own SDL.
    pub(crate) fn of(schema: &LocalSchema) -> Self {
        let mut names: HashSet<String> = ["Int", "Float", "String", "Boolean", "ID"]
            .map(str::to_owned)
            .into_iter()
            .collect();
        if let Ok(document) = async_graphql::parser::parse_schema(schema.sdl()) {
            names.extend(
                document
                    .definitions
                    .into_iter()
                    .filter_map(|definition| match definition {
                        TypeSystemDefinition::Type(definition) => Some(definition.node.name.node.to_string()),
                        _ => None,
                    }),
            );
        }
        Self(names)
    }

    /// Refuses a document that declares a variable of a type that does not exist: `async-graphql` 7.2 panics where such
    /// a variable has a default.
    pub(crate) fn check(&self, document: &ExecutableDocument) -> Result<(), ServerError> {
        for (_, operation) in document.operations.iter() {
            for variable in &operation.node.variable_definitions {
                let name = base_name(&variable.node.var_type.node);
                if !self.0.contains(name) {
                    return Err(ServerError::new(
                        format!("Unknown type \"{name}\""),
                        Some(variable.pos),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The default values that a document gives to its variables. `async-graphql` 7.2 does not look at them for the condition
/// of `@include` and `@skip`, where official documents rely on them: they are to be given as if the client had sent them.
pub(crate) fn defaults(document: &ExecutableDocument) -> Vec<(Name, Value)> {
    let definitions = document
        .operations
        .iter()
        .flat_map(|(_, operation)| &operation.node.variable_definitions);
    definitions
        .filter_map(|variable| {
            let variable = &variable.node;
            Some((
                variable.name.node.clone(),
                variable.default_value.as_ref()?.node.clone(),
            ))
        })
        .collect()
}

fn base_name(kind: &Type) -> &str {
    let mut kind = kind;
    loop {
        match &kind.base {
            BaseType::Named(name) => return name,
            BaseType::List(inner) => kind = inner,
        }
    }
}
