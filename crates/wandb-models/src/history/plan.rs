//! Which windows of steps a scan asks for: pure, so that exactness can be proven without a server.
//!
//! The server gives the rows of `[low, high)`, at most `samples` of them, and thins them evenly when there are more,
//! without saying so (protocol §2.9). Thinning by a whole stride leaves at least half of `samples`, so an answer of at
//! most half is whole. A scan therefore asks for twice a page and trusts a page; anything above is split. The rule needs
//! no promise about steps: a resumed run may repeat them.

/// Steps `low..high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) low: i64,
    pub(super) high: i64,
    /// How many rows are trusted to be all of them.
    trusted: u32,
}

impl Window {
    pub(super) fn contains(self, step: i64) -> bool {
        (self.low..self.high).contains(&step)
    }

    /// How many rows to ask for.
    pub(super) fn samples(self) -> u32 {
        // One more than twice, so that a stride of two over `2 * trusted + 2` rows cannot leave only `trusted`.
        self.trusted.saturating_mul(2).saturating_add(1)
    }

    fn width(self) -> u64 {
        self.high.abs_diff(self.low)
    }
}

/// What to do with the answer to a window.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every row of the window is there.
    Complete,
    /// Rows may be missing: ask for these instead, in order.
    Split(Vec<Window>),
    /// One step holds more rows than can be asked for.
    TooDense,
}

/// Into how many windows one is split at most. More would waste requests when the rows sit in one place.
const FAN_OUT: usize = 16;

/// The most rows that one step may hold.
const MAX_ROWS_PER_STEP: u32 = 1 << 20;

/// Judges an answer with rows of these steps, in any order.
pub(super) fn judge(window: Window, steps: &mut [i64]) -> Verdict {
    if steps.len() <= window.trusted as usize {
        return Verdict::Complete;
    }
    if window.width() <= 1 {
        // Several rows of one step: a resumed run, or several writers. Ask for more of them.
        let trusted = window.trusted.saturating_mul(4);
        return if trusted > MAX_ROWS_PER_STEP {
            Verdict::TooDense
        } else {
            Verdict::Split(vec![Window { trusted, ..window }])
        };
    }
    steps.sort_unstable();
    Verdict::Split(split(window, &edges(window, steps)))
}

/// Where to split: at quantiles of the rows that came, which stand for all of them. So a dense cluster beside a far row
/// is found in one step, and not by halving a million times.
fn edges(window: Window, steps: &[i64]) -> Vec<i64> {
    let inside = |edge: &i64| window.low < *edge && *edge < window.high;
    let mut edges: Vec<i64> = (1..FAN_OUT)
        .filter_map(|part| steps.get(steps.len() * part / FAN_OUT).copied())
        .filter(inside)
        .collect();
    edges.dedup();
    if edges.is_empty() {
        // Nearly all of the rows have the same step.
        let step = steps.get(steps.len() / 2).copied().unwrap_or(window.low);
        edges.extend([step, step.saturating_add(1)].iter().filter(|edge| inside(edge)));
    }
    if edges.is_empty() {
        // The rows are not even of this window; halving ends all the same.
        let half = i64::try_from(window.width() / 2).unwrap_or(i64::MAX);
        edges.push(window.low.saturating_add(half));
    }
    edges
}

/// The windows between edges that are inside of the window, in order.
fn split(window: Window, edges: &[i64]) -> Vec<Window> {
    let lows = std::iter::once(window.low).chain(edges.iter().copied());
    let highs = edges.iter().copied().chain(std::iter::once(window.high));
    lows.zip(highs)
        .map(|(low, high)| Window { low, high, ..window })
        .collect()
}

/// Gives the windows of a scan, wider where the run turns out to be sparse.
#[derive(Debug)]
pub(super) struct Planner {
    next: i64,
    end: i64,
    page_size: u32,
    width: u64,
}

impl Planner {
    /// Windows over `low..high` with about `page_size` rows each. `rows` is about how many rows there are in
    /// `0..=last_step`, if that is known.
    pub(super) fn new(low: i64, high: i64, page_size: u32, rows: Option<u64>, last_step: i64) -> Self {
        let page_size = page_size.max(1);
        let steps = last_step.saturating_add(1).unsigned_abs().max(1);
        let width = match rows {
            // Aim below a page: rows are never spread evenly.
            Some(rows) if rows < steps / 2 => {
                let per_row = steps / rows.max(1);
                (per_row.saturating_mul(u64::from(page_size)) / 4 * 3).max(u64::from(page_size))
            }
            _ => u64::from(page_size),
        };
        Self {
            next: low,
            end: high,
            page_size,
            width,
        }
    }

    /// The next window, `None` at the end.
    pub(super) fn next_window(&mut self) -> Option<Window> {
        if self.next >= self.end {
            return None;
        }
        let high = self.next.saturating_add_unsigned(self.width).min(self.end);
        let window = Window {
            low: self.next,
            high,
            trusted: self.page_size,
        };
        self.next = high;
        Some(window)
    }

