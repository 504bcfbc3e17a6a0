//! The typed builder: `config("lr").gt(0.01) & state().eq("finished")`.

use super::{
    ast::{Filter, Predicate},
    field::{FieldPath, KeyPath, RunAttribute},
    literal::{Literal, Scalar},
};

/// A field that waits for its comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a field alone is no filter; compare it with something"]
pub struct Field(FieldPath);

/// A config value. A dot in `key` is part of the key if there is such a key, else it goes into a nested value.
pub fn config(key: impl Into<KeyPath>) -> Field {
    Field(FieldPath::Config(key.into()))
}

/// A summary value, by default the last value that was logged. Dots as in [`config`].
pub fn summary(key: impl Into<KeyPath>) -> Field {
    Field(FieldPath::Summary(key.into()))
}

/// A metric of the history; `.exists()` asks whether the run logged it.
pub fn metric(key: impl Into<KeyPath>) -> Field {
    Field(FieldPath::KeysInfo(key.into()))
}

/// Any attribute; the functions beside this one name the common ones.
pub fn attribute(attribute: RunAttribute) -> Field {
    Field(FieldPath::Attribute(attribute))
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $function:ident => $attribute:ident;)*) => {$(
        $(#[$doc])*
        pub fn $function() -> Field {
            attribute(RunAttribute::$attribute)
        }
    )*};
}

attributes! {
    /// The run's id, which filters call `name`.
    id => Name;
    /// The name that the app shows.
    display_name => DisplayName;
    /// The state.
    state => State;
    /// The group.
    group => Group;
    /// The job type.
    job_type => JobType;
    /// The host.
    host => Host;
    /// The sweep's id.
    sweep => Sweep;
    /// The login name of the user.
    username => Username;
    /// The tags; `tags().has("x")`.
    tags => Tags;
    /// The duration in seconds.
    duration => Duration;
    /// When the run was created; compare with a time such as `"2024-01-31T12:00:00Z"`.
    created_at => CreatedAt;
    /// When the run last gave a sign of life; compare with a time.
    heartbeat_at => HeartbeatAt;
    /// When the run was last changed; compare with a time.
    updated_at => UpdatedAt;
}

impl Field {
    fn is(self, predicate: Predicate) -> Filter {
        Filter::condition(self.0, predicate)
    }

    /// Equal. With [`Literal::Null`]: null or missing.
    #[must_use]
    pub fn eq(self, value: impl Into<Literal>) -> Filter {
        self.is(Predicate::Eq(value.into()))
    }

    /// Not equal, or missing.
    #[must_use]
    pub fn ne(self, value: impl Into<Literal>) -> Filter {
        self.is(Predicate::Ne(value.into()))
    }

    /// Greater than, of the same type.
    #[must_use]
    pub fn gt(self, value: impl Into<Scalar>) -> Filter {
        self.is(Predicate::Gt(value.into()))
    }

    /// Greater than or equal, of the same type.
    #[must_use]
    pub fn gte(self, value: impl Into<Scalar>) -> Filter {
        self.is(Predicate::Gte(value.into()))
    }

    /// Less than, of the same type.
    #[must_use]
    pub fn lt(self, value: impl Into<Scalar>) -> Filter {
        self.is(Predicate::Lt(value.into()))
    }

    /// Less than or equal, of the same type.
    #[must_use]
    pub fn lte(self, value: impl Into<Scalar>) -> Filter {
        self.is(Predicate::Lte(value.into()))
    }

    /// Equal to one of these.
    #[must_use]
    pub fn is_in<T: Into<Literal>>(self, values: impl IntoIterator<Item = T>) -> Filter {
        self.is(Predicate::In(values.into_iter().map(Into::into).collect()))
    }

    /// Equal to none of these, or missing.
    #[must_use]
    pub fn not_in<T: Into<Literal>>(self, values: impl IntoIterator<Item = T>) -> Filter {
        self.is(Predicate::NotIn(values.into_iter().map(Into::into).collect()))
    }

    /// The field is there.
    #[must_use]
    pub fn exists(self) -> Filter {
        self.is(Predicate::Exists(true))
    }

    /// The field is missing.
    #[must_use]
    pub fn is_missing(self) -> Filter {
        self.is(Predicate::Exists(false))
    }

    /// A regular expression (RE2 syntax) is found in the text. [`Filter::check`] says whether the pattern is one.
    #[must_use]
    pub fn matches(self, pattern: impl Into<String>) -> Filter {
        self.is(Predicate::Regex(pattern.into()))
    }

    /// The text holds this text, or the list this element.
    #[must_use]
    pub fn contains(self, value: impl Into<Scalar>) -> Filter {
        self.is(Predicate::Contains(value.into()))
    }

    /// The list has this element; the same as [`eq`](Self::eq), which looks into lists.
    #[must_use]
    pub fn has(self, element: impl Into<Scalar>) -> Filter {
        self.is(Predicate::Eq(element.into().into()))
    }
}
