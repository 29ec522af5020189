//! What was asked, noted behind the answer for the list of what each asked himself. No row depends on it.

use super::{Proxy, exchange::Exchange, jobs::holder_kind};
use crate::{
    model::{
        definition::{Execution, NAME},
        operation::Class,
        org::{Org, Principal},
    },
    query::{Question, json::Value},
};

impl Proxy {
    /// Notes that a question of a kind that can be kept was answered.
    pub(super) fn note_execution(
        &self,
        question: &Question,
        (holder, org): (Principal, &Org),
        rows: Option<u64>,
        exchange: &Exchange,
    ) {
        if exchange.is_on_behalf() {
            return;
        }
        let asked = question.as_sent();
        let placeholders = asked.operation.body().is_some_and(|model| model.dialect.has_placeholders());
        let Some(body) = asked.body.as_ref().filter(|_| placeholders && asked.operation.class == Class::Query) else {
            return;
        };
        let definition = question.definition();
        let named = body.get(NAME).and_then(Value::as_str).map(Box::from);
        let micros = u64::try_from(exchange.began().elapsed().as_micros()).unwrap_or(u64::MAX);
        self.store.note(Execution {
            region: org.region(org.region_of(holder)).id.clone(),
            operation: asked.operation.id.clone(),
            holder: (holder_kind(holder).into(), org.principal_id(holder).into()),
            definition: definition.map(|kept| kept.id.clone()),
            name: definition.map(|kept| kept.name.clone()).or(named),
            began: exchange.opened(),
            micros,
            rows,
        });
    }
}
