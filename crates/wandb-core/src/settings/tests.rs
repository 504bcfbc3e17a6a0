//! Order of layers and credentials, provenance, and what is refused. The file formats have tests of their own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::base_url::{BaseUrl, DEFAULT_BASE_URL};
use crate::secret::Secret;

fn key(character: char) -> String {
    character.to_string().repeat(40)
}

fn user(text: &str) -> Layer {
    Layer::from_user_settings("user", &format!("[default]\n{text}")).unwrap()
}

fn project(text: &str) -> Layer {
    Layer::from_project_settings("project", &format!("[default]\n{text}")).unwrap()
}

fn profile(text: &str) -> Layer {
    Layer::from_profile("profiles", &format!("[work]\n{text}"), "work").unwrap()
}

fn resolve(layers: Vec<Layer>, netrc: Option<&str>) -> Result<Settings, SettingsError> {
    Settings::resolve(layers, netrc.map(|text| NetrcText { path: "netrc", text }))
}

/// The first character of the API key that counts, and where it came from.
fn found(settings: &Settings) -> Option<(char, String)> {
    settings
        .credentials
        .as_ref()
        .map(|credentials| match &credentials.value {
            Credentials::ApiKey(key) => (
                key.expose().chars().next().unwrap(),
                credentials.origin.to_string(),
            ),
            Credentials::IdentityTokenFile(_) => ('-', credentials.origin.to_string()),
        })
}

#[test]
fn nothing_configured_means_the_defaults() {
    let settings = resolve(vec![], None).unwrap();
    assert_eq!(settings.base_url.value.as_str(), DEFAULT_BASE_URL);
    assert_eq!(settings.base_url.origin, Origin::Default);
    assert_eq!(settings.app_url.origin, Origin::Derived);
    assert_eq!(settings.credentials, None);
    assert!(settings.warnings.is_empty() && settings.extra_http_headers.is_empty());
}

#[test]
fn higher_layers_win_in_whatever_order_they_are_given() {
    let layers = [
        user("entity = a\n"),
        project("entity = b\n"),
        Layer::from_environment([("WANDB_ENTITY", "c")]),
        profile("entity = d\n"),
        Layer::explicit().with(SettingKey::Entity, "e"),
    ];
    for (count, expected) in [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")] {
        let mut chosen: Vec<Layer> = layers[..count].to_vec();
        for _ in 0..count {
            chosen.rotate_left(1);
            let entity = resolve(chosen.clone(), None).unwrap().entity.unwrap();
            assert_eq!(entity.value.as_str(), expected);
        }
    }
    let settings = resolve(layers.to_vec(), None).unwrap();
    assert_eq!(settings.entity.unwrap().origin, Origin::Explicit);
    let empty = Layer::from_environment([("WANDB_ENTITY", ""), ("WANDB_BASE_URL", " ")]);
    let settings = resolve(vec![empty, user("entity = a\n")], None).unwrap();
    assert_eq!(
        settings.entity.unwrap().origin,
        Origin::UserSettings { path: "user".into() }
    );
}

#[test]
fn credentials_are_found_in_the_official_order() {
    let netrc = format!("machine api.wandb.ai login user password {}\n", key('n'));
    let file = user(&format!("api_key = {}\n", key('f')));
    let environment_key = key('v');
    let environment = Layer::from_environment([("WANDB_API_KEY", environment_key.as_str())]);
    let own_profile = profile(&format!("api_key = {}\n", key('p')));
    let explicit = Layer::explicit().with(SettingKey::ApiKey, key('x'));

    let layers = vec![file.clone(), environment.clone(), own_profile.clone(), explicit];
    assert_eq!(
        found(&resolve(layers, Some(&netrc)).unwrap()),
        Some(('x', "an explicit argument".into()))
    );
    let layers = vec![file.clone(), environment.clone(), own_profile];
    assert_eq!(found(&resolve(layers, Some(&netrc)).unwrap()).unwrap().0, 'p');
    let layers = vec![file.clone(), environment];
    let expected = Some(('v', "the environment variable WANDB_API_KEY".into()));
    assert_eq!(found(&resolve(layers, Some(&netrc)).unwrap()), expected);
    let expected = Some(('n', "the entry of api.wandb.ai in netrc".into()));
    assert_eq!(
        found(&resolve(vec![file.clone()], Some(&netrc)).unwrap()),
        expected
    );
    assert_eq!(
        found(&resolve(vec![file], None).unwrap()),
        Some(('f', "the settings file user".into()))
    );
}

