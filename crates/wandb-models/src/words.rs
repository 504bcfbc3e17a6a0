//! Words of the wire: states and algorithms. A server may know more of them than this client, so every word is one: those that
//! are known have a variant, the others are kept as they came.

/// Declares such words. Reading one is total, and what was read is written back letter by letter.
macro_rules! words {
    ($(#[$note:meta])* $name:ident { $($(#[$variant_note:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$note])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_note])* $variant,)+
            /// A word that is newer than this client, as the server has it.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }

            /// The word that this client knows.
            fn known(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                Self::known(word).unwrap_or_else(|| Self::Other(word.to_owned()))
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::known(&word).unwrap_or(Self::Other(word))
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(word))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, word: &str) -> bool {
                self.as_str() == word
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, word: &&str) -> bool {
                self.as_str() == *word
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{ArtifactState, RunState};

    proptest! {
        #[test]
        fn any_word_is_kept(word in "\\PC{0,20}|running|COMMITTED|PENDING|finished") {
            let state = RunState::from(word.as_str());
            prop_assert_eq!(state.to_string(), &*word);
            prop_assert_eq!(&RunState::from(state.to_string()), &state);
            prop_assert_eq!(serde_json::to_value(&state).unwrap(), serde_json::json!(word));
            prop_assert!(state == *word);
            let state = ArtifactState::from(word.as_str());
            prop_assert_eq!(state.as_ref(), &*word);
        }
    }

    #[test]
    fn words_that_are_known_are_told_from_those_that_are_not() {
        assert_eq!(RunState::from("finished"), RunState::Finished);
        assert_eq!("killed".parse(), Ok(RunState::Killed));
        // The wire's words have one case; another one is another word.
        assert_eq!(RunState::from("Finished"), RunState::Other("Finished".to_owned()));
        assert_eq!(
            ArtifactState::from("COMMITTED".to_owned()),
            ArtifactState::Committed
        );
        assert_eq!(
            ArtifactState::from("ARCHIVED"),
            ArtifactState::Other("ARCHIVED".to_owned())
        );
        assert_eq!(
            format!("{:>8}|{:<9}|", RunState::Failed, RunState::Running),
            "  failed|running  |"
        );
    }
}
