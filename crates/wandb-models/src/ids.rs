//! Names for things that this client creates.

use wandb_core::retry::Runtime;

/// The letters of the official client's run ids.
const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// So many random letters and digits. Uniqueness among the things of a project is all that is asked of them: nothing is
/// kept secret by such a name.
pub(crate) fn random(runtime: &dyn Runtime, length: usize) -> String {
    (0..length)
        .map(|_| {
            let place = (runtime.random().clamp(0.0, 1.0) * LETTERS.len() as f64) as usize;
            char::from(LETTERS[place.min(LETTERS.len() - 1)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TokioRuntime;

    #[test]
    fn names_differ_and_are_plain() {
        let runtime = TokioRuntime::default();
        let names: std::collections::HashSet<String> = (0..1_000).map(|_| random(&runtime, 8)).collect();
        assert_eq!(names.len(), 1_000);
        assert!(names.iter().all(|name| {
            name.len() == 8
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        }));
    }
}
