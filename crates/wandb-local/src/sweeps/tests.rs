//! Tests of configs, distributions and searches.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::distribution::Distribution;
use super::*;

fn parse(config: &Value) -> SweepConfig {
    // JSON is YAML.
    SweepConfig::parse(&config.to_string()).unwrap().0
}

fn fault(text: &str) -> String {
    SweepConfig::parse(text).unwrap_err().to_string()
}

fn distribution(parameter: &Value) -> Distribution {
    parse(&json!({ "method": "random", "parameters": { "p": parameter } }))
        .parameters
        .remove(0)
        .distribution
}

#[test]
fn a_config_as_people_write_it() {
    let (config, warnings) = SweepConfig::parse(
        "program: train.py\nmethod: bayes\nname: 2024\nmetric: {name: val/loss, goal: minimize, target: 0.1}\n\
         run_cap: 20\nearly_terminate: {type: hyperband, min_iter: 3}\nparameters:\n  optimizer:\n    parameters:\n\
         \x20     lr: {distribution: log_uniform_values, min: 1e-5, max: 0.1}\n      kind: {values: [adam, sgd]}\n\
         \x20 layers: {min: 1, max: 4}\n  dropout: {min: 0.0, max: 1}\n  fixed: {value: [1, {a: null}]}\n",
    )
    .unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!((config.method, config.run_cap), (Method::Bayes, Some(20)));
    assert_eq!(config.name.as_deref(), Some("2024"));
    assert_eq!(config.metric.as_ref().unwrap().target, Some(0.1));
    let paths: Vec<String> = config.parameters.iter().map(|p| p.path.join(".")).collect();
    assert_eq!(
        paths,
        ["dropout", "fixed", "layers", "optimizer.kind", "optimizer.lr"]
    );
    assert_eq!(
        config.parameters[2].distribution,
        Distribution::Integers { min: 1, max: 4 }
    );
    assert_eq!(config.early_terminate.as_ref().unwrap().bands[..3], [3, 9, 27]);
    let proposal = config.at_random(&mut Random::new(1));
    assert_eq!(proposal["fixed"], json!({ "value": [1, { "a": null }] }));
    let lr = proposal["optimizer"]["value"]["lr"].as_f64().unwrap();
    assert!((1e-5..=0.1).contains(&lr));
}

#[test]
fn what_has_no_effect_is_said() {
    let config = json!({
        "method": "bayes", "launch_queue": "q", "early_terminate": { "type": "envelope" },
        "metric": { "name": "a", "impute": "best" }, "parameters": { "p": { "values": [1], "desc": "x" } },
    });
    let warnings = SweepConfig::parse(&config.to_string()).unwrap().1.join("\n");
    for words in ["launch_queue", "envelope", "impute", "desc"] {
        assert!(warnings.contains(words), "{warnings}");
    }
    let config = json!({ "method": "bayes", "early_terminate": { "type": "hyperband", "max_iter": 27, "s": 2 },
                         "parameters": { "p": { "values": [1] } } });
    let (config, warnings) = SweepConfig::parse(&config.to_string()).unwrap();
    assert_eq!(config.early_terminate.unwrap().bands, [3, 9]);
    assert!(warnings.join("\n").contains("without a metric"));
}

#[test]
fn what_cannot_be_searched_is_refused_by_name() {
    for (text, words) in [
        ("", "not a mapping"),
        ("[1]", "not a mapping"),
        ("method: [", "not YAML"),
        ("method: grid\nmethod: random", "there are no parameters"),
        ("parameters: {a: {value: 1}}", "method is missing"),
        ("method: genetic\nparameters: {a: {value: 1}}", "genetic"),
        ("method: grid", "no parameters"),
        ("method: grid\nparameters: {a: 1}", "\"a\" is not a mapping"),
        (
            "method: grid\nparameters: {a: {min: 0.5, max: 1.5}}",
            "a grid cannot go through parameter \"a\"",
        ),
        (
            "method: random\nparameters: {a: {parameters: {b: {}}}}",
            "\"a.b\"",
        ),
        (
            "method: random\nparameters: {a: {min: 3, max: 1}}",
            "min is greater",
        ),
        (
            "method: random\nparameters: {a: {distribution: log_uniform_values, min: 0, max: 1}}",
            "greater than 0",
        ),
        (
            "method: random\nparameters: {a: {distribution: cauchy}}",
            "cauchy",
        ),
        ("method: random\nparameters: {a: {values: []}}", "empty"),
        (
            "method: random\nparameters: {a: {values: [1, 2], probabilities: [0.5, 0.6]}}",
            "add up to 1",
        ),
        (
            "method: random\nparameters: {a: {min: .nan, max: 1}}",
            "min is not a number",
        ),
        (
            "method: random\nparameters: {a: {distribution: q_normal, q: 0}}",
            "q must be",
        ),
        (
            "method: random\nrun_cap: 0\nparameters: {a: {value: 1}}",
            "run_cap",
        ),
        (
            "method: random\nmetric: {name: x, goal: up}\nparameters: {a: {value: 1}}",
            "goal",
        ),
        (
            "method: random\nearly_terminate: {type: hyperband}\nparameters: {a: {value: 1}}",
            "min_iter",
        ),
    ] {
        assert!(fault(text).contains(words), "{text}: {}", fault(text));
    }
}

