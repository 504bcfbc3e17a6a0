//! The parser of the text grammar: recursive descent with a limit on its depth.

use super::{
    super::{
        ast::{Condition, Filter, MAX_DEPTH, Predicate},
        check,
        error::{FilterError, FilterErrorKind},
        field::{FieldPath, RunAttribute},
        literal::{Literal, MAX_LITERAL_DEPTH, Scalar},
        nearest::nearest,
    },
    lex::{Token, TokenKind, tokens},
};

/// Words that can stand behind a field, for the error that suggests one.
const VERBS: [&str; 8] = ["in", "not", "contains", "has", "matches", "exists", "is", "like"];

/// Reads a filter of the text grammar.
pub(in super::super) fn parse(text: &str) -> Result<Filter, FilterError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens, at: 0 };
    if parser.peek() == &TokenKind::End {
        return Ok(Filter::everything());
    }
    let filter = parser.any_group(0)?;
    if parser.peek() != &TokenKind::End {
        return Err(parser.unexpected("\"and\", \"or\" or the end"));
    }
    check::filter(&filter)?;
    Ok(filter)
}

struct Parser<'text> {
    text: &'text str,
    /// Never empty: the last token is the end, and it is never passed.
    tokens: Vec<Token>,
    at: usize,
}

/// What stands on the left of a comparison.
enum Side {
    Field(FieldPath),
    Value(Literal),
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.at]
    }

    fn peek(&self) -> &TokenKind {
        &self.token().kind
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn take_sign(&mut self, wanted: &[&str]) -> Option<&'static str> {
        match self.peek() {
            TokenKind::Sign(sign) if wanted.contains(sign) => {
                let sign = *sign;
                self.advance();
                Some(sign)
            }
            _ => None,
        }
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(self.peek(), TokenKind::Word { text, quoted: false } if text.eq_ignore_ascii_case(wanted))
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = self.is_word(wanted);
        if found {
            self.advance();
        }
        found
    }

    fn error_at(&self, offset: usize, kind: FilterErrorKind, message: impl Into<String>) -> FilterError {
        FilterError::new(kind, message).at_text(self.text, offset)
    }

    fn unexpected(&self, wanted: &str) -> FilterError {
        let token = self.token();
        let message = if token.kind == TokenKind::End {
            format!("{wanted} was expected at the end of the filter")
        } else {
            format!(
                "{wanted} was expected, not {}",
                &self.text[token.start..token.end]
            )
        };
        self.error_at(token.start, FilterErrorKind::Syntax, message)
    }

    fn any_group(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut members = vec![self.all_group(depth)?];
        while self.take_word("or") || self.take_sign(&["||", "|"]).is_some() {
            members.push(self.all_group(depth)?);
        }
        Ok(Filter::any_of(members))
    }

    fn all_group(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut members = vec![self.unary(depth)?];
        while self.take_word("and") || self.take_sign(&["&&", "&"]).is_some() {
            members.push(self.unary(depth)?);
        }
        Ok(Filter::all_of(members))
    }

    fn unary(&mut self, depth: usize) -> Result<Filter, FilterError> {
        // One level of the tree takes up to two here: `not (`.
        if depth > 2 * MAX_DEPTH {
            return Err(FilterError::too_deep().at_text(self.text, self.token().start));
        }
        if self.take_word("not") || self.take_sign(&["!"]).is_some() {
            return Ok(!self.unary(depth + 1)?);
        }
        if self.take_sign(&["("]).is_some() {
            let inner = self.any_group(depth + 1)?;
            if self.take_sign(&[")"]).is_none() {
                return Err(self.unexpected("\")\""));
            }
            return Ok(inner);
        }
        if self.take_word("all") {
            return Ok(Filter::everything());
        }
        if self.take_word("json") {
            return self.json();
        }
        if self.take_word("exists") {
            let in_parentheses = self.take_sign(&["("]).is_some();
            let field = self.field()?;
            if in_parentheses && self.take_sign(&[")"]).is_none() {
                return Err(self.unexpected("\")\""));
            }
            return Ok(Filter::condition(field, Predicate::Exists(true)));
        }
        self.comparison()
    }

    fn json(&mut self) -> Result<Filter, FilterError> {
        let start = self.token().start;
        let TokenKind::Json(object) = self.peek() else {
            return Err(self.unexpected("an object"));
        };
        let filter = Filter::parse_raw_json(object).map_err(|error| match error.offset() {
            Some(offset) => error.moved_in_text(self.text, start + offset),
            None => error,
        })?;
        self.advance();
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Filter, FilterError> {
        let start = self.token().start;
        match self.side()? {
            Side::Field(field) => self.behind_field(field, start),
            Side::Value(value) => self.behind_value(value, start),
        }
    }

    fn side(&mut self) -> Result<Side, FilterError> {
        let is_value = match self.peek() {
            TokenKind::Value(_) | TokenKind::Sign("[") => true,
            TokenKind::Word { text, quoted: false } => value_word(text).is_some(),
            TokenKind::Word { .. } => false,
            _ => return Err(self.unexpected("a condition")),
        };
        if is_value {
            self.value(0).map(Side::Value)
        } else {
            self.field().map(Side::Field)
        }
    }

    fn field(&mut self) -> Result<FieldPath, FilterError> {
        let start = self.token().start;
        let TokenKind::Word { text, .. } = self.peek() else {
            return Err(self.unexpected("a field"));
        };
        // `id` is what a user of this crate knows the run's id by; on the wire it is `name`.
        let field = if text == "id" {
            FieldPath::Attribute(RunAttribute::Name)
        } else {
            FieldPath::from_wire(text).map_err(|error| error.at_text(self.text, start))?
        };
        self.advance();
        Ok(field)
    }

    fn behind_field(&mut self, field: FieldPath, start: usize) -> Result<Filter, FilterError> {
        let value_at = |parser: &Self| parser.token().start;
        if let Some(sign) = self.take_sign(&["==", "=", "!=", "<>", "<=", ">=", "<", ">", "=~", "!~"]) {
            let at = value_at(self);
            return match sign {
                "=~" => self.pattern(field, at),
                "!~" => Ok(!self.pattern(field, at)?),
                "=" | "==" => {
                    let value = self.value(0)?;
                    self.condition(field, Predicate::Eq(value), at)
                }
                "!=" | "<>" => {
                    let value = self.value(0)?;
                    self.condition(field, Predicate::Ne(value), at)
                }
                range => {
                    let value = self.scalar()?;
                    self.condition(field, ranged(range, value), at)
                }
            };
        }
        if self.take_word("is") {
            let negated = self.take_word("not");
            if !self.take_word("null") && !self.take_word("none") {
                return Err(self.unexpected("\"null\""));
            }
            let is_null = self.condition(field, Predicate::Eq(Literal::Null), start)?;
            return Ok(if negated { !is_null } else { is_null });
        }
        let negated = self.take_word("not");
        let at = value_at(self);
        let filter = if self.take_word("in") {
            // Not `!`: the opposite of `name in []`, which no run passes, is the filter of every run, and a condition that
            // was written stays the one that was written.
            let values = self.list()?;
            let predicate = if negated {
                Predicate::NotIn(values)
            } else {
                Predicate::In(values)
            };
            return self.condition(field, predicate, at);
        } else if self.take_word("has") {
            let value = self.scalar()?;
            self.condition(field, Predicate::Eq(value.into()), at)?
        } else if self.take_word("contains") {
            let value = self.scalar()?;
            self.condition(field, Predicate::Contains(value), at)?
        } else if self.take_word("matches") {
            let at = value_at(self);
            self.pattern(field, at)?
        } else if self.take_word("exists") {
            self.condition(field, Predicate::Exists(true), at)?
        } else {
            return Err(self.no_operator());
        };
        Ok(if negated { !filter } else { filter })
    }

    /// The error behind a field that no operator follows.
    fn no_operator(&self) -> FilterError {
        let mut error = self.unexpected("an operator");
        if let TokenKind::Word { text, .. } = self.peek() {
            error = match nearest(text, VERBS) {
                Some("like") => error.with_hint("use contains \"…\" or =~ \"…\""),
                near => error.with_nearest(near),
            };
        }
        error.with_hint("operators are = != < <= > >= =~ in, has, contains, matches and exists")
    }

    fn behind_value(&mut self, value: Literal, start: usize) -> Result<Filter, FilterError> {
        let negated = self.take_word("not");
        if self.take_word("in") {
            let field = self.field()?;
            let has = self.condition(field, Predicate::Eq(value), start)?;
            return Ok(if negated { !has } else { has });
        }
        if negated {
            return Err(self.unexpected("\"in\""));
        }
        let Some(sign) = self.take_sign(&["<=", ">=", "<", ">"]) else {
            return Err(self
                .unexpected("\"in\" or a comparison")
                .with_hint("the field stands on the left: state = \"finished\""));
        };
        let low = self.to_scalar(value, start)?;
        let field = self.field()?;
        let first = self.condition(field.clone(), ranged(mirrored(sign), low), start)?;
        let Some(sign) = self.take_sign(&["<=", ">=", "<", ">"]) else {
            return Ok(first);
        };
        let at = self.token().start;
        let high = self.scalar()?;
        Ok(first & self.condition(field, ranged(sign, high), at)?)
    }

    fn condition(&self, field: FieldPath, predicate: Predicate, at: usize) -> Result<Filter, FilterError> {
        let condition = Condition { field, predicate };
        check::condition(&condition).map_err(|error| error.at_text(self.text, at))?;
        Ok(condition.into())
    }

    fn pattern(&mut self, field: FieldPath, at: usize) -> Result<Filter, FilterError> {
        match self.value(0)? {
            Literal::String(pattern) => self.condition(field, Predicate::Regex(pattern), at),
            other => Err(self.error_at(
                at,
                FilterErrorKind::WrongValue,
                format!("a pattern in quotes was expected, not {other}"),
            )),
        }
    }

    fn scalar(&mut self) -> Result<Scalar, FilterError> {
        let at = self.token().start;
        let value = self.value(0)?;
        self.to_scalar(value, at)
    }

    fn to_scalar(&self, value: Literal, at: usize) -> Result<Scalar, FilterError> {
        let message = format!("a number, a string or a boolean was expected, not {value}");
        Scalar::new(value).ok_or_else(|| self.error_at(at, FilterErrorKind::WrongValue, message))
    }

    fn value(&mut self, depth: usize) -> Result<Literal, FilterError> {
        if depth > MAX_LITERAL_DEPTH {
            return Err(FilterError::too_deep().at_text(self.text, self.token().start));
        }
        let value = match self.peek() {
            TokenKind::Value(value) => value.clone(),
            TokenKind::Sign("[") => {
                self.advance();
                return self.items("]", depth).map(Literal::List);
            }
            TokenKind::Word { text, quoted } => match value_word(text).filter(|_| !quoted) {
                Some(value) => value,
                None => {
                    let hint = format!("put text into quotes: {}", Literal::from(text));
                    return Err(self.unexpected("a value").with_hint(hint));
                }
            },
            _ => return Err(self.unexpected("a value")),
        };
        self.advance();
        Ok(value)
    }

    fn list(&mut self) -> Result<Vec<Literal>, FilterError> {
        match self.take_sign(&["[", "("]) {
            Some("[") => self.items("]", 0),
            Some(_) => self.items(")", 0),
            None => Err(self
                .unexpected("a list")
                .with_hint("write a list as [\"a\", \"b\"]")),
        }
    }

    /// Values up to the closing sign; a comma before it is allowed.
    fn items(&mut self, close: &'static str, depth: usize) -> Result<Vec<Literal>, FilterError> {
        let mut items = Vec::new();
        while self.take_sign(&[close]).is_none() {
            items.push(self.value(depth + 1)?);
            if self.take_sign(&[","]).is_none() {
                if self.take_sign(&[close]).is_none() {
                    return Err(self.unexpected(if close == "]" {
                        "\",\" or \"]\""
                    } else {
                        "\",\" or \")\""
                    }));
                }
                break;
            }
        }
        Ok(items)
    }
}

/// The value that a bare word stands for.
fn value_word(word: &str) -> Option<Literal> {
    Some(match word.to_ascii_lowercase().as_str() {
        "null" | "none" => Literal::Null,
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        "nan" => Literal::from(f64::NAN),
        "infinity" | "inf" => Literal::from(f64::INFINITY),
        _ => return None,
    })
}

fn ranged(sign: &str, value: Scalar) -> Predicate {
    match sign {
        "<" => Predicate::Lt(value),
        "<=" => Predicate::Lte(value),
        ">" => Predicate::Gt(value),
        _ => Predicate::Gte(value),
    }
}

/// `0.1 < field` is `field > 0.1`.
fn mirrored(sign: &'static str) -> &'static str {
    match sign {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        _ => "<=",
    }
}
