//! From a [`Value`] to a type of the caller's, through `serde`, without losing `NaN` and infinities on the way.

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, EnumAccess, Error as _, IntoDeserializer, VariantAccess, Visitor,
        value::{Error, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{Map, Value};

/// Why a value does not fit a type; the text names the field's problem.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the value does not fit the type: {0}")]
pub struct FitError(#[from] Error);

impl Value {
    /// Reads the value as a type of the caller's. Non-finite numbers arrive as floats.
    ///
    /// # Errors
    /// When the value does not have the type's shape.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, FitError> {
        T::deserialize(ValueDeserializer(self)).map_err(FitError)
    }
}

impl Map {
    /// Reads the object as a type of the caller's, see [`Value::to`].
    ///
    /// # Errors
    /// When the object does not have the type's shape.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, FitError> {
        fit(self.iter())
    }
}

/// Reads pairs of names and values as a type of the caller's, as if they were one object.
///
/// # Errors
/// When they do not have the type's shape.
pub fn fit<'a, T: DeserializeOwned>(
    entries: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Result<T, FitError> {
    let entries = entries.map(|(key, value)| (key, ValueDeserializer(value)));
    T::deserialize(MapDeserializer::new(entries)).map_err(FitError)
}

#[derive(Clone, Copy)]
struct ValueDeserializer<'a>(&'a Value);

impl<'de> IntoDeserializer<'de, Error> for ValueDeserializer<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for ValueDeserializer<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Int(number) => visitor.visit_i64(*number),
            Value::UInt(number) => visitor.visit_u64(*number),
            Value::BigInt(digits) => match digits.parse::<i128>() {
                Ok(number) => visitor.visit_i128(number),
                Err(_) => visitor.visit_str(digits),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::String(text) => visitor.visit_str(text),
            Value::List(list) => visitor.visit_seq(SeqDeserializer::new(list.iter().map(ValueDeserializer))),
            Value::Map(map) => visitor.visit_map(MapDeserializer::new(
                map.iter().map(|(key, value)| (key, ValueDeserializer(value))),
            )),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Variant { name, content: None }),
            Value::Map(map) if map.len() == 1 => {
                let (name, content) = map.iter().next().expect("the object has one entry");
                visitor.visit_enum(Variant {
                    name,
                    content: Some(ValueDeserializer(content)),
                })
            }
            _ => Err(Error::custom("a text or an object with one key was expected")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Variant<'a> {
    name: &'a str,
    content: Option<ValueDeserializer<'a>>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: serde::de::DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name = seed.deserialize(IntoDeserializer::<Error>::into_deserializer(self.name))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(Error::custom("this variant has no content")),
        }
    }

    fn newtype_variant_seed<S: serde::de::DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.content.unwrap_or(ValueDeserializer(&Value::Null)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.content
            .unwrap_or(ValueDeserializer(&Value::Null))
            .deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.content
            .unwrap_or(ValueDeserializer(&Value::Null))
            .deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use crate::Value;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Sgd,
        Adam { beta: f64 },
    }

    #[derive(Debug, Deserialize)]
    struct Config {
        lr: f64,
        steps: Option<u32>,
        missing: Option<String>,
        kinds: Vec<Kind>,
        #[serde(rename = "d.x")]
        dotted: f32,
    }

    #[test]
    fn values_fit_types_with_non_finite_numbers() {
        let value = Value::parse(
            r#"{"lr":NaN,"steps":3,"kinds":["sgd",{"adam":{"beta":Infinity}}],"d.x":1,"more":0}"#,
        )
        .unwrap();
        let config: Config = value.to().unwrap();
        assert!(config.lr.is_nan());
        assert_eq!(
            (config.steps, config.missing, config.dotted),
            (Some(3), None, 1.0)
        );
        assert_eq!(config.kinds, [Kind::Sgd, Kind::Adam { beta: f64::INFINITY }]);
        let error = Value::parse(r#"{"lr":"x"}"#).unwrap().to::<Config>().unwrap_err();
        assert!(error.to_string().contains("invalid type: string"), "{error}");
    }
}
