//! stderr: notes, warnings and progress. Nothing of it is data.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wandb_api::Progress;

use crate::failure::Failure;
use crate::output::style::{ColorChoice, Paint, Style};

/// Reports the failure that ends the program.
#[expect(clippy::print_stderr, reason = "this is the one place for errors")]
pub(crate) fn print_failure(failure: &Failure, color: ColorChoice) {
    eprint!("{}", failure.render(color.stderr()));
}

/// One bar for the bytes of all files of a transfer.
#[derive(Debug)]
pub(crate) struct TransferBar(pub(crate) ProgressBar);

impl Progress for TransferBar {
    fn total(&self, _: u64, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn begin(&self, _: &str, _: u64) {}

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    fn retract(&self, bytes: u64) {
        self.0.dec(bytes);
    }
}

/// How much stderr says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ui {
    style: Style,
    quiet: bool,
    bars: bool,
}

impl Ui {
    /// Looks at stderr. With `-v` there are no bars: log lines would tear them.
    pub(crate) fn detect(color: ColorChoice, quiet: bool, verbose: u8) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            style: color.stderr(),
            quiet,
            bars: terminal && !quiet && verbose == 0,
        }
    }

    /// The style of stderr.
    pub(crate) fn style(self) -> Style {
        self.style
    }

    /// Tells something that is good to know.
    #[expect(clippy::print_stderr, reason = "this is the one place for notes")]
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// Tells something of little weight.
    pub(crate) fn aside(self, text: &str) {
        self.note(&self.style.paint(Paint::Dim, text));
    }

    /// Asks something; shown with `--quiet` too, as the answer is waited for.
    #[expect(clippy::print_stderr, reason = "this is the one place for questions")]
    pub(crate) fn prompt(self, text: &str) {
        eprint!("{} ", self.style.paint(Paint::Bold, text.trim_end()));
    }

    /// Tells something that should be looked at. Shown with `--quiet` too.
    #[expect(clippy::print_stderr, reason = "this is the one place for warnings")]
    pub(crate) fn warn(self, text: &str) {
        eprintln!("{} {text}", self.style.paint(Paint::Yellow, "warning:"));
    }

    /// A bar that counts `unit`s towards a total, or without one; hidden unless stderr is a terminal.
    pub(crate) fn counter(self, total: Option<u64>, unit: &str) -> ProgressBar {
        let template = if total.is_some() {
            format!("{{bar:28}} {{human_pos}}/{{human_len}} {unit}  {{per_sec}}  {{eta}} left")
        } else {
            format!("{{spinner}} {{human_pos}} {unit}  {{per_sec}}")
        };
        self.bar(total, &template)
    }

    /// A bar that counts bytes, with the name of what is transferred before it.
    pub(crate) fn transfer(self, total: Option<u64>, name: &str) -> ProgressBar {
        let template = if total.is_some() {
            "{msg} {bar:24} {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}"
        } else {
            "{msg} {spinner} {binary_bytes}  {binary_bytes_per_sec}"
        };
        let bar = self.bar(total, template);
        bar.set_message(crate::output::text::single_line(name).into_owned());
        bar
    }

    fn bar(self, total: Option<u64>, template: &str) -> ProgressBar {
        if !self.bars {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        if total.is_none() {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar
    }
}
