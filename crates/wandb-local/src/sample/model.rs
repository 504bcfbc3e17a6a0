//! What a run of given settings would look like: plausible, not physical.

use super::random::Random;

/// The kinds of model, which are the groups of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Architecture {
    Cnn,
    Transformer,
}

impl Architecture {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cnn => "cnn",
            Self::Transformer => "transformer",
        }
    }

    /// The learning rate that suits it best.
    fn best_learning_rate(self) -> f64 {
        match self {
            Self::Cnn => 0.003,
            Self::Transformer => 0.0006,
        }
    }

    /// The loss that the best run ends near, and how many steps it takes to lose most of the way there.
    fn floor_and_pace(self) -> (f64, f64) {
        match self {
            Self::Cnn => (0.21, 35.0),
            Self::Transformer => (0.14, 60.0),
        }
    }

    /// Seconds from one logged step to the next.
    pub(super) fn seconds_per_step(self) -> f64 {
        match self {
            Self::Cnn => 1.7,
            Self::Transformer => 3.1,
        }
    }
}

/// What a run is set to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) architecture: Architecture,
    pub(super) learning_rate: f64,
    pub(super) batch_size: u32,
    pub(super) dropout: f64,
    pub(super) optimizer: &'static str,
    pub(super) weight_decay: f64,
    pub(super) steps: u32,
    pub(super) seed: u64,
    /// The step from which on the loss is NaN.
    pub(super) diverges_at: Option<u32>,
}

/// Steps from one evaluation to the next.
pub(super) const STEPS_PER_EPOCH: u32 = 10;

/// What is logged at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) step: u32,
    pub(super) loss: f64,
    pub(super) accuracy: f64,
    pub(super) learning_rate: f64,
    pub(super) gradient_norm: f64,
    /// Loss and accuracy on held-out data, at the end of an epoch.
    pub(super) validation: Option<(f64, f64)>,
}

/// The curve of a run, step by step.
pub(super) fn curve(settings: &Settings) -> impl Iterator<Item = Point> + use<> {
    let settings = settings.clone();
    let mut random = Random::new(settings.seed);
    let (floor, pace) = settings.architecture.floor_and_pace();
    // Away from the best rate, learning is slower below and ends worse above.
    let distance = (settings.learning_rate / settings.architecture.best_learning_rate()).ln();
    let pace = pace * (1.0 + 0.35 * (-distance).max(0.0)) * (f64::from(settings.batch_size) / 64.0).powf(0.2);
    let optimizer = if settings.optimizer == "sgd" { 1.25 } else { 1.0 };
    let floor = floor * (1.0 + 0.12 * distance * distance) * optimizer * (1.0 + 0.1 * random.normal().abs());
    let start = 2.3 + 0.05 * random.normal();
    let overfit = (0.3 - settings.dropout).max(0.0) * 0.4;
    let noise = 0.06 * (64.0 / f64::from(settings.batch_size)).sqrt();
    (0..settings.steps).map(move |step| {
        let time = f64::from(step);
        let share = (-time / pace).exp();
        let progress = time / f64::from(settings.steps);
        let broken = settings.diverges_at.is_some_and(|from| step >= from);
        let warning = settings
            .diverges_at
            .map_or(0.0, |from| (-(f64::from(from) - time) / 4.0).exp());
        let clean = floor + (start - floor) * share;
        let loss = (clean * (1.0 + noise * random.normal()) + 3.0 * warning).max(0.001);
        let accuracy_of = |loss: f64| (0.995 - 0.385 * loss).clamp(0.08, 0.999);
        let validation = ((step + 1) % STEPS_PER_EPOCH == 0).then(|| {
            let loss = clean * 1.06 + overfit * progress * progress + 0.01 * random.normal().abs();
            (loss, accuracy_of(loss))
        });
        let nan_or = |value: f64| if broken { f64::NAN } else { value };
        Point {
            step,
            loss: nan_or(loss),
            accuracy: if broken { 0.1 } else { accuracy_of(loss) },
            // Linear warm-up over five steps, then half a cosine.
            learning_rate: settings.learning_rate
                * (time / 5.0).min(1.0)
                * (0.5 + 0.5 * (std::f64::consts::PI * progress).cos()),
            gradient_norm: nan_or(
                (0.4 + 2.0 * share + 8.0 * warning) * (1.0 + 0.2 * random.normal()).max(0.1),
            ),
            validation: validation.filter(|_| !broken),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(learning_rate: f64) -> Settings {
        Settings {
            architecture: Architecture::Cnn,
            learning_rate,
            batch_size: 64,
            dropout: 0.2,
            optimizer: "adam",
            weight_decay: 0.0,
            steps: 200,
            seed: 3,
            diverges_at: None,
        }
    }

    #[test]
    fn curves_go_down_and_better_settings_end_lower() {
        let last = |rate| {
            curve(&settings(rate))
                .filter_map(|point| point.validation)
                .last()
                .unwrap()
        };
        let first = curve(&settings(0.003)).next().unwrap();
        assert!(first.loss > 2.0 && last(0.003).0 < 0.5);
        assert!(last(0.003).0 < last(0.03).0 && last(0.003).0 < last(0.0001).0);
        assert!(last(0.003).1 > last(0.03).1);
    }

    #[test]
    fn diverging_runs_end_in_nan() {
        let points: Vec<Point> = curve(&Settings {
            diverges_at: Some(50),
            ..settings(0.1)
        })
        .collect();
        assert!(points[..50].iter().all(|point| point.loss.is_finite()));
        assert!(
            points[50..]
                .iter()
                .all(|point| point.loss.is_nan() && point.validation.is_none())
        );
    }
}
