//! The official client's readings as a table, web addresses, and the laws of reading and printing.

use std::path::{Component, Path};

use proptest::prelude::*;

use super::*;
use crate::base_url::{AppUrl, BaseUrl};

fn context() -> PathContext {
    PathContext::new()
        .with_entity(EntityName::new("E").unwrap())
        .with_project(ProjectName::new("P").unwrap())
}

fn server(base_url: &str) -> PathContext {
    let base_url = BaseUrl::parse(base_url).unwrap();
    let app_url = AppUrl::derive(&base_url);
    context().with_server(base_url, app_url)
}

fn triple(path: &RunPath) -> [&str; 3] {
    [
        path.entity().as_str(),
        path.project().as_str(),
        path.run().as_str(),
    ]
}

type Reading = Option<[&'static str; 3]>;

/// What `Api._parse_path` of wandb 0.31.0 answers, run on the same inputs (entity E, project P, then neither).
const OFFICIAL: &[(&str, Reading, Reading)] = &[
    ("", None, None),
    ("run1", Some(["E", "P", "run1"]), None),
    ("p/run1", Some(["E", "p", "run1"]), None),
    ("e/p/run1", Some(["e", "p", "run1"]), Some(["e", "p", "run1"])),
    ("/e/p/run1/", Some(["e", "p", "run1"]), Some(["e", "p", "run1"])),
    (
        "e/p/runs/run1",
        Some(["e", "p", "run1"]),
        Some(["e", "p", "run1"]),
    ),
    ("/runs/run1", Some(["E", "P", "run1"]), None),
    ("runs/run1", Some(["E", "runs", "run1"]), None),
    ("p/runs/run1", Some(["E", "p", "run1"]), None),
    ("p:run1", Some(["E", "p", "run1"]), None),
    ("e/p:run1", Some(["e", "p", "run1"]), Some(["e", "p", "run1"])),
    ("e/p:a:b", Some(["e", "p", "a:b"]), Some(["e", "p", "a:b"])),
    ("e/p/run:1", Some(["e", "p", "run:1"]), Some(["e", "p", "run:1"])),
    (" e / p / r ", Some(["e", "p", "r"]), Some(["e", "p", "r"])),
    ("e//r", None, None),
    ("e/p/", Some(["E", "e", "p"]), None),
    ("e/p", Some(["E", "e", "p"]), None),
    ("e/p/x/run1", None, None),
    ("a/b/c/d/e", None, None),
    ("  ", None, None),
    (":", None, None),
    ("/", None, None),
    ("//", None, None),
    ("/ /", None, None),
    ("entity/project:", None, None),
    ("p:", None, None),
    (":r", None, None),
    ("e/:r", None, None),
    ("//runs/x", Some(["E", "P", "x"]), None),
    ("run1\n", Some(["E", "P", "run1"]), None),
    ("\te/p/r", Some(["e", "p", "r"]), Some(["e", "p", "r"])),
    ("/runs/p/x", Some(["E", "p", "x"]), None),
    ("é/ü/ñ", Some(["é", "ü", "ñ"]), Some(["é", "ü", "ñ"])),
    ("e/p/a b", Some(["e", "p", "a b"]), Some(["e", "p", "a b"])),
    ("/p:r", Some(["E", "p", "r"]), None),
    ("e:x/p/r", Some(["e:x", "p", "r"]), Some(["e:x", "p", "r"])),
    ("sweeps/s1", Some(["E", "sweeps", "s1"]), None),
    ("/runs/", None, None),
];

#[test]
fn run_paths_are_read_as_the_official_client_reads_them() {
    for (text, with_defaults, without) in OFFICIAL {
        let run = RunPath::parse(text, &context());
        assert_eq!(run.as_ref().ok().map(triple), *with_defaults, "{text:?} {run:?}");
        let run = RunPath::parse(text, &PathContext::new());
        assert_eq!(run.as_ref().ok().map(triple), *without, "{text:?} {run:?}");
        if let Err(error) = run {
            assert!(!error.hints().is_empty());
            assert!(
                error.to_string().contains("is not the path of a run: "),
                "{error}"
            );
        }
    }
}

/// Where 0.31.0 has a fault: it drops the words anywhere in the path, and takes a sweep's path for a run's.
#[test]
fn faults_are_mended() {
    let run = RunPath::parse("e/sweeps/runs/x", &context()).unwrap();
    assert_eq!(triple(&run), ["e", "sweeps", "x"]);
    assert_eq!(run.to_string(), "e/sweeps/runs/x");
    for text in [
        "e/p/sweeps/s1",
        "/sweeps/s1",
        "p/sweeps/s1",
        "https://wandb.ai/e/p/sweeps/s1",
    ] {
        let error = RunPath::parse(text, &context()).unwrap_err();
        assert_eq!(
            error.problem(),
            &PathProblem::WrongKind(ObjectKind::Sweep),
            "{text}"
        );
        let sweep = SweepPath::parse(text, &context()).unwrap();
        assert_eq!(sweep.sweep().as_str(), "s1");
    }
    assert!(RunPath::parse("e/runs/p/x", &context()).is_err());
}

#[test]
fn project_paths() {
    let read = |text: &str| ProjectPath::parse(text, &context()).map(|path| path.to_string());
    assert_eq!(read("p").unwrap(), "E/p");
    assert_eq!(read("e/p").unwrap(), "e/p");
    assert_eq!(read(" /e/p/ ").unwrap(), "e/p");
    assert_eq!(read("https://wandb.ai/e/p/workspace?nw=1").unwrap(), "e/p");
    for text in [
        "",
        "/",
        "e/p/x",
        "e/",
        "p:r",
        "https://wandb.ai/e/p/runs/r",
        "https://wandb.ai/e/p/groups/g/workspace",
    ] {
        let outcome = read(text);
        // "e/" is a project of the default entity, as a trailing slash says nothing.
        assert_eq!(outcome.is_ok(), text == "e/", "{text:?} {outcome:?}");
    }
    let error = ProjectPath::parse("p", &PathContext::new()).unwrap_err();
    assert_eq!(error.problem(), &PathProblem::MissingEntity);
    assert_eq!(
        error.to_string(),
        "\"p\" is not the path of a project: the entity is missing"
    );
    assert_eq!(context().default_project_path().unwrap().to_string(), "E/P");
    let entity_only = PathContext::new().with_entity(EntityName::new("E").unwrap());
    assert_eq!(
        entity_only.default_project_path().unwrap().to_string(),
        "E/uncategorized"
    );
}

#[test]
fn any_path_tells_kinds_apart() {
    let read = |text: &str| AnyPath::parse(text, &context()).map(|any| (any.kind(), any));
    for (text, kind) in [
        ("p", ObjectKind::Project),
        ("e/p", ObjectKind::Project),
        ("p:r", ObjectKind::Run),
        ("e/p:r", ObjectKind::Run),
        ("e/p/r", ObjectKind::Run),
        ("e/p/runs/r", ObjectKind::Run),
        ("/runs/r", ObjectKind::Run),
        ("p/runs/r", ObjectKind::Run),
        ("p/sweeps/s", ObjectKind::Sweep),
        ("e/p/sweeps/s", ObjectKind::Sweep),
        ("/sweeps/s", ObjectKind::Sweep),
        ("e/p/reports/A-title--Vmlldzox", ObjectKind::Report),
        ("e/p/reports/Vmlldzox", ObjectKind::Report),
        (
            "https://wandb.ai/e/p/reports/A-title--Vmlldzox?accessToken=x",
            ObjectKind::Report,
        ),
        (
            "https://wandb.ai/e/p/groups/my%20group/workspace",
            ObjectKind::Group,
        ),
        ("https://wandb.ai/e/p/groups/", ObjectKind::Project),
        ("https://wandb.ai/e/p", ObjectKind::Project),
        ("https://wandb.ai/e/p/reports", ObjectKind::Project),
    ] {
        assert_eq!(read(text).unwrap().0, kind, "{text}");
    }
    for text in [
        "",
        "e/p/reports/a-b",
        "e/p/groups/g",
        "https://wandb.ai/e",
        "https://wandb.ai/settings/x",
        "a/b/c/d/e",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    let report = ReportPath::parse("e/p/reports/A-title--Vmlldzox", &context()).unwrap();
    assert_eq!(report.title().as_deref(), Some("A title"));
    assert_eq!(report.id().as_str(), "Vmlldzox");
    let project = ProjectPath::parse("e/p", &context()).unwrap();
    let report = ReportPath::new(project, "  A (new) title… ", "Vmlldzox==").unwrap();
    assert_eq!(report.to_string(), "e/p/reports/A-new-title--Vmlldzox");
}

#[test]
fn web_addresses_are_read() {
    for (text, expected) in [
        ("https://wandb.ai/e/p/runs/r", ["e", "p", "r"]),
        ("http://wandb.ai/e/p/runs/r/", ["e", "p", "r"]),
        (
            "  HTTPS://WANDB.AI/e/p/runs/r/overview?nw=nwuser#x ",
            ["e", "p", "r"],
        ),
        ("https://wandb.ai/e/p/runs/r/files/media/images", ["e", "p", "r"]),
        (
            "https://wandb.ai/my%20team/a%2Bb/runs/%C3%A9",
            ["my team", "a+b", "é"],
        ),
        ("https://forge.coreweave.com/wandb/e/p/runs/r", ["e", "p", "r"]),
    ] {
        for context in [
            context(),
            server("https://api.wandb.ai"),
            server("https://api.forge.coreweave.com"),
        ] {
            assert_eq!(
                triple(&RunPath::parse(text, &context).unwrap()),
                expected,
                "{text}"
            );
        }
        let error = RunPath::parse(text, &server("http://localhost:8080")).unwrap_err();
        assert!(matches!(error.problem(), PathProblem::OtherServer(_)), "{error}");
    }
    let local = server("http://localhost:8080/prefix");
    let run = RunPath::parse("http://localhost:8080/prefix/e/p/runs/r", &local).unwrap();
    assert_eq!(triple(&run), ["e", "p", "r"]);
    assert!(RunPath::parse("http://localhost:8081/prefix/e/p/runs/r", &local).is_err());
    assert!(RunPath::parse("http://localhost:8080/prefixed/e/p/runs/r", &local).is_err());
    let own = server("https://api.example.com");
    assert_eq!(
        triple(&RunPath::parse("https://app.example.com/e/p/runs/r", &own).unwrap()),
        ["e", "p", "r"]
    );
    assert!(RunPath::parse("https://wandb.ai/e/p/runs/%FF", &context()).is_err());
    let page = |text| ProjectPage::parse(text, &own);
    let page_of = page("https://app.example.com/e/my%20p//x/a%2Fb/?q#f")
        .unwrap()
        .unwrap();
    assert_eq!(page_of.project.to_string(), "e/my p");
    assert_eq!(page_of.segments, ["x", "a/b"]);
    assert_eq!(page("e/p"), None);
    assert!(page("https://app.example.com/e").unwrap().is_err());
    assert!(page("https://wandb.ai/e/p").unwrap().is_err());
    assert!(RunPath::parse("https://wandb.ai/e/p/runs/a%2Fb", &context()).is_err());
}

#[test]
fn errors_say_what_and_how_and_hide_tokens() {
    let error = RunPath::parse("https://u:hunter2@wandb.ai/e/p?accessToken=hunter2", &context()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    let error = RunPath::parse("wandb.ai/e/p/runs/r", &context()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"wandb.ai/e/p/runs/r\" is not the path of a run: it has 5 parts"
    );
    assert!(error.hints()[0].contains("https://"));
    let error = RunPath::parse("e/p?x/r", &context()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("\"p?x\" is not a valid project name: it may not hold '?'"),
        "{error}"
    );
    assert!(
        RunPath::parse(&"x/".repeat(1 << 16), &context())
            .unwrap_err()
            .to_string()
            .len()
            < 500
    );
}

#[test]
fn new_names_have_stricter_rules() {
    assert!(ProjectName::new("a%b").unwrap().check_new().is_err());
    assert!(ProjectName::new("x".repeat(129)).unwrap().check_new().is_err());
    assert!(ProjectName::new("x".repeat(128)).unwrap().check_new().is_ok());
    assert!(RunId::new("a:b").unwrap().check_new().is_err());
    assert!(RunId::new("a'b").unwrap().check_new().is_err());
    assert!(RunId::new("ä b").unwrap().check_new().is_ok());
    for text in ["", " a", "a ", ".", "..", "a/b", "a\nb", "a\0", "a?b", "a#b"] {
        assert!(RunId::new(text).is_err(), "{text:?}");
        assert!(EntityName::new(text).is_err(), "{text:?}");
    }
}

#[test]
fn hostile_file_names_are_refused_by_every_policy() {
    for (name, reason) in [
        ("", HostileReason::Empty),
        ("/etc/passwd", HostileReason::Absolute),
        ("//host/share", HostileReason::Absolute),
        ("\\\\host\\share", HostileReason::Absolute),
        ("\\x", HostileReason::Absolute),
        ("..", HostileReason::DotSegment),
        ("a/../../b", HostileReason::DotSegment),
        ("./a", HostileReason::DotSegment),
        ("a/./b", HostileReason::DotSegment),
        ("...", HostileReason::DotSegment),
        ("a/.. /b", HostileReason::DotSegment),
        ("..\\b", HostileReason::DotSegment),
        ("a\\..\\..\\b", HostileReason::DotSegment),
        ("a//b", HostileReason::EmptySegment),
        ("a/", HostileReason::EmptySegment),
        ("a/\\b", HostileReason::EmptySegment),
        ("a\0b", HostileReason::Nul),
        ("c:/x", HostileReason::DriveLetter),
        ("C:x", HostileReason::DriveLetter),
        ("a/z:x", HostileReason::DriveLetter),
        ("a\\z:x", HostileReason::DriveLetter),
        (&"x".repeat(256), HostileReason::TooLong),
        (&"x/".repeat(2000), HostileReason::TooLong),
    ] {
        for policy in [NamePolicy::Portable, NamePolicy::System] {
            let error = policy.check(name).unwrap_err();
            assert_eq!(error.fault(), NameFault::Hostile(reason), "{name:?}");
            assert!(error.to_string().starts_with("unsafe file name"), "{error}");
            assert!(error.hints().is_empty());
        }
        assert!(
            safe_relative_path(name).is_err() && refuse_hostile(name).is_err(),
            "{name:?}"
        );
    }
}

#[test]
fn unportable_file_names_are_refused_only_where_that_is_asked_for_or_on_windows() {
    for (name, reason) in [
        ("a\\b", UnportableReason::Backslash),
        ("a\nb", UnportableReason::ControlCharacter),
        ("a\u{85}b", UnportableReason::ControlCharacter),
        ("12:30.log", UnportableReason::ForbiddenCharacter(':')),
        ("q?", UnportableReason::ForbiddenCharacter('?')),
        ("a/st*r", UnportableReason::ForbiddenCharacter('*')),
        ("a\"b", UnportableReason::ForbiddenCharacter('"')),
        ("<a>", UnportableReason::ForbiddenCharacter('<')),
        ("a/aux.txt", UnportableReason::DeviceName),
        ("NUL", UnportableReason::DeviceName),
        ("con .log", UnportableReason::DeviceName),
        ("Com1.json/x", UnportableReason::DeviceName),
        ("lpt².x", UnportableReason::DeviceName),
        ("conin$", UnportableReason::DeviceName),
        ("CONOUT$.x", UnportableReason::DeviceName),
        ("a.", UnportableReason::TrailingDotOrSpace),
        ("a /b", UnportableReason::TrailingDotOrSpace),
        (" ", UnportableReason::TrailingDotOrSpace),
    ] {
        assert_eq!(
            NameFault::of(name),
            Some(NameFault::Unportable(reason)),
            "{name:?}"
        );
        match NamePolicy::Portable.check(name) {
            Ok(path) => assert!(
                matches!(reason, UnportableReason::ForbiddenCharacter(_)) && !cfg!(windows),
                "{path:?}"
            ),
            Err(error) => {
                assert!(reason.is_silent() || cfg!(windows), "{error}");
                let told = (error.name(), error.fault());
                assert_eq!(told, (name, NameFault::Unportable(reason)));
                assert_eq!(error.hints().is_empty(), cfg!(windows));
            }
        }
        let here = NamePolicy::System.check(name);
        assert_eq!(here.is_ok(), !cfg!(windows), "{name:?}");
        assert_eq!(here, safe_relative_path(name));
        assert_eq!(refuse_hostile(name), Ok(()));
    }
}

#[test]
fn ordinary_file_names_are_allowed() {
    for name in [
        "config.yaml",
        "media/images/my image_1_ab%20cd.png",
        ".hidden/..twodots",
        "日本語/ñ é.txt",
        "console.log",
        "nul-count.json",
        "com10",
        "auxiliary",
        "~/x",
        " leading",
        "a'b$c&d=e",
        &"x".repeat(255),
    ] {
        let path = NamePolicy::Portable.check(name).unwrap();
        assert_eq!(safe_relative_path(name).as_ref(), Ok(&path));
        assert_eq!(path.as_str(), name);
        assert_eq!(path.segments().next_back(), Some(path.file_name()));
    }
}

#[test]
fn clashing_names_have_one_key() {
    for (a, b) in [
        ("Model.PT", "model.pt"),
        ("é", "e\u{301}"),
        ("É/X", "e\u{301}/x"),
        ("straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
    ] {
        assert_eq!(clash_key(a), clash_key(b), "{a} {b}");
    }
    assert_ne!(clash_key("a"), clash_key("b"));
    assert_ne!(clash_key("e"), clash_key("é"));
}

/// What POSIX and Windows each make of a name, letter by letter.
fn plain_kind(name: &str) -> &'static str {
    let leads_out = |name: &str| {
        let pieces: Vec<&str> = name.split('/').collect();
        pieces.iter().any(|piece| {
            let letters: Vec<char> = piece.chars().collect();
            let only_dots = letters.iter().all(|letter| *letter == '.' || *letter == ' ');
            let drive = letters.len() > 1 && letters[0].is_ascii_alphabetic() && letters[1] == ':';
            letters.is_empty() || (only_dots && letters.contains(&'.')) || drive
        })
    };
    let too_long = name.len() > 3072 || name.split('/').any(|piece| piece.len() > 255);
    if too_long || name.contains('\0') || leads_out(name) || leads_out(&name.replace('\\', "/")) {
        return "hostile";
    }
    let devices = ["con", "prn", "aux", "nul", "conin$", "conout$"]
        .map(str::to_owned)
        .into_iter();
    let numbered = "0123456789¹²³"
        .chars()
        .flat_map(|digit| [format!("com{digit}"), format!("lpt{digit}")]);
    let devices: Vec<String> = devices.chain(numbered).collect();
    let odd = name.split('/').any(|piece| {
        let stem: String = piece
            .chars()
            .take_while(|letter| !".:".contains(*letter))
            .collect();
        let stem = stem.trim_end_matches(' ').to_ascii_lowercase();
        piece.trim_end_matches(['.', ' ']) != piece || devices.contains(&stem)
    });
    let forbidden = |letter: char| letter.is_control() || "\\<>:\"|?*".contains(letter);
    if odd || name.chars().any(forbidden) {
        "unportable"
    } else {
        "portable"
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-zA-Z0-9_. -]{1,12}",
        1 => Just("runs".to_owned()),
        1 => Just("sweeps".to_owned()),
        1 => Just("reports".to_owned()),
        1 => Just("wandb.ai".to_owned()),
        4 => "\\PC{1,8}",
    ]
}

fn run_path() -> impl Strategy<Value = RunPath> {
    (text(), text(), text()).prop_filter_map("names", |(entity, project, run)| {
        Some(RunPath::new(
            EntityName::new(entity).ok()?,
            ProjectName::new(project).ok()?,
            RunId::new(run).ok()?,
        ))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_printed_is_read_back(run in run_path(), title in "\\PC{0,12}", id in "[A-Za-z0-9]{1,12}={0,2}") {
        let app = BaseUrl::default().app_url();
        let project = run.project_path().clone();
        // A first segment that is a page of the site is no entity on the web.
        let site_page = AnyPath::parse(&app.project_url(&project), &context()).is_err();

        prop_assert_eq!(&RunPath::parse(&run.to_string(), &context()).unwrap(), &run);
        prop_assert_eq!(AnyPath::parse(&run.to_string(), &context()).unwrap(), AnyPath::Run(run.clone()));
        prop_assert_eq!(&ProjectPath::parse(&project.to_string(), &context()).unwrap(), &project);
        prop_assert_eq!(AnyPath::parse(&project.to_string(), &context()).unwrap(), AnyPath::Project(project.clone()));
        let sweep = project.with_sweep(SweepId::new(run.run().as_str()).unwrap());
        prop_assert_eq!(&SweepPath::parse(&sweep.to_string(), &context()).unwrap(), &sweep);
        prop_assert_eq!(AnyPath::parse(&sweep.to_string(), &context()).unwrap(), AnyPath::Sweep(sweep.clone()));
        let report = ReportPath::new(project.clone(), &title, &id).unwrap();
        prop_assert_eq!(&ReportPath::parse(&report.to_string(), &context()).unwrap(), &report);
        prop_assert_eq!(AnyPath::parse(&report.to_string(), &context()).unwrap(), AnyPath::Report(report.clone()));
        if !site_page {
            prop_assert_eq!(&RunPath::parse(&app.run_url(&run), &context()).unwrap(), &run);
            prop_assert_eq!(&SweepPath::parse(&app.sweep_url(&sweep), &context()).unwrap(), &sweep);
            prop_assert_eq!(&ProjectPath::parse(&app.project_url(&project), &context()).unwrap(), &project);
            prop_assert_eq!(&ReportPath::parse(&app.report_url(&report), &context()).unwrap(), &report);
            prop_assert_eq!(&RunPath::parse(&format!("https://wandb.ai/{}?nw=1", run.to_url_path()), &context()).unwrap(), &run);
        }
    }

    #[test]
    fn any_text_is_answered_without_panic(text in any::<String>(), like in "(https?://)?[a-z./: %?#-]{0,30}") {
        for text in [text, like] {
            if let Ok(any) = AnyPath::parse(&text, &context()) {
                prop_assert!(!any.project_path().entity().as_str().is_empty());
            }
            let _ = RunPath::parse(&text, &context());
            let _ = SweepPath::parse(&text, &PathContext::new());
            let _ = ReportPath::parse(&text, &context());
            let _ = ProjectPath::parse(&text, &context());
        }
    }

    #[test]
    fn a_safe_name_never_leaves_its_root(name in "([a-zA-Z0-9 .:\\\\/%~$é\0-]|\\.\\./|\\PC){0,24}") {
        if let Ok(path) = safe_relative_path(&name) {
            let root = Path::new("/root/dir");
            let joined = path.under(root);
            let rest = joined.strip_prefix(root).unwrap();
            prop_assert!(rest.components().all(|component| matches!(component, Component::Normal(_))));
            prop_assert_eq!(rest.components().count(), path.segments().count());
            let back: Vec<_> = rest.components().map(|component| component.as_os_str().to_str().unwrap()).collect();
            prop_assert_eq!(back.join("/"), name);
        }
    }

    #[test]
    fn dangerous_pieces_are_refused_wherever_they_stand(
        before in "[a-z]{0,3}", after in "[a-z]{0,3}", piece in prop::sample::select(vec!["..", ".", "", "CON", "nul.txt", "c:x", "a.", "b "]),
    ) {
        let name = [before.as_str(), piece, after.as_str()].join("/");
        prop_assert!(NamePolicy::Portable.check(&name).is_err());
    }

    /// The kinds, told once more in another way: by what the systems do with the name.
    #[test]
    fn every_name_is_of_the_kind_that_a_plain_reading_gives_it(
        name in prop_oneof![
            "([abC:.]|/|\\\\| |\\?|\u{1}|\0|\\.\\.|aux|nul|com1|é){0,7}",
            "\\PC{0,12}",
            any::<String>(),
        ],
    ) {
        let kind = match NameFault::of(&name) {
            None => "portable",
            Some(NameFault::Unportable(_)) => "unportable",
            Some(NameFault::Hostile(_)) => "hostile",
        };
        prop_assert_eq!(kind, plain_kind(&name), "{:?}", name);
    }

    /// Without marks, whose order Unicode itself does not keep when case changes (U+0345 becomes a letter).
    #[test]
    fn clash_keys_ignore_case_and_composition(name in "[\\p{L}0-9._ -]{0,12}", any in "\\PC{0,12}") {
        let key = clash_key(&name);
        prop_assert_eq!(&clash_key(&name.to_uppercase()), &key);
        prop_assert_eq!(&clash_key(&name.to_lowercase()), &key);
        prop_assert_eq!(&clash_key(&key), &key);
        let decomposed = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(&any).into_owned();
        prop_assert_eq!(clash_key(&decomposed), clash_key(&any));
    }
}
