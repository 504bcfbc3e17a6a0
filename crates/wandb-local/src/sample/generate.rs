//! The runs of the sample project, as plain structs.

use serde_json::{Value, json};

use super::model::{Architecture, Point, STEPS_PER_EPOCH, Settings, curve};
use super::picture;
use super::random::Random;

/// How many runs there are.
pub(super) const RUNS: usize = 60;
/// The tag of every run.
pub(super) const TAG: &str = "sample";
/// What every run says of itself.
pub(super) const NOTES: &str = "Sample data made by wandb-local. Nothing was trained.";

const SECOND: i64 = 1_000_000;
/// From the first run of a day to the first of the next.
const DAY: i64 = 86_400 * SECOND;
/// Runs a day.
const PER_DAY: usize = 5;

/// How a run ended, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Finished,
    /// With exit code 1.
    Failed,
    /// Without a word.
    Crashed,
    Running,
}

impl Outcome {
    fn of(index: usize) -> Self {
        match index {
            13 | 41 => Self::Failed,
            27 => Self::Crashed,
            59 => Self::Running,
            _ => Self::Finished,
        }
    }

    pub(super) fn state(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::Running => "running",
        }
    }

    pub(super) fn exit_code(self) -> Option<i64> {
        match self {
            Self::Finished => Some(0),
            Self::Failed => Some(1),
            Self::Crashed | Self::Running => None,
        }
    }
}

/// A run with everything that a client would have sent. Texts are as on the wire; times are in microseconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct SampleRun {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) group: &'static str,
    pub(super) tags: Vec<String>,
    pub(super) notes: String,
    pub(super) config: String,
    pub(super) summary: String,
    pub(super) history: Vec<String>,
    pub(super) events: Vec<String>,
    pub(super) console: Vec<String>,
    /// Names and bytes.
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) outcome: Outcome,
    pub(super) created_at: i64,
    pub(super) heartbeat_at: i64,
}

/// The runs, oldest first; the last one is still running `now`.
pub(super) fn runs(now: i64) -> impl Iterator<Item = SampleRun> {
    (0..RUNS).map(move |index| run(index, now))
}

fn settings(index: usize) -> Settings {
    let mut random = Random::new(0x5EED + index as u64);
    let architecture = if index.is_multiple_of(2) {
        Architecture::Cnn
    } else {
        Architecture::Transformer
    };
    let rates: &[f64] = match architecture {
        Architecture::Cnn => &[0.03, 0.01, 0.003, 0.001, 0.0003],
        Architecture::Transformer => &[0.003, 0.001, 0.0006, 0.0003, 0.0001],
    };
    let mut settings = Settings {
        architecture,
        learning_rate: *random.choose(rates),
        batch_size: *random.choose(&[32, 64, 128]),
        dropout: *random.choose(&[0.0, 0.1, 0.2, 0.3]),
        optimizer: random.choose::<&'static str>(&["adam", "adamw", "sgd"]),
        weight_decay: *random.choose(&[0.0, 0.0001, 0.01]),
        steps: *random.choose(&[150, 200, 250, 300]),
        seed: random.bits() >> 32,
        diverges_at: None,
    };
    match Outcome::of(index) {
        Outcome::Failed => {
            settings.learning_rate = rates[0] * 10.0;
            settings.diverges_at = Some(settings.steps * 2 / 5);
            settings.steps = settings.steps * 2 / 5 + 3;
        }
        Outcome::Crashed => settings.steps = settings.steps * 3 / 5,
        Outcome::Running => settings.steps /= 2,
        Outcome::Finished => {}
    }
    settings
}

fn run(index: usize, now: i64) -> SampleRun {
    let settings = settings(index);
    let outcome = Outcome::of(index);
    let pace = settings.architecture.seconds_per_step();
    let ran = (f64::from(settings.steps) * pace * 1e6) as i64;
    // Counted backwards from the last run, which has reached the present.
    let left = RUNS - 1 - index;
    let created_at = now - ran - (left / PER_DAY) as i64 * DAY - (left % PER_DAY) as i64 * 47 * 60 * SECOND;
    let heartbeat_at = created_at + ran;
    let points: Vec<Point> = curve(&settings).collect();
    let seconds = |point: &Point| f64::from(point.step + 1) * pace;
    let history: Vec<String> = points
        .iter()
        .map(|point| row(point, created_at, seconds(point)))
        .collect();
    let summary = summary(&points, created_at, pace);
    let config = config(&settings);
    let wrapped: serde_json::Map<String, Value> = config
        .iter()
        .map(|(key, value)| (key.clone(), json!({ "value": value })))
        .collect();
    let console = console(&settings, &points, outcome, created_at, pace);
    let mut tags = vec![TAG.to_owned()];
    if index < 2 {
        tags.push("baseline".to_owned());
    }
    if settings.optimizer == "sgd" {
        tags.push("ablation".to_owned());
    }
    let files = if index.is_multiple_of(5) {
        files(&config, &summary, &console, &points, index)
    } else {
        Vec::new()
    };
    SampleRun {
        name: name(index),
        display_name: format!(
            "{}-{}-{:02}",
            settings.architecture.name(),
            settings.optimizer,
            index + 1
        ),
        group: settings.architecture.name(),
        tags,
        notes: NOTES.to_owned(),
        config: Value::Object(wrapped).to_string(),
        summary,
        history,
        events: events(&settings, created_at, pace),
        console,
        files,
        outcome,
        created_at,
        heartbeat_at,
    }
}

