//! Names of files that not every system can hold: what is said of them.

use wandb_api::artifacts::filenames::PathFaults;

use crate::output::text;
use crate::ui::Ui;

/// Warns of such names, once, of the first few by name.
pub(super) fn warn(ui: Ui, faults: &PathFaults, consequence: &str) {
    if !faults.is_empty() {
        ui.warn(&text::single_line(&format!("{faults}; {consequence}")));
    }
}
