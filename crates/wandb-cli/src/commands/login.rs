//! `wb login`: ask for a key, check it, store it.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use wandb_api::secret::{ApiKey, Secret};
use wandb_api::settings::{Origin, SettingKey, Settings, SettingsFiles, ini, netrc};
use wandb_api::{Api, Environment};

use crate::cli::LoginArgs;
use crate::connection::explicit;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::style::Paint;
use crate::private_file;

/// More than any key has; whoever pipes more has piped the wrong file.
const STDIN_LIMIT: u64 = 64 * 1024;
/// The section of the settings file that both clients read.
const DEFAULT_SECTION: &str = "default";

/// Logs in.
pub(crate) async fn login(context: &mut Context, arguments: &LoginArgs) -> CommandResult {
    if context.global.local.is_some() {
        return Err(Failure::usage("a local directory needs no login"));
    }
    let profile = context.global.profile.as_deref();
    let Environment { settings, files, .. } = known_settings(context, None)?;
    // A profile that is not there yet is about to be made.
    let known = match profile {
        Some(name) if profile_exists(&files, name)? => Some(name),
        _ => None,
    };
    let settings = if known.is_some() {
        known_settings(context, known)?.settings
    } else {
        settings
    };

    let key = if arguments.with_key_stdin {
        key_from_stdin()?
    } else {
        key_from_terminal(&settings)?
    };
    let key = ApiKey::parse(key).map_err(|error| {
        let hints = error.hints();
        hints.into_iter().fold(
            Failure::new(ExitStatus::Authentication, error.to_string()),
            Failure::hint,
        )
    })?;
    // The key is tried before it is stored, at the server that it will be used for.
    let tried = explicit(&context.global).with(SettingKey::ApiKey, key.expose());
    let tried = Environment::read(tried, known)?.settings;
    let viewer = Api::from_settings(&tried)?.viewer().await?;

    let stored = match profile {
        Some(name) => store_profile(context, &files, name, &settings, &key)?,
        None => store_key(&files, &settings, &key)?,
    };
    let user = viewer.username.as_deref().unwrap_or(&viewer.name);
    let server = settings.base_url.value.as_str();
    context.note(&format!(
        "{} to {server} as {user}",
        context.ui.style().paint(Paint::Green, "logged in")
    ));
    context.note(&format!("the key is in {}", stored.display()));
    if profile.is_none() {
        warn_of_precedence(context, &settings);
    }
    Ok(())
}

/// The settings without their key: a malformed one must not keep anyone from storing a better one.
fn known_settings(context: &Context, profile: Option<&str>) -> CommandResult<Environment> {
    // An explicit key ends the search for one, so that no other is looked at. This one is never sent.
    let layer = explicit(&context.global).with(SettingKey::ApiKey, "0".repeat(40));
    Ok(Environment::read(layer, profile)?)
}

fn key_from_stdin() -> CommandResult<Secret> {
    let mut text = String::new();
    let read = io::stdin().lock().take(STDIN_LIMIT + 1).read_to_string(&mut text);
    let size = read.map_err(|error| Failure::io("read the key from stdin", error))?;
    if size as u64 > STDIN_LIMIT {
        return Err(Failure::usage("stdin holds more than a key"));
    }
    Ok(Secret::new(text.trim()))
}

fn key_from_terminal(settings: &Settings) -> CommandResult<Secret> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask for the key")
            .hint("pipe the key in and give --with-key-stdin"));
    }
    let prompt = format!(
        "API key of {} (see {}/authorize): ",
        settings.base_url.value.as_str(),
        settings.app_url.value.to_string().trim_end_matches('/')
    );
    let text = rpassword::prompt_password(prompt).map_err(|error| match error.kind() {
        // Ctrl-C at the prompt ends like Ctrl-C anywhere else.
        io::ErrorKind::Interrupted => Failure::new(ExitStatus::Interrupted, "interrupted"),
        _ => Failure::io("ask for the key", error),
    })?;
    Ok(Secret::new(text.trim()))
}