/// Eight letters and digits, as the SDK makes them.
fn name(index: usize) -> String {
    let mut random = Random::new(0xB0A7 ^ (index as u64) << 20);
    (0..8)
        .map(|_| char::from(*random.choose(b"abcdefghijklmnopqrstuvwxyz0123456789")))
        .collect()
}

fn config(settings: &Settings) -> serde_json::Map<String, Value> {
    let config = json!({
        "architecture": settings.architecture.name(),
        "lr": settings.learning_rate,
        "batch_size": settings.batch_size,
        "dropout": settings.dropout,
        "seed": settings.seed,
        "optimizer": { "name": settings.optimizer, "weight_decay": settings.weight_decay, "betas": [0.9, 0.999] },
        "data": { "name": "digits", "classes": 10, "augment": settings.dropout > 0.0 },
    });
    match config {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    }
}

/// A number as the SDK's encoder writes it, to six digits.
fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let magnitude = if value == 0.0 {
        0.0
    } else {
        value.abs().log10().floor()
    };
    let scale = 10_f64.powf(5.0 - magnitude);
    format!("{}", (value * scale).round() / scale)
}

fn row(point: &Point, created_at: i64, seconds: f64) -> String {
    let timestamp = created_at as f64 / 1e6 + seconds;
    let mut row = format!(
        "{{\"_step\":{},\"_runtime\":{},\"_timestamp\":{timestamp:.3},\"epoch\":{},\"loss\":{},\"accuracy\":{},\"lr\":{},\"grad_norm\":{}",
        point.step,
        number(seconds),
        point.step / STEPS_PER_EPOCH,
        number(point.loss),
        number(point.accuracy),
        number(point.learning_rate),
        number(point.gradient_norm),
    );
    if let Some((loss, accuracy)) = point.validation {
        row.push_str(&format!(
            ",\"val/loss\":{},\"val/accuracy\":{}",
            number(loss),
            number(accuracy)
        ));
    }
    row.push('}');
    row
}

fn summary(points: &[Point], created_at: i64, pace: f64) -> String {
    let Some(last) = points.last() else {
        return "{}".to_owned();
    };
    let seconds = f64::from(last.step + 1) * pace;
    let mut summary = row(last, created_at, seconds);
    summary.pop();
    // Metrics that the last row lacks keep their latest value.
    let validated = points.iter().rev().find_map(|point| point.validation);
    if let (None, Some((loss, accuracy))) = (last.validation, validated) {
        summary.push_str(&format!(
            ",\"val/loss\":{},\"val/accuracy\":{}",
            number(loss),
            number(accuracy)
        ));
    }
    let best = points
        .iter()
        .filter_map(|point| point.validation)
        .map(|(_, accuracy)| accuracy)
        .fold(0.0, f64::max);
    summary.push_str(&format!(
        ",\"best_val_accuracy\":{},\"_wandb\":{{\"runtime\":{}}}}}",
        number(best),
        seconds as i64
    ));
    summary
}

/// System metrics every 15 seconds, as the SDK samples them.
fn events(settings: &Settings, created_at: i64, pace: f64) -> Vec<String> {
    let mut random = Random::new(settings.seed ^ 0xE7E7);
    let end = f64::from(settings.steps) * pace;
    let times = (1..)
        .map(|tick| f64::from(tick) * 15.0)
        .take_while(|seconds| *seconds < end);
    times
        .map(|seconds| {
            let timestamp = created_at as f64 / 1e6 + seconds;
            let cpu = 35.0 + 6.0 * random.normal();
            let gpu = (88.0 + 4.0 * random.normal()).min(100.0);
            let memory = 41.0 + seconds / end * 3.0 + 0.2 * random.normal();
            format!(
                "{{\"_wandb\":true,\"_runtime\":{seconds},\"_timestamp\":{timestamp:.3},\"system.cpu\":{},\"system.memory\":{},\"system.gpu.0.gpu\":{}}}",
                number(cpu),
                number(memory),
                number(gpu)
            )
        })
        .collect()
}

fn console(
    settings: &Settings,
    points: &[Point],
    outcome: Outcome,
    created_at: i64,
    pace: f64,
) -> Vec<String> {
    let stamp = |seconds: f64| {
        let micros = created_at + (seconds * 1e6) as i64;
        let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        time.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
    };
    let mut lines = vec![
        format!("{} {NOTES}", stamp(0.0)),
        format!(
            "{} training {} for {} steps",
            stamp(0.1),
            settings.architecture.name(),
            settings.steps
        ),
    ];
    for point in points {
        if let Some((loss, accuracy)) = point.validation {
            let epoch = point.step / STEPS_PER_EPOCH;
            let time = stamp(f64::from(point.step + 1) * pace);
            lines.push(format!(
                "{time} epoch {epoch:>2}  loss {loss:.4}  accuracy {accuracy:.4}"
            ));
        }
    }
    let end = stamp(f64::from(settings.steps) * pace);
    match outcome {
        Outcome::Finished => lines.push(format!("{end} done")),
        Outcome::Failed => lines.push(format!("ERROR {end} FloatingPointError: the loss is NaN")),
        Outcome::Crashed | Outcome::Running => {}
    }
    lines
}

