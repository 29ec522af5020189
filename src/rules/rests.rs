//! Checks a rule against itself: what it rests on, what it leaves open, whether its requests can be proved.

use super::{
    fetches,
    format::{OutsourcersWord, Page, ReachWord, Rule, Shared},
    looks,
    reading::{At, Reader},
};
use crate::model::{
    answer::{Answer, Shape},
    assumption::Assumption,
    body::{Access, BodyModel, Dialect, Dimension, FilterModel, Level, Proof},
    contract::{Data, Method, Param, ParamKind, Segment, Template},
    operation::{AllowList, Audience, Class, Entry, Outsourcers, Scan, Site},
};

/// What single questions of a rule rest on: those over a data window, and those grouped by the division of interactions.
pub(super) fn partly(
    shared: &Shared,
    model: Option<&BodyModel>,
    data: Data,
    group_by: Option<&AllowList>,
) -> Vec<Assumption> {
    let contained = shared.time.as_ref().is_some_and(|time| matches!(time.reach.value, ReachWord::Contained));
    let division = |word: &str| {
        model.is_some_and(|model| model.dimensions(word).any(|kind| kind == Dimension::Access(Access::Division)))
    };
    let divided =
        data == Data::Interaction && group_by.is_some_and(|list| list.allow.iter().any(|word| division(word)));
    let all = [(contained, Assumption::LegsContained), (divided, Assumption::DivisionOfLeg)];
    all.into_iter().filter(|(rests, _)| *rests).map(|(_, assumption)| assumption).collect()
}

/// Outsourcers can be kept out of internal reports only, and only where the data tells them apart.
pub(super) fn outsourcers(
    word: Option<&At<OutsourcersWord>>,
    audience: Audience,
    data: Data,
    answer: &Answer,
    reader: &mut Reader<'_>,
) {
    let Some(word) = word else { return };
    let by_user = answer.keys.iter().any(|key| key.access == Access::User);
    let (says, help) = match (Outsourcers::from(word.value), data) {
        (Outsourcers::Count, _) => return,
        _ if audience != Audience::Internal => {
            ("only an internal report leaves outsourcers out", "add `audience = \"internal\"`, or let everybody count")
        }
        (Outsourcers::ByDivision, Data::User | Data::Queue) | (Outsourcers::ByRow, Data::Queue | Data::Team) => return,
        (Outsourcers::ByRow, Data::User | Data::Interaction) if by_user => return,
        (Outsourcers::ByRow, Data::User | Data::Interaction) => (
            "the rows of this answer do not carry the user, so none of them can be left out",
            "add the user's field to `keys`, or use `by-division`",
        ),
        (Outsourcers::ByDivision, _) => (
            "the division of such a row does not say who worked: an outsourcer may have",
            "use `by-row`, and group by the user",
        ),
        (Outsourcers::ByRow, _) => ("these rows are of nobody's work", "leave `outsourcers` out"),
    };
    reader.problem_with(word.span.clone(), says, Some(help.to_owned()));
}

pub(super) fn twice(sites: &[Site], rule: &At<Rule>, reader: &mut Reader<'_>) {
    for (at, site) in sites.iter().enumerate() {
        if sites.iter().take(at).any(|before| before.at == site.at) {
            reader.problem(rule.id.span.clone(), format!("two places narrow `$.{}`", site.at.join(".")));
        }
    }
}

/// What a rule rests on follows from where it writes the scope.
#[derive(Debug)]
pub(super) struct Rests<'r> {
    pub(super) sites: &'r [Site],
    pub(super) model: Option<&'r BodyModel>,
    pub(super) data: Data,
    pub(super) page: bool,
    /// Ids of parts stand below interactions, and no look shows them.
    pub(super) parts: bool,
    /// Files are made of recordings that nobody here reads.
    pub(super) files: bool,
}

