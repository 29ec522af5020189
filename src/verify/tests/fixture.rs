//! A small organisation, contracts of every kind, and one line to check a request.

use super::super::{Unproved, Verified, check};
use crate::model::{
    aggregation::AggregationModel,
    answer::Shape,
    body::{Access, BodyModel, Dialect, Dimension, Field, FieldKind, FilterModel, Level, Proof},
    contract::{
        Contract, Data, Effect, IdsProof, Method, Param, ParamKind, Reach, ScanProof, Segment, Template, TimeAt,
        TimeRule, Words,
    },
    entitlement::{Action, Entitlement, Lift, Scope, Source, Validity, Window},
    org::{
        Division, DivisionIx, Group, GroupIx, Org, Principal, Queue, QueueIx, QueueState, Read, Region, RegionIx, User,
        UserIx,
    },
    outgoing::{Outgoing, Residual},
    set::{Dim, Set},
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

pub(super) const US: RegionIx = RegionIx::new(0);
pub(super) const EU: RegionIx = RegionIx::new(1);
/// `root` is the parent of `pay`, `claims` and the shared `rep`; `europe` stands in the other region.
pub(super) const ROOT: DivisionIx = DivisionIx::new(0);
pub(super) const PAY: DivisionIx = DivisionIx::new(1);
pub(super) const CLAIMS: DivisionIx = DivisionIx::new(2);
pub(super) const SHARED: DivisionIx = DivisionIx::new(3);
pub(super) const EUROPE: DivisionIx = DivisionIx::new(4);
pub(super) const ME: UserIx = UserIx::new(0);
pub(super) const ANN: UserIx = UserIx::new(1);
pub(super) const HOLDER: Principal = Principal::User(ME);

pub(super) const QUEUES: [(&str, DivisionIx); 9] = [
    ("qa", PAY),
    ("qb", PAY),
    ("secret", PAY),
    ("closed", PAY),
    ("old", PAY),
    ("qx", CLAIMS),
    ("qe", EUROPE),
    ("qroot", ROOT),
    ("qrep", SHARED),
];

pub(super) fn queue(id: &str) -> QueueIx {
    QueueIx::new(number(QUEUES.iter().position(|(name, _)| *name == id).unwrap()))
}

pub(super) fn number(place: usize) -> u32 {
    place.try_into().unwrap()
}

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn now() -> Timestamp {
    time("2026-11-20T10:00:00Z")
}

fn region_of(division: DivisionIx) -> RegionIx {
    if division == EUROPE { EU } else { US }
}

pub(super) fn org() -> Org {
    let mut org = Org::default();
    for (place, id) in ["us-east-1", "eu-west-1"].into_iter().enumerate() {
        org.index.regions.insert(id.into(), RegionIx::new(number(place)));
        org.regions.push(Region { id: id.into(), upstream: "".into(), hosts: vec![] });
    }
    for (place, id) in ["root", "pay", "claims", "rep", "europe"].into_iter().enumerate() {
        let ix = DivisionIx::new(number(place));
        org.index.divisions.insert(id.into(), ix);
        org.divisions.push(Division {
            id: id.into(),
            name: id.into(),
            parent: (ix != ROOT && ix != EUROPE).then_some(ROOT),
            region: region_of(ix),
            leaf: ix != ROOT,
            shared: ix == SHARED,
            home: false,
            queues: QUEUES.iter().filter(|(_, d)| *d == ix).map(|(id, _)| queue(id)).collect(),
            users: Set::new(),
        });
    }
    for (place, (id, division)) in QUEUES.into_iter().enumerate() {
        org.index.queues.insert(id.into(), QueueIx::new(number(place)));
        org.queues.push(Queue {
            id: id.into(),
            name: id.into(),
            division,
            region: region_of(division),
            state: if id == "old" { QueueState::Archived } else { QueueState::Active },
            moved: false,
            restricted: id == "secret",
            named: Set::new(),
            members: Set::new(),
            owners: Set::new(),
            read: match id {
                "closed" => Read::Closed,
                "qa" => Read::Groups(Set::one(GroupIx::new(0))),
                _ => Read::Open,
            },
            attributes: vec![],
        });
    }
    for (place, (id, division)) in
        [("me", PAY), ("ann", PAY), ("bob", CLAIMS), ("eve", EUROPE), ("pat", ROOT)].into_iter().enumerate()
    {
        let ix = UserIx::new(number(place));
        org.index.users.insert(id.into(), ix);
        org.users.push(User {
            id: id.into(),
            person: id.into(),
            name: id.into(),
            email: None,
            division,
            region: region_of(division),
            active: true,
            moved: false,
            manager: None,
            groups: if ix == ME { Set::one(GroupIx::new(0)) } else { Set::new() },
            bpo: false,
            licence: None,
            named_queues: Set::new(),
            queues: Set::new(),
            assignments: vec![],
            legacy: None,
        });
    }
    org.groups.push(Group {
        id: "g".into(),
        name: "g".into(),
        region: None,
        members: Set::one(ME),
        managers: Set::new(),
    });
    org
}

/// Everything open in `pay`, for every agent.
pub(super) fn whole() -> Entitlement {
    Entitlement {
        holder: HOLDER,
        region: US,
        divisions: Dim::Only(Set::one(PAY)),
        queues: Dim::Any,
        users: Dim::Any,
        conversations: Dim::Any,
        data: None,
        actions: vec![Action::View],
        valid: Validity::ALWAYS,
        source: Source::Grant { id: "g1".into() },
    }
}

pub(super) fn queues(ids: &[&str]) -> Entitlement {
    Entitlement { queues: Dim::Only(ids.iter().map(|id| queue(id)).collect()), ..whole() }
}

/// One queue and one agent.
pub(super) fn boxed(id: &str, user: UserIx) -> Entitlement {
    Entitlement { users: Dim::Only(Set::one(user)), ..queues(&[id]) }
}

pub(super) fn window(from: &str, until: &str) -> Window {
    Window { from: time(from), until: time(until) }
}

fn words(words: &[&str]) -> FieldKind {
    FieldKind::Enum { words: words.iter().map(|word| (*word).into()).collect(), fold: true }
}

fn list(of: FieldKind) -> FieldKind {
    FieldKind::List { of: Box::new(of), min: 0, max: 4 }
}

pub(super) fn field(name: &str, kind: FieldKind) -> Field {
    Field { name: name.into(), required: name == "interval", masked: false, kind }
}

pub(super) fn path(path: &str) -> Vec<Box<str>> {
    path.split('.').map(Into::into).collect()
}

pub(super) fn filter(level: Level) -> FilterModel {
    let dimensions = [
        ("queueId", Dimension::Access(Access::Queue)),
        ("requestedQueueId", Dimension::Access(Access::Queue)),
        ("agentId", Dimension::Access(Access::User)),
        ("userId", Dimension::Access(Access::User)),
        ("divisionId", Dimension::Access(Access::Division)),
        ("region", Dimension::Access(Access::Region)),
        ("conversationId", Dimension::Access(Access::Conversation)),
        ("mediaType", Dimension::Plain),
        ("ani", Dimension::Masked),
        ("participantName", Dimension::Hidden),
    ];
    FilterModel {
        attributes: BTreeMap::new(),
        level,
        dimensions: dimensions.into_iter().map(|(name, kind)| (name.into(), kind)).collect(),
        words: BTreeMap::new(),
        metrics: vec!["tConversationDuration".into()],
        max_depth: 3,
    }
}

pub(super) fn contract(operation: &str, data: Data, shape: Shape, model: Option<BodyModel>) -> Contract {
    let segment = |part: &str| match part {
        "{conversationId}" => Segment::Param { name: "conversationId".into(), access: Access::Conversation },
        "{queueId}" => Segment::Param { name: "queueId".into(), access: Access::Queue },
        "{thingId}" => Segment::Param { name: "thingId".into(), access: Access::Unowned },
        literal => Segment::Literal(literal.into()),
    };
    Contract {
        operation: operation.into(),
        method: if model.is_some() { Method::Post } else { Method::Get },
        template: Template { segments: operation.split('/').map(segment).collect() },
        action: Action::View,
        data,
        params: vec![],
        body: model.map(|model| Arc::new(BodyModel { data, ..model })),
        words: vec![
            Words {
                at: path("groupBy"),
                groups: true,
                allow: ["queueId", "mediaType", "ani"].map(Into::into).to_vec(),
                bpo_allow: Some(vec!["queueId".into()]),
            },
            Words { at: path("orderBy"), groups: false, allow: vec!["start".into()], bpo_allow: None },
        ],
        masks: BTreeMap::from([("ani".into(), "contact".into())]),
        ids: None,
        scan: None,
        shape,
        time: Some(TimeRule {
            at: TimeAt::Interval(path("interval")),
            reach: Reach::Contained,
            max: Some(jiff::SignedDuration::from_hours(31 * 24)),
        }),
        archived: false,
        rows_decide: false,
        abroad: false,
        max_values: 100,
        job: None,
        part: false,
        own: None,
        effect: Effect::Reads,
        links: Vec::new(),
    }
}

fn query(name: &str, filter: FilterModel) -> BodyModel {
    BodyModel {
        name: name.into(),
        dialect: Dialect::Genesys,
        data: Data::Interaction,
        fields: vec![
            field("interval", FieldKind::Interval),
            field("groupBy", list(words(&["queueId", "mediaType", "ani", "participantName", "userId", "hour"]))),
            field("orderBy", words(&["start", "mediaType", "userId"])),
            field("view", words(&["summary", "userId", "ani"])),
            field("metrics", list(words(&["nOffered", "tHandle"]))),
            field("pageSize", FieldKind::Int { min: 1, max: 100 }),
            field("flatten", FieldKind::Bool),
            field("name", FieldKind::Text { max: 8 }),
            field("filter", FieldKind::Filter(filter)),
        ],
        proof: Proof::Filter { at: path("filter") },
    }
}

pub(super) fn aggregates() -> Contract {
    let model = query("ConversationAggregationQuery", filter(Level::Leg));
    contract("aggregates", Data::Interaction, Shape::Groups, Some(model))
}

pub(super) fn queue_observations() -> Contract {
    let model = query("QueueObservationQuery", filter(Level::Leg));
    contract("queues/observations", Data::Queue, Shape::Groups, Some(model))
}

pub(super) fn user_aggregates() -> Contract {
    let model = query("UserAggregationQuery", filter(Level::Leg));
    contract("users/aggregates", Data::User, Shape::Groups, Some(model))
}

/// Details by several lists of filters, of which the first carries the scope.
fn by_entries(name: &str, data: Data, shape: Shape, lists: &[(&str, Level)], also: &[&str]) -> Contract {
    let carrying = lists.first().map(|(name, _)| path(name)).unwrap();
    let mut fields = vec![field("interval", FieldKind::Interval)];
    fields.extend(lists.iter().map(|(name, level)| field(name, FieldKind::Filters(filter(*level)))));
    let model = BodyModel {
        name: name.into(),
        dialect: Dialect::Genesys,
        data,
        fields,
        proof: Proof::Entries { at: carrying, also: also.iter().map(|name| path(name)).collect() },
    };
    contract(name, data, shape, Some(model))
}

pub(super) fn details() -> Contract {
    let lists = [
        ("segmentFilters", Level::Leg),
        ("conversationFilters", Level::Interaction),
        ("evaluationFilters", Level::Attached),
        ("surveyFilters", Level::Attached),
    ];
    let mut contract = by_entries("details", Data::Interaction, Shape::Conversations, &lists, &["evaluationFilters"]);
    contract.time.as_mut().unwrap().reach = Reach::WholeDay;
    contract
}

pub(super) fn user_details() -> Contract {
    let lists = [("userFilters", Level::Leg), ("presenceFilters", Level::Interaction)];
    let mut contract = by_entries("users/details", Data::User, Shape::Owned, &lists, &[]);
    contract.time.as_mut().unwrap().reach = Reach::Overlap;
    contract
}

pub(super) fn platform() -> Contract {
    let model = BodyModel {
        name: "ReportQuery".into(),
        dialect: Dialect::Platform,
        data: Data::Interaction,
        fields: vec![
            field("name", FieldKind::Text { max: 80 }),
            field("divisionId", FieldKind::Id(Access::Division)),
            field(
                "query",
                FieldKind::Object(vec![
                    field("dateFrom", FieldKind::Instant),
                    field("dateTo", FieldKind::Instant),
                    field("filter", FieldKind::Filter(filter(Level::Leg))),
                ]),
            ),
        ],
        proof: Proof::Filter { at: path("query.filter") },
    };
    let mut contract = contract("query", Data::Interaction, Shape::Rows, Some(model));
    contract.time.as_mut().unwrap().at = TimeAt::FromTo(path("query.dateFrom"), path("query.dateTo"));
    contract
}

pub(super) fn searches() -> Contract {
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<_>>();
    let model = BodyModel {
        name: "LegSearch".into(),
        dialect: Dialect::OpenSearch,
        data: Data::Interaction,
        fields: vec![
            field("query", FieldKind::Filter(filter(Level::Leg))),
            field("size", FieldKind::Int { min: 0, max: 100 }),
            field("sort", FieldKind::Sort { words: names(&["mediaType", "ani"]), max: 2 }),
            field(
                "aggs",
                FieldKind::Aggregations(AggregationModel {
                    groups: names(&["queueId", "mediaType", "startTime"]),
                    times: names(&["startTime"]),
                    measures: names(&["handleTime", "userId"]),
                    max: 2,
                }),
            ),
        ],
        proof: Proof::Filter { at: path("query") },
    };
    let mut contract = contract("search", Data::Interaction, Shape::Documents, Some(model));
    contract.words =
        vec![Words { at: path("aggs"), groups: true, allow: names(&["queueId", "mediaType"]), bpo_allow: None }];
    contract.time = None;
    contract
}

pub(super) fn queue_list() -> Contract {
    let mut contract = contract("routing/queues", Data::Queue, Shape::Entities, None);
    let param = |name: &str, kind| Param { name: name.into(), kind };
    contract.params = vec![
        param("pageSize", ParamKind::Int { min: 1, max: 100 }),
        param("sortOrder", ParamKind::Enum(vec!["asc".into(), "desc".into()])),
        param("name", ParamKind::Text { max: 8 }),
        param("id", ParamKind::Ids { access: Access::Queue, max: 3 }),
        param("divisionId", ParamKind::Ids { access: Access::Division, max: 3 }),
    ];
    contract.ids = Some(IdsProof { param: "id".into(), access: Access::Queue });
    contract.time = None;
    contract
}

pub(super) fn list_of(data: Data, access: Access) -> Contract {
    let mut contract = queue_list();
    contract.data = data;
    contract.params = vec![Param { name: "id".into(), kind: ParamKind::Ids { access, max: 9 } }];
    contract.ids = Some(IdsProof { param: "id".into(), access });
    contract
}

pub(super) fn one_queue() -> Contract {
    contract("routing/queues/{queueId}", Data::Queue, Shape::Entity, None)
}

/// The people of one queue.
pub(super) fn members() -> Contract {
    let mut contract = contract("routing/queues/{queueId}/members", Data::User, Shape::Owned, None);
    contract.params = vec![
        Param { name: "pageNumber".into(), kind: ParamKind::Int { min: 1, max: 100 } },
        Param { name: "after".into(), kind: ParamKind::Cursor },
    ];
    contract.time = None;
    let below = Some(Arc::new(Contract { time: None, ..one_queue() }));
    contract.scan = Some(ScanProof { below, place: Some("after".into()), looks: false });
    contract
}

/// An answer without rows: whose it is stands in the path, if it is anybody's.
pub(super) fn plain(operation: &str, data: Data) -> Contract {
    Contract { time: None, ..contract(operation, data, Shape::Plain, None) }
}

pub(super) fn one_conversation() -> Contract {
    let mut contract = contract("conversations/{conversationId}", Data::Interaction, Shape::Conversation, None);
    contract.rows_decide = true;
    contract
}

pub(super) fn some_conversations() -> Contract {
    let mut contract = contract("conversations/details", Data::Interaction, Shape::Conversations, None);
    contract.params = vec![Param { name: "id".into(), kind: ParamKind::Ids { access: Access::Conversation, max: 3 } }];
    contract.time = None;
    contract.rows_decide = true;
    contract
}

/// A change of things that the body names: one owner, and a list of what else.
pub(super) fn change() -> Contract {
    let required = |name: &str, kind| Field { required: true, ..field(name, kind) };
    let item = vec![
        required("conversationId", FieldKind::Id(Access::Conversation)),
        field("callbackId", FieldKind::Part),
        field("queueId", FieldKind::Id(Access::Queue)),
        field("agentId", FieldKind::Id(Access::User)),
        field("at", FieldKind::Instant),
    ];
    let model = BodyModel {
        name: "Change".into(),
        dialect: Dialect::Genesys,
        data: Data::Interaction,
        fields: vec![
            required("queueId", FieldKind::Id(Access::Queue)),
            field("name", FieldKind::Text { max: 8 }),
            field("items", list(FieldKind::Object(item))),
        ],
        proof: Proof::Owners { at: vec![path("queueId"), path("items.conversationId")] },
    };
    let contract = contract("changes", Data::Interaction, Shape::Plain, Some(model));
    Contract { action: Action::Edit, effect: Effect::Changes, time: None, ..contract }
}

/// A request that a test may change before it is checked.
pub(super) struct Try {
    pub(super) contract: Contract,
    pub(super) outgoing: Outgoing,
    pub(super) residual: Residual,
    pub(super) entitlements: Vec<Entitlement>,
    pub(super) org: Org,
    pub(super) holder: Principal,
    pub(super) lifts: Vec<Lift>,
}

impl Try {
    pub(super) fn new(contract: Contract, entitlements: Vec<Entitlement>, body: Option<&str>) -> Self {
        let outgoing = Outgoing {
            method: contract.method,
            path: format!("/{}", contract.operation),
            query: vec![],
            body: body.map(|text| text.as_bytes().to_vec().into()),
        };
        let legs = matches!(contract.shape, Shape::Conversations | Shape::Conversation);
        let residual = Residual { legs, keys: true, windows: legs, links: Vec::new() };
        Self { contract, outgoing, residual, entitlements, org: org(), holder: HOLDER, lifts: vec![] }
    }

    pub(super) fn path(mut self, path: &str) -> Self {
        self.outgoing.path = path.into();
        self
    }

    pub(super) fn param(mut self, name: &str, value: &str) -> Self {
        self.outgoing.query.push((name.into(), value.into()));
        self
    }

    pub(super) fn check(self) -> Result<Verified, Unproved> {
        let scope = Scope { lifts: self.lifts, ..scope(self.holder, self.contract.action, self.entitlements) };
        check(&self.contract, self.outgoing, self.residual, &scope, &self.org, now())
    }

    #[track_caller]
    pub(super) fn proved(self) -> Vec<String> {
        let verified = self.check().unwrap_or_else(|unproved| panic!("refused: {unproved}"));
        verified.certificate().steps.iter().map(|step| format!("{} <- {}", step.clause, step.by)).collect()
    }

    #[track_caller]
    pub(super) fn refused(self, name: &str, why: &str) {
        match self.check() {
            Ok(_) => panic!("{name}: proved"),
            Err(unproved) => assert!(unproved.to_string().contains(why), "{name}: refused for `{unproved}`"),
        }
    }
}

pub(super) const DAY: &str = "2026-11-19T00:00:00Z/2026-11-20T00:00:00Z";

/// The body of an aggregate with this filter.
pub(super) fn with_filter(filter: &str) -> String {
    format!(r#"{{"interval":"{DAY}","groupBy":["queueId"],"filter":{filter},"metrics":["nOffered"]}}"#)
}

pub(super) fn is(dimension: &str, value: &str) -> String {
    format!(r#"{{"dimension":"{dimension}","value":"{value}"}}"#)
}

pub(super) fn missing(dimension: &str) -> String {
    format!(r#"{{"dimension":"{dimension}","operator":"notExists"}}"#)
}

pub(super) fn flat(kind: &str, predicates: &[String]) -> String {
    format!(r#"{{"type":"{kind}","predicates":[{}]}}"#, predicates.join(","))
}

pub(super) fn nested(kind: &str, clauses: &[String]) -> String {
    format!(r#"{{"type":"{kind}","clauses":[{}]}}"#, clauses.join(","))
}

/// What this holder may see by these entitlements.
pub(super) fn scope(holder: Principal, action: Action, entitlements: Vec<Entitlement>) -> Scope {
    Scope {
        holder,
        region: US,
        action,
        entitlements,
        inert: Set::new(),
        lifts: Vec::new(),
        openings: Vec::new(),
        good_until: None,
    }
}