#[test]
fn values_are_what_the_official_client_wrote() {
    // Texts that PyYAML writes without quotes, because they are texts to it.
    let text = "method: grid\nparameters:\n  a:\n    values: [y, n, 1e3, 0o17, ~x, 'yes', 'on', '017', true, null, 1.0e-05, .inf]\n";
    let (config, _) = SweepConfig::parse(text).unwrap();
    let Distribution::Categorical { values, .. } = &config.parameters[0].distribution else {
        panic!("{config:?}")
    };
    assert_eq!(
        serde_json::to_value(values).unwrap(),
        json!([
            "y", "n", "1e3", "0o17", "~x", "yes", "on", "017", true, null, 1e-5, "Infinity"
        ])
    );
}

#[test]
fn hostile_yaml_is_refused_within_bounds() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..9_u8 {
        let (name, inner) = (char::from(b'a' + level), char::from(b'a' + level - 1));
        bomb.push_str(&format!(
            "{name}: &{name} [{}]\n",
            vec![format!("*{inner}"); 9].join(",")
        ));
    }
    assert!(fault(&bomb).contains("not YAML"));
    assert!(fault(&"[".repeat(100_000)).contains("not YAML"));
    assert!(fault(&"{a: ".repeat(10_000)).contains("not YAML"));
    assert!(fault("a: &a [*a]").contains("not YAML"));
    assert!(fault(&" ".repeat((1 << 20) + 1)).contains("longer"));
    let nested = format!(
        "method: random\nparameters: {}{{value: 1}}{}",
        "{p: {parameters: ".repeat(20),
        "}}".repeat(20)
    );
    assert!(!fault(&nested).is_empty());
    // Large, but within the bounds of what people do.
    let many: Vec<u32> = (0..20_000).collect();
    let config = json!({ "method": "grid", "parameters": { "a": { "values": many }, "b": { "min": 0, "max": i64::MAX } } });
    assert_eq!(parse(&config).grid_size(), i64::MAX);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_is_a_config_or_an_error(text in r#"(method: (grid|random|bayes)\n)?(parameters:\n)?( *[a-z]{1,3}: ?[\[\{&*!'"0-9a-z.,: -]{0,20}[\]\}]?\n){0,6}"#) {
        if let Ok((config, _)) = SweepConfig::parse(&text) {
            let _ = (config.grid_size(), config.grid_point(3), config.at_random(&mut Random::new(3)));
        }
    }

    #[test]
    fn quantiles_rise_and_ranks_go_back(u in 0.001_f64..0.999, v in 0.001_f64..0.999) {
        for (parameter, low, high) in continuous() {
            let distribution = distribution(&parameter);
            let value = |u: f64| distribution.quantile(u).as_f64().unwrap();
            prop_assert!(u > v || value(u) <= value(v), "{parameter} {u} {v}");
            prop_assert!((low..=high).contains(&value(u)), "{parameter}: {}", value(u));
            if parameter.get("q").is_none() {
                let rank = distribution.rank(&distribution.quantile(u)).unwrap();
                prop_assert!((rank - u).abs() < 1e-6, "{parameter}: {u} became {rank}");
            }
        }
    }
}

