//! The record: what a test writes into it, and a proof for tests of what is downstream.

mod lines;
mod reading;
mod writing;

use super::{
    record::{CAUSE, REFUSED_TEXT, UNPROVED},
    *,
};
use crate::{
    model::{
        answer::Shape,
        body::Access,
        contract::{Contract, Data, Method, Segment, Template},
        entitlement::{Action, Entitlement, Scope, Source, Validity},
        org::{Division, Org, Principal, Region, User},
        outgoing::{Outgoing, Residual},
        set::{Dim, Ix, Set},
    },
    telemetry::Metrics,
    verify::{self, Verified},
};
use jiff::Timestamp;
use serde_json::Value;
use std::{path::Path, sync::Arc, time::Duration};
use uuid::Uuid;

/// A proved read of one conversation, for tests of what is downstream of the proof.
pub(crate) fn proved(conversation: &str) -> Verified {
    let (org, holder) = org();
    let literal = |text: &str| Segment::Literal(text.into());
    let contract = Contract {
        operation: "conversation-by-id".into(),
        method: Method::Get,
        template: Template {
            segments: vec![
                literal("api"),
                literal("v2"),
                literal("conversations"),
                Segment::Param { name: "conversationId".into(), access: Access::Conversation },
            ],
        },
        action: Action::View,
        data: Data::Interaction,
        params: Vec::new(),
        body: None,
        words: Vec::new(),
        masks: std::collections::BTreeMap::new(),
        ids: None,
        scan: None,
        shape: Shape::Conversation,
        time: None,
        archived: false,
        rows_decide: true,
        abroad: false,
        max_values: 100,
        job: None,
        part: false,
        own: None,
        effect: crate::model::contract::Effect::Reads,
        links: Vec::new(),
    };
    let outgoing = Outgoing {
        method: Method::Get,
        path: format!("/api/v2/conversations/{conversation}"),
        query: Vec::new(),
        body: None,
    };
    let residual = Residual { legs: true, keys: true, windows: false, links: Vec::new() };
    let scope = Scope {
        holder,
        region: Ix::new(0),
        action: Action::View,
        entitlements: vec![entitlement(holder)],
        inert: Set::new(),
        lifts: Vec::new(),
        openings: Vec::new(),
        good_until: None,
    };
    verify::check(&contract, outgoing, residual, &scope, &org, Timestamp::UNIX_EPOCH).unwrap()
}

fn entitlement(holder: Principal) -> Entitlement {
    Entitlement {
        holder,
        region: Ix::new(0),
        divisions: Dim::Only(Set::one(Ix::new(0))),
        queues: Dim::Any,
        users: Dim::Any,
        conversations: Dim::Any,
        data: None,
        actions: vec![Action::View],
        valid: Validity::ALWAYS,
        source: Source::Grant { id: "g-1".into() },
    }
}

fn org() -> (Org, Principal) {
    let (region, division) = (Ix::new(0), Ix::new(0));
    let org = Org {
        regions: vec![Region { id: "eu".into(), upstream: "".into(), hosts: Vec::new() }],
        divisions: vec![Division {
            id: "d".into(),
            name: "d".into(),
            parent: None,
            region,
            leaf: true,
            shared: false,
            home: false,
            queues: Set::new(),
            users: Set::new(),
        }],
        users: vec![User {
            id: "u".into(),
            person: "u".into(),
            name: "u".into(),
            email: None,
            division,
            region,
            active: true,
            moved: false,
            manager: None,
            groups: Set::new(),
            bpo: false,
            licence: None,
            named_queues: Set::new(),
            queues: Set::new(),
            assignments: Vec::new(),
            legacy: None,
        }],
        ..Org::default()
    };
    (org, Principal::User(Ix::new(0)))
}

fn settings(folder: &Path) -> Settings {
    Settings {
        folder: folder.to_owned(),
        durability: Durability::Strict,
        queries: Queries::Full,
        segment_bytes: 64 * 1024,
        slots: 64,
    }
}

pub(crate) fn draft(decision: Uuid, region: &str) -> IntentDraft {
    let subject = Subject {
        kind: "user".into(),
        id: "u".into(),
        actor: None,
        session: None,
        client: None,
        method: "static".into(),
    };
    IntentDraft {
        on_behalf: None,
        decision,
        time: Timestamp::UNIX_EPOCH,
        subject,
        peer: "127.0.0.1:5".into(),
        operation: "conversation-by-id".into(),
        region: region.into(),
        asked: Query::new::<&str>("GET", "/api/v2/conversations/c-1", &[], None),
        governed: None,
        scope: Arc::new(ScopeRecord { digest: "0".into(), sources: Vec::new(), cross_region: None }),
        versions: VersionsRecord { rules: "r".into(), directory: "d".into(), grants: "g".into() },
        cache: Cache::None,
        notices: Vec::new(),
    }
}

fn outcome(decision: Uuid) -> OutcomeRecord {
    OutcomeRecord {
        decision,
        opened: Timestamp::UNIX_EPOCH,
        time: Timestamp::UNIX_EPOCH,
        subject: None,
        peer: "127.0.0.1:5".into(),
        operation: Some("conversation-by-id".into()),
        verdict: Verdict::Forwarded,
        code: None,
        cause: None,
        status: 200,
        asked: None,
        scope: None,
        versions: None,
        cache: Cache::None,
        upstream_status: Some(200),
        rows_in: 3,
        rows_out: 2,
        rows_foreign: 1,
        job: Some("job-1".to_owned()),
        bytes_in: 100,
        bytes_out: 50,
        phases: vec![("identify".into(), 12), ("upstream".into(), 900)],
        notices: vec![NoticeRecord { code: "n".into(), text: "t".into() }],
    }
}

fn recorder(settings: Settings) -> Recorder {
    Recorder::start(settings, Metrics::detached()).unwrap()
}

fn decisions(lines: &[Line]) -> Vec<(Uuid, bool)> {
    lines.iter().map(|line| (line.record.decision(), matches!(line.record, Record::Intent(_)))).collect()
}