#[test]
fn netrc_entries_match_host_and_port() {
    let netrc = format!(
        "machine localhost password {}\nmachine localhost:8080 password {}\nmachine api.wandb.ai password {}\ndefault password {}\n",
        key('a'),
        key('b'),
        key('w'),
        key('d')
    );
    let at = |base_url: &str| {
        let explicit = Layer::explicit().with(SettingKey::BaseUrl, base_url);
        found(&resolve(vec![explicit], Some(&netrc)).unwrap()).unwrap().0
    };
    assert_eq!(at("http://localhost:8080"), 'b');
    assert_eq!(at("http://localhost"), 'a');
    assert_eq!(at("http://localhost:80"), 'a');
    assert_eq!(at("http://localhost:8081"), 'd');
    assert_eq!(at("https://api.forge.coreweave.com"), 'w');
    assert_eq!(at("https://api.wandb.ai/prefix"), 'w');
}

#[test]
fn a_key_is_not_sent_to_another_server() {
    // A settings file's key is that of the files' and environment's server (official: `is_same_url`).
    let file = user(&format!(
        "base_url = http://localhost:1\napi_key = {}\n",
        key('f')
    ));
    let elsewhere = Layer::explicit().with(SettingKey::BaseUrl, "http://localhost:2");
    let settings = resolve(vec![file.clone(), elsewhere], None).unwrap();
    assert_eq!(found(&settings), None);
    assert!(
        matches!(
            settings.warnings[..],
            [SettingsWarning::KeyOfAnotherServer { .. }]
        ),
        "{settings:?}"
    );
    assert_eq!(found(&resolve(vec![file], None).unwrap()).unwrap().0, 'f');

    // A profile for another server prefers that server's netrc entry to the environment's key.
    let environment_key = key('v');
    let environment = Layer::from_environment([("WANDB_API_KEY", environment_key.as_str())]);
    let other = profile("base_url = http://localhost:3\n");
    let netrc = format!(
        "machine localhost:3 password {}\ndefault password {}\n",
        key('n'),
        key('d')
    );
    let settings = resolve(vec![environment.clone(), other.clone()], Some(&netrc)).unwrap();
    assert_eq!(found(&settings).unwrap().0, 'n');
    let settings = resolve(vec![environment.clone(), profile("entity = e\n")], Some(&netrc)).unwrap();
    assert_eq!(found(&settings).unwrap().0, 'v');
    // Without one, the environment's key is used, as with --base-url.
    assert_eq!(
        found(&resolve(vec![environment, other], None).unwrap())
            .unwrap()
            .0,
        'v'
    );
}

#[test]
fn two_kinds_of_credentials_in_one_place_are_an_error() {
    let pairs = [("WANDB_API_KEY", "x"), ("WANDB_IDENTITY_TOKEN_FILE", "/token")];
    let error = resolve(vec![Layer::from_environment(pairs)], None).unwrap_err();
    assert!(matches!(error, SettingsError::ConflictingCredentials { .. }));
    assert!(error.to_string().contains("WANDB_API_KEY") && !error.hints().is_empty());
    let settings = resolve(vec![Layer::from_environment(pairs[1..].to_vec())], None).unwrap();
    assert_eq!(
        settings.credentials.unwrap().value,
        Credentials::IdentityTokenFile("/token".into())
    );
}