/// All distributions over real numbers, with the bounds of their values.
fn continuous() -> Vec<(Value, f64, f64)> {
    let all = f64::INFINITY;
    vec![
        (
            json!({ "distribution": "uniform", "min": -1, "max": 2 }),
            -1.0,
            2.0,
        ),
        (
            json!({ "distribution": "q_uniform", "min": 0, "max": 1, "q": 0.1 }),
            0.0,
            1.0,
        ),
        (
            json!({ "distribution": "log_uniform", "min": -3, "max": 0 }),
            (-3.0_f64).exp(),
            1.0,
        ),
        (
            json!({ "distribution": "log_uniform_values", "min": 1e-4, "max": 10 }),
            9.999e-5,
            10.001,
        ),
        (
            json!({ "distribution": "q_log_uniform", "min": 0, "max": 5, "q": 2 }),
            0.0,
            150.0,
        ),
        (
            json!({ "distribution": "q_log_uniform_values", "min": 1, "max": 64, "q": 1 }),
            1.0,
            64.0,
        ),
        (
            json!({ "distribution": "inv_log_uniform", "min": 0, "max": 3 }),
            (-3.0_f64).exp(),
            1.0,
        ),
        (
            json!({ "distribution": "inv_log_uniform_values", "min": 0.5, "max": 2 }),
            0.499,
            2.001,
        ),
        (
            json!({ "distribution": "normal", "mu": 5, "sigma": 2 }),
            -all,
            all,
        ),
        (
            json!({ "distribution": "q_normal", "mu": 0, "sigma": 3, "q": 0.5 }),
            -all,
            all,
        ),
        (json!({ "distribution": "log_normal" }), 0.0, all),
        (
            json!({ "distribution": "q_log_normal", "mu": 1, "q": 1 }),
            0.0,
            all,
        ),
        (json!({ "distribution": "beta", "a": 2, "b": 5 }), 0.0, 1.0),
        (
            json!({ "distribution": "q_beta", "a": 2, "b": 5, "q": 0.05 }),
            0.0,
            1.0,
        ),
    ]
}

#[test]
fn samples_have_the_moments_of_their_distribution() {
    let mean = |parameter: Value| -> f64 {
        let distribution = distribution(&parameter);
        let mut random = Random::new(17);
        let count = 4000;
        let sum: f64 = (0..count)
            .map(|_| distribution.quantile(random.fraction()).as_f64().unwrap())
            .sum();
        sum / f64::from(count)
    };
    for (parameter, expected, tolerance) in [
        (json!({ "min": 0.0, "max": 10.0 }), 5.0, 0.2),
        (json!({ "min": 1, "max": 6 }), 3.5, 0.1),
        (
            json!({ "distribution": "normal", "mu": -2, "sigma": 1 }),
            -2.0,
            0.06,
        ),
        (json!({ "distribution": "beta", "a": 2, "b": 6 }), 0.25, 0.01),
        (
            json!({ "distribution": "log_normal", "mu": 0, "sigma": 0.5 }),
            1.133,
            0.05,
        ),
        // The mean of a log-uniform value is (max - min) / ln(max / min).
        (
            json!({ "distribution": "log_uniform_values", "min": 1, "max": 100 }),
            21.5,
            1.5,
        ),
        (
            json!({ "distribution": "inv_log_uniform_values", "min": 1, "max": 100 }),
            21.5,
            1.5,
        ),
    ] {
        let found = mean(parameter.clone());
        assert!((found - expected).abs() < tolerance, "{parameter}: {found}");
    }
    let weighted = distribution(&json!({ "values": ["a", "b", "c"], "probabilities": [0.7, 0.0, 0.3] }));
    let mut random = Random::new(3);
    let mut counts = [0, 0, 0];
    for _ in 0..2000 {
        counts[weighted.index(&weighted.quantile(random.fraction())).unwrap()] += 1;
    }
    assert!(counts[1] == 0 && (1300..1500).contains(&counts[0]), "{counts:?}");
}

#[test]
fn steps_are_multiples_without_noise() {
    let tenths = distribution(&json!({ "distribution": "q_uniform", "min": 0, "max": 1, "q": 0.1 }));
    assert_eq!(tenths.quantile(0.3), json!(0.3));
    let whole =
        distribution(&json!({ "distribution": "q_log_uniform_values", "min": 16, "max": 256, "q": 8 }));
    assert_eq!(whole.quantile(0.5), json!(64));
    let ends = distribution(&json!({ "min": i64::MIN, "max": i64::MAX }));
    assert_eq!(ends.quantile(0.0), json!(i64::MIN));
    assert_eq!(ends.quantile(1.0), json!(i64::MAX));
}

