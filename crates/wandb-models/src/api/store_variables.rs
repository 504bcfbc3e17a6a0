//! What this machine says of object stores, in the places where the stores' own programs look: the environment, the files of
//! the AWS command line, and the login of the Google one.
//!
//! Pure but for the reading of files, which is passed in.

use std::path::{Path, PathBuf};

use wandb_core::secret::Secret;

/// The beginnings of the names of variables that can be settings.
const STORES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// A place where the AWS programs have a credential from that is not the file.
const AWS_CREDENTIALS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

const GOOGLE_CREDENTIALS: [&str; 4] = [
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_BEARER_TOKEN",
];

/// Settings of object stores, by the names of their variables. `read` gives the text of a file, or `None` when it is not there
/// or cannot be read.
pub(super) fn find(
    variables: &[(String, String)],
    home: Option<&Path>,
    read: &dyn Fn(&Path) -> Option<String>,
) -> Vec<(String, Secret)> {
    let of = |wanted: &str| {
        let mut all = variables.iter();
        let found = all.find(|(name, value)| name == wanted && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    };
    let mut found: Vec<(String, Secret)> = variables
        .iter()
        .filter(|(name, value)| !value.is_empty() && STORES.iter().any(|store| name.starts_with(store)))
        .map(|(name, value)| (name.clone(), Secret::new(value.as_str())))
        .collect();
    let mut add = |name: &str, value: &str| found.push((name.to_owned(), Secret::new(value)));

    let file = |variable: &str, name: &str| {
        let path = of(variable).map(PathBuf::from);
        path.or_else(|| Some(home?.join(".aws").join(name)))
            .and_then(|path| read(&path))
            .unwrap_or_default()
    };
    let needs_credential = !AWS_CREDENTIALS.iter().any(|name| of(name).is_some());
    let needs_region = of("AWS_REGION").or(of("AWS_DEFAULT_REGION")).is_none();
    if needs_credential || needs_region {
        let profile = of("AWS_PROFILE")
            .or(of("AWS_DEFAULT_PROFILE"))
            .unwrap_or("default");
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let config = file("AWS_CONFIG_FILE", "config");
        let in_config = match profile {
            "default" => profile.to_owned(),
            other => format!("profile {other}"),
        };
        let value = |key: &str| ini(&credentials, profile, key).or_else(|| ini(&config, &in_config, key));
        if needs_credential
            && let (Some(id), Some(secret)) = (value("aws_access_key_id"), value("aws_secret_access_key"))
        {
            add("AWS_ACCESS_KEY_ID", id);
            add("AWS_SECRET_ACCESS_KEY", secret);
            if let Some(token) = value("aws_session_token") {
                add("AWS_SESSION_TOKEN", token);
            }
        }
        if needs_region && let Some(region) = value("region") {
            add("AWS_REGION", region);
        }
    }

    if !GOOGLE_CREDENTIALS.iter().any(|name| of(name).is_some()) {
        let folder = match (of("CLOUDSDK_CONFIG"), of("APPDATA")) {
            (Some(folder), _) => Some(PathBuf::from(folder)),
            (None, Some(data)) if cfg!(windows) => Some(Path::new(data).join("gcloud")),
            _ => home.map(|home| home.join(".config").join("gcloud")),
        };
        let login = folder.map(|folder| folder.join("application_default_credentials.json"));
        if let Some(path) = login.filter(|path| read(path).is_some())
            && let Some(path) = path.to_str()
        {
            add("GOOGLE_APPLICATION_CREDENTIALS", path);
        }
    }
    found
}

/// A value of a section. Lines that are indented belong to a value above them, and are none.
fn ini<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let mut is_inside = false;
    for line in text.lines() {
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        if let Some(name) = line.trim_end().strip_prefix('[') {
            is_inside = name.strip_suffix(']').is_some_and(|name| name.trim() == section);
        } else if is_inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim().eq_ignore_ascii_case(key)
        {
            return Some(value.trim()).filter(|value| !value.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Vec<(String, String)> {
        let variables: Vec<(String, String)> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let read = |path: &Path| {
            let mut all = files.iter();
            let found = all.find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| (*text).to_owned())
        };
        let found = find(&variables, Some(Path::new("/home/me")), &read).into_iter();
        found
            .map(|(name, value)| (name, value.expose().to_owned()))
            .collect()
    }

    const CREDENTIALS: &str = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=S=\n[work]\n\
                               aws_access_key_id=W\naws_secret_access_key=X\naws_session_token=T\n";
    const CONFIG: &str =
        "[default]\nregion = eu-west-1\ns3 =\n  region = nested\n[profile work]\nregion=us-east-2\n";
    const FILES: [(&str, &str); 2] = [
        ("/home/me/.aws/credentials", CREDENTIALS),
        ("/home/me/.aws/config", CONFIG),
    ];

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn variables_come_before_files() {
        let own = [
            ("HOME", "/x"),
            ("AWS_ACCESS_KEY_ID", "E"),
            ("AWS_REGION", "r"),
            ("AWS_TOKEN", ""),
        ];
        assert_eq!(
            found(&own, &FILES),
            pairs(&[("AWS_ACCESS_KEY_ID", "E"), ("AWS_REGION", "r")])
        );
        assert_eq!(
            found(&[], &FILES),
            pairs(&[
                ("AWS_ACCESS_KEY_ID", "A"),
                ("AWS_SECRET_ACCESS_KEY", "S="),
                ("AWS_REGION", "eu-west-1"),
            ])
        );
        assert_eq!(
            found(&[("AWS_PROFILE", "work")], &FILES)[1..],
            pairs(&[
                ("AWS_ACCESS_KEY_ID", "W"),
                ("AWS_SECRET_ACCESS_KEY", "X"),
                ("AWS_SESSION_TOKEN", "T"),
                ("AWS_REGION", "us-east-2"),
            ])
        );
        assert_eq!(found(&[], &[]), []);
    }

    #[cfg(unix)]
    #[test]
    fn the_login_of_the_google_programs_is_found() {
        let path = "/home/me/.config/gcloud/application_default_credentials.json";
        assert_eq!(
            found(&[], &[(path, "{}")]),
            pairs(&[("GOOGLE_APPLICATION_CREDENTIALS", path)])
        );
        let own = [("GOOGLE_SERVICE_ACCOUNT", "/f")];
        assert_eq!(found(&own, &[(path, "{}")]), pairs(&own));
    }
}
