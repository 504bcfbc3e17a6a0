//! Proposals that follow what worked: a tree of Parzen estimators (docs/decisions/0009).
//!
//! Every parameter is mapped to the unit interval by its own distribution. Values of the better runs and of the others
//! are each smoothed into a density there; of some candidates drawn from the first, the one is taken that the first
//! makes likeliest as compared with the second. Parameters are looked at one by one.

use serde_json::{Map, Value};

use super::config::{Goal, SweepConfig};
use super::distribution::Distribution;
use super::functions::{normal_below, normal_quantile};
use super::{argument, arguments};
use crate::sample::Random;

/// Runs at random before anything can be learned.
const STARTUP: usize = 10;
/// The share of runs that count as good, and the most of them.
const GOOD_SHARE: f64 = 0.2;
const MOST_GOOD: usize = 25;
/// Candidates per parameter.
const CANDIDATES: usize = 24;

/// A run of the sweep: what it was given, and what came of it; `None` while that is not known, or never will be.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    pub(crate) arguments: Map<String, Value>,
    pub(crate) value: Option<f64>,
}

/// The next proposal. At random while there is little to go by.
///
/// Runs without a value count as bad: those that failed are, and those that still run must not be proposed again.
pub(crate) fn suggest(
    config: &SweepConfig,
    goal: Goal,
    observations: &[Observation],
    random: &mut Random,
) -> Map<String, Value> {
    let mut known: Vec<(&Observation, f64)> = observations
        .iter()
        .filter_map(|seen| {
            seen.value
                .filter(|value| value.is_finite())
                .map(|value| (seen, value))
        })
        .collect();
    if known.len() < STARTUP {
        return config.at_random(random);
    }
    known.sort_by(|(_, left), (_, right)| match goal {
        Goal::Minimize => left.total_cmp(right),
        Goal::Maximize => right.total_cmp(left),
    });
    let good = ((known.len() as f64 * GOOD_SHARE).ceil() as usize).clamp(2, MOST_GOOD);
    let unknown = observations
        .iter()
        .filter(|seen| !seen.value.is_some_and(f64::is_finite));
    let better: Vec<&Observation> = known.iter().take(good).map(|(seen, _)| *seen).collect();
    let worse: Vec<&Observation> = known
        .iter()
        .skip(good)
        .map(|(seen, _)| *seen)
        .chain(unknown)
        .collect();
    let values = config
        .parameters
        .iter()
        .map(|parameter| {
            let distribution = &parameter.distribution;
            let of = |runs: &[&Observation]| -> Vec<Value> {
                runs.iter()
                    .filter_map(|seen| argument(&seen.arguments, &parameter.path).cloned())
                    .collect()
            };
            match distribution.choices() {
                Some(1) => distribution.quantile(0.5),
                Some(count) => choose(distribution, count, &of(&better), &of(&worse), random),
                None => place(distribution, &of(&better), &of(&worse), random),
            }
        })
        .collect();
    arguments(&config.parameters, values)
}

/// The choice that is likelier among the better runs.
fn choose(
    distribution: &Distribution,
    count: usize,
    better: &[Value],
    worse: &[Value],
    random: &mut Random,
) -> Value {
    let weights = |values: &[Value]| -> Vec<f64> {
        let mut counts: Vec<f64> = (0..count).map(|index| distribution.probability(index)).collect();
        for value in values {
            if let Some(index) = distribution.index(value) {
                counts[index] += 1.0;
            }
        }
        let total: f64 = counts.iter().sum();
        counts.iter().map(|count| count / total).collect()
    };
    let (good, bad) = (weights(better), weights(worse));
    let mut best: Option<(f64, usize)> = None;
    for _ in 0..CANDIDATES {
        let u = random.fraction();
        let mut sum = 0.0;
        let index = good
            .iter()
            .position(|weight| {
                sum += weight;
                u < sum
            })
            .unwrap_or(count - 1);
        let score = good[index] / bad[index].max(f64::MIN_POSITIVE);
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, index));
        }
    }
    let index = best.map_or(0, |(_, index)| index);
    let below: f64 = (0..index).map(|before| distribution.probability(before)).sum();
    distribution.quantile(below + distribution.probability(index) / 2.0)
}

/// The place in the unit interval that is likelier among the better runs.
fn place(distribution: &Distribution, better: &[Value], worse: &[Value], random: &mut Random) -> Value {
    let ranks = |values: &[Value]| -> Vec<f64> {
        values
            .iter()
            .filter_map(|value| distribution.rank(value))
            .collect()
    };
    let (good, bad) = (Density::over(ranks(better)), Density::over(ranks(worse)));
    let mut best: Option<(f64, f64)> = None;
    for _ in 0..CANDIDATES {
        let u = good.draw(random);
        let score = good.at(u) / bad.at(u).max(f64::MIN_POSITIVE);
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, u));
        }
    }
    distribution.quantile(best.map_or(0.5, |(_, u)| u))
}

/// A mixture of an even density and one bell per point, cut to the unit interval.
struct Density {
    /// Centre and width of each bell.
    bells: Vec<(f64, f64)>,
}

impl Density {
    /// Each bell is as wide as the gap to its farther neighbour, within bounds that shrink as points come in.
    fn over(mut points: Vec<f64>) -> Self {
        points.sort_by(f64::total_cmp);
        let narrowest = 1.0 / (points.len() as f64 + 1.0).min(100.0);
        let bells = (0..points.len())
            .map(|index| {
                let centre = points[index];
                let left = index.checked_sub(1).map_or(0.0, |before| points[before]);
                let right = points.get(index + 1).copied().unwrap_or(1.0);
                let width = (centre - left).max(right - centre).clamp(narrowest.min(1.0), 1.0);
                (centre, width)
            })
            .collect();
        Self { bells }
    }

    fn at(&self, u: f64) -> f64 {
        let even = 1.0;
        let bells: f64 = self
            .bells
            .iter()
            .map(|&(centre, width)| {
                let inside = normal_below((1.0 - centre) / width) - normal_below(-centre / width);
                let z = (u - centre) / width;
                (-0.5 * z * z).exp() / (width * (2.0 * std::f64::consts::PI).sqrt() * inside.max(1e-9))
            })
            .sum();
        (even + bells) / (self.bells.len() as f64 + 1.0)
    }

    fn draw(&self, random: &mut Random) -> f64 {
        let component = (random.fraction() * (self.bells.len() as f64 + 1.0)) as usize;
        let u = random.fraction();
        match self.bells.get(component) {
            None => u,
            Some(&(centre, width)) => {
                let (low, high) = (
                    normal_below(-centre / width),
                    normal_below((1.0 - centre) / width),
                );
                (centre + width * normal_quantile(low + u * (high - low))).clamp(0.0, 1.0)
            }
        }
    }
}
