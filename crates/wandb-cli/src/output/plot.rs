//! A line plot in text: braille dots, a scale on the left, the x range below.
//!
//! Pure: points in, lines out. Values that are not finite cannot be drawn; they interrupt the line, and the caption
//! counts them, so that a curve that ran into NaN does not look healthy.

use super::text;

/// One point; `y` may be anything, `x` of a drawn point is finite.
pub(crate) type Point = (f64, f64);

/// Size and captions of a plot.
#[derive(Debug, Clone)]
pub(crate) struct PlotOptions {
    /// Columns of the whole plot, the scale included; at least 24 are used.
    pub(crate) width: usize,
    /// Lines of the drawing itself; at least 2 are used.
    pub(crate) height: usize,
    /// What is drawn, for the title.
    pub(crate) title: String,
    /// What the x axis counts.
    pub(crate) x_label: String,
}

/// Dots of one braille cell, as Unicode numbers them: two columns of four.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// Draws the points, in the order of the axis, as lines without line breaks. Without a finite point, says so.
pub(crate) fn plot(points: &[Point], options: &PlotOptions) -> Vec<String> {
    let drawable = |point: &Point| point.0.is_finite() && point.1.is_finite();
    let mut finite = points.iter().copied().filter(drawable).peekable();
    let title = text::single_line(&options.title).into_owned();
    if finite.peek().is_none() {
        let reason = if points.is_empty() {
            "no points"
        } else {
            "no finite points"
        };
        return vec![text::truncate(&format!("{title}: {reason}"), options.width.max(24)).into_owned()];
    }
    let (mut x_range, mut y_range) = (Range::EMPTY, Range::EMPTY);
    let mut count = 0_usize;
    for (x, y) in finite {
        x_range.include(x);
        y_range.include(y);
        count += 1;
    }
    let skipped = points.len() - count;

    let height = options.height.max(2);
    let labels = [
        y_range.high,
        f64::midpoint(y_range.low, y_range.high),
        y_range.low,
    ]
    .map(text::number);
    // A constant has one value, so one label in the middle.
    let constant = y_range.low == y_range.high;
    let label_width = if constant {
        labels[1].len()
    } else {
        labels.iter().map(String::len).max().unwrap_or(0)
    };
    let columns = options.width.max(24).saturating_sub(label_width + 2).max(8);
    let grid = draw(points, x_range, y_range, columns, height);

    let mut lines = Vec::with_capacity(height + 3);
    lines.push(title);
    for (row, cells) in grid.iter().enumerate() {
        let label = match row {
            _ if constant => (row == height / 2).then_some(&labels[1]),
            0 => Some(&labels[0]),
            _ if row + 1 == height => Some(&labels[2]),
            _ if height >= 5 && row == height / 2 && height % 2 == 1 => Some(&labels[1]),
            _ => None,
        };
        let (label, tick) = label.map_or(("", '│'), |label| (label.as_str(), '┤'));
        let dots: String = cells.iter().map(|&bits| braille(bits)).collect();
        lines.push(format!("{label:>label_width$} {tick}{}", dots.trim_end()));
    }
    lines.push(format!("{:label_width$} └{}", "", "─".repeat(columns)));
    lines.push(format!(
        "{:label_width$}  {}",
        "",
        x_axis(x_range, &options.x_label, columns)
    ));
    if skipped > 0 {
        lines.push(format!(
            "{:label_width$}  {} of {} not drawn (NaN or infinite)",
            "",
            text::grouped(skipped as u64),
            text::counted(points.len() as u64, "point"),
        ));
    }
    let limit = options.width.max(24);
    lines
        .iter()
        .map(|line| text::truncate(line, limit).into_owned())
        .collect()
}

/// The smallest and largest value seen.
#[derive(Debug, Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    const EMPTY: Self = Self {
        low: f64::INFINITY,
        high: f64::NEG_INFINITY,
    };

    fn include(&mut self, value: f64) {
        self.low = self.low.min(value);
        self.high = self.high.max(value);
    }

    /// Where `value` lies among `dots` positions. Halved terms keep the span of ±1e308 finite.
    fn position(self, value: f64, dots: usize) -> usize {
        let half_span = self.high / 2.0 - self.low / 2.0;
        if half_span <= 0.0 {
            return dots / 2;
        }
        let share = (value / 2.0 - self.low / 2.0) / half_span;
        ((share * (dots - 1) as f64).round() as usize).min(dots - 1)
    }
}

/// The dots as braille bit sets, one inner vector per line.
fn draw(points: &[Point], x_range: Range, y_range: Range, columns: usize, height: usize) -> Vec<Vec<u8>> {
    let (dot_columns, dot_rows) = (columns * 2, height * 4);
    let mut grid = vec![vec![0_u8; columns]; height];
    let mut set = |x: usize, y: usize| grid[y / 4][x / 2] |= DOTS[y % 4][x % 2];
    let mut previous: Option<(usize, usize)> = None;
    for &(x, y) in points {
        if !x.is_finite() || !y.is_finite() {
            previous = None;
            continue;
        }
        let here = (
            x_range.position(x, dot_columns),
            dot_rows - 1 - y_range.position(y, dot_rows).min(dot_rows - 1),
        );
        match previous {
            Some(before) if before != here => line(before, here, &mut set),
            _ => set(here.0, here.1),
        }
        previous = Some(here);
    }
    grid
}

