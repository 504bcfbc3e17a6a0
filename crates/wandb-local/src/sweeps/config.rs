//! The YAML of a sweep. It comes from anybody: size, depth, number of nodes and aliases are bounded, and nothing in it
//! is run.

use serde_json::{Map, Value};
use thiserror::Error;
use wandb_yaml::{Limits, Yaml};

use super::grid::Axis;
use super::hyperband::Hyperband;
use super::parameter::{self, Parameter};

/// Longest text, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Most nodes, counting what aliases repeat.
const MAX_NODES: usize = 200_000;
/// Deepest nesting.
const MAX_DEPTH: usize = 64;

/// Why a text is no sweep config.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    /// It is longer than anybody writes.
    #[error("the sweep config is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The text is not YAML, or goes beyond a bound.
    #[error("the sweep config is not YAML: {0}")]
    Yaml(String),
    /// It is YAML, but nothing can be searched by it.
    #[error("invalid sweep config: {0}")]
    Invalid(String),
}

/// How the next proposal is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Grid,
    Random,
    Bayes,
    /// A controller elsewhere makes the proposals.
    Custom,
}

impl Method {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Random => "random",
            Self::Bayes => "bayes",
            Self::Custom => "custom",
        }
    }
}

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    Minimize,
    Maximize,
}

impl Goal {
    /// Whether `left` is better than `right`.
    pub(crate) fn better(self, left: f64, right: f64) -> bool {
        match self {
            Self::Minimize => left < right,
            Self::Maximize => left > right,
        }
    }
}

/// What a sweep is after.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) goal: Goal,
    /// No more proposals once a run is at least as good.
    pub(crate) target: Option<f64>,
}

/// A sweep config that can be searched by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SweepConfig {
    pub(crate) method: Method,
    pub(crate) metric: Option<Metric>,
    /// By path.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) entity: Option<String>,
    /// What agents run.
    pub(crate) program: Option<String>,
    /// Most runs.
    pub(crate) run_cap: Option<i64>,
    pub(crate) early_terminate: Option<Hyperband>,
    /// A controller elsewhere makes the proposals, whatever the method.
    pub(crate) local_controller: bool,
}

/// What is read here, or is for agents.
const MEMBERS: &[&str] = &[
    "apiVersion",
    "command",
    "controller",
    "description",
    "early_terminate",
    "entity",
    "imports",
    "method",
    "metric",
    "name",
    "parameters",
    "program",
    "project",
    "run_cap",
];

impl SweepConfig {
    /// Reads a config; also returns what in it has no effect or another one than its writer may think.
    pub(crate) fn parse(text: &str) -> Result<(Self, Vec<String>), ConfigError> {
        let invalid = |what: String| ConfigError::Invalid(what);
        let root = yaml(text)?;
        let Value::Object(root) = root else {
            return Err(invalid("it is not a mapping".to_owned()));
        };
        let mut warnings = Vec::new();
        for unknown in root.keys().filter(|key| !MEMBERS.contains(&key.as_str())) {
            warnings.push(format!("{unknown:?} is not known here and has no effect"));
        }
        let controller = root
            .get("controller")
            .and_then(|controller| controller.get("type"));
        let local_controller = controller.is_some_and(|kind| kind == "local");
        let method = match root.get("method").and_then(Value::as_str) {
            Some("grid") => Method::Grid,
            Some("random") => Method::Random,
            Some("bayes") => Method::Bayes,
            Some("custom") => Method::Custom,
            Some(other) => return Err(invalid(format!("unknown method {other:?}"))),
            None => return Err(invalid("method is missing: grid, random or bayes".to_owned())),
        };
        if method == Method::Custom || local_controller {
            warnings.push("this server proposes nothing here: runs come from the controller".to_owned());
        }
        let parameters = parameters(&root, method, &mut warnings).map_err(invalid)?;
        let metric = metric(&root, &mut warnings).map_err(invalid)?;
        if method == Method::Bayes && metric.is_none() {
            warnings.push("bayes without a metric: proposals are made at random".to_owned());
        }
        let early_terminate = match root.get("early_terminate") {
            None | Some(Value::Null) => None,
            Some(value) => Hyperband::read(value, &mut warnings).map_err(invalid)?,
        };
        if early_terminate.is_some() && metric.is_none() {
            warnings.push("early_terminate without a metric has no effect".to_owned());
        }
        let run_cap = match root.get("run_cap") {
            None | Some(Value::Null) => None,
            Some(value) => match value.as_i64().filter(|cap| *cap > 0) {
                Some(cap) => Some(cap),
                None => return Err(invalid("run_cap is not a whole number greater than 0".to_owned())),
            },
        };
        let text_of = |key: &str| match root.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            // `name: 2024` is a number to YAML and a name to its writer.
            Some(other) => Some(other.to_string()),
        };
        let config = Self {
            method,
            metric,
            parameters,
            name: text_of("name"),
            description: text_of("description"),
            project: text_of("project"),
            entity: text_of("entity"),
            program: text_of("program"),
            run_cap,
            early_terminate,
            local_controller,
        };
        Ok((config, warnings))
    }

    /// How many runs there will be, as far as that is known beforehand.
    pub(crate) fn expected_runs(&self) -> Option<i64> {
        let grid = (self.method == Method::Grid).then(|| self.grid_size());
        match (grid, self.run_cap) {
            (Some(grid), Some(cap)) => Some(grid.min(cap)),
            (grid, cap) => grid.or(cap),
        }
    }
}

