//! The text grammar: `config.lr > 0.01 and state = "finished"`.
//!
#![doc = include_str!("grammar.md")]

mod lex;
mod parse;
mod print;

pub(super) use parse::parse;
