//! One object for people: a heading, lines of name and value, sections.

use crate::output::Screen;
use crate::output::style::Paint;
use crate::output::text::{single_line, truncate, width};

/// The view that is being put together.
#[derive(Debug)]
pub(crate) struct Details {
    screen: Screen,
    blocks: Vec<Block>,
}

#[derive(Debug)]
enum Block {
    Heading(String),
    Section(String),
    /// A name, a value, and the emphasis of the value.
    Line(String, String, Option<Paint>),
    /// Ready-made lines: a plot.
    Drawing(Vec<String>),
}

impl Details {
    /// A view with a heading.
    pub(crate) fn new(heading: &str, screen: Screen) -> Self {
        Self {
            screen,
            blocks: vec![Block::Heading(single_line(heading).into_owned())],
        }
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, title: &str) {
        self.blocks.push(Block::Section(title.to_owned()));
    }

    /// Adds a line; one without a value is left out.
    pub(crate) fn line(&mut self, name: &str, value: &str) {
        self.painted_line(name, value, None);
    }

    /// Adds a line with emphasis.
    pub(crate) fn painted_line(&mut self, name: &str, value: &str, paint: Option<Paint>) {
        if !value.is_empty() {
            let (name, value) = (single_line(name).into_owned(), single_line(value).into_owned());
            self.blocks.push(Block::Line(name, value, paint));
        }
    }

    /// Adds lines as they are.
    pub(crate) fn drawing(&mut self, lines: Vec<String>) {
        self.blocks.push(Block::Drawing(lines));
    }

    /// The text. On a terminal, values are cut to one line.
    pub(crate) fn render(&self) -> String {
        let style = self.screen.style;
        // Names are aligned over the whole view, but one very long name must not push all values off the screen.
        let names = self.blocks.iter().filter_map(|block| match block {
            Block::Line(name, _, _) => Some(width(name)),
            _ => None,
        });
        let name_width = names.max().unwrap_or(0).min(32);
        let mut text = String::new();
        for block in &self.blocks {
            match block {
                Block::Heading(heading) => {
                    text.push_str(&style.paint(Paint::Bold, heading));
                    text.push('\n');
                }
                Block::Section(title) => {
                    text.push('\n');
                    text.push_str(&style.paint(Paint::BoldCyan, title));
                    text.push('\n');
                }
                Block::Line(name, value, paint) => {
                    let padding = name_width.saturating_sub(width(name));
                    let room = self
                        .screen
                        .width
                        .map(|total| total.saturating_sub(4 + name_width.max(width(name))));
                    let value = room.map_or_else(|| value.into(), |room| truncate(value, room.max(16)));
                    let value = paint.map_or_else(|| value.to_string(), |paint| style.paint(paint, &value));
                    text.push_str("  ");
                    text.push_str(&style.paint(Paint::Dim, name));
                    text.extend(std::iter::repeat_n(' ', padding + 2));
                    text.push_str(&value);
                    text.push('\n');
                }
                Block::Drawing(lines) => {
                    text.push('\n');
                    for line in lines {
                        text.push_str("  ");
                        text.push_str(line);
                        text.push('\n');
                    }
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_names_and_leaves_out_what_is_empty() {
        let mut details = Details::new("e/p/r", Screen::plain());
        details.line("state", "finished");
        details.line("notes", "");
        details.section("config");
        details.line("lr", "0.1\n0.2");
        assert_eq!(
            details.render(),
            "e/p/r\n  state  finished\n\nconfig\n  lr     0.1⏎0.2\n"
        );
    }

    #[test]
    fn values_are_cut_on_a_terminal() {
        let screen = Screen {
            width: Some(40),
            ..Screen::plain()
        };
        let mut details = Details::new("x", screen);
        details.line("text", &"long ".repeat(30));
        assert!(details.render().lines().all(|line| width(line) <= 40));
    }
}
