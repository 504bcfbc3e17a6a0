//! One rule: which requests, how often, and what happens.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// What happens to a request that a rule strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultEffect {
    /// The request is not carried out and gets this status (400 to 599) with a JSON error. Text: the status, `503`,
    /// and with a `Retry-After` of whole seconds `429,retry-after=2`.
    Status {
        /// The status code.
        code: u16,
        /// The `Retry-After` header.
        retry_after: Option<Duration>,
    },
    /// The request is not carried out and the connection ends without an answer. Text: `reset`.
    Reset,
    /// The request **is** carried out, and then the connection ends without an answer: the client cannot know.
    /// Text: `lost`.
    Lost,
    /// The answer's body ends with the connection after so many bytes, or before its last one if it is not longer.
    /// Text: `cut=1000`.
    Cut {
        /// How many bytes arrive.
        after: u64,
    },
    /// The answer's body comes at this many bytes a second. Text: `slow=65536`.
    Slow {
        /// Bytes a second; at least one.
        bytes_per_second: u64,
    },
    /// One bit of the answer's body is wrong: in the byte at this offset, counted round the length. An empty body stays
    /// as it is. Text: `flip=17`.
    Flip {
        /// Which byte.
        at: u64,
    },
    /// Every byte of the answer's body is another one; its length and headers stay. Text: `swap`.
    Swap,
    /// The object has changed since the client last looked: other bytes under another `ETag`, all of them where the client
    /// asks for a range of what it knew (`If-Range`). Text: `changed`.
    Changed,
    /// The request is not carried out; an HTML page comes with status 200, as from a careless proxy. Text: `html`.
    ErrorPage,
    /// The request is not carried out and is refused as if its signed URL had expired: 403. Text: `expired`.
    ExpiredUrl,
}

/// Which of the requests that a rule looks at it strikes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum FaultTrigger {
    /// All of them. Text: nothing.
    Always,
    /// The nth only, counted from one. Text: `nth=3`.
    Nth(u64),
    /// Every nth: with 3 the third, the sixth … Text: `every=3`.
    Every(u64),
    /// Each with this probability, from the plan's seed. Text: `chance=0.25`.
    Chance(f64),
}

/// A rule of a [`FaultPlan`](super::FaultPlan).
///
/// Its text form, which `wb serve --fault` takes and [`Display`](fmt::Display) writes, is the effect followed by any of
/// `path=PREFIX`, `op=OPERATION`, one of `nth=N`, `every=N`, `chance=P`, and `limit=N`, separated by commas. (Prefixes and
/// operation names cannot contain commas.)
///
/// # Examples
/// ```
/// use wandb_local::{FaultEffect, FaultRule};
///
/// let rule: FaultRule = "503,path=/graphql,op=Runs,every=2,limit=5".parse()?;
/// assert_eq!(rule, FaultRule::new(FaultEffect::status(503)).path("/graphql").operation("Runs").every(2).limit(5));
/// assert_eq!(rule.to_string(), "503,path=/graphql,op=Runs,every=2,limit=5");
/// # Ok::<_, wandb_local::FaultParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    pub(super) effect: FaultEffect,
    pub(super) path: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) trigger: FaultTrigger,
    pub(super) limit: Option<u64>,
}

impl FaultEffect {
    /// A status without `Retry-After`. Codes outside 400 to 599 are moved to the nearer end.
    pub fn status(code: u16) -> Self {
        Self::Status {
            code: code.clamp(400, 599),
            retry_after: None,
        }
    }

    /// 429 with `Retry-After`, rounded up to whole seconds.
    pub fn rate_limited(retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
        Self::Status {
            code: 429,
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }
}

impl FaultRule {
    /// A rule that strikes every request.
    pub fn new(effect: FaultEffect) -> Self {
        Self {
            effect,
            path: None,
            operation: None,
            trigger: FaultTrigger::Always,
            limit: None,
        }
    }

    /// Looks only at requests whose path begins so: `/graphql`, `/dl/` and `/up/` (bytes of files and artifacts),
    /// `/artifacts` (those of artifacts by digest), `/files/` (the history stream).
    #[must_use]
    pub fn path(mut self, prefix: impl Into<String>) -> Self {
        self.path = Some(prefix.into());
        self
    }

    /// Looks only at GraphQL requests of this operation, by the name in the request or, if that is empty, in the
    /// document.
    #[must_use]
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operation = Some(name.into());
        self
    }

    /// Strikes only the nth request that the rule looks at, counted from one.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.trigger = FaultTrigger::Nth(nth);
        self
    }

    /// Strikes every nth request that the rule looks at.
    #[must_use]
    pub fn every(mut self, nth: u64) -> Self {
        self.trigger = FaultTrigger::Every(nth);
        self
    }

    /// Strikes each request that the rule looks at with this probability.
    #[must_use]
    pub fn chance(mut self, probability: f64) -> Self {
        self.trigger = FaultTrigger::Chance(probability);
        self
    }

    /// Strikes at most so many requests.
    #[must_use]
    pub fn limit(mut self, strikes: u64) -> Self {
        self.limit = Some(strikes);
        self
    }

    /// What happens to a request that the rule strikes.
    pub fn effect(&self) -> FaultEffect {
        self.effect
    }
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FaultParseError {
    /// The first word is no effect.
    #[error(
        "unknown fault {0:?} (one of a status from 400 to 599, reset, lost, cut=BYTES, slow=BYTES_PER_SECOND, flip=OFFSET, swap, changed, html, expired)"
    )]
    Effect(String),
    /// A later word is none that rules have, or not with this fault.
    #[error(
        "unknown part {0:?} of a fault (one of path=, op=, nth=, every=, chance=, limit=, and for a status retry-after=)"
    )]
    Part(String),
    /// A value cannot be read.
    #[error("{value:?} is not a value for {part}")]
    Value {
        /// The part.
        part: String,
        /// Its value.
        value: String,
    },
    /// A part occurs twice, or two triggers do.
    #[error("a fault has more than one {0}")]
    Repeated(&'static str),
}

