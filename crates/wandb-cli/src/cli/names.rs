//! `--names`: which file names are taken.

use clap::{Args, ValueEnum};
use wandb_api::path::NamePolicy;

/// Which file names are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NamesChoice {
    /// Names that Linux, macOS and Windows can all hold, beside each other.
    Portable,
    /// Also names that only some systems can hold, if this disk can.
    System,
}

impl From<NamesChoice> for NamePolicy {
    fn from(choice: NamesChoice) -> Self {
        match choice {
            NamesChoice::Portable => Self::Portable,
            NamesChoice::System => Self::System,
        }
    }
}

/// The option of verbs whose files may be copied to another system.
#[derive(Debug, Args)]
pub(crate) struct Names {
    /// Which file names are taken. Others, such as aux.py, or A.txt beside a.txt, end it before anything is written. Names
    /// that lead elsewhere (../x) are never taken.
    #[arg(long = "names", value_name = "WHICH", value_enum, default_value_t = NamesChoice::Portable)]
    choice: NamesChoice,
}

impl Names {
    /// As the library has it.
    pub(crate) fn policy(&self) -> NamePolicy {
        self.choice.into()
    }
}
