//! The command line: what is accepted, what is refused.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use super::{Cli, Command, KeyList, RunCommand};
use crate::output::Format;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("wb").chain(line.split_whitespace()))
}

#[test]
fn the_definitions_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn global_options_may_stand_anywhere() {
    for line in [
        "--output jsonl run list e/p",
        "run --output jsonl list e/p",
        "run list e/p -o jsonl",
    ] {
        assert_eq!(parse(line).unwrap().global.output, Format::Jsonl, "{line}");
    }
}

#[test]
fn usage_errors_are_found_before_anything_is_asked() {
    for line in [
        "run list e/p --page-size 0",
        "run list e/p --limit 0",
        "run list e/p --limit many",
        "run list e/p --limit -1",
        "run list e/p --count --limit 3",
        "run list e/p --count --page-size 3",
        "run list e/p --count --order -created_at",
        "run scan e/p/r --keys a --any-keys b",
        "run scan e/p/r --page-size 0",
        "run scan e/p/r --min-step -1",
        "run scan e/p/r --keys a,,b",
        "run scan e/p/r --replace",
        "run scan",
        "run history e/p/r --samples 0",
        "run history e/p/r --x-axis epoch",
        "run history e/p/r --stream other",
        "run files e/p/r --name a --pattern b",
        "run nothing",
        "project list --output xml",
        "whoami --local d --base-url http://x",
        "whoami --local d --profile x",
        "serve --host nowhere",
        "serve --port 70000",
        "serve --heartbeat-timeout never",
        "demo --dir d --clean",
        "completions klingon",
        "project create",
        "run console e/p/r --last 0",
        "run console e/p/r --last 3 --limit 3",
        "run delete-files e/p/r",
        "run delete-files e/p/r a.txt --maybe",
        "sweep create e/p",
        "sweep pause e/p/s --yes",
        "sweep stop e/p/s --dry-run=no",
        "report create e/p",
        "report create e/p --title",
        "report delete",
        "artifact linked",
        "team view",
        "team invite research",
        "team service-account research",
        "api-key delete",
        "run set-state e/p/r finished",
        "artifact collection update model",
        "report update e/p",
        "user view a b",
        "login --api-key secret",
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn orders_may_begin_with_a_sign() {
    for line in [
        "run list e/p --order -created_at",
        "run list e/p --order=+config.lr",
    ] {
        let Command::Run(RunCommand::List(list)) = parse(line).unwrap().command else {
            panic!("{line}")
        };
        assert!(list.order.is_some());
    }
}

#[test]
fn keys_come_in_lists_and_may_be_repeated() {
    let Command::Run(RunCommand::Scan(scan)) = parse("run scan e/p/r --keys a,b --keys c").unwrap().command
    else {
        panic!("not a scan")
    };
    assert_eq!(KeyList::join(&scan.keys), ["a", "b", "c"]);
}

#[test]
fn help_and_version_are_not_errors() {
    assert_eq!(parse("--help").unwrap_err().kind(), ErrorKind::DisplayHelp);
    assert_eq!(parse("run scan --help").unwrap_err().exit_code(), 0);
    assert_eq!(parse("--version").unwrap_err().exit_code(), 0);
}

#[test]
fn every_verb_has_examples_in_its_help() {
    fn visit(command: &clap::Command, path: &str) {
        let name = format!("{path} {}", command.get_name());
        let verbs: Vec<_> = command
            .get_subcommands()
            .filter(|verb| verb.get_name() != "help")
            .collect();
        if verbs.is_empty() {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(help.contains("Examples:\n  "), "{name} has no examples");
        }
        for verb in verbs {
            visit(verb, &name);
        }
    }
    visit(&Cli::command(), "");
}

#[test]
fn what_destroys_can_be_tried_and_confirmed() {
    for line in [
        "run delete e/p/r",
        "run delete-files e/p/r a.txt",
        "run rm-files e/p/r a.txt b.txt",
        "run stop e/p/r",
        "sweep stop e/p/s",
        "sweep cancel e/p/s",
        "report delete e/p",
        "report rm e/p --name x",
        "artifact delete model:v0",
        "artifact unlink released:v0",
        "artifact checkout model:v0",
        "artifact collection delete model",
        "artifact collection rm model",
        "run set-state e/p/r failed",
        "team remove research ada",
        "api-key delete QQ==",
    ] {
        for options in ["", "--dry-run", "--yes", "-y"] {
            let line = format!("{line} {options}");
            assert!(parse(&line).is_ok(), "{line}");
        }
    }
}

#[test]
fn the_console_is_read_from_one_end() {
    let Command::Run(RunCommand::Console(console)) = parse("run console e/p/r --last 7").unwrap().command
    else {
        panic!("not the console")
    };
    assert_eq!((console.last, console.limit), (Some(7), None));
}

#[test]
fn completions_know_every_verb() {
    fn verbs(command: &clap::Command, found: &mut Vec<String>) {
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            found.push(verb.get_name().to_owned());
            verbs(verb, found);
        }
    }
    let mut found = Vec::new();
    verbs(&Cli::command(), &mut found);
    assert!(found.len() > 60, "{found:?}");
    for shell in [
        clap_complete::Shell::Bash,
        clap_complete::Shell::Fish,
        clap_complete::Shell::Zsh,
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "wb", &mut script);
        let script = String::from_utf8(script).unwrap();
        for verb in &found {
            assert!(script.contains(verb.as_str()), "{shell}: {verb}");
        }
    }
}
