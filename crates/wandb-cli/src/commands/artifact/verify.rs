//! `wb artifact verify`: a directory against a manifest.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::ProgressBar;
use wandb_api::artifacts::manifest::{Limits, Manifest};
use wandb_api::artifacts::verify::{Verification, VerifyObserver, VerifyOptions};

use crate::cli::VerifyArgs;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::{Format, text};

/// Compares, and lists every difference.
pub(super) async fn verify(context: &mut Context, arguments: &VerifyArgs) -> CommandResult {
    let (manifest, root) = match (&arguments.manifest, &arguments.name) {
        (Some(file), _) => (Arc::new(read(file)?), arguments.root.clone().unwrap_or_default()),
        (None, Some(name)) => {
            let connection = context.connect_with_cache(arguments.offline).await?;
            let artifact = connection.api().artifact(name).await?;
            let root = match &arguments.root {
                Some(root) => root.clone(),
                None => artifact.default_root()?,
            };
            (artifact.manifest().await?, root)
        }
        (None, None) => return Err(Failure::usage("neither a version nor --manifest was named")),
    };
    let result = check(context, manifest, root.clone(), arguments).await?;
    show(context, &result)?;
    let unchecked = result.unverified_references.len() as u64;
    if !result.is_ok() {
        let what = format!(
            "\"{}\" is not what the manifest says: {}",
            root.display(),
            text::counted(result.faults() as u64, "difference")
        );
        let failure = Failure::new(ExitStatus::Integrity, what);
        if result.faults() == result.names.len() && result.names.iter().all(|fault| !fault.is_hostile()) {
            return Err(failure.hint("with --names system names that this system can hold are no difference"));
        }
        return Err(failure
            .hint("`wb artifact download` brings the right files; `wb artifact checkout` also removes what is extra"));
    }
    if unchecked > 0 && !arguments.allow_missing_references {
        context.note(&format!(
            "{} not checked: their bytes are not the server's",
            text::counted(unchecked, "reference")
        ));
    }
    Ok(())
}

fn read(file: &Path) -> CommandResult<Manifest> {
    let opened =
        File::open(file).map_err(|error| Failure::io(format!("read \"{}\"", file.display()), error))?;
    Manifest::read(BufReader::new(opened), &Limits::default()).map_err(|error| {
        wandb_api::Error::from(error)
            .in_operation(format!("read \"{}\"", file.display()))
            .into()
    })
}

/// Reads and hashes the files, on a thread for blocking work.
async fn check(
    context: &Context,
    manifest: Arc<Manifest>,
    root: PathBuf,
    arguments: &VerifyArgs,
) -> CommandResult<Verification> {
    let bar = context.ui.transfer(Some(manifest.size()), "verifying");
    let observer = Bar(bar.clone());
    let (allow_extra, names) = (arguments.allow_extra, arguments.names.policy());
    let checked = tokio::task::spawn_blocking(move || {
        let options = VerifyOptions {
            allow_extra,
            names,
            observer: Some(&observer),
            ..VerifyOptions::default()
        };
        wandb_api::artifacts::verify(&root, &manifest, &options)
    })
    .await
    .map_err(|error| Failure::new(ExitStatus::Failed, "the check ended early").with_source(error))?;
    bar.finish_and_clear();
    Ok(checked.map_err(wandb_api::Error::from)?)
}

#[derive(Debug)]
struct Bar(ProgressBar);

impl VerifyObserver for Bar {
    fn begin(&self, _: usize, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

const DIFFERENCE: &[&str] = &["path", "fault", "expected", "actual"];

/// One difference, as `jsonl` and `csv` have it: a row each.
#[derive(Debug)]
struct Difference {
    path: String,
    fault: &'static str,
    /// A digest, or a size in bytes.
    expected: Option<String>,
    /// The same of what is there; for what is no file what it is, for what cannot be read why not, for a name what is wrong with
    /// it.
    actual: Option<String>,
}

fn difference_fields(difference: &Difference) -> Fields<'_> {
    let optional = |text: &'_ Option<String>| match text {
        Some(text) => Field::owned(text.clone()),
        None => Field::Null,
    };
    vec![
        ("path", Field::text(&difference.path)),
        ("fault", Field::text(difference.fault)),
        ("expected", optional(&difference.expected)),
        ("actual", optional(&difference.actual)),
    ]
}

/// In the order of the lists: what is missing first, what is extra last but for what could not be read.
fn differences(result: &Verification) -> impl Iterator<Item = Difference> {
    let row = |path: &str, fault, expected: Option<String>, actual: Option<String>| Difference {
        path: path.to_owned(),
        fault,
        expected,
        actual,
    };
    let missing = result
        .missing
        .iter()
        .map(move |path| row(path, "missing", None, None));
    let wrong_size = result.wrong_size.iter().map(move |it| {
        let sizes = (Some(it.expected.to_string()), Some(it.actual.to_string()));
        row(&it.path, "wrong_size", sizes.0, sizes.1)
    });
    let changed = result.changed.iter().map(move |it| {
        let digests = (Some(it.expected.to_string()), Some(it.actual.to_string()));
        row(&it.path, "changed", digests.0, digests.1)
    });
    let wrong_type = result
        .wrong_type
        .iter()
        .map(move |it| row(&it.path, "wrong_type", None, Some(it.found.as_str().to_owned())));
    let extra = result
        .extra
        .iter()
        .map(move |it| row(&it.path, "extra", None, Some(it.kind.as_str().to_owned())));
    let unreadable = result
        .unreadable
        .iter()
        .map(move |it| row(&it.path, "unreadable", None, Some(it.reason.clone())));
    let names = result
        .names
        .iter()
        .map(move |fault| row(fault.path(), "name", None, Some(fault.reason())));
    missing
        .chain(wrong_size)
        .chain(changed)
        .chain(wrong_type)
        .chain(extra)
        .chain(unreadable)
        .chain(names)
}

fn show(context: &mut Context, result: &Verification) -> CommandResult {
    match context.format() {
        Format::Table => context.out.write_all(format!("{result}\n").as_bytes())?,
        Format::Json => {
            let broken =
                |error| wandb_api::Error::protocol("the result cannot be written as JSON").with_source(error);
            let json = serde_json::to_vec(result).map_err(broken)?;
            context.out.write_all(&json)?;
            context.out.write_all(b"\n")?;
        }
        format => {
            let schema = Schema::new(DIFFERENCE, difference_fields);
            let mut list = List::new(schema, format, context.screen);
            for difference in differences(result) {
                list.item(&mut context.out, &difference)?;
            }
            list.finish(&mut context.out)?;
        }
    }
    Ok(context.out.flush()?)
}
