//! The second reader's JSON, for whoever looks for texts that it reads otherwise than the first.

use super::json::{Json, read};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// What it reads, or why it does not.
pub fn json(bytes: &[u8]) -> Result<Tree, &'static str> {
    read(bytes).map(of).map_err(|(_, why)| why)
}

fn of(json: Json<'_>) -> Tree {
    match json {
        Json::Null => Tree::Null,
        Json::Bool(value) => Tree::Bool(value),
        Json::Number(number) => Tree::Number(number.to_owned()),
        Json::Text(text) => Tree::Text(text.into_owned()),
        Json::Array(items) => Tree::Array(items.into_iter().map(of).collect()),
        Json::Object(members) => {
            Tree::Object(members.into_iter().map(|(name, value)| (name.into_owned(), of(value))).collect())
        }
    }
}
