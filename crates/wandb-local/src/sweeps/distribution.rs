//! The distributions of sweep configs. Each is its quantile function, so that one even number in `0..1` makes a value,
//! and a value can be put back to where it came from: the search works in that unit interval, whatever the scale.

use serde_json::{Number, Value};

use super::functions::{beta_below, beta_quantile, normal_below, normal_quantile};

/// What a parameter is drawn from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Distribution {
    /// One value.
    Constant(Value),
    /// Values with the sums of their probabilities up to and including each; the last is 1.
    Categorical { values: Vec<Value>, sums: Vec<f64> },
    /// Whole numbers from `min` to `max`, both included.
    Integers { min: i64, max: i64 },
    /// A real number, mapped and rounded.
    Real {
        shape: Shape,
        scale: Scale,
        step: Option<f64>,
    },
}

/// How a real number is spread before it is mapped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// Evenly between two bounds.
    Even { low: f64, high: f64 },
    /// Normally around a mean.
    Normal { mean: f64, deviation: f64 },
    /// By the beta distribution, between 0 and 1.
    Beta { a: f64, b: f64 },
}

/// How a real number is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// It is the logarithm of the value.
    Log,
}

impl Distribution {
    /// Equally likely values.
    pub(super) fn even(values: Vec<Value>) -> Self {
        let count = values.len() as f64;
        let sums = (1..=values.len()).map(|n| n as f64 / count).collect();
        Self::Categorical { values, sums }
    }

    /// How many different values there are to choose from, if they are to be told apart by number rather than by size.
    pub(super) fn choices(&self) -> Option<usize> {
        match self {
            Self::Constant(_) => Some(1),
            Self::Categorical { values, .. } => Some(values.len()),
            Self::Integers { .. } | Self::Real { .. } => None,
        }
    }

    /// The probability of choice `index`.
    pub(super) fn probability(&self, index: usize) -> f64 {
        match self {
            Self::Categorical { sums, .. } => {
                let before = index.checked_sub(1).and_then(|before| sums.get(before));
                sums.get(index).map_or(0.0, |sum| sum - before.unwrap_or(&0.0))
            }
            _ => 1.0,
        }
    }

    /// The value at `u` in `0..1`.
    pub(super) fn quantile(&self, u: f64) -> Value {
        match self {
            Self::Constant(value) => value.clone(),
            Self::Categorical { values, sums } => {
                let index = sums
                    .partition_point(|sum| *sum <= u)
                    .min(values.len().saturating_sub(1));
                values.get(index).cloned().unwrap_or(Value::Null)
            }
            Self::Integers { min, max } => {
                // In i128: the bounds may be as far apart as i64 goes.
                let width = i128::from(*max) - i128::from(*min) + 1;
                let offset = ((u * width as f64) as i128).clamp(0, width - 1);
                Value::from((i128::from(*min) + offset) as i64)
            }
            Self::Real { shape, scale, step } => {
                let raw = match *shape {
                    Shape::Even { low, high } => low + u * (high - low),
                    Shape::Normal { mean, deviation } => mean + deviation * normal_quantile(u),
                    Shape::Beta { a, b } => beta_quantile(u, a, b),
                };
                let value = match scale {
                    Scale::Linear => raw,
                    Scale::Log => raw.exp(),
                };
                match step {
                    None => real(value),
                    Some(step) => stepped((value / step).round(), *step),
                }
            }
        }
    }

    /// Where a value stands in `0..1`: the middle of its choice where there are choices. `None` when it is none of this
    /// distribution's values.
    pub(super) fn rank(&self, value: &Value) -> Option<f64> {
        match self {
            Self::Constant(_) => Some(0.5),
            Self::Categorical { .. } => {
                let index = self.index(value)?;
                let below: f64 = (0..index).map(|before| self.probability(before)).sum();
                Some(below + self.probability(index) / 2.0)
            }
            Self::Integers { min, max } => {
                let width = *max as f64 - *min as f64 + 1.0;
                Some(((value.as_f64()? - *min as f64 + 0.5) / width).clamp(0.0, 1.0))
            }
            Self::Real { shape, scale, .. } => {
                let value = value.as_f64()?;
                let raw = match scale {
                    Scale::Linear => value,
                    Scale::Log if value > 0.0 => value.ln(),
                    Scale::Log => f64::NEG_INFINITY,
                };
                let rank = match *shape {
                    Shape::Even { low, high } if high > low => (raw - low) / (high - low),
                    Shape::Even { .. } => 0.5,
                    Shape::Normal { mean, deviation } if deviation > 0.0 => {
                        normal_below((raw - mean) / deviation)
                    }
                    Shape::Normal { .. } => 0.5,
                    Shape::Beta { a, b } => beta_below(raw, a, b),
                };
                Some(rank.clamp(0.0, 1.0))
            }
        }
    }

    /// Which choice a value is.
    pub(super) fn index(&self, value: &Value) -> Option<usize> {
        match self {
            Self::Categorical { values, .. } => values.iter().position(|known| same(known, value)),
            _ => Some(0),
        }
    }
}

/// Whether two values are the same to a user: 1 and 1.0 are.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => identity(left) == identity(right),
        _ => left == right,
    }
}

/// A text that two values share when they are the same to a user.
pub(super) fn identity(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() < 9e15 => {
            (number as i64).to_string()
        }
        _ => value.to_string(),
    }
}

/// A real number as JSON; the largest finite one where the mapping overflowed.
fn real(value: f64) -> Value {
    let finite = value.clamp(f64::MIN, f64::MAX);
    Number::from_f64(finite).map_or(Value::Null, Value::Number)
}

/// `count` steps: a whole number where the step is one, and without the last digits' noise (3 * 0.1 is 0.3) elsewhere.
pub(super) fn stepped(count: f64, step: f64) -> Value {
    let value = count * step;
    if step.fract() == 0.0 && value.abs() < 9e15 {
        return Value::from(value as i64);
    }
    real(format!("{value:.12e}").parse().unwrap_or(value))
}