/// Reads YAML into JSON, within bounds.
fn yaml(text: &str) -> Result<Value, ConfigError> {
    let limits = Limits {
        bytes: MAX_BYTES,
        values: MAX_NODES,
        depth: MAX_DEPTH,
    };
    match wandb_yaml::read(text, &limits) {
        Ok(yaml) => json(yaml),
        Err(wandb_yaml::ReadError::TooLong { .. }) => Err(ConfigError::TooLong),
        Err(error) => Err(ConfigError::Yaml(error.to_string())),
    }
}

/// What agents are sent is JSON, which has no infinities; W&B writes those as texts.
fn json(yaml: Yaml) -> Result<Value, ConfigError> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Int(value) => value.into(),
        Yaml::BigInt(digits) => match digits.parse::<u64>() {
            Ok(value) => value.into(),
            Err(_) => {
                return Err(ConfigError::Invalid(format!(
                    "the number {digits:.40} does not fit 64 bits"
                )));
            }
        },
        Yaml::Float(value) if value.is_nan() => "NaN".into(),
        Yaml::Float(value) if value.is_infinite() => {
            if value > 0.0 { "Infinity" } else { "-Infinity" }.into()
        }
        Yaml::Float(value) => value.into(),
        Yaml::Text(text) => text.into(),
        Yaml::List(items) => Value::Array(items.into_iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Map(entries) => Value::Object(
            entries
                .into_iter()
                .map(|(key, entry)| Ok((key, json(entry)?)))
                .collect::<Result<_, ConfigError>>()?,
        ),
    })
}

/// The number that stands where only a number can. `1e-5` is a text to PyYAML, and a number to whoever wrote it as a bound.
pub(super) fn number(value: &Value) -> Option<f64> {
    let written = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'))
            .then(|| text.parse().ok())?
    };
    value
        .as_f64()
        .or_else(|| value.as_str().and_then(written))
        .filter(|number: &f64| number.is_finite())
}

fn parameters(
    root: &Map<String, Value>,
    method: Method,
    warnings: &mut Vec<String>,
) -> Result<Vec<Parameter>, String> {
    let mut found = Vec::new();
    match root.get("parameters") {
        Some(Value::Object(object)) if !object.is_empty() => {
            parameter::read(object, &[], &mut found, warnings)?;
        }
        None | Some(Value::Null | Value::Object(_)) if method == Method::Custom => {}
        None | Some(Value::Null | Value::Object(_)) => return Err("there are no parameters".to_owned()),
        Some(_) => return Err("parameters is not a mapping".to_owned()),
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    if method == Method::Grid {
        for parameter in &found {
            if Axis::of(&parameter.distribution).is_none() {
                return Err(format!(
                    "a grid cannot go through parameter {:?}: it needs value, values, int_uniform or q_uniform",
                    parameter.path.join(".")
                ));
            }
        }
    }
    Ok(found)
}

fn metric(root: &Map<String, Value>, warnings: &mut Vec<String>) -> Result<Option<Metric>, String> {
    let members = match root.get("metric") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(members)) => members,
        Some(_) => return Err("metric is not a mapping with a name".to_owned()),
    };
    let Some(Value::String(name)) = members.get("name") else {
        return Err("metric has no name".to_owned());
    };
    let goal = match members.get("goal") {
        None | Some(Value::Null) => Goal::Minimize,
        Some(Value::String(goal)) if goal == "minimize" => Goal::Minimize,
        Some(Value::String(goal)) if goal == "maximize" => Goal::Maximize,
        Some(other) => {
            return Err(format!(
                "the goal of the metric is {other}, not minimize or maximize"
            ));
        }
    };
    let target = match members.get("target") {
        None | Some(Value::Null) => None,
        Some(value) => {
            Some(number(value).ok_or_else(|| "the target of the metric is not a number".to_owned())?)
        }
    };
    for other in members.keys() {
        if !["name", "goal", "target"].contains(&other.as_str()) {
            warnings.push(format!("metric: {other:?} is not known here and has no effect"));
        }
    }
    Ok(Some(Metric {
        name: name.clone(),
        goal,
        target,
    }))
}
