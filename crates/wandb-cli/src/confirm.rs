//! Asking before something is destroyed.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::failure::{CommandResult, Failure};
use crate::ui::Ui;

/// The end of a command that was not confirmed: nothing was done, and a script must not take that for success.
pub(crate) fn declined() -> Failure {
    Failure::new(crate::exit::ExitStatus::Failed, "nothing was done: not confirmed")
}

/// Asks a yes-or-no question on stderr; anything but `y` or `yes` is no. Without a terminal nobody can answer, which is
/// an error that names `--yes`.
///
/// # Errors
/// Without a terminal, when stdin fails, and [`declined`].
pub(crate) async fn confirm(ui: Ui, question: &str, yes: bool) -> CommandResult {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(format!("{question} nobody is there to answer"))
            .hint("give --yes to do it without asking"));
    }
    ui.prompt(&format!("{question} [y/N] "));
    // The thread stays with the terminal when the command is interrupted; the end of the process ends it.
    let answer = tokio::task::spawn_blocking(|| {
        io::stderr().flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        Ok::<_, io::Error>(line)
    })
    .await
    .map_err(|error| Failure::new(crate::exit::ExitStatus::Failed, "cannot ask").with_source(error))?
    .map_err(|error| Failure::io("read the answer", error))?;
    if is_yes(&answer) { Ok(()) } else { Err(declined()) }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for (answer, expected) in [
            ("y\n", true),
            ("YES\n", true),
            ("", false),
            ("\n", false),
            ("yeah\n", false),
            ("n\n", false),
        ] {
            assert_eq!(is_yes(answer), expected, "{answer:?}");
        }
    }
}
