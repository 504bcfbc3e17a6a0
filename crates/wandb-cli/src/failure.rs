//! Why a command failed: the status, one clear line, and advice apart from it.

use std::error::Error as StdError;
use std::{fmt, io};

use wandb_api::{Error, ErrorKind};

use crate::exit::ExitStatus;
use crate::output::style::{Paint, Style};
use crate::output::text::single_line;

/// The result of a command.
pub(crate) type CommandResult<T = ()> = Result<T, Failure>;

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    status: ExitStatus,
    message: String,
    hints: Vec<String>,
    /// What else failed in the same command, each rendered as a line of its own.
    others: Vec<Failure>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// The reader of stdout went away (`wb … | head`), which is not a failure.
    broken_pipe: bool,
    /// An object that a path names is not there. (A part of one that is there can be missing, too.)
    no_such_object: bool,
}

impl Failure {
    /// A failure of a status; the message is a lower-case fragment.
    pub(crate) fn new(status: ExitStatus, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            hints: Vec::new(),
            others: Vec::new(),
            source: None,
            broken_pipe: false,
            no_such_object: false,
        }
    }

    /// The command line cannot be right.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Usage, message)
    }

    /// Something local failed; `what` says what was done to which path.
    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        let mut failure = Self::new(ExitStatus::Failed, what);
        if source.kind() == io::ErrorKind::StorageFull {
            failure = failure.hint("free some space, or write to another disk");
        }
        failure.source = Some(Box::new(source));
        failure
    }

    /// Adds one sentence of advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds failures of the same command. Each gets its line; their advice is added where it is new. The status stays the
    /// first one's.
    pub(crate) fn and(mut self, others: impl IntoIterator<Item = Self>) -> Self {
        for mut other in others {
            for hint in std::mem::take(&mut other.hints) {
                if !self.hints.contains(&hint) {
                    self.hints.push(hint);
                }
            }
            self.others.push(other);
        }
        self
    }

    /// Says how a path of two parts was read where what it names is not there: `a/b` may have been meant as `entity/project`.
    pub(crate) fn read_as(self, path: &str, kind: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts[..] {
            [project, last] if self.no_such_object && !project.is_empty() && project != "runs" => self.hint(
                format!("\"{path}\" was read as project/{kind}: the {kind} \"{last}\" of the project \"{project}\""),
            ),
            _ => self,
        }
    }

    /// Keeps the cause.
    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// What to report to the caller.
    pub(crate) fn status(&self) -> ExitStatus {
        if self.broken_pipe {
            ExitStatus::Done
        } else {
            self.status
        }
    }

    /// The failure as lines for stderr: `error: …` with its causes for each that failed, then `hint: …`. Empty for a broken pipe.
    pub(crate) fn render(&self, style: Style) -> String {
        if self.broken_pipe {
            return String::new();
        }
        let mut text = self.error_line(style);
        for other in &self.others {
            text.push_str(&other.error_line(style));
        }
        for hint in &self.hints {
            text.push_str(&format!(
                "{} {}\n",
                style.paint(Paint::Cyan, "hint:"),
                single_line(hint)
            ));
        }
        text
    }

    fn error_line(&self, style: Style) -> String {
        let mut line = self.message.clone();
        let mut cause = self.source.as_deref().map(|source| source as &dyn StdError);
        while let Some(error) = cause {
            let text = error.to_string();
            // Some libraries repeat their source in their own text.
            if !text.is_empty() && !line.contains(&text) {
                line.push_str(": ");
                line.push_str(&text);
            }
            cause = error.source();
        }
        format!("{} {}\n", style.paint(Paint::Red, "error:"), single_line(&line))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::new(ExitStatus::of(error.kind()), error.to_string());
        failure.no_such_object = error.kind() == ErrorKind::NotFound;
        failure.hints = error.hints().to_vec();
        if failure.hints.is_empty() {
            failure
                .hints
                .extend(default_hint(error.kind()).map(str::to_owned));
        }
        // The error's own text is the message; the chain goes on with what caused it.
        failure.source = Some(Box::new(Chain(error)));
        failure
    }
}

