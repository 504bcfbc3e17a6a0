//! Words of the text grammar.

use super::super::{
    error::{FilterError, FilterErrorKind},
    field::is_word_character,
    literal::{Literal, Number},
};
use crate::timestamp::Timestamp;

/// One word with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A word of the grammar, a name, or a dotted field. `quoted` if a part of it stood in quotes.
    Word { text: String, quoted: bool },
    /// A string, a number or a bare date.
    Value(Literal),
    /// A sign of the grammar.
    Sign(&'static str),
    /// The JSON object behind `json`, as its text.
    Json(String),
    /// The end of the text.
    End,
}

/// The signs, longer ones first.
const SIGNS: [&str; 21] = [
    "<=", ">=", "<>", "==", "!=", "=~", "!~", "&&", "||", "<", ">", "=", "!", "&", "|", "(", ")", "[", "]",
    ",", "~",
];

/// Splits a text into words. The last one is always [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let kind = match lexer.peek() {
            None => TokenKind::End,
            Some('"' | '\'') => TokenKind::Value(Literal::String(lexer.string()?)),
            Some(first) if lexer.starts_number(first) => lexer.number()?,
            Some('{') if tokens.last().is_some_and(is_json_word) => lexer.json()?,
            Some(first) if first == '_' || first.is_alphabetic() => lexer.word()?,
            Some(_) => lexer.sign()?,
        };
        let is_end = kind == TokenKind::End;
        tokens.push(Token {
            kind,
            start,
            end: lexer.at,
        });
        if is_end {
            return Ok(tokens);
        }
    }
}

fn is_json_word(token: &Token) -> bool {
    matches!(&token.kind, TokenKind::Word { text, quoted: false } if text.eq_ignore_ascii_case("json"))
}

struct Lexer<'text> {
    text: &'text str,
    at: usize,
}

impl<'text> Lexer<'text> {
    fn rest(&self) -> &'text str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes the characters as long as they are wanted.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'text str {
        let rest = self.rest();
        let length = rest.find(|character| !wanted(character)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn error(&self, message: impl Into<String>, offset: usize) -> FilterError {
        FilterError::new(FilterErrorKind::Syntax, message).at_text(self.text, offset)
    }

    fn starts_number(&self, first: char) -> bool {
        let rest = self.rest();
        let digits = match first {
            '+' | '-' => &rest[1..],
            _ => rest,
        };
        let digits = digits.strip_prefix('.').unwrap_or(digits);
        digits.starts_with(|character: char| character.is_ascii_digit())
            || (first == '-' && rest[1..].starts_with(['I', 'i']))
    }

    fn number(&mut self) -> Result<TokenKind, FilterError> {
        let start = self.at;
        let word = self.take_while(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '.' | '+' | '-' | ':' | '_')
        });
        let literal = if let Ok(integer) = word.parse::<i64>() {
            Literal::from(integer)
        } else if let Ok(integer) = word.parse::<u64>() {
            Literal::from(integer)
        } else if matches!(word.to_ascii_lowercase().as_str(), "-infinity" | "-inf") {
            Literal::from(f64::NEG_INFINITY)
        } else if let Some(number) = finite(word) {
            Literal::Number(number)
        } else if Timestamp::parse(word).is_ok() {
            Literal::from(word)
        } else {
            return Err(self
                .error(format!("\"{word}\" is not a number"), start)
                .with_hint("put text into quotes"));
        };
        Ok(TokenKind::Value(literal))
    }

    fn word(&mut self) -> Result<TokenKind, FilterError> {
        let mut text = self.take_while(is_word_character).to_owned();
        let mut quoted = false;
        while self.rest().starts_with('.') {
            self.at += 1;
            text.push('.');
            match self.peek() {
                Some('"' | '\'') => {
                    quoted = true;
                    text.push_str(&self.string()?);
                }
                Some(first) if is_word_character(first) => text.push_str(self.take_while(is_word_character)),
                _ => {
                    return Err(self
                        .error("a key was expected behind the dot", self.at)
                        .with_hint("put a key with other signs into quotes: config.\"batch size\""));
                }
            }
        }
        Ok(TokenKind::Word { text, quoted })
    }

    fn sign(&mut self) -> Result<TokenKind, FilterError> {
        let rest = self.rest();
        match SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            Some("~") => Err(self
                .error("unexpected \"~\"", self.at)
                .with_hint("a regular expression is matched with =~")),
            Some(sign) => {
                self.at += sign.len();
                Ok(TokenKind::Sign(sign))
            }
            None => {
                let found = self.peek().unwrap_or_default();
                let error = self.error(format!("unexpected {found:?}"), self.at);
                Err(match found {
                    '{' => error
                        .with_hint("JSON for the server is written json {…}; a filter in JSON starts with {"),
                    '$' => error.with_hint("operators with $ belong to filters in JSON, which start with {"),
                    _ => error,
                })
            }
        }
    }

    fn json(&mut self) -> Result<TokenKind, FilterError> {
        let start = self.at;
        let object = crate::value::Scanner::new(self.rest()).skip().map_err(|error| {
            self.error("the object behind \"json\" is not JSON", start + error.offset())
                .with_source(error)
        })?;
        self.at = start + object.len();
        Ok(TokenKind::Json(object.to_owned()))
    }

    /// Reads a string in quotes; the quote is the next character.
    fn string(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        let mut characters = self.rest().char_indices();
        let quote = characters.next().map(|(_, quote)| quote);
        let mut text = String::new();
        while let Some((place, character)) = characters.next() {
            if Some(character) == quote {
                self.at = start + place + character.len_utf8();
                return Ok(text);
            }
            if character != '\\' {
                text.push(character);
                continue;
            }
            let escape_at = start + place;
            let bad = || self.error("unknown escape in a string", escape_at);
            match characters.next().map(|(_, escaped)| escaped) {
                Some(same @ ('"' | '\'' | '\\' | '/')) => text.push(same),
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('u') => {
                    let high = hex(&mut characters).ok_or_else(bad)?;
                    let code = if (0xD800..0xDC00).contains(&high) {
                        let follows = matches!(characters.next(), Some((_, '\\')))
                            && matches!(characters.next(), Some((_, 'u')));
                        let low = hex(&mut characters)
                            .filter(|low| follows && (0xDC00..0xE000).contains(low))
                            .ok_or_else(bad)?;
                        0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                    } else {
                        high
                    };
                    text.push(char::from_u32(code).ok_or_else(bad)?);
                }
                _ => {
                    return Err(bad().with_hint("a backslash that is meant literally is written twice"));
                }
            }
        }
        Err(self.error("the string has no end", start))
    }
}

/// Four hexadecimal digits.
fn hex(characters: &mut std::str::CharIndices<'_>) -> Option<u32> {
    (0..4).try_fold(0, |code, _| Some(code * 16 + characters.next()?.1.to_digit(16)?))
}

/// A finite decimal number. Rust's parser takes `inf` and `nan` too, which must not come from digits like `1e999`.
fn finite(word: &str) -> Option<Number> {
    Number::from_f64(word.parse().ok()?)
}
