//! The rules of a server, and what they did so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rule::{FaultEffect, FaultRule, FaultTrigger};

/// Faults that a server is to show, in the order of their rules. Cheap to clone; clones share rules and counts, so that a
/// test can keep one and change it while the server runs. The default plan has no rules and costs nothing.
///
/// # Examples
/// ```
/// use wandb_local::{FaultEffect, FaultPlan, FaultRule};
///
/// let plan = FaultPlan::new(7)
///     .with(FaultRule::new(FaultEffect::status(503)).path("/graphql").limit(2))
///     .with("cut=1000,path=/dl/,chance=0.5".parse()?);
/// assert_eq!(plan.counts()[0].struck, 0);
/// # Ok::<_, wandb_local::FaultParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    seed: u64,
    rules: Mutex<Vec<State>>,
}

#[derive(Debug)]
struct State {
    rule: FaultRule,
    seen: u64,
    struck: u64,
}

/// What a rule did so far.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FaultCount {
    /// The rule.
    pub rule: FaultRule,
    /// How many requests it looked at.
    pub seen: u64,
    /// How many of them it struck.
    pub struck: u64,
}

impl FaultPlan {
    /// A plan without rules; the seed decides what [`FaultTrigger::Chance`] strikes.
    pub fn new(seed: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                seed,
                ..Inner::default()
            }),
        }
    }

    /// The plan with one more rule.
    #[must_use]
    pub fn with(self, rule: FaultRule) -> Self {
        self.add(rule);
        self
    }

    /// Adds a rule; it counts from here on.
    pub fn add(&self, rule: FaultRule) {
        self.rules().push(State {
            rule,
            seen: 0,
            struck: 0,
        });
    }

    /// Removes all rules, and with them their counts.
    pub fn clear(&self) {
        self.rules().clear();
    }

    /// What each rule did, in the order in which they were added.
    pub fn counts(&self) -> Vec<FaultCount> {
        let count = |state: &State| FaultCount {
            rule: state.rule.clone(),
            seen: state.seen,
            struck: state.struck,
        };
        self.rules().iter().map(count).collect()
    }

    /// How many requests were struck, by whatever rule.
    pub fn struck(&self) -> u64 {
        self.rules().iter().map(|state| state.struck).sum()
    }

    /// Whether a request to this path may need its GraphQL operation looked up.
    pub(super) fn asks_for_operation(&self, path: &str) -> bool {
        self.rules()
            .iter()
            .any(|state| state.rule.operation.is_some() && state.rule.covers(path))
    }

    /// What is to happen to a request. Every rule that looks at it counts it; the first that strikes decides.
    pub(super) fn strike(&self, path: &str, operation: Option<&str>) -> Option<FaultEffect> {
        let mut effect = None;
        for (index, state) in self.rules().iter_mut().enumerate() {
            let rule = &state.rule;
            if !rule.covers(path)
                || rule
                    .operation
                    .as_deref()
                    .is_some_and(|wanted| Some(wanted) != operation)
            {
                continue;
            }
            state.seen += 1;
            let due = match rule.trigger {
                FaultTrigger::Always => true,
                FaultTrigger::Nth(nth) => state.seen == nth,
                FaultTrigger::Every(nth) => nth > 0 && state.seen % nth == 0,
                FaultTrigger::Chance(probability) => {
                    let stream = self.inner.seed ^ (index as u64 + 1).wrapping_mul(0xA076_1D64_78BD_642F);
                    fraction(stream.wrapping_add(state.seen)) < probability
                }
            };
            if due && effect.is_none() && rule.limit.is_none_or(|limit| state.struck < limit) {
                state.struck += 1;
                effect = Some(rule.effect);
            }
        }
        effect
    }

    fn rules(&self) -> MutexGuard<'_, Vec<State>> {
        self.inner.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultRule {
    fn covers(&self, path: &str) -> bool {
        self.path.as_deref().is_none_or(|prefix| path.starts_with(prefix))
    }
}

/// A number in `0..1` that looks random and depends on nothing but its input (the output function of SplitMix64).
fn fraction(input: u64) -> f64 {
    let mut bits = input.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