#[test]
fn bad_values_name_their_setting_and_place_and_no_secret() {
    for (name, value) in [
        ("WANDB_API_KEY", "hunter2"),
        ("WANDB_BASE_URL", "https://u:hunter2@x"),
        ("WANDB_APP_URL", "hunter2://"),
        ("WANDB_ENTITY", "a/b"),
        ("WANDB_PROJECT", "a/b"),
        ("WANDB_HTTP_TIMEOUT", "soon"),
        ("WANDB_HTTP_TIMEOUT", "0"),
        ("WANDB_HTTP_TIMEOUT", "-1"),
        ("WANDB_HTTP_TIMEOUT", "NaN"),
        ("WANDB__PROXIES", "hunter2"),
        ("WANDB__PROXIES", "{\"http\": 1}"),
        ("WANDB__EXTRA_HTTP_HEADERS", "[\"hunter2\"]"),
        ("WANDB__EXTRA_HTTP_HEADERS", "{\"Authorization\": \"hunter2\"}"),
        ("WANDB__EXTRA_HTTP_HEADERS", "{\"a b\": \"hunter2\"}"),
        ("WANDB_INSECURE_DISABLE_SSL", "perhaps"),
    ] {
        let error = resolve(vec![Layer::from_environment([(name, value)])], None).unwrap_err();
        let source = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(error.to_string().contains(name), "{error}");
        if !name.ends_with("APP_URL") {
            assert!(
                !format!("{error} {error:?} {source} {:?}", error.hints()).contains("hunter2"),
                "{error:?}"
            );
        }
    }
    // Values that do not count are not looked at.
    let explicit = Layer::explicit()
        .with(SettingKey::ApiKey, key('x'))
        .with(SettingKey::BaseUrl, "http://x");
    let environment = Layer::from_environment([("WANDB_API_KEY", "bad"), ("WANDB_BASE_URL", "bad")]);
    assert!(resolve(vec![explicit, environment], None).is_ok());
    let error = Layer::from_user_settings("file", "api_key = hunter2\n").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2") && error.to_string().contains("file"));
    let error = Layer::from_profile("file", "[a]\n[b]\n", "c").unwrap_err();
    assert_eq!(error.hints(), ["known profiles: a, b"]);
}

#[test]
fn an_unreadable_netrc_is_a_warning_when_it_is_needed() {
    let settings = resolve(vec![], Some("hunter2 hunter2")).unwrap();
    assert!(matches!(
        settings.warnings[..],
        [SettingsWarning::UnreadableNetrc { .. }]
    ));
    assert!(!format!("{} {:?}", settings.warnings[0], settings.warnings).contains("hunter2"));
    let explicit = Layer::explicit().with(SettingKey::ApiKey, key('x'));
    assert!(
        resolve(vec![explicit], Some("bad bad"))
            .unwrap()
            .warnings
            .is_empty()
    );
    let settings = resolve(vec![], Some("machine api.wandb.ai login x\n")).unwrap();
    assert!(matches!(
        settings.warnings[..],
        [SettingsWarning::EmptyNetrcEntry { .. }]
    ));
}

