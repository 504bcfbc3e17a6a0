//! `wb artifact collection …`: one collection, which `wb artifact collections` lists.

use clap::{ArgGroup, Args, Subcommand};

use super::Consent;

/// Verbs of one collection.
#[derive(Debug, Subcommand)]
pub(crate) enum CollectionCommand {
    /// Show one collection with all its aliases.
    View(CollectionViewArgs),
    /// Change name, description, type or tags of a collection.
    Update(CollectionUpdateArgs),
    /// Delete a collection: a sequence with all its versions, a portfolio with its links only.
    #[command(visible_alias = "rm")]
    Delete(CollectionDeleteArgs),
}

/// Which collection.
#[derive(Debug, Args)]
pub(crate) struct CollectionName {
    /// [entity/[project/]]collection.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The type that it must have [default: any].
    #[arg(
        long = "type",
        value_name = "TYPE",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) type_name: String,
}

/// Options of `artifact collection view`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb artifact collection view my-team/my-project/model --output json")]
pub(crate) struct CollectionViewArgs {
    /// Which one.
    #[command(flatten)]
    pub(crate) collection: CollectionName,
}

/// Options of `artifact collection update`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("change").required(true).multiple(true),
    after_help = "Only what is given changes.\n\nExamples:\n  \
                  wb artifact collection update my-team/my-project/model --description 'Resnets' --tag vision\n  \
                  wb artifact collection update my-team/my-project/model --rename resnet"
)]
pub(crate) struct CollectionUpdateArgs {
    /// Which one.
    #[command(flatten)]
    pub(crate) collection: CollectionName,

    /// Another name.
    #[arg(long, value_name = "NAME", group = "change")]
    pub(crate) rename: Option<String>,

    /// Another description.
    #[arg(long, value_name = "TEXT", group = "change")]
    pub(crate) description: Option<String>,

    /// Another type, for all its versions; of sequences only.
    #[arg(long, value_name = "TYPE", group = "change")]
    pub(crate) change_type: Option<String>,

    /// Add this tag; may be repeated.
    #[arg(long = "tag", value_name = "TAG", group = "change")]
    pub(crate) tags: Vec<String>,

    /// Take this tag away; may be repeated.
    #[arg(long = "untag", value_name = "TAG", group = "change")]
    pub(crate) untags: Vec<String>,
}

/// Options of `artifact collection delete`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb artifact collection delete my-team/my-project/model --dry-run\n  \
                  wb artifact collection delete my-team/my-project/model --yes"
)]
pub(crate) struct CollectionDeleteArgs {
    /// Which one.
    #[command(flatten)]
    pub(crate) collection: CollectionName,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}
