//! The SQL against a slow and obvious evaluation, trait by trait, and the listener against a raw client.

mod attributes;
mod naive;
mod queries;
mod server;
mod visible;

use super::{Options, Sandbox, store::Store};
use rusqlite::types::Value as Cell;

pub(super) const US: &str = "us-east-1";
pub(super) const AGGREGATES: &str = "/api/v2/analytics/conversations/aggregates/query";
pub(super) const DETAILS: &str = "/api/v2/analytics/conversations/details/query";
pub(super) const PLATFORM: &str = "/api/v2/analytics/query";

/// Enough for generated queries, which are many.
pub(super) async fn tiny() -> Sandbox {
    Sandbox::start(Options { interactions: 300, ..Options::default() }).await.unwrap()
}

pub(super) async fn small() -> Sandbox {
    Sandbox::start(Options { interactions: 900, ..Options::default() }).await.unwrap()
}

pub(super) fn cells(store: &Store, sql: &str) -> Vec<Vec<Cell>> {
    let sql = super::sql::Sql::text(sql);
    let read = |row: &rusqlite::Row<'_>| (0..row.as_ref().column_count()).map(|place| row.get(place)).collect();
    store.rows(&sql, read).unwrap()
}
