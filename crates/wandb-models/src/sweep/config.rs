//! The config of a sweep: YAML from a server, read within bounds.
//!
//! A config is text of somebody else's (protocol §2.12), read as the official client reads it and within bounds
//! ([`wandb_yaml`]); what cannot be read stays reachable as the text that it is.

use std::{fmt, sync::OnceLock};

use serde::{Serialize, Serializer};
use wandb_core::{
    Error, ErrorKind, Result, Value,
    order::{Direction, Order, OrderKey},
    value::Map,
};
use wandb_yaml::{Limits, Yaml};

/// The largest config that is read, in bytes. Real ones have a few kilobytes.
const MAX_TEXT: usize = 1 << 20;

/// How many values a config may have, those that aliases repeat included.
const MAX_VALUES: usize = 100_000;

/// How deep it may be nested.
const MAX_DEPTH: usize = 64;

/// The config of a sweep: the YAML text, and what it says.
///
/// It serialises as the object that it says, or as the text when that cannot be read.
#[derive(Clone)]
pub struct SweepConfig {
    text: Box<str>,
    read: OnceLock<Result<Map>>,
}

/// What a sweep optimises: `metric` in its config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SweepMetric {
    /// The name of the metric in the summary.
    pub name: String,
    /// `minimize` (official: also when nothing is said) or `maximize`.
    pub goal: SweepGoal,
}

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepGoal {
    /// Smaller is better.
    Minimize,
    /// Larger is better.
    Maximize,
}

impl SweepConfig {
    pub(super) fn new(text: String) -> Self {
        Self {
            text: text.into_boxed_str(),
            read: OnceLock::new(),
        }
    }

    /// The YAML text as the server holds it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says. Read once, when first asked for.
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) when the text is no YAML object, or one beyond all measure: more than 1 MiB,
    /// 100,000 values (counted with what aliases repeat) or 64 levels.
    pub fn map(&self) -> Result<&Map> {
        self.read
            .get_or_init(|| parse(&self.text))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The config as a type of the caller's.
    ///
    /// # Errors
    /// As [`map`](Self::map), or [`InvalidInput`](ErrorKind::InvalidInput) when it does not fit.
    pub fn to<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        self.map()?.to().map_err(|error| {
            Error::invalid_input("the config of the sweep does not fit the type").with_source(error)
        })
    }

    /// One text of the config, if it is there and a text.
    fn text_of(&self, key: &str) -> Option<&str> {
        self.map().ok()?.get(key)?.as_str()
    }

    /// How it searches: `grid`, `random`, `bayes`, `custom`.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.text_of("method")
    }

    /// The name that the config gives.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.text_of("name").filter(|name| !name.is_empty())
    }

    /// What is optimised; `None` for a sweep without a metric.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub fn metric(&self) -> Result<Option<SweepMetric>> {
        let metric = self.map()?.get("metric").and_then(Value::as_map);
        Ok(metric.and_then(|metric| {
            let name = metric.get("name")?.as_str().filter(|name| !name.is_empty())?;
            let goal = match metric.get("goal").and_then(Value::as_str) {
                // The official rule: anything but "minimize" is the other way; nothing at all is "minimize".
                None | Some("minimize") => SweepGoal::Minimize,
                Some(_) => SweepGoal::Maximize,
            };
            Some(SweepMetric {
                name: name.to_owned(),
                goal,
            })
        }))
    }
}

impl SweepMetric {
    /// The order in which the best run comes first.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when the name cannot stand in an order.
    pub fn order(&self) -> Result<Order> {
        let direction = match self.goal {
            SweepGoal::Minimize => Direction::Ascending,
            SweepGoal::Maximize => Direction::Descending,
        };
        let name = self.name.strip_prefix("summary_metrics.").unwrap_or(&self.name);
        let field = wandb_core::filter::FieldPath::Summary(name.into());
        Ok(Order::new([OrderKey::new(field, direction)?])?)
    }
}

impl fmt::Debug for SweepConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}

impl PartialEq for SweepConfig {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Serialize for SweepConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.map() {
            Ok(map) => map.serialize(serializer),
            Err(_) => serializer.serialize_str(&self.text),
        }
    }
}

fn parse(text: &str) -> Result<Map> {
    let broken = |message: String| {
        Error::new(ErrorKind::Protocol, message).with_hint("the text itself is there: SweepConfig::text")
    };
    let limits = Limits {
        bytes: MAX_TEXT,
        values: MAX_VALUES,
        depth: MAX_DEPTH,
    };
    match wandb_yaml::read(text, &limits) {
        Ok(Yaml::Map(entries)) => Ok(entries
            .into_iter()
            .map(|(key, entry)| (key, value(entry)))
            .collect()),
        Ok(Yaml::Null) => Ok(Map::new()),
        Ok(_) => Err(broken("the config of the sweep is not a YAML object".to_owned())),
        Err(error) => Err(broken("the config of the sweep cannot be read".to_owned()).with_source(error)),
    }
}

