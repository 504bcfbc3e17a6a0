//! One parameter of a sweep config.

use serde_json::{Map, Value};

use super::config::number;
use super::distribution::{Distribution, Scale, Shape};

/// How deep parameters may nest.
const MAX_DEPTH: usize = 16;
/// Most parameters, nested ones counted one by one.
pub(super) const MAX_PARAMETERS: usize = 1000;
/// The shapes of a beta distribution that the functions are good for.
const BETA_SHAPES: std::ops::RangeInclusive<f64> = 1e-2..=1e4;

/// A parameter and where it stands in a run's config.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    /// The keys that lead to it; several where parameters are nested.
    pub(crate) path: Vec<String>,
    pub(crate) distribution: Distribution,
}

/// The members that say something, beside `parameters`.
const MEMBERS: &[&str] = &[
    "distribution",
    "value",
    "values",
    "probabilities",
    "min",
    "max",
    "mu",
    "sigma",
    "q",
    "a",
    "b",
];

/// Reads the parameters of an object, nested ones too. A fault is told in words that name the parameter.
pub(super) fn read(
    object: &Map<String, Value>,
    path: &[String],
    found: &mut Vec<Parameter>,
    warnings: &mut Vec<String>,
) -> Result<(), String> {
    for (key, value) in object {
        let mut path = path.to_vec();
        path.push(key.clone());
        let name = path.join(".");
        let Value::Object(members) = value else {
            return Err(format!(
                "parameter {name:?} is not a mapping such as {{values: […]}}"
            ));
        };
        if let Some(nested) = members.get("parameters") {
            let Value::Object(nested) = nested else {
                return Err(format!(
                    "parameter {name:?} has parameters that are not a mapping"
                ));
            };
            if nested.is_empty() {
                return Err(format!("parameter {name:?} has no parameters inside"));
            }
            if path.len() >= MAX_DEPTH {
                return Err(format!("parameters nest deeper than {MAX_DEPTH} levels"));
            }
            for other in members.keys().filter(|key| *key != "parameters") {
                warnings.push(format!(
                    "parameter {name:?}: {other:?} beside nested parameters has no effect"
                ));
            }
            read(nested, &path, found, warnings)?;
            continue;
        }
        for unknown in members.keys().filter(|key| !MEMBERS.contains(&key.as_str())) {
            warnings.push(format!(
                "parameter {name:?}: {unknown:?} is not known here and has no effect"
            ));
        }
        if found.len() >= MAX_PARAMETERS {
            return Err(format!("more than {MAX_PARAMETERS} parameters"));
        }
        let distribution = Members { name: &name, members }.distribution()?;
        found.push(Parameter { path, distribution });
    }
    Ok(())
}

/// The members of one parameter.
struct Members<'a> {
    name: &'a str,
    members: &'a Map<String, Value>,
}

