//! A run as one JSON object with the official names, from the server's texts without building maps in between.

use serde::Serialize;
use wandb_core::{
    Error, Result,
    value::{ParseValueError, Scanner},
};

use super::{
    config::is_internal,
    data::{Json, RunData},
};

impl RunData {
    /// Appends the run as one strict JSON object: `id`, `name`, `storage_id`, `entity`, `project`, `path`, `url`, `state`,
    /// `tags`, `notes`, `description`, `group`, `job_type`, `commit`, `created_at`, `heartbeat_at`, `read_only`, `user`,
    /// `sweep_name`, `config`, `summary`, `system_metrics`, `history_line_count`.
    ///
    /// Times are RFC 3339; non-finite numbers are the strings `"NaN"`, `"Infinity"`, `"-Infinity"`. Parts that a listing
    /// did not select are absent.
    ///
    /// # Errors
    /// [`Protocol`](wandb_core::ErrorKind::Protocol) when config, summary or system metrics are no JSON objects.
    pub fn write_json(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut object = Object::begin(out);
        object.field("id", &self.id);
        object.field("name", &self.name);
        object.field("storage_id", &self.storage_id);
        object.field("entity", &self.entity);
        object.field("project", &self.project);
        object.field("path", &self.path);
        object.field("url", &self.url);
        object.field("state", &self.state);
        object.field("tags", &self.tags);
        object.field("notes", &self.notes);
        object.field("description", &self.description);
        object.field("group", &self.group);
        object.field("job_type", &self.job_type);
        object.field("commit", &self.commit);
        object.field("created_at", &self.created_at);
        object.field("heartbeat_at", &self.heartbeat_at);
        object.field("read_only", &self.read_only);
        object.field("user", &self.user);
        object.field("sweep_name", &self.sweep_name);
        object
            .part("config", &self.config, copy_config)
            .map_err(|error| self.broken("config", error))?;
        object
            .part("summary", &self.summary, copy_object)
            .map_err(|error| self.broken("summary", error))?;
        object
            .part("system_metrics", &self.system_metrics, copy_object)
            .map_err(|error| self.broken("system metrics", error))?;
        object.field("history_line_count", &self.history_line_count);
        object.end();
        Ok(())
    }

    fn broken(&self, what: &str, error: ParseValueError) -> Error {
        Error::protocol(format!("the {what} of run {:?} cannot be read", self.id)).with_source(error)
    }
}

struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    fn key(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.value(name);
        self.out.push(b':');
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        serde_json::to_writer(&mut *self.out, value).expect("plain data is always written to memory");
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.key(name);
        self.value(value);
    }

    fn part(
        &mut self,
        name: &str,
        json: &Json,
        copy: impl Fn(&str, &mut Vec<u8>) -> Result<(), ParseValueError>,
    ) -> Result<(), ParseValueError> {
        if !json.asked() {
            return Ok(());
        }
        self.key(name);
        match json.text().filter(|text| *text != "null") {
            Some(text) => copy(text, self.out),
            None => {
                self.out.extend_from_slice(b"{}");
                Ok(())
            }
        }
    }

    fn end(self) {
        self.out.push(b'}');
    }
}

fn copy_object(text: &str, out: &mut Vec<u8>) -> Result<(), ParseValueError> {
    let mut scanner = Scanner::new(text);
    copy_members(&mut scanner, out, |_| true, Scanner::copy_strict)?;
    scanner.end()
}

fn copy_config(text: &str, out: &mut Vec<u8>) -> Result<(), ParseValueError> {
    let mut scanner = Scanner::new(text);
    copy_members(&mut scanner, out, |key| !is_internal(key), copy_unwrapped)?;
    scanner.end()
}

fn copy_members<'text>(
    scanner: &mut Scanner<'text>,
    out: &mut Vec<u8>,
    wanted: impl Fn(&str) -> bool,
    copy: impl Fn(&mut Scanner<'text>, &mut Vec<u8>) -> Result<(), ParseValueError>,
) -> Result<(), ParseValueError> {
    out.push(b'{');
    let mut first = true;
    scanner.object(|scanner, key| {
        if !wanted(&key) {
            return scanner.skip().map(|_| ());
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, &*key).expect("a text can always be written to memory");
        out.push(b':');
        copy(scanner, out)
    })?;
    out.push(b'}');
    Ok(())
}

/// Copies what a wrapper holds, or the whole value if it is no wrapper; the rule of [`super::config`].
fn copy_unwrapped(scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Result<(), ParseValueError> {
    if scanner.peek() != Some(b'{') {
        return scanner.copy_strict(out);
    }
    let start = scanner.clone();
    let mut inner = None;
    let mut wrapper = true;
    scanner.object(|scanner, key| {
        match &*key {
            "value" => inner = Some(scanner.clone()),
            "desc" => {}
            _ => wrapper = false,
        }
        scanner.skip().map(|_| ())
    })?;
    match inner.filter(|_| wrapper) {
        Some(mut inner) => inner.copy_strict(out),
        None => start.clone().copy_strict(out),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wandb_core::{Value, value::Map};

    use super::*;

    proptest! {
        #[test]
        fn text_and_maps_give_the_same_config(
            entries in prop::collection::vec(("[a-c_.]{1,6}|value|desc|_wandb", prop::collection::vec(("value|desc|x", 0_i64..3), 0..3)), 0..6),
        ) {
            let map: Map = entries
                .into_iter()
                .map(|(key, inner)| {
                    let inner: Map = inner.into_iter().map(|(key, number)| (key, Value::Int(number))).collect();
                    (key, Value::Map(inner))
                })
                .collect();
            let mut out = Vec::new();
            copy_config(&Value::Map(map.clone()).to_wire(), &mut out).unwrap();
            let through_maps = Value::Map(super::super::config::unwrap(map)).to_json();
            prop_assert_eq!(String::from_utf8(out).unwrap(), through_maps);
        }

        #[test]
        fn any_text_is_copied_or_refused(text in "[{}\\[\\]:,\"a-c0-9NaI ]{0,30}") {
            let mut out = Vec::new();
            if copy_config(&text, &mut out).is_ok() {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
            }
        }
    }
}