fn value(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(value),
        Yaml::Int(value) => Value::Int(value),
        Yaml::BigInt(digits) => match digits.parse() {
            Ok(value) => Value::UInt(value),
            Err(_) => Value::BigInt(digits.into()),
        },
        Yaml::Float(value) => Value::Float(value),
        Yaml::Text(text) => Value::String(text),
        Yaml::List(items) => Value::List(items.into_iter().map(value).collect()),
        Yaml::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, entry)| (key, value(entry)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config(text: &str) -> SweepConfig {
        SweepConfig::new(text.to_owned())
    }

    #[test]
    fn a_config_says_what_it_says() {
        let config = config(
            "method: bayes\nname: search\nmetric:\n  name: val/loss\n  goal: maximize\nparameters:\n  lr: {min: 0.001, max: 1}\n  units:\n    values: [8, 16]\n",
        );
        assert_eq!(config.method(), Some("bayes"));
        assert_eq!(config.name(), Some("search"));
        let metric = config.metric().unwrap().unwrap();
        assert_eq!(metric.goal, SweepGoal::Maximize);
        assert_eq!(metric.order().unwrap().to_string(), "-summary_metrics.val/loss");
        assert_eq!(
            config.map().unwrap().get_path("parameters.lr.min"),
            Some(&Value::Float(0.001))
        );
        let json = serde_json::to_value(&config).unwrap();
        assert_eq!(json["parameters"]["units"]["values"], serde_json::json!([8, 16]));
    }

    #[test]
    fn a_metric_without_a_goal_is_minimised_and_none_is_none() {
        let metric = config("metric: {name: loss}").metric().unwrap().unwrap();
        assert_eq!(metric.order().unwrap().to_string(), "+summary_metrics.loss");
        for text in [
            "",
            "method: grid",
            "metric:",
            "metric: {goal: minimize}",
            "metric: loss",
        ] {
            assert_eq!(config(text).metric().unwrap(), None, "{text}");
        }
    }

    #[test]
    fn bombs_are_refused_and_stay_readable_as_text() {
        let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..20 {
            let previous = level - 1;
            let items = vec![format!("*a{previous}"); 10].join(",");
            laughs.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
        let deep_block: String = (0..20_000)
            .map(|depth| format!("{}a:\n", " ".repeat(depth.min(400))))
            .collect();
        let long = format!("a: \"{}\"", "x".repeat(MAX_TEXT));
        let wide = format!("a: [{}]", "1,".repeat(400_000));
        for (what, text) in [
            ("aliases that multiply", laughs),
            ("depth", deep),
            ("depth in blocks", deep_block),
            ("length", long),
            ("width", wide),
            ("a list", "[1, 2]".to_owned()),
            ("an alias to itself", "a: &a [*a]".to_owned()),
            ("no YAML", "a: [1, 2".to_owned()),
            ("a tab", "a:\n\t- b".to_owned()),
        ] {
            let config = config(&text);
            let error = config.map().expect_err(what);
            assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error:?}");
            assert!(error.to_string().len() < 400, "{what}");
            assert_eq!(config.text(), text, "{what}");
            assert_eq!(
                serde_json::to_value(&config).unwrap(),
                serde_json::json!(text),
                "{what}"
            );
        }
    }

    #[test]
    fn scalars_are_read_as_the_official_client_reads_them() {
        let config = config(
            "values: [y, 'n', on, 1e3, 0o17, 12:30, 017, ~x, 1000000000000000000000000000000, 1.0e-05]",
        );
        assert_eq!(
            serde_json::to_string(&config).unwrap(),
            r#"{"values":["y","n",true,"1e3","0o17",750,15,"~x",1000000000000000000000000000000,0.00001]}"#
        );
    }

    #[test]
    fn of_repeated_keys_the_last_counts_as_in_python() {
        assert_eq!(
            config("a: 1\na: 2\n").map().unwrap().get("a"),
            Some(&Value::Int(2))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn any_text_is_a_map_or_an_error(text in "[a-c:\\-\\[\\]{}&*!|>#'\",\\n 01.~<]{0,60}") {
            let config = config(&text);
            let _ = (config.map(), config.metric(), config.method(), serde_json::to_string(&config));
        }
    }
}