impl Members<'_> {
    fn has(&self, key: &str) -> bool {
        self.members.get(key).is_some_and(|value| !value.is_null())
    }

    fn fault<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("parameter {:?}: {what}", self.name))
    }

    fn number(&self, key: &str) -> Result<f64, String> {
        match self.members.get(key).map(number) {
            Some(Some(number)) => Ok(number),
            Some(_) => self.fault(&format!("{key} is not a number")),
            None => self.fault(&format!("{key} is missing")),
        }
    }

    fn number_or(&self, key: &str, default: f64) -> Result<f64, String> {
        if self.has(key) {
            self.number(key)
        } else {
            Ok(default)
        }
    }

    fn integer(&self, key: &str) -> Result<i64, String> {
        let whole = |number: f64| number.fract() == 0.0 && number.abs() < 9e15;
        match self.members.get(key) {
            Some(value) => match value.as_i64() {
                Some(number) => Ok(number),
                None => match number(value).filter(|number| whole(*number)) {
                    Some(number) => Ok(number as i64),
                    None => self.fault(&format!("{key} is not a whole number")),
                },
            },
            None => self.fault(&format!("{key} is missing")),
        }
    }

    /// Bounds in order.
    fn bounds(&self) -> Result<(f64, f64), String> {
        let (low, high) = (self.number("min")?, self.number("max")?);
        if low > high {
            return self.fault("min is greater than max");
        }
        Ok((low, high))
    }

    /// The logarithms of bounds that are values themselves.
    fn log_bounds(&self) -> Result<(f64, f64), String> {
        let (low, high) = self.bounds()?;
        if low <= 0.0 {
            return self.fault("min must be greater than 0 for a logarithm");
        }
        Ok((low.ln(), high.ln()))
    }

    fn step(&self, quantized: bool) -> Result<Option<f64>, String> {
        if !quantized {
            return Ok(None);
        }
        let step = self.number_or("q", 1.0)?;
        if step <= 0.0 {
            return self.fault("q must be greater than 0");
        }
        Ok(Some(step))
    }

    fn values(&self) -> Result<Vec<Value>, String> {
        match self.members.get("values") {
            Some(Value::Array(values)) if !values.is_empty() => Ok(values.clone()),
            Some(Value::Array(_)) => self.fault("values is empty"),
            Some(_) => self.fault("values is not a list"),
            None => self.fault("values is missing"),
        }
    }

    fn categorical(&self) -> Result<Distribution, String> {
        let values = self.values()?;
        let Some(listed) = self.members.get("probabilities").filter(|value| !value.is_null()) else {
            return Ok(Distribution::even(values));
        };
        let weights: Option<Vec<f64>> = listed
            .as_array()
            .and_then(|list| list.iter().map(number).collect());
        let Some(weights) = weights.filter(|weights| weights.len() == values.len()) else {
            return self.fault("probabilities is not a list of as many numbers as there are values");
        };
        let total: f64 = weights.iter().sum();
        if weights.iter().any(|weight| !(0.0..=1.0).contains(weight)) || (total - 1.0).abs() > 1e-6 {
            return self.fault("probabilities must lie between 0 and 1 and add up to 1");
        }
        let mut sum = 0.0;
        let sums = weights
            .iter()
            .map(|weight| {
                sum += weight / total;
                sum
            })
            .collect();
        Ok(Distribution::Categorical { values, sums })
    }

    fn real(&self, shape: Shape, scale: Scale, quantized: bool) -> Result<Distribution, String> {
        Ok(Distribution::Real {
            shape,
            scale,
            step: self.step(quantized)?,
        })
    }

    fn even(&self, (low, high): (f64, f64), scale: Scale, quantized: bool) -> Result<Distribution, String> {
        self.real(Shape::Even { low, high }, scale, quantized)
    }

    fn normal(&self, scale: Scale, quantized: bool) -> Result<Distribution, String> {
        let (mean, deviation) = (self.number_or("mu", 0.0)?, self.number_or("sigma", 1.0)?);
        if deviation < 0.0 {
            return self.fault("sigma is negative");
        }
        self.real(Shape::Normal { mean, deviation }, scale, quantized)
    }

    fn beta(&self, quantized: bool) -> Result<Distribution, String> {
        let (a, b) = (self.number_or("a", 1.0)?, self.number_or("b", 1.0)?);
        if !BETA_SHAPES.contains(&a) || !BETA_SHAPES.contains(&b) {
            return self.fault("a and b must lie between 0.01 and 10000");
        }
        self.real(Shape::Beta { a, b }, Scale::Linear, quantized)
    }

    /// The distribution that is named, or that the members suggest.
    fn distribution(&self) -> Result<Distribution, String> {
        let named = match self.members.get("distribution") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.as_str()),
            Some(_) => return self.fault("distribution is not a name"),
        };
        let integers = |members: &Self| members.integer("min").is_ok() && members.integer("max").is_ok();
        let written_as_float = |key: &str| self.members.get(key).is_some_and(Value::is_f64);
        let name = match named {
            Some(name) => name,
            None if self.members.contains_key("value") => "constant",
            None if self.has("values") => "categorical",
            None if integers(self) && !written_as_float("min") && !written_as_float("max") => "int_uniform",
            None if self.has("min") || self.has("max") => "uniform",
            None if self.has("mu") || self.has("sigma") => "normal",
            None => return self.fault("needs value, values, min and max, mu and sigma, or parameters"),
        };
        let quantized = name.starts_with("q_");
        match name.strip_prefix("q_").unwrap_or(name) {
            "constant" if !quantized => match self.members.get("value") {
                Some(value) => Ok(Distribution::Constant(value.clone())),
                None => self.fault("value is missing"),
            },
            "categorical" | "categorical_w_probabilities" if !quantized => self.categorical(),
            "int_uniform" if !quantized => {
                let (min, max) = (self.integer("min")?, self.integer("max")?);
                if min > max {
                    return self.fault("min is greater than max");
                }
                Ok(Distribution::Integers { min, max })
            }
            "uniform" => self.even(self.bounds()?, Scale::Linear, quantized),
            "log_uniform" => self.even(self.bounds()?, Scale::Log, quantized),
            "log_uniform_values" => self.even(self.log_bounds()?, Scale::Log, quantized),
            // The logarithm of the inverse is even: the logarithm is, with its bounds mirrored.
            "inv_log_uniform" if !quantized => {
                let (low, high) = self.bounds()?;
                self.even((-high, -low), Scale::Log, false)
            }
            "inv_log_uniform_values" if !quantized => self.even(self.log_bounds()?, Scale::Log, false),
            "normal" => self.normal(Scale::Linear, quantized),
            "log_normal" => self.normal(Scale::Log, quantized),
            "beta" => self.beta(quantized),
            _ => self.fault(&format!("unknown distribution {name:?}")),
        }
    }
}