impl FromStr for FaultRule {
    type Err = FaultParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(',').map(str::trim);
        let mut rule = Self::new(parse_effect(words.next().unwrap_or_default())?);
        for word in words {
            let unknown = || FaultParseError::Part(word.to_owned());
            let (part, value) = word.split_once('=').ok_or_else(unknown)?;
            match part {
                "path" => once(&mut rule.path, value.to_owned(), "path")?,
                "op" => once(&mut rule.operation, value.to_owned(), "op")?,
                "limit" => once(&mut rule.limit, number(part, value, 0)?, "limit")?,
                "nth" | "every" | "chance" => {
                    if rule.trigger != FaultTrigger::Always {
                        return Err(FaultParseError::Repeated("nth, every or chance"));
                    }
                    rule.trigger = match part {
                        "nth" => FaultTrigger::Nth(number(part, value, 1)?),
                        "every" => FaultTrigger::Every(number(part, value, 1)?),
                        _ => FaultTrigger::Chance(probability(part, value)?),
                    };
                }
                "retry-after" => match &mut rule.effect {
                    FaultEffect::Status { retry_after, .. } => {
                        once(
                            retry_after,
                            Duration::from_secs(number(part, value, 0)?),
                            "retry-after",
                        )?;
                    }
                    _ => return Err(unknown()),
                },
                _ => return Err(unknown()),
            }
        }
        Ok(rule)
    }
}

fn parse_effect(word: &str) -> Result<FaultEffect, FaultParseError> {
    let unknown = || FaultParseError::Effect(word.to_owned());
    match word.split_once('=') {
        Some(("cut", value)) => Ok(FaultEffect::Cut {
            after: number("cut", value, 0)?,
        }),
        Some(("slow", value)) => Ok(FaultEffect::Slow {
            bytes_per_second: number("slow", value, 1)?,
        }),
        Some(("flip", value)) => Ok(FaultEffect::Flip {
            at: number("flip", value, 0)?,
        }),
        Some(_) => Err(unknown()),
        None => match word {
            "reset" => Ok(FaultEffect::Reset),
            "lost" => Ok(FaultEffect::Lost),
            "swap" => Ok(FaultEffect::Swap),
            "changed" => Ok(FaultEffect::Changed),
            "html" => Ok(FaultEffect::ErrorPage),
            "expired" => Ok(FaultEffect::ExpiredUrl),
            code => match code.parse() {
                Ok(code @ 400..=599) => Ok(FaultEffect::Status {
                    code,
                    retry_after: None,
                }),
                _ => Err(unknown()),
            },
        },
    }
}

fn once<T>(slot: &mut Option<T>, value: T, part: &'static str) -> Result<(), FaultParseError> {
    if slot.replace(value).is_some() {
        Err(FaultParseError::Repeated(part))
    } else {
        Ok(())
    }
}

fn number(part: &str, value: &str, least: u64) -> Result<u64, FaultParseError> {
    let wrong = || FaultParseError::Value {
        part: part.to_owned(),
        value: value.to_owned(),
    };
    value
        .parse()
        .ok()
        .filter(|number| *number >= least)
        .ok_or_else(wrong)
}

fn probability(part: &str, value: &str) -> Result<f64, FaultParseError> {
    let wrong = || FaultParseError::Value {
        part: part.to_owned(),
        value: value.to_owned(),
    };
    value
        .parse()
        .ok()
        .filter(|probability| (0.0..=1.0).contains(probability))
        .ok_or_else(wrong)
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.effect {
            FaultEffect::Status { code, .. } => write!(f, "{code}")?,
            FaultEffect::Reset => f.write_str("reset")?,
            FaultEffect::Lost => f.write_str("lost")?,
            FaultEffect::Cut { after } => write!(f, "cut={after}")?,
            FaultEffect::Slow { bytes_per_second } => write!(f, "slow={bytes_per_second}")?,
            FaultEffect::Flip { at } => write!(f, "flip={at}")?,
            FaultEffect::Swap => f.write_str("swap")?,
            FaultEffect::Changed => f.write_str("changed")?,
            FaultEffect::ErrorPage => f.write_str("html")?,
            FaultEffect::ExpiredUrl => f.write_str("expired")?,
        }
        if let FaultEffect::Status {
            retry_after: Some(after),
            ..
        } = self.effect
        {
            write!(f, ",retry-after={}", after.as_secs())?;
        }
        if let Some(path) = &self.path {
            write!(f, ",path={path}")?;
        }
        if let Some(operation) = &self.operation {
            write!(f, ",op={operation}")?;
        }
        match self.trigger {
            FaultTrigger::Always => {}
            FaultTrigger::Nth(nth) => write!(f, ",nth={nth}")?,
            FaultTrigger::Every(nth) => write!(f, ",every={nth}")?,
            FaultTrigger::Chance(probability) => write!(f, ",chance={probability}")?,
        }
        match self.limit {
            Some(limit) => write!(f, ",limit={limit}"),
            None => Ok(()),
        }
    }
}