impl Rests<'_> {
    pub(super) fn check(&self, needs: &[Assumption], rule: &At<Rule>, reader: &mut Reader<'_>) {
        let mut rests = Vec::new();
        let level = |site: &Site| self.model.and_then(|model| model.filter(&site.at)).map(|filter| filter.level);
        if self.sites.iter().any(|site| site.entry != Entry::Filter && level(site) == Some(Level::Leg)) {
            rests.push(Assumption::EntriesAnd);
            // A row about one person or one queue is one leg: there is no other on which a predicate could hold.
            if self.data == Data::Interaction {
                rests.push(Assumption::SameSegment);
            }
        }
        if matches!(self.data, Data::Interaction | Data::Flow)
            && self.sites.iter().any(|site| site.entry == Entry::Filter)
        {
            rests.push(Assumption::LegFilter);
        }
        match self.data {
            Data::Case => rests.push(Assumption::DivisionOfCase),
            Data::Team if !self.sites.is_empty() => rests.push(Assumption::PersonFilter),
            _ => {}
        }
        if self.page {
            rests.push(Assumption::IdsOnly);
        }
        if self.model.is_some_and(|model| matches!(model.dialect, Dialect::Criteria | Dialect::Marks)) {
            rests.push(Assumption::CriteriaAnd);
        }
        if self.model.is_some_and(|model| matches!(model.proof, Proof::Lists(_))) {
            rests.push(Assumption::ViewFilter);
        }
        if self.files {
            rests.push(Assumption::RecordingOfOne);
        }
        if self.parts {
            rests.push(Assumption::PartOfItsInteraction);
        }
        for missing in rests.into_iter().filter(|rest| !needs.contains(rest)) {
            let help = format!("add it to `needs`: {}", missing.meaning());
            let message = format!("this rule rests on `{}` and does not say so", missing.name());
            reader.problem_with(rule.id.span.clone(), message, Some(help));
        }
        if let Some(model) = self.model {
            let narrowed = |at: &[Box<str>]| self.sites.iter().any(|site| site.at == at);
            let unproved = match &model.proof {
                Proof::Filter { at } => !narrowed(at),
                Proof::Entries { at, also } => !std::iter::once(at).chain(also).all(|at| narrowed(at)),
                // written, or what a change names judged, without a site of the rule's own
                Proof::Lists(_) | Proof::Owners { .. } | Proof::Rows { .. } => false,
            };
            if unproved {
                let help = "add a `[[rule.narrow]]` for each filter that the model's proof names";
                let message = format!("the rule does not narrow where `{}` proves its scope", model.name);
                reader.problem_with(rule.id.span.clone(), message, Some(help.to_owned()));
            }
            for path in model.filters() {
                let names_nobody = model.filter(&path).is_some_and(|filter| {
                    filter.attributes.is_empty() && filter.dimensions.values().all(|kind| *kind == Dimension::Plain)
                });
                let judged = matches!(&model.proof, Proof::Rows { at } if *at == path);
                if !narrowed(&path) && !names_nobody && !judged {
                    let help = "add a `[[rule.narrow]]` for it: what the asker sends there must be judged and joined";
                    let message =
                        format!("the filter `$.{}` of `{}` has no place in this rule", path.join("."), model.name);
                    reader.problem_with(rule.id.span.clone(), message, Some(help.to_owned()));
                }
            }
        }
    }
}

/// Rows of a scan are judged one by one, by the owner that each names.
pub(super) fn scan(
    scan: Option<&Scan>,
    shape: Shape,
    page: Option<&At<Page>>,
    (model, sites): (Option<&BodyModel>, &[Site]),
    looks: bool,
    reader: &mut Reader<'_>,
) {
    let (Some(scan), Some(page)) = (scan, page) else { return };
    let by_number = scan.walk.as_ref().is_some_and(|walk| !walk.by_place);
    let names_one = |site: &Site| matches!(site.carry.as_slice(), [(Access::User | Access::Group, _)]);
    let rows = model.is_some_and(|model| match &model.proof {
        // ids find rows of others too, so the legs of each are looked at
        Proof::Rows { at } => looks || model.filter(at).is_some_and(knows_nobody),
        _ => false,
    });
    let by_rows = rows && sites.is_empty();
    let named = matches!(sites, [site] if names_one(site));
    if model.is_some() && !(by_number && (looks || scan.each.is_empty()) && (named || by_rows)) {
        let help = "page it by `number` and `size`, and carry `user` or `group`, and nothing beside, in its one filter; where \
                    the model's proof is `rows`, carry nothing, and look at interactions when its filter knows ids";
        let message = "a search names people or groups, or its rows are judged";
        reader.problem_with(page.span.clone(), message, Some(help.to_owned()));
    }
    if shape != Shape::Owned {
        let help = "set `shape = \"owned\"`, with the field of the owner in `keys`";
        reader.problem_with(page.span.clone(), "the rows of a scan are each somebody's", Some(help.to_owned()));
    }
    if looks && (scan.walk.is_none() || scan.each.is_empty()) {
        let help = "add `number` and `size`, and the row's own id to `each`: an interaction may have several rows";
        let message = "a list whose rows are of interactions is read page by page, and its rows are told apart";
        reader.problem_with(page.span.clone(), message, Some(help.to_owned()));
    }
    if scan.walk.is_none() && !scan.each.is_empty() {
        reader.problem(page.span.clone(), "what stands in one answer needs no `each`");
    }
}

fn knows_nobody(filter: &FilterModel) -> bool {
    !filter.dimensions.values().any(|kind| matches!(kind, Dimension::Access(_)))
}

