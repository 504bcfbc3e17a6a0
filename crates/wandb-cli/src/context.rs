//! What every command is given: options, stdout, stderr, and the way to a server.

use wandb_api::timestamp::Timestamp;

use crate::cli::GlobalOptions;
use crate::connection::Connection;
use crate::failure::CommandResult;
use crate::output::list::{Schema, write_single};
use crate::output::rows::NotShown;
use crate::output::{Format, Screen, Stdout, text};
use crate::ui::Ui;

/// The context of one command.
#[derive(Debug)]
pub(crate) struct Context {
    /// The options that every command takes.
    pub(crate) global: GlobalOptions,
    /// Where data goes.
    pub(crate) out: Stdout,
    /// What is known about stdout.
    pub(crate) screen: Screen,
    /// Where everything else goes.
    pub(crate) ui: Ui,
    now: Timestamp,
    fixed: Option<Connection>,
}

impl Context {
    /// Looks at the two streams and the clock.
    pub(crate) fn new(global: GlobalOptions) -> Self {
        let screen = Screen::detect(global.color);
        let ui = Ui::detect(global.color, global.quiet, global.verbose);
        let unix = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let now = Timestamp::from_unix_seconds(unix.as_secs_f64())
            .or_else(|| Timestamp::from_unix_microseconds(0))
            .expect("the epoch is a time");
        Self {
            global,
            out: Stdout::new(),
            screen,
            ui,
            now,
            fixed: None,
        }
    }

    /// The output format.
    pub(crate) fn format(&self) -> Format {
        self.global.output
    }

    /// When the command began; ages in tables are counted to it.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The server that the options, the environment and the settings files name. Sends nothing, but waits some seconds for
    /// a `--local` directory that another process uses.
    pub(crate) async fn connect(&self) -> CommandResult<Connection> {
        match &self.fixed {
            Some(connection) => Ok(connection.clone()),
            None => Connection::open(&self.global, self.ui).await,
        }
    }

    /// A connection that sends nothing where that was asked for, and then needs no key: artifacts that were read before are
    /// found in the cache. Otherwise as [`connect`](Self::connect).
    pub(crate) async fn connect_or_offline(&self, offline: bool) -> CommandResult<Connection> {
        match (offline, &self.fixed) {
            (true, None) => Connection::offline(&self.global),
            _ => self.connect().await,
        }
    }

    /// As [`connect_or_offline`](Self::connect_or_offline), for verbs that use the artifact cache: where it cannot be opened, as
    /// in a container with a read-only disk, a warning and a connection without one. Offline there is nothing else to read.
    pub(crate) async fn connect_with_cache(&self, offline: bool) -> CommandResult<Connection> {
        let connection = self.connect_or_offline(offline).await?;
        match connection.api().artifact_cache().await {
            Err(error) if !offline => {
                self.ui.warn(&text::single_line(&format!(
                    "{error}; nothing is kept for the next time"
                )));
                Ok(connection.without_cache())
            }
            _ => Ok(connection),
        }
    }

    /// Lets every later [`connect`](Self::connect) give this connection; the demo has a server of its own.
    pub(crate) fn fix_connection(&mut self, connection: Connection) {
        self.fixed = Some(connection);
    }

    /// Writes one object in a format that is not for people.
    pub(crate) fn write_single<T>(&mut self, schema: &Schema<T>, item: &T) -> CommandResult {
        write_single(&mut self.out, schema, self.global.output, item)
    }

    /// Tells something on stderr.
    pub(crate) fn note(&self, text: &str) {
        self.ui.note(text);
    }

    /// Tells how many things there were, where the result itself is for people.
    pub(crate) fn tell_count(&self, count: u64, what: &str) {
        if self.format() == Format::Table {
            self.ui.aside(&text::counted(count, what));
        }
    }

    /// Tells that a table is not whole.
    pub(crate) fn tell_hidden(&self, columns: usize) {
        if columns > 0 {
            let columns = text::counted(columns as u64, "column");
            self.ui.aside(&format!(
                "{columns} left out to fit the terminal; --output jsonl shows all"
            ));
        }
    }

    /// Tells what a table of rows could not show.
    pub(crate) fn tell_not_shown(&self, not_shown: NotShown) {
        self.tell_hidden(not_shown.columns);
        if not_shown.rows > 0 {
            let rows = text::counted(not_shown.rows, "row");
            self.ui.note(&format!(
                "{rows} have keys that have no column here; --output jsonl shows all"
            ));
        }
    }
}
