//! What a sweep tries next: pure functions from a config and what was tried before to a proposal.
//!
//! Nothing here has a clock, a database or chance of its own: the generator is handed in, seeded from what the database
//! holds, so that a restarted server goes on where it was.
//!
//! | module | what it holds |
//! |---|---|
//! | `config` | the YAML of a sweep, read within bounds, checked, with warnings |
//! | `parameter` | how one parameter of a config is read |
//! | `distribution` | all distributions, as quantile functions |
//! | `functions` | the normal and beta functions behind them |
//! | `grid` | the points of a grid, by number |
//! | `bayes` | proposals that follow what worked (docs/decisions/0009) |
//! | `hyperband` | when a run is not worth going on |

mod bayes;
mod config;
mod distribution;
mod functions;
mod grid;
mod hyperband;
mod parameter;
#[cfg(test)]
mod tests;

pub(crate) use bayes::{Observation, suggest};
pub(crate) use config::{Goal, Method, Metric, SweepConfig};
pub(crate) use hyperband::Hyperband;

use serde_json::{Map, Value};

use crate::sample::Random;
use parameter::Parameter;

impl SweepConfig {
    /// A proposal at random.
    pub(crate) fn at_random(&self, random: &mut Random) -> Map<String, Value> {
        let values: Vec<Value> = self
            .parameters
            .iter()
            .map(|parameter| parameter.distribution.quantile(random.fraction()))
            .collect();
        arguments(&self.parameters, values)
    }
}

/// Values in the form in which agents and configs have them: `{"lr": {"value": 0.1}}`, nested parameters as one object
/// in one wrapper (protocol §2.12). The parameters are in the order of their paths, and so are the members: equal
/// proposals have equal texts.
fn arguments(parameters: &[Parameter], values: Vec<Value>) -> Map<String, Value> {
    let mut bare = Map::new();
    for (parameter, value) in parameters.iter().zip(values) {
        let mut place = &mut bare;
        let Some((last, nested)) = parameter.path.split_last() else {
            continue;
        };
        for key in nested {
            let inner = place
                .entry(key.clone())
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(members) = inner else {
                // No path is the beginning of another: a parameter has values or parameters, never both.
                return Map::new();
            };
            place = members;
        }
        place.insert(last.clone(), value);
    }
    bare.into_iter()
        .map(|(key, value)| (key, Value::Object(Map::from_iter([("value".to_owned(), value)]))))
        .collect()
}

/// The value of a parameter in a proposal, or in a config of the same form.
fn argument<'a>(arguments: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, nested) = path.split_first()?;
    let wrapper = arguments.get(first)?;
    let mut value = wrapper.get("value").unwrap_or(wrapper);
    for key in nested {
        value = value.get(key)?;
    }
    Some(value)
}