/// Puts the key into netrc, and the server's address into the settings file, as the official client does: the public
/// service is what an absent address means.
fn store_key(files: &SettingsFiles, settings: &Settings, key: &ApiKey) -> CommandResult<PathBuf> {
    let existing = files.netrc.iter().find(|path| path.exists());
    let path = existing.or(files.netrc.first()).ok_or_else(no_home)?;
    let machine = settings.base_url.value.netrc_machine();
    let changed = netrc::set_entry(&read(path)?, &machine, "user", &Secret::new(key.expose()))
        .map_err(|error| broken(path, wandb_api::Error::from(error)))?;
    write(path, &changed)?;

    let settings_path = files.user_settings.as_ref().ok_or_else(no_home)?;
    let address = settings.base_url.value.as_str();
    let address = (!settings.base_url.value.is_public_service()).then_some(address);
    set_values(settings_path, DEFAULT_SECTION, &[("base_url", address)])?;
    Ok(path.clone())
}

/// Puts everything that the profile is into its section.
fn store_profile(
    context: &Context,
    files: &SettingsFiles,
    name: &str,
    settings: &Settings,
    key: &ApiKey,
) -> CommandResult<PathBuf> {
    if name.is_empty() || name.eq_ignore_ascii_case(DEFAULT_SECTION) || name.contains(['[', ']']) {
        return Err(Failure::usage(format!("a profile cannot be called {name:?}")));
    }
    let path = files.profiles.as_ref().ok_or_else(no_home)?;
    let mut values = vec![
        ("base_url", Some(settings.base_url.value.as_str())),
        ("api_key", Some(key.expose())),
    ];
    let defaults = [
        ("entity", &context.global.entity),
        ("project", &context.global.project),
    ];
    values.extend(
        defaults
            .iter()
            .filter_map(|(key, value)| Some((*key, Some(value.as_deref()?)))),
    );
    set_values(path, name, &values)?;
    Ok(path.clone())
}

/// Changes values in an INI file, unless it has them already.
fn set_values(path: &Path, section: &str, values: &[(&str, Option<&str>)]) -> CommandResult {
    let before = read(path)?;
    let after = ini::set_values(&before, section, values).map_err(|error| broken(path, error.into()))?;
    if after == before {
        Ok(())
    } else {
        write(path, &after)
    }
}

fn profile_exists(files: &SettingsFiles, name: &str) -> CommandResult<bool> {
    let Some(path) = &files.profiles else {
        return Ok(false);
    };
    let profiles = ini::Ini::parse(&read(path)?).map_err(|error| broken(path, error.into()))?;
    Ok(profiles.section_names().any(|section| section == name))
}

/// The file's text; a file that is not there is empty.
fn read(path: &Path) -> CommandResult<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text.map_err(|error| Failure::io(format!("read \"{}\"", path.display()), error)),
    }
}

fn write(path: &Path, text: &str) -> CommandResult {
    private_file::replace(path, text)
        .map_err(|error| Failure::io(format!("write \"{}\"", path.display()), error))
}

fn broken(path: &Path, error: wandb_api::Error) -> Failure {
    Failure::usage(format!("\"{}\" cannot be changed", path.display())).with_source(error)
}

fn no_home() -> Failure {
    Failure::usage("there is no home directory to store the key in")
        .hint("set HOME, NETRC or WANDB_CONFIG_DIR")
}

/// A key or an address in the environment goes before what was just stored.
fn warn_of_precedence(context: &Context, settings: &Settings) {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("WANDB_API_KEY") {
        context
            .ui
            .warn("WANDB_API_KEY is set and goes before the stored key");
    }
    if settings.base_url.origin == Origin::Explicit && is_set("WANDB_BASE_URL") {
        context
            .ui
            .warn("WANDB_BASE_URL is set and goes before the stored address");
    }
}