#[test]
fn a_grid_is_the_product_and_each_point_comes_once() {
    let config = parse(&json!({
        "method": "grid", "run_cap": 100,
        "parameters": {
            "b": { "values": ["x", "y", "x", 1, 1.0] },
            "a": { "min": 1, "max": 2 },
            "n": { "parameters": { "q": { "distribution": "q_uniform", "min": 0, "max": 0.3, "q": 0.1 }, "c": { "value": true } } },
        },
    }));
    assert_eq!(
        config.grid_size(),
        3 * 2 * 4,
        "values that are given twice are one"
    );
    assert_eq!(config.expected_runs(), Some(24));
    let points: Vec<Map<String, Value>> = (0..24).map(|number| config.grid_point(number)).collect();
    let distinct: BTreeSet<String> = points
        .iter()
        .map(|point| Value::Object(point.clone()).to_string())
        .collect();
    assert_eq!(distinct.len(), 24);
    assert_eq!(
        Value::Object(points[0].clone()),
        json!({ "a": { "value": 1 }, "b": { "value": "x" }, "n": { "value": { "c": true, "q": 0.0 } } })
    );
    assert_eq!(points[23]["n"]["value"]["q"], json!(0.3));
}

/// The best of `runs` runs at (0.3, log10 = -2, "b"), by one method.
fn best_of(method: &str, seed: u64, runs: u64) -> f64 {
    let config = parse(&json!({
        "method": method, "metric": { "name": "loss" },
        "parameters": {
            "x": { "min": 0.0, "max": 1.0 },
            "lr": { "distribution": "log_uniform_values", "min": 1e-5, "max": 1.0 },
            "kind": { "values": ["a", "b", "c"] },
        },
    }));
    let mut seen: Vec<Observation> = Vec::new();
    for number in 0..runs {
        let mut random = Random::new(seed * 1000 + number);
        let arguments = if method == "bayes" {
            suggest(&config, Goal::Minimize, &seen, &mut random)
        } else {
            config.at_random(&mut random)
        };
        let number = |key: &str| arguments[key]["value"].as_f64().unwrap();
        let kind = if arguments["kind"]["value"] == "b" {
            0.0
        } else {
            1.0
        };
        let loss = 10.0 * (number("x") - 0.3).powi(2) + (number("lr").log10() + 2.0).powi(2) + kind;
        seen.push(Observation {
            arguments,
            value: Some(loss),
        });
    }
    seen.iter()
        .filter_map(|seen| seen.value)
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn bayes_finds_better_runs_than_chance() {
    let mean = |method: &str| (1..=4).map(|seed| best_of(method, seed, 45)).sum::<f64>() / 4.0;
    let (bayes, random) = (mean("bayes"), mean("random"));
    assert!(bayes < random * 0.5, "bayes {bayes}, random {random}");
}

#[test]
fn bayes_survives_failures_and_strange_configs() {
    let config = parse(&json!({ "method": "bayes", "metric": { "name": "loss" },
        "parameters": { "x": { "min": 1, "max": 1 }, "y": { "distribution": "normal", "sigma": 0 }, "z": { "values": [null] } } }));
    let seen: Vec<Observation> = (0..30)
        .map(|n| Observation {
            arguments: match json!({ "x": { "value": "no number" }, "y": {}, "z": { "value": n } }) {
                Value::Object(members) => members,
                _ => unreachable!(),
            },
            value: [None, Some(f64::NAN), Some(f64::from(n))][n as usize % 3],
        })
        .collect();
    let proposal = suggest(&config, Goal::Maximize, &seen, &mut Random::new(9));
    assert_eq!(proposal["x"]["value"], 1);
    assert_eq!(proposal["y"]["value"], 0.0);
}

#[test]
fn one_in_eta_goes_on() {
    let rule = Hyperband {
        bands: vec![1],
        eta: 3.0,
        strict: false,
    };
    let all = [0.5, 0.1, 0.9, 0.2, 0.3, 0.7];
    let kept: Vec<f64> = all
        .into_iter()
        .filter(|own| rule.goes_on(*own, &all, Goal::Minimize))
        .collect();
    assert_eq!(kept, [0.1, 0.2]);
    let kept: Vec<f64> = all
        .into_iter()
        .filter(|own| rule.goes_on(*own, &all, Goal::Maximize))
        .collect();
    assert_eq!(kept, [0.9, 0.7]);
    assert!(
        rule.goes_on(7.0, &[7.0], Goal::Minimize),
        "the first one has nobody to lose to"
    );
}
