//! The points of a grid: every combination once, by number.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::arguments;
use super::config::SweepConfig;
use super::distribution::{Distribution, Scale, Shape, identity, stepped};

/// One parameter's values in a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Axis {
    Values(Vec<Value>),
    Integers {
        min: i64,
        count: u64,
    },
    /// Multiples of a step, the first one given by its count.
    Steps {
        first: f64,
        step: f64,
        count: u64,
    },
}

impl Axis {
    /// The values of a distribution that has few enough to be gone through; `None` for the others.
    pub(super) fn of(distribution: &Distribution) -> Option<Self> {
        match distribution {
            Distribution::Constant(value) => Some(Self::Values(vec![value.clone()])),
            Distribution::Categorical { values, .. } => {
                let mut seen = HashSet::with_capacity(values.len());
                let distinct = values.iter().filter(|value| seen.insert(identity(value)));
                Some(Self::Values(distinct.cloned().collect()))
            }
            Distribution::Integers { min, max } => {
                let count = u64::try_from(i128::from(*max) - i128::from(*min) + 1).unwrap_or(u64::MAX);
                Some(Self::Integers { min: *min, count })
            }
            Distribution::Real {
                shape: Shape::Even { low, high },
                scale: Scale::Linear,
                step: Some(step),
            } => {
                let (first, last) = ((low / step).round(), (high / step).round());
                Some(Self::Steps {
                    first,
                    step: *step,
                    count: (last - first) as u64 + 1,
                })
            }
            Distribution::Real { .. } => None,
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Values(values) => values.len() as u64,
            Self::Integers { count, .. } | Self::Steps { count, .. } => *count,
        }
    }

    fn value(&self, index: u64) -> Value {
        match self {
            Self::Values(values) => usize::try_from(index)
                .ok()
                .and_then(|index| values.get(index))
                .cloned()
                .unwrap_or(Value::Null),
            Self::Integers { min, .. } => Value::from((i128::from(*min) + i128::from(index)) as i64),
            Self::Steps { first, step, .. } => stepped(first + index as f64, *step),
        }
    }
}

impl SweepConfig {
    fn axes(&self) -> Vec<Axis> {
        self.parameters
            .iter()
            .filter_map(|parameter| Axis::of(&parameter.distribution))
            .collect()
    }

    /// How many points the grid has. Beyond `i64::MAX` nobody counts.
    pub(crate) fn grid_size(&self) -> i64 {
        let size = self
            .axes()
            .iter()
            .fold(1_u64, |size, axis| size.saturating_mul(axis.len()));
        i64::try_from(size).unwrap_or(i64::MAX)
    }

    /// The point of this number; the last parameter changes fastest.
    pub(crate) fn grid_point(&self, number: i64) -> Map<String, Value> {
        let mut rest = number.unsigned_abs();
        let mut values: Vec<Value> = self
            .axes()
            .iter()
            .rev()
            .map(|axis| {
                let count = axis.len().max(1);
                let value = axis.value(rest % count);
                rest /= count;
                value
            })
            .collect();
        values.reverse();
        arguments(&self.parameters, values)
    }
}
