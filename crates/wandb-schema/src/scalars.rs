//! The custom scalars (protocol §2.2).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::schema;

/// A JSON text inside a JSON string. It may hold bare `NaN` and infinities, so it is kept as text and read by the
/// lenient parser of the crate above.
#[derive(cynic::Scalar, Debug, Clone, PartialEq, Eq)]
#[cynic(graphql_type = "JSONString")]
pub struct JsonString(pub String);

/// Raw JSON, kept as its text.
#[derive(Debug, Clone)]
pub struct Json(pub Box<RawValue>);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl serde::Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

cynic::impl_scalar!(Json, schema::JSON);

/// A time as the server wrote it; the crate above parses it.
#[derive(cynic::Scalar, Debug, Clone, PartialEq, Eq)]
#[cynic(graphql_type = "DateTime")]
pub struct DateTime(pub String);

/// An integer of 64 bits: steps, sizes, counts.
#[derive(cynic::Scalar, Debug, Clone, Copy, PartialEq, Eq)]
#[cynic(graphql_type = "Int64")]
pub struct Int64(pub i64);
