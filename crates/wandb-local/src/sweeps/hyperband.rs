//! Stopping runs early: the brackets of Hyperband.
//!
//! A run is looked at when it has logged the metric as often as a band says. It goes on when its best value up to there
//! is among the best 1/eta of all runs that have come that far. It is judged once per band, by those that came before
//! it; with `strict`, also by those that come later, for as long as it runs.

use serde_json::Value;

use super::config::Goal;

/// Most bands; the largest is far beyond any run.
const MAX_BANDS: usize = 40;
/// The largest band: rows beyond it are not looked at.
const MAX_ITERATIONS: f64 = 1e7;

/// When to look, and how many go on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hyperband {
    /// Numbers of values, ascending.
    pub(crate) bands: Vec<u64>,
    /// One in `eta` goes on.
    pub(crate) eta: f64,
    pub(crate) strict: bool,
}

impl Hyperband {
    /// Reads `early_terminate`. Another kind than `hyperband` is `None` with a warning: sweeps that only lack it are of
    /// use, too.
    pub(super) fn read(value: &Value, warnings: &mut Vec<String>) -> Result<Option<Self>, String> {
        let Value::Object(members) = value else {
            return Err("early_terminate is not a mapping".to_owned());
        };
        match members.get("type").and_then(Value::as_str) {
            Some("hyperband") => {}
            Some(other) => {
                warnings.push(format!(
                    "early_terminate of type {other:?} is not known here: no run is stopped early"
                ));
                return Ok(None);
            }
            None => return Err("early_terminate has no type".to_owned()),
        }
        let number = |key: &str| -> Result<Option<f64>, String> {
            match members.get(key) {
                None | Some(Value::Null) => Ok(None),
                Some(value) => match super::config::number(value).filter(|number| *number > 0.0) {
                    Some(number) => Ok(Some(number)),
                    None => Err(format!("early_terminate: {key} is not a number greater than 0")),
                },
            }
        };
        let eta = number("eta")?.unwrap_or(3.0);
        if eta <= 1.0 {
            return Err("early_terminate: eta must be greater than 1".to_owned());
        }
        let strict = match members.get("strict") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(strict)) => *strict,
            Some(_) => return Err("early_terminate: strict is neither true nor false".to_owned()),
        };
        for other in members.keys() {
            if !["type", "eta", "strict", "min_iter", "max_iter", "s"].contains(&other.as_str()) {
                warnings.push(format!(
                    "early_terminate: {other:?} is not known here and has no effect"
                ));
            }
        }
        let bands: Vec<f64> = match (number("min_iter")?, number("max_iter")?, number("s")?) {
            (Some(first), _, _) => {
                if members.contains_key("max_iter") {
                    warnings.push("early_terminate: max_iter beside min_iter has no effect".to_owned());
                }
                std::iter::successors(Some(first), |band| Some(band * eta))
                    .take(MAX_BANDS)
                    .collect()
            }
            (None, Some(last), Some(count)) => {
                let mut bands: Vec<f64> = std::iter::successors(Some(last / eta), |band| Some(band / eta))
                    .take((count as usize).min(MAX_BANDS))
                    .collect();
                bands.reverse();
                bands
            }
            _ => return Err("early_terminate needs min_iter, or max_iter and s".to_owned()),
        };
        let mut bands: Vec<u64> = bands
            .into_iter()
            .filter(|band| (1.0..=MAX_ITERATIONS).contains(band))
            .map(|band| band as u64)
            .collect();
        bands.dedup();
        if bands.is_empty() {
            return Err("early_terminate has no band of at least one iteration".to_owned());
        }
        Ok(Some(Self { bands, eta, strict }))
    }

    /// Whether a run with this best value goes on, among all that came as far, itself included.
    pub(crate) fn goes_on(&self, own: f64, all: &[f64], goal: Goal) -> bool {
        let places = (all.len() as f64 / self.eta).ceil().max(1.0) as usize;
        let better = all.iter().filter(|value| goal.better(**value, own)).count();
        better < places
    }
}