    /// Learns from a complete answer: where little came, the next windows are wider.
    pub(super) fn learn(&mut self, window: Window, rows: usize) {
        if rows as u64 * 4 < u64::from(self.page_size) {
            self.width = self.width.max(window.width().saturating_mul(2));
        }
    }

    /// Learns from a split: the next windows are as narrow as those that it was split into.
    pub(super) fn learn_split(&mut self, parts: &[Window]) {
        if let Some(narrowest) = parts.iter().map(|part| part.width()).min() {
            self.width = narrowest.max(u64::from(self.page_size));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A server that thins by a whole stride, the hardest case: it keeps just over half.
    fn serve(rows: &[i64], window: Window) -> Vec<i64> {
        let inside: Vec<i64> = rows
            .iter()
            .copied()
            .filter(|step| window.contains(*step))
            .collect();
        let stride = inside.len().div_ceil(window.samples() as usize).max(1);
        inside.into_iter().step_by(stride).collect()
    }

    fn scan(rows: &[i64], page_size: u32, counted: bool) -> (Vec<i64>, usize) {
        let last = rows.last().copied().unwrap_or(-1);
        let mut planner = Planner::new(0, last + 1, page_size, counted.then_some(rows.len() as u64), last);
        let mut queue = std::collections::VecDeque::new();
        let (mut found, mut requests) = (Vec::new(), 0);
        while let Some(window) = queue.pop_front().or_else(|| planner.next_window()) {
            requests += 1;
            let answer = serve(rows, window);
            match judge(window, &mut answer.clone()) {
                Verdict::Complete => {
                    planner.learn(window, answer.len());
                    found.extend(answer);
                }
                Verdict::Split(windows) => {
                    planner.learn_split(&windows);
                    for window in windows.into_iter().rev() {
                        queue.push_front(window);
                    }
                }
                Verdict::TooDense => panic!("too dense"),
            }
        }
        (found, requests)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_row_once_in_order(
            gaps in prop::collection::vec(prop_oneof![Just(1_i64), 1_i64..20, 1_i64..100_000, Just(0)], 0..400),
            page_size in 1_u32..60,
            counted in any::<bool>(),
        ) {
            let mut step = -1;
            // A gap of 0 repeats a step, as a run that was resumed without its offset does.
            let rows: Vec<i64> = gaps.iter().map(|gap| { step = (step + gap).max(0); step }).collect();
            let (found, _) = scan(&rows, page_size, counted);
            prop_assert_eq!(found, rows);
        }

        #[test]
        fn a_split_covers_the_window_whatever_came(
            low in any::<i64>(),
            width in 2_u64..u64::MAX / 2,
            steps in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..3], 1..80),
            offset in any::<bool>(),
        ) {
            let high = low.saturating_add_unsigned(width);
            let window = Window { low, high, trusted: 0 };
            prop_assume!(window.width() > 1);
            let mut steps: Vec<i64> =
                if offset { steps.iter().map(|step| low.saturating_add(*step)).collect() } else { steps };
            let Verdict::Split(parts) = judge(window, &mut steps) else { panic!("must split") };
            prop_assert!(parts.len() > 1);
            prop_assert_eq!(parts[0].low, low);
            prop_assert_eq!(parts.last().unwrap().high, high);
            for pair in parts.windows(2) {
                prop_assert_eq!(pair[0].high, pair[1].low);
            }
            prop_assert!(parts.iter().all(|part| part.low < part.high));
        }
    }

    #[test]
    fn requests_follow_the_rows_and_not_the_steps() {
        // Dense: one request per page.
        let dense: Vec<i64> = (0..100_000).collect();
        let (_, requests) = scan(&dense, 1_000, true);
        assert!(requests <= 102, "{requests}");
        // 26 rows over a billion steps.
        let sparse: Vec<i64> = (0..26).map(|row| row * 40_000_000).collect();
        assert!(scan(&sparse, 1_000, true).1 <= 8);
        assert!(
            scan(&sparse, 1_000, false).1 <= 60,
            "{}",
            scan(&sparse, 1_000, false).1
        );
        // A dense start and one far row, where the average says nothing.
        let mut skewed: Vec<i64> = (0..10_000).collect();
        skewed.push(1_000_000_000);
        let (found, requests) = scan(&skewed, 1_000, true);
        assert_eq!(found, skewed);
        assert!(requests <= 40, "{requests}");
        // A small cluster and a row very far away.
        let mut far: Vec<i64> = (0..60).collect();
        far.push(1_000_000_000_000_000);
        let (found, requests) = scan(&far, 20, true);
        assert_eq!(found, far);
        assert!(requests <= 40, "{requests}");
    }

    #[test]
    fn a_step_that_holds_too_many_rows_is_told() {
        let window = Window {
            low: 5,
            high: 6,
            trusted: MAX_ROWS_PER_STEP,
        };
        let mut steps = vec![5; MAX_ROWS_PER_STEP as usize + 1];
        assert_eq!(judge(window, &mut steps), Verdict::TooDense);
    }
}