/// Lists of things that are somebody's.
const OWNED: [&str; 13] = [
    "users",
    "people",
    "agents",
    "members",
    "employees",
    "queues",
    "conversations",
    "interactions",
    "divisions",
    "teams",
    "flows",
    "contacts",
    "participants",
];

/// A request must be able to show that it stays inside the scope.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "which tables the rule has, one by one")]
pub(super) struct Fits<'f> {
    pub(super) class: Class,
    pub(super) method: Method,
    pub(super) template: &'f Template,
    pub(super) params: &'f [Param],
    pub(super) shape: Shape,
    pub(super) data: Data,
    /// What is read is a part of an interaction.
    pub(super) part: bool,
    /// A list of the asker's own exports.
    pub(super) own: bool,
    /// The interactions that it names are looked at.
    pub(super) looks: bool,
    /// What it has made is fetched by its id.
    pub(super) fetched: bool,
    pub(super) listed: Listed,
}

/// How a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// Not at all: the rule does not say.
    No,
    Paged,
    /// Another rule reads what the path names.
    Below,
}

impl Fits<'_> {
    /// What the directory answers of the asker has no other way of being read.
    fn check_caller(&self, model: Option<&BodyModel>, at: &At<String>, reader: &mut Reader<'_>) {
        let ids = self.template.segments.iter().any(|segment| segment.access().is_some());
        let bare = !ids && model.is_none() && self.listed == Listed::No && !self.part;
        if self.method != Method::Get || !bare || self.shape == Shape::Plain {
            let help = "leave `page`, `below`, `part`, `body` and ids of the path out; the shape is that of a list or an object";
            let message = "what is asked about the asker is a `GET` that the directory answers";
            reader.problem_with(at.span.clone(), message, Some(help.to_owned()));
        }
    }

    pub(super) fn check(&self, caller: bool, model: Option<&BodyModel>, at: &At<String>, reader: &mut Reader<'_>) {
        if caller {
            return self.check_caller(model, at, reader);
        }
        let ids: Vec<Access> = self.template.segments.iter().filter_map(Segment::access).collect();
        let owners = ids.iter().filter(|access| **access != Access::Unowned).count();
        if self.part && (self.shape, self.class, self.data) != (Shape::Plain, Class::Read, Data::Interaction) {
            let help = "set `class = \"read\"`, `data = \"interaction\"` and `shape = \"plain\"`, or leave `part` out";
            let message = "a part of an interaction is a plain `read` of interaction data";
            reader.problem_with(at.span.clone(), message, Some(help.to_owned()));
            return;
        }
        if self.class == Class::Export || self.own || self.shape == Shape::Bound {
            return self.check_export(model, &ids, at, reader);
        }
        if model.is_some_and(|model| matches!(model.proof, Proof::Lists(_))) {
            reader.problem(at.span.clone(), "a body with lists of ids is that of an `export`");
        }
        if self.class == Class::Write {
            let Self { method, data, params, shape, looks, .. } = *self;
            return looks::Change { method, data, path: &ids, params, shape, model, looks }
                .check(at.span.clone(), reader);
        }
        let changes = model.is_some_and(|model| matches!(model.proof, Proof::Owners { .. }));
        let rows = (self.class, self.data, self.shape) == (Class::List, Data::Interaction, Shape::Owned);
        if changes || self.looks && !rows {
            let message = "only a `write`, or an `export`, has a body with `owners`, and a `[rule.look]`; a `list` has the look \
                           when its rows are of interactions";
            reader.problem(at.span.clone(), message);
            return;
        }
        if self.shape == Shape::Plain {
            return self.check_plain(&ids, owners, at, reader);
        }
        let below = self.listed == Listed::Below;
        if self.class == Class::List && below == ids.is_empty() {
            let help = "name the rule that reads it in `below`; without an id in the path leave `below` out";
            let message = "what a list stands below is read by a rule of its own";
            reader.problem_with(at.span.clone(), message, Some(help.to_owned()));
            return;
        }
        if owners < ids.len() && !below {
            let help = "name it `{queueId}`, `{userId}`, `{divisionId}`, `{conversationId}`, `{flowId}` or `{teamId}`; \
                        what is nobody's has an answer of shape `plain`";
            let message = "an id of the path is of no known kind, so nobody could say whose the answer is";
            reader.problem_with(at.span.clone(), message, Some(help.to_owned()));
        }
        let lists = |param: &Param| matches!(param.kind, ParamKind::Ids { access: Access::Conversation, .. });
        // several interactions at once are read like one: their legs decide
        let by_ids = self.shape == Shape::Conversations && self.params.iter().any(lists);
        let by_id = owners > 0 || by_ids;
        let says = match self.class {
            Class::Query if self.method != Method::Post || model.is_none() => "a `query` is a `POST` with a `body`",
            _ if below && self.class != Class::List => "only a `list` stands below something: leave `below` out",
            Class::List if self.is_search(model) => return,
            Class::List if self.method != Method::Get || model.is_some() || self.listed == Listed::No => {
                "a `list` is a `GET` with a `[rule.page]`; one that is searched by criteria is a `POST` with a `scan` and without \
                 parameters"
            }
            Class::Read if self.method != Method::Get || !by_id => {
                "a `read` is a `GET` with an id in its path, or with a parameter that lists interactions"
            }
            Class::NoData => "what is nobody's has an answer of shape `plain`",
            _ => return,
        };
        reader.problem(at.span.clone(), says);
    }

    /// Asked by one filter of criteria, which names what may come back, or whose rows are judged.
    fn is_search(&self, model: Option<&BodyModel>) -> bool {
        let by_criteria = |model: &BodyModel| {
            matches!(
                (model.dialect, &model.proof),
                (Dialect::Criteria, Proof::Filter { .. }) | (Dialect::Criteria | Dialect::Marks, Proof::Rows { .. })
            )
        };
        let posted = (self.method, self.listed) == (Method::Post, Listed::Paged) && self.params.is_empty();
        posted && model.is_some_and(by_criteria)
    }

    /// An export is asked for with lists of ids, and shown to its owner in a list.
    fn check_export(&self, model: Option<&BodyModel>, ids: &[Access], at: &At<String>, reader: &mut Reader<'_>) {
        if let Some(model) = model.filter(|model| matches!(model.proof, Proof::Owners { .. })) {
            let Self { method, data, params, shape, looks, fetched, .. } = *self;
            return fetches::Named { method, data, path: ids, params, shape, model, looks, fetched }
                .check(at.span.clone(), reader);
        }
        let by_lists = model.is_some_and(|model| matches!(model.proof, Proof::Lists(_)));
        let asks = (self.method, self.shape, self.data, by_lists, self.own)
            == (Method::Post, Shape::Plain, Data::Interaction, true, false);
        let lists = (self.method, self.shape, self.data, model.is_none(), self.own)
            == (Method::Get, Shape::Bound, Data::Metadata, true, true);
        if self.class != Class::Export || !ids.is_empty() || !(asks && self.params.is_empty() || lists) {
            let help = "an `export` is a `POST` of interaction data, with a body whose proof names lists of ids and a \
                        `plain` answer; or a `GET` of `metadata` with `[rule.own]` and a `bound` answer";
            reader.problem_with(
                at.span.clone(),
                "this is no way to ask for an export, or to list them",
                Some(help.to_owned()),
            );
        }
    }

    /// A plain answer is its owner's, whom the path names and the directory holds; or it is nobody's.
    fn check_plain(&self, ids: &[Access], owners: usize, at: &At<String>, reader: &mut Reader<'_>) {
        let owned = match self.data {
            Data::Queue => Some(Access::Queue),
            Data::User => Some(Access::User),
            Data::Division => Some(Access::Division),
            Data::Interaction if self.part => Some(Access::Conversation),
            Data::Interaction | Data::Flow | Data::Case | Data::Team | Data::Metadata => None,
        };
        let below = |pair: &[Segment]| match pair {
            [Segment::Literal(list), Segment::Param { access: Access::Unowned, .. }] => OWNED.contains(&&**list),
            _ => false,
        };
        let lists_ids = self.params.iter().any(|param| matches!(param.kind, ParamKind::Ids { .. }));
        let says = match self.class {
            _ if self.method != Method::Get => "a `plain` answer is read by `GET`",
            _ if lists_ids => "a `plain` answer is asked for without parameters that list ids",
            _ if !self.part && self.template.segments.windows(2).any(below) => {
                "what stands below one of a list of people, queues, conversations or divisions is not nobody's"
            }
            Class::NoData if self.data != Data::Metadata || owners > 0 => {
                "`no-data` is about `metadata`, and its path names nobody: what has an owner is a `read`"
            }
            Class::Read if owned.is_none() || owned != ids.first().copied() || owners != 1 => {
                "a `plain` answer has one owner: a queue, a person or a division by the first id of the path, and \
                 `data` says which; or it is a part of an interaction, by `[rule.part]`"
            }
            Class::Query | Class::List | Class::Job | Class::Export => {
                "a `plain` answer is one of a `read` or of `no-data`"
            }
            Class::NoData | Class::Read | Class::Write => return,
        };
        reader.problem(at.span.clone(), says);
    }
}
