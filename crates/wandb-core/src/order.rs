//! Sort keys: `-created_at`, `+summary_metrics.loss`, `config.lr`, or several, separated by commas.
//!
//! | what | rule |
//! |---|---|
//! | `+key`, `-key` | ascending, descending |
//! | `key` | ascending, as 0.31 documents and a server does (protocol §2.8); the official `format_order_key` says descending. The sign is always sent, so that no server has to guess. |
//! | attributes | camel and snake case; sent as the official client writes them (`created_at`) |
//! | `config.lr`, `config.lr.value` | the same; sent as `config.lr.value`, the documented form |
//! | `summary.loss`, `summary_metrics.loss` | the same; sent as `summary_metrics.loss` |
//! | runs without the key | last, in both directions |
//! | ties | by creation time, then by id |
//!

use std::{fmt, str::FromStr};

use crate::filter::{FieldPath, RunAttribute};

/// Which way to sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Smallest, or oldest, first. What a key without a sign means.
    #[default]
    Ascending,
    /// Largest, or newest, first.
    Descending,
}

impl Direction {
    /// The sign in front of a key.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::Ascending => '+',
            Self::Descending => '-',
        }
    }

    /// The other direction.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// Why something is no sort order.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// There is no key, or one of several is empty.
    #[error("an order needs a key, for example \"-created_at\"")]
    Empty,
    /// Runs have no such field.
    #[error("\"{key}\" is nothing to order by")]
    UnknownKey {
        /// The key as it was given.
        key: String,
        /// What is wrong with the field.
        source: crate::filter::FilterError,
    },
    /// Runs have the field, but it has no order.
    #[error("runs cannot be ordered by {field}")]
    NotSortable {
        /// The field in the text grammar.
        field: String,
    },
    /// The key holds a comma, or starts or ends with a blank, which an order text cannot carry.
    #[error("the key {key:?} cannot be written in an order")]
    Unwritable {
        /// The key on the wire.
        key: String,
    },
}

impl OrderError {
    /// What to write instead, one sentence each. Not part of the error's text.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::UnknownKey { source, .. } => source.hints(),
            Self::NotSortable { .. } | Self::Empty => vec![
                "order by created_at, heartbeat_at, name, state, config.<key> or summary_metrics.<key>"
                    .to_owned(),
            ],
            Self::Unwritable { .. } => Vec::new(),
        }
    }
}

/// One field with its direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderKey {
    field: FieldPath,
    direction: Direction,
}

impl OrderKey {
    /// A key of a field.
    ///
    /// # Errors
    /// When the field has no order, or cannot be written in an order text.
    pub fn new(field: impl Into<FieldPath>, direction: Direction) -> Result<Self, OrderError> {
        let field = match field.into() {
            FieldPath::Attribute(
                attribute @ (RunAttribute::Tags
                | RunAttribute::InputArtifacts
                | RunAttribute::OutputArtifacts),
            ) => {
                return Err(OrderError::NotSortable {
                    field: attribute.text_name().to_owned(),
                });
            }
            field @ FieldPath::KeysInfo(_) => {
                return Err(OrderError::NotSortable {
                    field: field.to_string(),
                });
            }
            field => field,
        };
        let key = Self { field, direction };
        let wire = key.wire_field();
        let name = wire.split_once('.').map_or(wire.as_str(), |(_, name)| name);
        if name.is_empty() || name.contains(',') || wire.trim() != wire {
            return Err(OrderError::Unwritable { key: wire });
        }
        Ok(key)
    }

    /// What is sorted by.
    #[must_use]
    pub fn field(&self) -> &FieldPath {
        &self.field
    }

    /// Which way.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    fn parse(text: &str) -> Result<Self, OrderError> {
        let (direction, name) = match text.as_bytes().first() {
            Some(b'+') => (Direction::Ascending, text[1..].trim_start()),
            Some(b'-') => (Direction::Descending, text[1..].trim_start()),
            Some(_) => (Direction::default(), text),
            None => return Err(OrderError::Empty),
        };
        if name.is_empty() {
            return Err(OrderError::Empty);
        }
        let field = FieldPath::from_wire(name).map_err(|source| OrderError::UnknownKey {
            key: name.to_owned(),
            source,
        })?;
        Self::new(field, direction)
    }

    /// The field as an order text writes it: snake case, and config with `.value` (inventory §3.1).
    fn wire_field(&self) -> String {
        match &self.field {
            FieldPath::Attribute(attribute) if attribute.is_time() => attribute.text_name().to_owned(),
            FieldPath::Config(key) if !key.is_dotted() => format!("{}.value", self.field.to_wire()),
            other => other.to_wire(),
        }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.direction.sign(), self.wire_field())
    }
}