/// Stands for an error whose text was already used.
#[derive(Debug)]
struct Chain(Error);

impl fmt::Display for Chain {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl StdError for Chain {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// A failed write to stdout. (Every other path uses [`Failure::io`], which names it.)
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Self {
            broken_pipe,
            ..Self::io("write to stdout", error)
        }
    }
}

/// What to do about an error for which the library has no advice of its own.
fn default_hint(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Authentication => {
            Some("run `wb login`, or set WANDB_API_KEY; `wb whoami` shows what is used")
        }
        ErrorKind::NotVisible => Some("`wb whoami` shows which key and which server are used"),
        ErrorKind::NotFound => Some("check the spelling; `wb whoami` shows which server and entity are used"),
        ErrorKind::Timeout | ErrorKind::RateLimited => Some("try again later"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_with_the_chain_then_hints() {
        let error = Error::io("write \"x.csv\"", io::Error::other("disk full")).with_hint("free some space");
        let failure = Failure::from(error.in_operation("scan run \"e/p/r\""));
        assert_eq!(
            failure.render(Style::new(false)),
            "error: failed to scan run \"e/p/r\": write \"x.csv\": disk full\nhint: free some space\n"
        );
        assert_eq!(failure.status(), ExitStatus::Failed);
    }

    #[test]
    fn each_failure_has_its_line_and_advice_comes_once() {
        let failed =
            |name: &str| Failure::new(ExitStatus::Conflict, format!("{name} exists")).hint("give --replace");
        let failure = failed("a").and([failed("b"), Failure::new(ExitStatus::Integrity, "c is broken")]);
        assert_eq!(
            failure.render(Style::new(false)),
            "error: a exists\nerror: b exists\nerror: c is broken\nhint: give --replace\n"
        );
        assert_eq!(failure.status(), ExitStatus::Conflict);
    }

    #[test]
    fn a_short_path_that_is_not_there_says_how_it_was_read() {
        let missing = || Failure::from(Error::not_found("project \"e/a\"").with_hint("look"));
        assert_eq!(
            missing().read_as("a/b", "run").hints,
            [
                "look",
                "\"a/b\" was read as project/run: the run \"b\" of the project \"a\""
            ]
        );
        for path in ["e/a/b", "b", "runs/b", "https://wandb.ai/a/b"] {
            assert_eq!(missing().read_as(path, "run").hints, ["look"], "{path}");
        }
        // The run was found, and has no such file.
        let part = Failure::new(ExitStatus::NotFound, "run \"e/a/b\" has no file \"c\"");
        assert!(part.read_as("a/b", "run").hints.is_empty());
    }

    #[test]
    fn kinds_have_their_exit_codes() {
        for (kind, code) in [
            (ErrorKind::NotFound, 3),
            (ErrorKind::Authentication, 4),
            (ErrorKind::NotVisible, 4),
            (ErrorKind::Integrity, 5),
            (ErrorKind::Incomplete, 6),
            (ErrorKind::Conflict, 7),
            (ErrorKind::InvalidInput, 2),
            (ErrorKind::Server, 1),
            (ErrorKind::Protocol, 1),
            (ErrorKind::Io, 1),
        ] {
            assert_eq!(
                Failure::from(Error::new(kind, "it")).status().code(),
                code,
                "{kind}"
            );
        }
    }

    #[test]
    fn a_broken_pipe_is_success_and_silent() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.status().code(), 0);
        assert_eq!(failure.render(Style::new(false)), "");
        // A pipe of something else (the server's socket, say) is a failure.
        assert_eq!(
            Failure::io("read", io::Error::from(io::ErrorKind::BrokenPipe))
                .status()
                .code(),
            1
        );
    }

    #[test]
    fn a_server_cannot_break_the_line() {
        let failure = Failure::new(ExitStatus::Failed, "a\nb\u{1b}[2J");
        assert_eq!(failure.render(Style::new(false)), "error: a⏎b\u{fffd}[2J\n");
    }
}