#[test]
fn timeouts_proxies_headers_and_flags() {
    let environment = Layer::from_environment([
        ("WANDB_HTTP_TIMEOUT", "2.5"),
        ("WANDB_FILE_PUSHER_TIMEOUT", "1e300"),
        ("WANDB__EXTRA_HTTP_HEADERS", "{\"X-Team\": \"secret-value\"}"),
        ("WANDB_INSECURE_DISABLE_SSL", "True"),
        ("WANDB__PROXIES", "{\"https\": \"http://json:1\"}"),
        ("WANDB_HTTPS_PROXY", "http://u:hunter2@own:2"),
        ("WANDB_HTTP_PROXY", "http://u:hunter2@own:3"),
        ("HTTP_PROXY", "http://system:4"),
        ("no_proxy", "a,b"),
        ("NO_PROXY", "c"),
        ("WANDB_NONSENSE", "ignored"),
    ]);
    let settings = resolve(vec![environment], None).unwrap();
    assert_eq!(
        settings.http_timeout.as_ref().unwrap().value,
        Duration::from_millis(2500)
    );
    assert_eq!(
        settings.file_transfer_timeout.as_ref().unwrap().value,
        Duration::from_secs(1_000_000_000)
    );
    assert_eq!(settings.extra_http_headers["x-team"], "secret-value");
    assert!(settings.insecure_disable_ssl.as_ref().unwrap().value);
    assert_eq!(
        settings.proxies.https.as_ref().unwrap().value.expose(),
        "http://json:1"
    );
    assert_eq!(
        settings.proxies.http.as_ref().unwrap().value.expose(),
        "http://u:hunter2@own:3"
    );
    assert_eq!(settings.proxies.no_proxy.as_ref().unwrap().value, "a,b");
    let printed = format!("{settings:?}");
    assert!(
        !printed.contains("hunter2") && !printed.contains("secret-value"),
        "{printed}"
    );

    let system = |pairs: &[(&'static str, &'static str)]| {
        let environment = Layer::from_environment(pairs.iter().copied());
        resolve(vec![environment], None)
            .unwrap()
            .proxies
            .http
            .map(|proxy| proxy.value.expose().to_owned())
    };
    assert_eq!(
        system(&[("HTTP_PROXY", "a"), ("http_proxy", "b")]).as_deref(),
        Some("b")
    );
    assert_eq!(system(&[("HTTP_PROXY", "a"), ("REQUEST_METHOD", "GET")]), None);
    assert_eq!(system(&[("ALL_PROXY", "a")]).as_deref(), Some("a"));
    let explicit = Layer::explicit().with(SettingKey::HttpsProxy, "http://explicit:5");
    let environment = Layer::from_environment([("WANDB__PROXIES", "{\"https\": \"http://json:1\"}")]);
    let proxies = resolve(vec![explicit, environment], None).unwrap().proxies;
    assert_eq!(proxies.https.unwrap().value.expose(), "http://explicit:5");
}

#[test]
fn the_path_context_has_the_defaults_and_the_server() {
    let explicit = Layer::explicit()
        .with(SettingKey::BaseUrl, "http://localhost:8080")
        .with(SettingKey::Entity, "e")
        .with(SettingKey::Project, "p");
    let context = resolve(vec![explicit], None).unwrap().path_context();
    let run = crate::path::RunPath::parse("r", &context).unwrap();
    assert_eq!(
        crate::path::RunPath::parse("http://localhost:8080/e/p/runs/r", &context).unwrap(),
        run
    );
}

#[test]
fn files_are_where_the_official_client_has_them() {
    let (home, here) = (Path::new("/home/u"), Path::new("/work"));
    let files = SettingsFiles::locations([], Some(home), here);
    assert_eq!(
        files.user_settings,
        Some(PathBuf::from("/home/u/.config/wandb/settings"))
    );
    assert_eq!(
        files.profiles,
        Some(PathBuf::from("/home/u/.config/wandb/profiles"))
    );
    assert_eq!(
        files.project_settings,
        ["/work/.wandb/settings", "/work/wandb/settings"].map(PathBuf::from)
    );
    assert_eq!(files.netrc.len(), 2);
    assert_eq!(
        files.credentials,
        Some(PathBuf::from("/home/u/.config/wandb/credentials.json"))
    );
    let pairs = [("WANDB_CONFIG_DIR", "~/c"), ("WANDB_DIR", "sub"), ("NETRC", "/n")];
    let files = SettingsFiles::locations(pairs, Some(home), here);
    assert_eq!(files.user_settings, Some(PathBuf::from("/home/u/c/settings")));
    assert_eq!(
        files.project_settings[1],
        PathBuf::from("/work/sub/wandb/settings")
    );
    assert_eq!(files.netrc, [PathBuf::from("/n")]);
    #[cfg(target_os = "linux")]
    {
        let cache = |pairs: &[(&'static str, &'static str)], home| {
            SettingsFiles::locations(pairs.iter().copied(), home, here).artifact_cache
        };
        assert_eq!(cache(&[], Some(home)), Some(home.join(".cache/wandb")));
        assert_eq!(
            cache(&[("XDG_CACHE_HOME", "/c")], Some(home)),
            Some("/c/wandb".into())
        );
        assert_eq!(
            cache(&[("XDG_CACHE_HOME", "relative")], Some(home)),
            Some(home.join(".cache/wandb"))
        );
        assert_eq!(cache(&[], None), None);
    }
    let files = SettingsFiles::locations([("WANDB_DIR", "")], None, here);
    assert_eq!((files.user_settings, files.netrc), (None, vec![]));
}