/// Every dot on the way from one to the other.
fn line(from: (usize, usize), to: (usize, usize), set: &mut impl FnMut(usize, usize)) {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
    let between = |a: usize, b: usize, step: usize| {
        let share = step as f64 / steps as f64;
        (a as f64 + (b as f64 - a as f64) * share).round() as usize
    };
    for step in 0..=steps {
        set(between(from.0, to.0, step), between(from.1, to.1, step));
    }
}

fn braille(bits: u8) -> char {
    if bits == 0 {
        ' '
    } else {
        char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ')
    }
}

/// `0 … label … 999`, spread over the width of the drawing.
fn x_axis(range: Range, label: &str, columns: usize) -> String {
    let label = text::single_line(label);
    let low = text::number(range.low);
    if range.low == range.high {
        return format!("{label} {low}");
    }
    let high = text::number(range.high);
    let free = columns.saturating_sub(low.len() + high.len());
    let label = text::truncate(&label, free.saturating_sub(2));
    let padding = free.saturating_sub(text::width(&label));
    let left = padding / 2;
    format!(
        "{low}{}{label}{}{high}",
        " ".repeat(left),
        " ".repeat(padding - left)
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options() -> PlotOptions {
        PlotOptions {
            width: 40,
            height: 5,
            title: "loss".to_owned(),
            x_label: "_step".to_owned(),
        }
    }

    #[test]
    fn draws_a_falling_line_from_top_left_to_bottom_right() {
        let points: Vec<Point> = (0..=100)
            .map(|step| (f64::from(step), 1.0 - f64::from(step) / 100.0))
            .collect();
        let lines = plot(&points, &options());
        assert_eq!(lines[0], "loss");
        assert!(
            lines[1].starts_with("  1 ┤⠉") || lines[1].starts_with("  1 ┤⠑"),
            "{}",
            lines[1]
        );
        assert!(lines[3].starts_with("0.5 ┤"), "{}", lines[3]);
        assert!(
            lines[5].starts_with("  0 ┤") && lines[5].chars().count() == 40,
            "{:?}",
            lines[5]
        );
        assert_eq!(lines[6], format!("    └{}", "─".repeat(35)));
        assert!(
            lines[7].trim_start().starts_with('0') && lines[7].ends_with("100") && lines[7].contains("_step")
        );
        assert_eq!(lines.len(), 8);
    }

    #[test]
    fn one_point_and_a_constant_have_one_label() {
        let lines = plot(&[(3.0, 0.25)], &options());
        assert_eq!(
            lines.iter().filter(|line| line.contains("0.25")).count(),
            1,
            "{lines:?}"
        );
        assert!(
            lines.last().is_some_and(|line| line.contains("_step 3")),
            "{lines:?}"
        );
        let lines = plot(&[(0.0, 2.0), (1.0, 2.0), (2.0, 2.0)], &options());
        assert_eq!(
            lines.iter().filter(|line| line.contains('┤')).count(),
            1,
            "{lines:?}"
        );
    }

    #[test]
    fn says_what_it_cannot_draw() {
        assert_eq!(plot(&[], &options()), ["loss: no points"]);
        assert_eq!(plot(&[(0.0, f64::NAN)], &options()), ["loss: no finite points"]);
        let lines = plot(
            &[(0.0, 1.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, 0.0)],
            &options(),
        );
        assert!(
            lines
                .last()
                .is_some_and(|line| line.contains("2 of 4 points not drawn")),
            "{lines:?}"
        );
    }

    #[test]
    fn a_gap_interrupts_the_line() {
        let joined = plot(&[(0.0, 0.0), (10.0, 1.0)], &options());
        let broken = plot(&[(0.0, 0.0), (5.0, f64::NAN), (10.0, 1.0)], &options());
        let inked = |lines: &[String]| {
            lines
                .iter()
                .flat_map(|line| line.chars())
                .filter(|c| ('\u{2801}'..='\u{28ff}').contains(c))
                .count()
        };
        assert!(inked(&joined) > 10);
        assert_eq!(inked(&broken), 2);
    }

    #[test]
    fn extreme_values_stay_inside() {
        let lines = plot(&[(0.0, f64::MAX), (1.0, f64::MIN), (2.0, 0.0)], &options());
        assert!(lines.iter().all(|line| text::width(line) <= 40), "{lines:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn never_wider_than_asked(
            points in proptest::collection::vec((proptest::num::f64::ANY, proptest::num::f64::ANY), 0..60),
            width in 30usize..120,
            height in 0usize..12,
        ) {
            let options = PlotOptions { width, height, ..options() };
            for line in plot(&points, &options) {
                prop_assert!(text::width(&line) <= width, "{line}");
            }
        }
    }
}