/// The files that a run leaves, and some of a user's own.
fn files(
    config: &serde_json::Map<String, Value>,
    summary: &str,
    console: &[String],
    points: &[Point],
    index: usize,
) -> Vec<(String, Vec<u8>)> {
    let mut random = Random::new(0xF11E + index as u64);
    // JSON values are YAML, too.
    let yaml: String = config
        .iter()
        .map(|(key, value)| format!("{key}:\n    value: {value}\n"))
        .collect();
    let log: String = console.iter().map(|line| format!("{line}\n")).collect();
    let mut csv = "index,label,predicted,confidence\n".to_owned();
    for row in 0..200 {
        let label = random.bits() % 10;
        let predicted = if random.fraction() < 0.9 {
            label
        } else {
            random.bits() % 10
        };
        csv.push_str(&format!(
            "{row},{label},{predicted},{:.4}\n",
            0.5 + random.fraction() / 2.0
        ));
    }
    let weights: Vec<u8> = (0..8 * 1024).flat_map(|_| random.bits().to_le_bytes()).collect();
    let losses: Vec<f64> = points.iter().map(|point| point.loss).collect();
    vec![
        ("config.yaml".to_owned(), yaml.into_bytes()),
        ("wandb-summary.json".to_owned(), summary.as_bytes().to_vec()),
        ("output.log".to_owned(), log.into_bytes()),
        ("predictions.csv".to_owned(), csv.into_bytes()),
        ("plots/loss.png".to_owned(), picture::plot(&losses)),
        ("model/weights.bin".to_owned(), weights),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::lenient;

    const NOW: i64 = 1_750_000_000_000_000;

    #[test]
    fn the_same_every_time_but_for_the_dates() {
        let later = NOW + 3_600 * SECOND;
        for (left, right) in runs(NOW).zip(runs(later)) {
            assert_eq!(
                (&left.name, &left.config, &left.files.len()),
                (&right.name, &right.config, &right.files.len())
            );
            assert_eq!(right.created_at - left.created_at, 3_600 * SECOND);
            let rows = |run: &SampleRun| {
                run.history
                    .iter()
                    .map(|row| lenient::Projection::new(&["loss"]).project(row))
                    .collect::<Vec<_>>()
            };
            assert_eq!(rows(&left), rows(&right));
        }
    }

    #[test]
    fn covers_what_the_tour_shows() {
        let runs: Vec<SampleRun> = runs(NOW).collect();
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for run in &runs {
            *groups.entry(run.group).or_default() += 1;
            *states.entry(run.outcome.state()).or_default() += 1;
        }
        assert_eq!(groups, BTreeMap::from([("cnn", 30), ("transformer", 30)]));
        assert_eq!(
            states,
            BTreeMap::from([("crashed", 1), ("failed", 2), ("finished", 56), ("running", 1)])
        );
        assert_eq!(
            runs.iter().map(|run| &run.name).collect::<BTreeSet<_>>().len(),
            RUNS
        );
        assert!(
            runs.windows(2)
                .all(|pair| pair[0].created_at < pair[1].created_at)
        );
        assert_eq!(runs[RUNS - 1].heartbeat_at, NOW);
        assert!(NOW - runs[0].created_at > 10 * DAY);
        assert_eq!(runs.iter().filter(|run| !run.files.is_empty()).count(), 12);
        assert!(
            runs.iter()
                .all(|run| run.tags.contains(&TAG.to_owned()) && run.notes == NOTES)
        );
    }

    #[test]
    fn every_text_is_what_the_wire_has() {
        for run in runs(NOW) {
            let config: Value = serde_json::from_str(&lenient::unwrap_config(&run.config).unwrap()).unwrap();
            assert!(
                config["optimizer"]["name"].is_string() && config["lr"].is_f64(),
                "{config}"
            );
            let summary: Value = serde_json::from_str(&lenient::strict(&run.summary).unwrap()).unwrap();
            assert_eq!(summary["_step"], run.history.len() - 1, "{}", run.name);
            for (step, row) in run.history.iter().enumerate() {
                assert!(lenient::strict(row).is_ok(), "{row}");
                assert_eq!(lenient::step_of(row), Some(step as i64));
            }
            assert!(run.events.iter().all(|row| lenient::strict(row).is_ok()));
            let nan = run.history.iter().filter(|row| row.contains("NaN")).count();
            assert_eq!(nan, if run.outcome == Outcome::Failed { 3 } else { 0 });
        }
    }

    #[test]
    fn numbers_have_six_digits() {
        for (value, text) in [
            (0.1 + 0.2, "0.3"),
            (123_456.789, "123457"),
            (0.000_123_456_78, "0.000123457"),
            (0.0, "0"),
            (-1.5, "-1.5"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
