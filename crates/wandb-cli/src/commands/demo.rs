//! `wb demo`: a tour over a sample project, in which every step is a command that the reader can repeat.
//!
//! The steps are command lines. What is printed is what is parsed and run, with one difference: the tour runs them over
//! HTTP against its own server, and the reader is shown `--local DIR`, which works when the tour is over.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use tempfile::TempDir;
use wandb_api::Run;
use wandb_local::{LocalServer, SampleSummary};

use super::serve::start_failure;
use super::{artifact, refuse_sources, run};
use crate::cli::{Cli, Command, DemoArgs, RunCommand};
use crate::connection::Connection;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::style::Paint;
use crate::output::{Format, text};
use crate::shell::{program_name, quote};

/// The project that is filled.
const PROJECT: &str = "sample";
const FILTER: &str = r#"state = "finished" and config.lr < 0.01"#;
const ORDER: &str = "-summary_metrics.best_val_accuracy";
/// The best of the listed runs that have files; the sample has the same runs everywhere.
const RUN: &str = "w2upxz1y";
/// A file that this run has.
const FILE: &str = "model/weights.bin";

/// The version of the sample that people should take; the sample has the same everywhere.
const MODEL: &str = "sample-model:best";

/// Takes the tour.
pub(crate) async fn demo(context: &mut Context, arguments: DemoArgs) -> CommandResult {
    // The tour is text for people: another format would mix that text with documents.
    let more = [
        ("--entity", context.global.entity.is_some()),
        ("--output", context.format() != Format::Table),
    ];
    refuse_sources("demo", &context.global, &more)?;
    let place = Place::choose(&arguments)?;
    let server = LocalServer::builder()
        .dir(place.dir())
        .start()
        .await
        .map_err(start_failure)?;
    let sample = server.fill_sample(PROJECT).await.map_err(|error| {
        Failure::new(ExitStatus::Failed, "the sample project cannot be written").with_source(error)
    })?;
    context.fix_connection(Connection::to_server(&server)?);
    let tour = Tour {
        program: program_name(),
        dir: place.dir().to_owned(),
        path: format!("{}/{}", sample.entity, sample.project),
    };
    tour.welcome(context, &server, &sample)?;
    let finished = tour.steps(context).await;
    // Stopped in any case, so that the directory is free for the commands that were shown.
    server.stop().await;
    finished?;
    tour.farewell(context, &place)?;
    Ok(())
}

/// Where the data are.
enum Place {
    /// Named by the user, or made for the reader to go on with. It is `ours` if nothing was there before.
    Kept { dir: PathBuf, ours: bool },
    /// Removed at the end.
    Fleeting(TempDir),
}

impl Place {
    fn choose(arguments: &DemoArgs) -> CommandResult<Self> {
        if let Some(dir) = &arguments.dir {
            let ours = match std::fs::read_dir(dir) {
                Ok(mut entries) => entries.next().is_none(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
                Err(error) => {
                    return Err(Failure::io(
                        format!("read directory \"{}\"", dir.display()),
                        error,
                    ));
                }
            };
            if !ours && !LocalServer::is_data_dir(dir) {
                let what = format!("\"{}\" holds other files", dir.display());
                return Err(
                    Failure::new(ExitStatus::Conflict, what).hint("choose a new directory with --dir")
                );
            }
            return Ok(Self::Kept {
                dir: dir.clone(),
                ours,
            });
        }
        let made = tempfile::Builder::new().prefix("wb-demo-").tempdir();
        let dir = made.map_err(|error| Failure::io("create a temporary directory", error))?;
        Ok(if arguments.clean {
            Self::Fleeting(dir)
        } else {
            Self::Kept {
                dir: dir.keep(),
                ours: true,
            }
        })
    }

    fn dir(&self) -> &Path {
        match self {
            Self::Kept { dir, .. } => dir,
            Self::Fleeting(dir) => dir.path(),
        }
    }

    /// Whether all that is there came from this tour, so that the reader may remove it.
    fn is_ours(&self) -> bool {
        matches!(self, Self::Kept { ours: true, .. })
    }

    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept { .. })
    }
}

/// What the steps have in common.
struct Tour {
    /// How the reader can call this program.
    program: String,
    dir: PathBuf,
    /// The sample project.
    path: String,
}

impl Tour {
    fn welcome(&self, context: &mut Context, server: &LocalServer, sample: &SampleSummary) -> CommandResult {
        let style = context.screen.style;
        let lines = [
            style.paint(Paint::Bold, "A tour of wb"),
            String::new(),
            format!(
                "A server for Weights & Biases clients runs on this machine now: {}",
                server.url()
            ),
            format!(
                "It holds the project {} with {}, {} of history and {} ({}).",
                style.paint(Paint::Bold, &self.path),
                text::counted(sample.runs as u64, "run"),
                text::counted(sample.history_rows as u64, "row"),
                text::counted(sample.files as u64, "file"),
                text::bytes(sample.file_bytes),
            ),
            style.paint(
                Paint::Dim,
                "This is sample data: made by formulas, nothing was trained.",
            ),
        ];
        self.print(context, &lines)
    }