#[test]
fn the_table_of_variables_has_no_doubles_and_every_setting_is_read_from_files_by_its_name() {
    for (index, variable) in ENVIRONMENT_VARIABLES.iter().enumerate() {
        assert_eq!(
            environment_variable(variable.name),
            Some(&ENVIRONMENT_VARIABLES[index])
        );
        assert!(variable.meaning.ends_with('.'));
        if let Some(key) = variable.key {
            assert_eq!(SettingKey::from_name(key.name()), Some(key));
            let layer = Layer::from_environment([(variable.name, "x")]);
            assert_eq!(
                layer.values[&key].1,
                Origin::Environment {
                    variable: variable.name
                }
            );
        }
    }
    assert_eq!(environment_variable("WANDB_NONSENSE"), None);
    assert_eq!(SettingKey::from_name("mode"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What `wb login` writes is what the next command finds.
    #[test]
    fn what_is_written_is_found(
        host in "[a-z]{1,8}", port in 1u16.., key in "(local-)?[a-zA-Z0-9_]{40,50}", entity in "[a-z0-9 ]{0,6}[a-z%]",
        old in prop::option::of("[a-z]{1,8}"),
    ) {
        let base_url = BaseUrl::parse(&format!("http://{host}:{port}")).unwrap();
        let old = old.map(|machine| format!("# mine\nmachine {machine} login a password b\n")).unwrap_or_default();
        let netrc = netrc::set_entry(&old, &base_url.netrc_machine(), "user", &Secret::new(key.as_str())).unwrap();
        let entity = entity.trim();
        let changes = [("base_url", Some(base_url.as_str())), ("entity", Some(entity))];
        let text = ini::set_values("# comment\n", "default", &changes).unwrap();
        let settings = resolve(vec![Layer::from_user_settings("user", &text).unwrap()], Some(&netrc)).unwrap();
        prop_assert_eq!(&settings.base_url.value, &base_url);
        let found = settings.entity.unwrap().value;
        prop_assert_eq!(found.as_str(), entity);
        let credentials = settings.credentials.unwrap().value;
        prop_assert_eq!(credentials, Credentials::ApiKey(crate::secret::ApiKey::parse(key.as_str()).unwrap()));
    }

    #[test]
    fn any_values_are_answered_without_panic(values in prop::collection::vec(any::<String>(), ENVIRONMENT_VARIABLES.len()), netrc in any::<String>()) {
        let pairs = ENVIRONMENT_VARIABLES.iter().zip(&values).map(|(variable, value)| (variable.name, value.as_str()));
        let _ = resolve(vec![Layer::from_environment(pairs)], Some(&netrc));
        for (variable, value) in ENVIRONMENT_VARIABLES.iter().zip(&values) {
            let _ = resolve(vec![Layer::from_environment([(variable.name, value.as_str())])], Some(&netrc));
        }
    }
}

#[test]
fn the_budget_of_the_cache_is_a_size() {
    let of = |text: &str| {
        resolve(
            vec![Layer::from_environment([("WANDB_CACHE_BUDGET", text)])],
            None,
        )
    };
    assert_eq!(of("1.5GB").unwrap().cache_budget.unwrap().value, 1_500_000_000);
    assert_eq!(of("").unwrap().cache_budget, None);
    let error = of("much").unwrap_err();
    assert!(matches!(
        error,
        SettingsError::Invalid {
            problem: InvalidValue::Size,
            ..
        }
    ));
}
