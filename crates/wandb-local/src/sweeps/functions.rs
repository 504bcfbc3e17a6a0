//! The normal and the beta distribution: cumulative and quantile functions, to about nine digits. Proposals are numbers
//! to try, not statistics; what matters is that the functions are total, monotonic, and inverse to each other.

/// How far a quantile of the normal distribution goes: probabilities nearer to 0 or 1 are cut there.
const TAIL: f64 = 1e-12;
/// Halvings in a search for a quantile: an interval of length 1 ends at the precision of a double.
const HALVINGS: usize = 60;

/// The probability that a standard normal value is below `x`.
pub(super) fn normal_below(x: f64) -> f64 {
    0.5 * complementary_error(-x / std::f64::consts::SQRT_2)
}

/// 1 - erf(x), by the power series near 0 and the continued fraction further out.
fn complementary_error(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x < 0.0 {
        return 2.0 - complementary_error(-x);
    }
    if x > 27.0 {
        return 0.0;
    }
    let scale = 1.0 / std::f64::consts::PI.sqrt();
    if x < 2.5 {
        // erf(x) = 2/sqrt(pi) * exp(-x^2) * sum of 2^n x^(2n+1) / (1*3*...*(2n+1)): no cancellation.
        let mut term = x;
        let mut sum = x;
        for n in 1..80 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return 1.0 - 2.0 * scale * (-x * x).exp() * sum;
    }
    let mut fraction = 0.0;
    for n in (1..60).rev() {
        fraction = f64::from(n) / 2.0 / (x + fraction);
    }
    scale * (-x * x).exp() / (x + fraction)
}

/// The standard normal value that `probability` of all values are below.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    let probability = probability.clamp(TAIL, 1.0 - TAIL);
    bisect(-8.0, 8.0, |x| normal_below(x) < probability)
}

/// Where `below` turns from true to false.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The logarithm of the gamma function, for positive `x`: Stirling's series after shifting `x` up.
fn log_gamma(x: f64) -> f64 {
    let mut x = x;
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

/// The probability that a beta value with shape `a`, `b` is below `x`.
pub(super) fn beta_below(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on this side of the mean.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_below_fraction(1.0 - x, b, a);
    }
    beta_below_fraction(x, a, b)
}

fn beta_below_fraction(x: f64, a: f64, b: f64) -> f64 {
    let front = a * x.ln() + b * (1.0 - x).ln() + log_gamma(a + b) - log_gamma(a) - log_gamma(b);
    // The classical continued fraction, evaluated from the far end; two hundred terms are far more than the shapes that
    // `distribution` lets through need.
    let mut fraction = 0.0;
    for n in (1..=200_u32).rev() {
        let m = f64::from(n / 2);
        let numerator = if n % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        fraction = numerator / (1.0 + fraction);
    }
    (front.exp() / a / (1.0 + fraction)).clamp(0.0, 1.0)
}

/// The beta value with shape `a`, `b` that `probability` of all values are below.
pub(super) fn beta_quantile(probability: f64, a: f64, b: f64) -> f64 {
    bisect(0.0, 1.0, |x| beta_below(x, a, b) < probability)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_values_are_those_of_the_tables() {
        for (x, below) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (-1.96, 0.024_997_895_148_220),
            (3.0, 0.998_650_101_968_370),
            (-6.0, 9.865_876_450_377e-10),
        ] {
            assert!(
                (normal_below(x) - below).abs() < 1e-12,
                "{x}: {}",
                normal_below(x)
            );
        }
        assert!((normal_quantile(0.975) - 1.959_963_984_540).abs() < 1e-9);
        assert!(normal_quantile(0.0) > -8.0 && normal_quantile(1.0) < 8.0);
    }

    #[test]
    fn beta_values_are_those_of_the_closed_forms() {
        for x in [0.01, 0.2, 0.5, 0.77, 0.999] {
            assert!((beta_below(x, 1.0, 1.0) - x).abs() < 1e-10);
            assert!((beta_below(x, 3.0, 1.0) - x * x * x).abs() < 1e-10);
            assert!((beta_below(x, 1.0, 4.0) - (1.0 - (1.0 - x).powi(4))).abs() < 1e-10);
            let arcsine = 2.0 / std::f64::consts::PI * x.sqrt().asin();
            assert!((beta_below(x, 0.5, 0.5) - arcsine).abs() < 1e-9, "{x}");
            assert!((beta_quantile(beta_below(x, 2.5, 0.7), 2.5, 0.7) - x).abs() < 1e-8);
        }
    }
}
