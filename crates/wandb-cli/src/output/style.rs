//! Colours and emphasis, decided once per stream.
//!
//! The rule is the usual one: `--color` wins, then `NO_COLOR` (any non-empty value, <https://no-color.org>), then
//! whether the stream is a terminal that is not `TERM=dumb`.

use std::io::IsTerminal;

use clap::ValueEnum;

/// What `--color` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    /// Colours on a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Colours everywhere, also into pipes and files.
    Always,
    /// No colours.
    Never,
}

impl ColorChoice {
    /// Resolves the choice for one stream.
    fn enabled(self, is_terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
                is_terminal && !refused && !dumb
            }
        }
    }

    /// The style of stdout.
    pub(crate) fn stdout(self) -> Style {
        Style::new(self.enabled(std::io::stdout().is_terminal()))
    }

    /// The style of stderr.
    pub(crate) fn stderr(self) -> Style {
        Style::new(self.enabled(std::io::stderr().is_terminal()))
    }
}

/// Emphasis that vanishes where colours are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    enabled: bool,
}

/// One kind of emphasis: the parameters of an SGR escape sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Headings.
    Bold,
    /// What matters least: units, hints, times.
    Dim,
    /// Good news: finished runs, success.
    Green,
    /// Bad news: failed and crashed runs, errors.
    Red,
    /// Attention: running and pending runs, warnings.
    Yellow,
    /// Names and commands to type.
    Cyan,
    /// Section titles.
    BoldCyan,
}

impl Paint {
    const fn parameters(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Cyan => "36",
            Self::BoldCyan => "1;36",
        }
    }
}

impl Style {
    /// A style that paints, or one that does not.
    pub(crate) const fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    /// `text` in the given emphasis.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        if self.enabled && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", paint.parameters())
        } else {
            text.to_owned()
        }
    }
}

/// The emphasis of a run state; states that this program does not know stay plain.
pub(crate) fn state_paint(state: &str) -> Option<Paint> {
    match state {
        "finished" => Some(Paint::Green),
        "failed" | "crashed" | "killed" => Some(Paint::Red),
        "running" | "pending" | "preempting" | "preempted" => Some(Paint::Yellow),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paints_only_when_enabled() {
        assert_eq!(Style::new(false).paint(Paint::Red, "x"), "x");
        assert_eq!(Style::new(true).paint(Paint::Red, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Style::new(true).paint(Paint::Red, ""), "");
    }

    #[test]
    fn explicit_choices_ignore_the_terminal() {
        assert!(ColorChoice::Always.enabled(false));
        assert!(!ColorChoice::Never.enabled(true));
        assert!(!ColorChoice::Auto.enabled(false));
    }
}
