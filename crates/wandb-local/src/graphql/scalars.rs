//! Scalars, and values that pass through as the text that is stored.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, InputValueError, InputValueResult, Name, OutputType, Positioned, Scalar, ScalarType,
    ServerResult, Value,
};

use crate::store::time;

/// A string whose text is JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonString(pub(crate) String);

/// A string whose text is JSON.
#[Scalar(name = "JSONString")]
impl ScalarType for JsonString {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A `JSONString` that only goes out. A config may be long, and a listing has a thousand of them: the text is moved into
/// the answer, where a scalar would be copied.
#[derive(Debug)]
pub(crate) struct JsonText(Once);

impl JsonText {
    pub(crate) fn new(text: String) -> Self {
        Self(Once(Mutex::new(text)))
    }
}

impl OutputType for JsonText {
    fn type_name() -> Cow<'static, str> {
        <JsonString as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <JsonString as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(self.0.text()))
    }
}

/// A time in microseconds, written as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime(pub(crate) i64);

/// A time: RFC 3339 in UTC.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => time::from_text(text)
                .map(Self)
                .ok_or_else(|| InputValueError::custom("not a time")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(time::to_text(self.0))
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// A 64-bit integer, written as a JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int64(pub(crate) i64);

/// A 64-bit integer.
#[Scalar]
impl ScalarType for Int64 {
    fn parse(value: Value) -> InputValueResult<Self> {
        integer(&value)
            .map(Self)
            .ok_or_else(|| InputValueError::expected_type(value))
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

/// A length of time as an integer; milliseconds where alerts wait, seconds where runs compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Duration(pub(crate) i64);

/// A length of time, as an integer.
#[Scalar]
impl ScalarType for Duration {
    fn parse(value: Value) -> InputValueResult<Self> {
        integer(&value)
            .map(Self)
            .ok_or_else(|| InputValueError::expected_type(value))
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

/// The member by which `serde_json` and `async-graphql` (feature `raw_value`) know text that is JSON already.
const RAW: &str = "$serde_json::private::RawValue";

/// Puts JSON text into the answer as it is. The text must be JSON: it is not looked at again.
fn raw(text: String) -> Value {
    let mut object = IndexMap::with_capacity(1);
    object.insert(Name::new(RAW), Value::String(text));
    Value::Object(object)
}

/// A text that is moved out when it is resolved, which happens once: it may be a hundred megabytes.
#[derive(Debug)]
struct Once(Mutex<String>);

impl Once {
    fn text(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self) -> Value {
        raw(self.text())
    }
}

/// Any JSON value.
#[derive(Debug, Clone)]
pub(crate) struct Json(pub(crate) String);

/// Any JSON value.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.to_string()))
    }

    fn to_value(&self) -> Value {
        raw(self.0.clone())
    }
}

/// How a list is called that leaves as one text.
pub(crate) trait ListShape {
    /// What it is a list of.
    type Item: OutputType;
    /// The list, as the schema writes it.
    const LIST: &'static str;
}

/// `[String!]!`.
#[derive(Debug)]
pub(crate) struct OfStrings;
/// `[JSON]!`.
#[derive(Debug)]
pub(crate) struct OfJson;
/// `[JSON!]!`.
#[derive(Debug)]
pub(crate) struct OfJsonItems;

impl ListShape for OfStrings {
    type Item = String;
    const LIST: &'static str = "[String!]!";
}

impl ListShape for OfJson {
    type Item = Json;
    const LIST: &'static str = "[JSON]!";
}

impl ListShape for OfJsonItems {
    type Item = Json;
    const LIST: &'static str = "[JSON!]!";
}

/// A list that the store gives as one JSON text, and that leaves as it is: its items are never values in memory.
#[derive(Debug)]
pub(crate) struct TextList<S> {
    text: Once,
    shape: PhantomData<S>,
}

/// Rows of history: `[String!]!`.
pub(crate) type Rows = TextList<OfStrings>;
/// One list of objects per spec: `[JSON]!`.
pub(crate) type JsonList = TextList<OfJson>;
/// Live rows: `[JSON!]!`.
pub(crate) type JsonItems = TextList<OfJsonItems>;

impl<S> TextList<S> {
    pub(crate) fn new(text: String) -> Self {
        Self {
            text: Once(Mutex::new(text)),
            shape: PhantomData,
        }
    }
}

impl<S: ListShape + Send + Sync> OutputType for TextList<S> {
    fn type_name() -> Cow<'static, str> {
        S::Item::type_name()
    }

    fn qualified_type_name() -> String {
        S::LIST.to_owned()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        S::Item::create_type_info(registry);
        Self::qualified_type_name()
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(self.text.take())
    }
}