/// A sort order: at least one key, the first one counting most.
///
/// `Display` gives the canonical text, which is also what is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    keys: Vec<OrderKey>,
}

impl Order {
    /// Reads an order text; see the [module](self) for its rules.
    ///
    /// # Errors
    /// When there is no key, a key is no field of runs, or the field has no order.
    pub fn parse(text: &str) -> Result<Self, OrderError> {
        let keys = text
            .split(',')
            .map(|part| OrderKey::parse(part.trim()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { keys })
    }

    /// An order of keys.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(keys: impl IntoIterator<Item = OrderKey>) -> Result<Self, OrderError> {
        let keys: Vec<OrderKey> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(OrderError::Empty);
        }
        Ok(Self { keys })
    }

    /// `-created_at`: what the 2020 client and the app show.
    #[must_use]
    pub fn newest_first() -> Self {
        Self::by_creation(Direction::Descending)
    }

    /// `+created_at`: the default of the 0.31 client.
    #[must_use]
    pub fn oldest_first() -> Self {
        Self::by_creation(Direction::Ascending)
    }

    fn by_creation(direction: Direction) -> Self {
        Self {
            keys: vec![OrderKey {
                field: FieldPath::Attribute(RunAttribute::CreatedAt),
                direction,
            }],
        }
    }

    /// The keys, the first one counting most.
    #[must_use]
    pub fn keys(&self) -> &[OrderKey] {
        &self.keys
    }
}

impl Default for Order {
    /// [`oldest_first`](Self::oldest_first), as the 0.31 client.
    fn default() -> Self {
        Self::oldest_first()
    }
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, key) in self.keys.iter().enumerate() {
            if place > 0 {
                formatter.write_str(",")?;
            }
            write!(formatter, "{key}")?;
        }
        Ok(())
    }
}

impl FromStr for Order {
    type Err = OrderError;

    fn from_str(text: &str) -> Result<Self, OrderError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Direction, Order, OrderError, OrderKey};
    use crate::filter::strategies;

    fn direction() -> impl Strategy<Value = Direction> {
        prop::sample::select(vec![Direction::Ascending, Direction::Descending])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn reading_what_was_printed_gives_the_same_order(
            keys in prop::collection::vec((strategies::field(), direction()), 1..4)
        ) {
            let keys = keys.into_iter().filter_map(|(field, direction)| OrderKey::new(field, direction).ok());
            if let Ok(order) = Order::new(keys) {
                let text = order.to_string();
                prop_assert_eq!(&Order::parse(&text).unwrap(), &order, "{}", text);
            }
        }

        #[test]
        fn any_text_is_an_order_or_an_error(text in "[+\\-, .a-cé]{0,12}|(config|summary)\\.[ -~]{0,8}") {
            if let Ok(order) = Order::parse(&text) {
                prop_assert_eq!(Order::parse(&order.to_string()).unwrap(), order);
            }
        }
    }

    #[test]
    fn canonical_forms() {
        for (text, canonical) in [
            ("created_at", "+created_at"),
            ("-createdAt", "-created_at"),
            ("heartbeatAt", "+heartbeat_at"),
            ("+summary_metrics.loss", "+summary_metrics.loss"),
            ("-summary.val/loss", "-summary_metrics.val/loss"),
            ("config.lr", "+config.lr.value"),
            ("-config.lr.value", "-config.lr.value"),
            ("config.optimizer.lr", "+config.optimizer.lr"),
            ("config.value", "+config.value.value"),
            (" -state , name ", "-state,+name"),
            ("display_name", "+displayName"),
        ] {
            assert_eq!(Order::parse(text).unwrap().to_string(), canonical, "{text}");
        }
        assert_eq!(Order::newest_first().to_string(), "-created_at");
        assert_eq!(Order::default(), Order::parse("+created_at").unwrap());
    }

    #[test]
    fn mistakes_are_told_apart() {
        for text in ["", ",", "+", "created_at,", "-,name"] {
            assert!(matches!(Order::parse(text), Err(OrderError::Empty)), "{text}");
        }
        let error = Order::parse("-create_at").unwrap_err();
        assert!(error.hints().concat().contains("created"), "{:?}", error.hints());
        let error = Order::parse("loss").unwrap_err();
        assert!(
            error.hints().concat().contains("summary.loss"),
            "{:?}",
            error.hints()
        );
        for text in ["tags", "keys_info.keys.loss", "inputArtifacts"] {
            assert!(
                matches!(Order::parse(text), Err(OrderError::NotSortable { .. })),
                "{text}"
            );
        }
        let comma = crate::filter::FieldPath::Summary("a,b".into());
        assert!(matches!(
            OrderKey::new(comma, Direction::Ascending),
            Err(OrderError::Unwritable { .. })
        ));
    }
}