    async fn steps(&self, context: &mut Context) -> CommandResult {
        let list = [
            "run",
            "list",
            &self.path,
            "--filter",
            FILTER,
            "--order",
            ORDER,
            "--limit",
            "8",
            "--select",
            "config.architecture,config.lr,summary.best_val_accuracy",
        ];
        self.step(
            context,
            "1",
            "Which runs are best? The server filters and sorts.",
            &list,
        )?;
        self.run(context, &list).await?;

        let best = self.best_run(context).await?;
        let run = best.run_path().to_string();
        let view = ["run", "view", run.as_str()];
        self.step(context, "2", "One of the best, with its loss curve.", &view)?;
        self.run(context, &view).await?;

        let out = self.dir.join("history.csv").display().to_string();
        let scan = ["run", "scan", run.as_str(), "--out", out.as_str(), "--replace"];
        self.step(
            context,
            "3",
            "Its whole history: every row, each once, in order.",
            &scan,
        )?;
        self.scan(context, &best, &scan).await?;

        let root = self.dir.join("files").display().to_string();
        let download = [
            "run",
            "download",
            run.as_str(),
            "config.yaml",
            FILE,
            "--root",
            root.as_str(),
            "--replace",
        ];
        self.step(
            context,
            "4",
            "Its files. A file gets its name when size and MD5 are right.",
            &download,
        )?;
        self.run(context, &download).await?;

        let model = format!("{}/{MODEL}", self.path);
        let folder = self.dir.join("model").display().to_string();
        let fetch = ["artifact", "download", model.as_str(), "--root", folder.as_str()];
        self.step(
            context,
            "5",
            "A model that was logged as an artifact. Every byte is checked before a file gets its name.",
            &fetch,
        )?;
        self.run(context, &fetch).await?;

        let verify = ["artifact", "verify", model.as_str(), "--root", folder.as_str()];
        self.step(
            context,
            "6",
            "Is the folder still what was logged? Each file is read and compared with the manifest.",
            &verify,
        )?;
        self.run(context, &verify).await
    }

    /// The run that the steps are about.
    async fn best_run(&self, context: &Context) -> CommandResult<Run> {
        let connection = context.connect().await?;
        Ok(connection.api().run(&format!("{}/{RUN}", self.path)).await?)
    }

    /// Scans into the file and says how the count compares with the server's.
    async fn scan(&self, context: &mut Context, run: &Run, line: &[&str]) -> CommandResult {
        let Command::Run(RunCommand::Scan(arguments)) = parse(line)? else {
            return Err(no_step(line));
        };
        let written = run::scan_to_file(context, &arguments).await?;
        let style = context.screen.style;
        let counted = run.history_line_count.and_then(|count| u64::try_from(count).ok());
        let agreement = match counted {
            Some(count) if count == written.rows => style.paint(Paint::Green, "as many as the server counts"),
            Some(count) => style.paint(
                Paint::Yellow,
                &format!("the server counts {}", text::grouped(count)),
            ),
            None => "the server does not count them".to_owned(),
        };
        let line = format!(
            "{}, {agreement}; {} in {:.2} s",
            text::counted(written.rows, "row"),
            text::bytes(written.size),
            written.seconds
        );
        self.print(context, &[line])
    }

    async fn run(&self, context: &mut Context, line: &[&str]) -> CommandResult {
        match parse(line)? {
            Command::Run(command) => run::dispatch(context, command).await,
            Command::Artifact(command) => artifact::dispatch(context, command).await,
            _ => Err(no_step(line)),
        }
    }

    fn farewell(&self, context: &mut Context, place: &Place) -> CommandResult {
        let style = context.screen.style;
        let mut lines = vec![String::new(), style.paint(Paint::BoldCyan, "Go on")];
        if place.is_kept() {
            let dir = quote(&self.dir.display().to_string());
            let program = &self.program;
            let mut command = |what: &str, line: String| {
                lines.push(format!("  {}", style.paint(Paint::Dim, &format!("# {what}"))));
                lines.push(format!("  {}", style.paint(Paint::Cyan, &line)));
            };
            command(
                "the commands above work as they stand; the sample data stay here",
                format!("ls {dir}"),
            );
            command(
                "serve it to the official Python SDK, or to a browserless wandb.Api()",
                format!("{program} serve --dir {dir}"),
            );
            command(
                "read your own runs",
                format!("{program} login && {program} project list"),
            );
            // A directory that held something else before is not the tour's to remove.
            if place.is_ours() {
                command("remove the sample data", format!("rm -r {dir}"));
            }
        } else {
            lines.push("  The sample data is removed now. To keep it and repeat the steps:".to_owned());
            lines.push(format!(
                "  {}",
                style.paint(Paint::Cyan, &format!("{} demo --dir ./wb-demo", self.program))
            ));
        }
        self.print(context, &lines)
    }

    /// Prints a title and the command that does what follows.
    fn step(&self, context: &mut Context, number: &str, title: &str, line: &[&str]) -> CommandResult {
        let style = context.screen.style;
        let words: Vec<String> = line.iter().map(|word| quote(word)).collect();
        let local = quote(&self.dir.display().to_string());
        let command = format!("{} --local {local} {}", self.program, words.join(" "));
        let lines = [
            String::new(),
            style.paint(Paint::BoldCyan, &format!("{number}. {title}")),
            format!(
                "{} {}",
                style.paint(Paint::Dim, "$"),
                style.paint(Paint::Cyan, &command)
            ),
            String::new(),
        ];
        self.print(context, &lines)
    }

    fn print(&self, context: &mut Context, lines: &[String]) -> CommandResult {
        for line in lines {
            writeln!(context.out, "{line}")?;
        }
        Ok(context.out.flush()?)
    }
}

/// The command that a line stands for.
fn parse(line: &[&str]) -> CommandResult<Command> {
    let parsed = Cli::try_parse_from(std::iter::once(&"wb").chain(line));
    parsed.map(|cli| cli.command).map_err(|_| no_step(line))
}

fn no_step(line: &[&str]) -> Failure {
    Failure::new(ExitStatus::Failed, format!("{line:?} is no command of the tour"))
}
