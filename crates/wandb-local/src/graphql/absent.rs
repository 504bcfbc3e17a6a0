//! Object types of which this server holds none yet: artifacts. Documents select on them beside what is there
//! (`run.outputArtifacts`), and must find an empty list, not a type error.
//!
//! Each is an enum without variants, so that the compiler knows that no resolver of it ever runs. The issue that brings
//! the real thing replaces the declaration.

/// Declares uninhabited object types with the fields that clients select.
macro_rules! absent {
    ($($(#[$doc:meta])* $name:ident { $($field:ident $(as $wire:literal)? ( $($arg:ident as $argument:literal: $kind:ty),* ) -> $out:ty;)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(crate) enum $name {}

        $(#[$doc])*
        #[async_graphql::Object]
        impl $name {
            $(
                $(#[graphql(name = $wire)])?
                async fn $field(&self, $(#[graphql(name = $argument)] $arg: $kind),*) -> $out {
                    $(let _ = $arg;)*
                    match *self {}
                }
            )*
        }
    )*};
}

/// Declares a connection and its edge over an uninhabited node.
macro_rules! absent_connection {
    ($($(#[$doc:meta])* $connection:ident, $edge:ident, $node:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, async_graphql::SimpleObject)]
        pub(crate) struct $connection {
            edges: Vec<$edge>,
            page_info: $crate::graphql::page::PageInfo,
            total_count: i32,
        }

        /// An item in a list.
        #[derive(Debug, async_graphql::SimpleObject)]
        pub(crate) struct $edge {
            cursor: String,
            node: $node,
        }
    )*};
}

pub(super) use {absent, absent_connection};
