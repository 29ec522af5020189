//! One drawn case: an organisation, its data, a person, a question and an instant, judged by the oracle.

use super::program::{self, Answered, Got};
use crate::oracle::{
    data::{Directory, Interaction, Time, seconds},
    generate::{self, Dice, Names, Words},
    questions::{Facts, Kind, Meaning, answer, facts_of, within, written as written_by_upstream},
    semantics::{Data, Dim, Entitlement, Right},
};
use bailiwick::model::{operation::Operation, refusal::Code, world::World};
use serde_json::{Value, json};

/// What a question of one kind runs over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stock {
    pub(crate) interactions: Vec<Interaction>,
    pub(crate) waiting: Vec<Interaction>,
    pub(crate) presences: Vec<Interaction>,
}

impl Stock {
    pub(crate) fn draw(dice: &mut Dice, directory: &Directory) -> Self {
        Self {
            interactions: generate::interactions(dice, directory, 40),
            waiting: generate::waiting(dice, directory),
            presences: generate::presences(dice, directory),
        }
    }

    pub(crate) fn of(&self, kind: Kind) -> &[Interaction] {
        match kind {
            Kind::Aggregates | Kind::Details | Kind::Platform => &self.interactions,
            Kind::QueueObservations => &self.waiting,
            Kind::UserAggregates | Kind::UserObservations => &self.presences,
        }
    }
    pub(crate) fn of_mut(&mut self, kind: Kind) -> &mut Vec<Interaction> {
        match kind {
            Kind::Aggregates | Kind::Details | Kind::Platform => &mut self.interactions,
            Kind::QueueObservations => &mut self.waiting,
            Kind::UserAggregates | Kind::UserObservations => &mut self.presences,
        }
    }
}

/// An organisation as text, as the oracle reads it and as the program compiled it.
#[derive(Debug)]
pub(crate) struct Organisation {
    pub(crate) file: Value,
    pub(crate) directory: Directory,
    pub(crate) world: World,
    pub(crate) stock: Stock,
}

impl Organisation {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let file = generate::directory(dice, &program::opened());
        let directory = Directory::read(&file.to_string());
        let stock = Stock::draw(dice, &directory);
        Self::of(file, stock)
            .unwrap_or_else(|problem| panic!("the generator drew a directory that does not load: {problem}"))
    }

    pub(crate) fn of(file: Value, stock: Stock) -> Result<Self, String> {
        let text = file.to_string();
        let world = program::world(&program::org(&text)?);
        Ok(Self { directory: Directory::read(&text), world, file, stock })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) person: String,
    pub(crate) kind: Kind,
    pub(crate) body: String,
    pub(crate) now: Time,
}

pub(crate) fn data_of(kind: Kind) -> Data {
    match kind {
        Kind::Aggregates | Kind::Details | Kind::Platform => Data::Interaction,
        Kind::QueueObservations => Data::Queue,
        Kind::UserAggregates | Kind::UserObservations => Data::User,
    }
}

impl Case {
    pub(crate) fn draw(dice: &mut Dice, organisation: &Organisation) -> Self {
        Self::draw_for(dice, organisation, None)
    }

    pub(crate) fn draw_for(dice: &mut Dice, organisation: &Organisation, person: Option<&str>) -> Self {
        let kinds = [
            Kind::Aggregates,
            Kind::Aggregates,
            Kind::Details,
            Kind::Details,
            Kind::Platform,
            Kind::Platform,
            Kind::QueueObservations,
            Kind::UserAggregates,
            Kind::UserObservations,
        ];
        let now = generate::now(dice);
        // Mostly somebody who may ask at all: the others only show refusals.
        let mut case = Self { person: String::new(), kind: Kind::Details, body: String::new(), now };
        for _ in 0..6 {
            case.kind = *dice.pick(&kinds);
            case.person = if let Some(person) = person {
                person.to_owned()
            } else if dice.percent(3) {
                dice.pick(&organisation.directory.service_accounts).id.clone()
            } else {
                dice.pick(&organisation.directory.users).id.clone()
            };
            if !case.scope(&organisation.directory).is_empty() {
                break;
            }
        }
        let names = case.names(&organisation.directory);
        let words =
            Words::from([("metrics", if case.kind == Kind::Platform { vec![] } else { program::metrics(case.kind) })]);
        case.body = generate::question(dice, case.kind, &names, &words).to_string();
        case
    }

    pub(crate) fn scope(&self, directory: &Directory) -> Vec<Entitlement> {
        self.scope_for(directory, program::operation(self.kind))
    }

    /// The scope for another operation about the same data.
    pub(crate) fn scope_for(&self, directory: &Directory, operation: &Operation) -> Vec<Entitlement> {
        let permissions: Vec<String> = operation.opened_by.iter().map(ToString::to_string).collect();
        let right =
            Right { permissions: &permissions, action: "view", data: data_of(self.kind), archived: operation.archived };
        let mut scope = directory.entitlements(&self.person, &right, self.now);
        match right.data {
            Data::Interaction => {}
            Data::Queue => scope.retain(|one| one.users == Dim::Any && one.conversations == Dim::Any),
            Data::User | Data::Division => scope.retain(|one| one.queues == Dim::Any && one.conversations == Dim::Any),
        }
        // A source whose every queue is closed covers nothing; it opens no names either.
        scope.retain(|one| {
            one.queues == Dim::Any
                || directory
                    .queues
                    .iter()
                    .any(|queue| self.queue_inside(directory, std::slice::from_ref(one), &queue.id))
        });
        scope
    }

    pub(crate) fn names(&self, directory: &Directory) -> Names {
        self.names_within(directory, &self.scope(directory))
    }

    pub(crate) fn names_within(&self, directory: &Directory, scope: &[Entitlement]) -> Names {
        let ids = |all: Vec<&String>| all.into_iter().cloned().collect::<Vec<_>>();
        Names {
            queues: ids(directory
                .queues
                .iter()
                .map(|one| &one.id)
                .filter(|id| self.queue_inside(directory, scope, id))
                .collect()),
            users: ids(directory
                .users
                .iter()
                .map(|one| &one.id)
                .filter(|id| self.user_inside(directory, scope, id, true))
                .collect()),
            divisions: ids(directory
                .divisions
                .iter()
                .map(|one| &one.id)
                .filter(|id| self.division_inside(directory, scope, id))
                .collect()),
            all_queues: ids(directory.queues.iter().map(|one| &one.id).collect()),
            all_users: ids(directory.users.iter().map(|one| &one.id).collect()),
            all_divisions: ids(directory.divisions.iter().map(|one| &one.id).collect()),
            regions: vec![directory.region_of_person(&self.person).to_owned()],
            all_regions: ids(directory.divisions.iter().map(|one| &one.region).collect()),
        }
    }

    pub(crate) fn queue_inside(&self, directory: &Directory, scope: &[Entitlement], id: &str) -> bool {
        directory.queue(id).is_some_and(|queue| {
            self.leaf_here(directory, &queue.division)
                && scope.iter().any(|one| {
                    one.conversations == Dim::Any
                        && one.divisions.covers(&queue.division)
                        && directory.queue_covered(&self.person, one, id)
                        && directory.some_agent_covered(&self.person, one)
                })
        })
    }

    fn leaf_here(&self, directory: &Directory, division: &str) -> bool {
        let found = directory.division(division);
        found.is_some_and(|one| one.region == directory.region_of_person(&self.person)) && directory.leaf(division)
    }

    pub(crate) fn division_inside(&self, directory: &Directory, scope: &[Entitlement], id: &str) -> bool {
        self.leaf_here(directory, id) && scope.iter().any(|one| one.divisions.covers(id))
    }

    /// Whether a user may be named: of the asker's region, and by one source either listed, or, where it says
    /// everybody, of a covered division or a member of a covered queue.
    pub(crate) fn user_inside(&self, directory: &Directory, scope: &[Entitlement], id: &str, strictly: bool) -> bool {
        let Some(user) = directory.users.iter().find(|user| user.id == id) else { return false };
        let here =
            |one: &Entitlement| one.divisions.covers(&user.division) && self.leaf_here(directory, &user.division);
        let data = data_of(self.kind);
        user.region == directory.region_of_person(&self.person)
            && scope.iter().filter(|one| one.conversations == Dim::Any).any(|one| match &one.users {
                Dim::Only(ids) => ids.contains(&user.id) && (data == Data::Interaction || here(one)),
                Dim::Any => {
                    let fellow = directory.queues.iter().any(|queue| {
                        self.queue_inside(directory, std::slice::from_ref(one), &queue.id)
                            && directory.members_of_queue(queue).contains(&user.id)
                    });
                    (here(one) && !(strictly && one.divisions == Dim::Any)) || (data == Data::Interaction && fellow)
                }
            })
    }

    /// Whether something of the division may be visible.
    fn division_reached(&self, directory: &Directory, scope: &[Entitlement], id: &str) -> bool {
        let queue =
            |one: &crate::oracle::data::Queue| one.division == id && self.queue_inside(directory, scope, &one.id);
        let user = |one: &crate::oracle::data::User| {
            let alone = |source: &Entitlement| {
                source.queues == Dim::Any
                    && source.conversations == Dim::Any
                    && source.users.covers(&one.id)
                    && source.divisions.covers(id)
            };
            one.division == id && directory.same_region(&self.person, &one.id) && scope.iter().any(alone)
        };
        directory.queues.iter().any(queue) || directory.users.iter().any(user)
    }

    /// The asked body with placeholders replaced by what they stand for; `None` when one stands for nothing.
    pub(crate) fn asked(&self, directory: &Directory, scope: &[Entitlement]) -> Option<Value> {
        let mut body: Value = serde_json::from_str(&self.body).unwrap();
        let mine: Vec<Value> = directory
            .queues
            .iter()
            .filter(|queue| queue.state.as_deref().is_none_or(|state| state == "active"))
            .filter(|queue| self.queue_inside(directory, scope, &queue.id))
            .filter(|queue| {
                let named = queue.members.contains(&self.person);
                named || (!queue.restricted && directory.members_of_queue(queue).contains(&self.person))
            })
            .map(|queue| json!(queue.id))
            .collect();
        let used = self.body.contains("${user.queueIds}");
        fill(&mut body, &mine);
        (!used || !mine.is_empty()).then_some(body)
    }

    pub(crate) fn expected(&self, directory: &Directory, data: &[Interaction]) -> Option<Facts> {
        let scope = self.scope(directory);
        let asked = self.asked(directory, &scope)?;
        let view = directory.view(&self.person, &scope, data);
        Some(facts_of(self.kind, &answer(self.kind, &asked, &view, Meaning::Law(directory), self.now)))
    }

    /// The one difference from the law: no bytes can say a data window of interactions, so one that crosses the
    /// window's edge takes its place on a page, and the guard takes it (or its legs) out. Only for whole asked days
    /// inside the window, and only where no filter says anything; everywhere else this is `expected`.
    pub(crate) fn placed(&self, directory: &Directory, data: &[Interaction]) -> Option<Facts> {
        let scope = self.scope(directory);
        let asked = self.asked(directory, &scope)?;
        if self.kind != Kind::Details {
            return self.expected(directory, data);
        }
        let days = asked_days(&asked);
        let mut unwindowed = scope.clone();
        for one in unwindowed.iter_mut().filter(|one| one.window.is_some_and(|window| covers_days(window, &days))) {
            one.window = None;
        }
        let world = directory.view(&self.person, &unwindowed, data);
        let over =
            |asked: &Value| facts_of(self.kind, &answer(self.kind, asked, &world, Meaning::Law(directory), self.now));
        // A filter that is the asker's own scope is none.
        let mut whole = asked.clone();
        whole["paging"] = json!({ "pageSize": 100, "pageNumber": 1 });
        let mut bare = whole.clone();
        for name in ["segmentFilters", "conversationFilters", "evaluationFilters"] {
            bare.as_object_mut().unwrap().shift_remove(name);
        }
        if over(&whole) != over(&bare) {
            return self.expected(directory, data);
        }
        let on_page = over(&asked);
        let mut visible = directory.view(&self.person, &scope, data);
        visible.retain(|one| on_page.contains_key(&one.id));
        let rows: Vec<Value> = visible.iter().map(written_by_upstream).collect();
        Some(facts_of(self.kind, &json!({ "conversations": rows })))
    }

    pub(crate) fn ask(&self, organisation: &Organisation) -> Got {
        program::ask(
            &organisation.world,
            &self.person,
            self.kind,
            &self.body,
            self.now,
            organisation.stock.of(self.kind),
        )
    }

    /// `Err` says how the program breaks a law.
    pub(crate) fn judge(&self, organisation: &Organisation, got: &Got) -> Result<(), String> {
        match got {
            Got::Answered(answered) => self.judge_answer(organisation, answered),
            Got::Refused { code, message } => self.judge_refusal(&organisation.directory, *code, message),
        }
    }

    /// Whatever is answered names nothing that is outside.
    pub(crate) fn judge_names(&self, directory: &Directory, scope: &[Entitlement]) -> Result<(), String> {
        for (kind, id) in named(&serde_json::from_str(&self.body).unwrap()) {
            let inside = match kind {
                "queue" => self.queue_inside(directory, scope, &id),
                "user" => self.user_inside(directory, scope, &id, false),
                "region" => *id == *directory.region_of_person(&self.person),
                _ => self.division_inside(directory, scope, &id),
            };
            if !inside {
                return Err(format!("answered, though it names the {kind} `{id}`, which is outside"));
            }
        }
        Ok(())
    }

    fn judge_answer(&self, organisation: &Organisation, answered: &Answered) -> Result<(), String> {
        let directory = &organisation.directory;
        let data = organisation.stock.of(self.kind);
        let scope = self.scope(directory);
        let Some(expected) = self.expected(directory, data) else {
            return Err("a placeholder that stands for nothing was answered".to_owned());
        };
        self.judge_names(directory, &scope)?;
        if answered.facts == expected {
            return Ok(());
        }
        if !answered.tells_of_losses() {
            let placed = self.placed(directory, data).unwrap_or_default();
            if answered.facts == placed {
                return Ok(());
            }
            let how = if within(&answered.facts, &expected) {
                "loses rows without a notice"
            } else {
                "shows what is not visible"
            };
            return Err(format!(
                "{how}\nexpected {expected:#?}\nor, by places, {placed:#?}\ngot {:#?}",
                answered.facts
            ));
        }
        // A loss that a notice names: what is left must be true. Pages shift when rows are lost, so they are not compared.
        let mut unpaged = self.clone();
        let mut body: Value = serde_json::from_str(&self.body).unwrap();
        body["paging"] = json!({ "pageSize": 100, "pageNumber": 1 });
        unpaged.body = body.to_string();
        let expected = unpaged.expected(directory, data).unwrap_or_default();
        if within(&answered.facts, &expected) {
            return Ok(());
        }
        Err(format!(
            "shows what is not visible, beside a notice\nexpected at most {expected:#?}\ngot {:#?}",
            answered.facts
        ))
    }

    fn judge_refusal(&self, directory: &Directory, code: Code, message: &str) -> Result<(), String> {
        self.judge_refusal_within(directory, &self.scope(directory), code, message)
    }

    pub(crate) fn judge_refusal_within(
        &self,
        directory: &Directory,
        scope: &[Entitlement],
        code: Code,
        message: &str,
    ) -> Result<(), String> {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        let named = named(&body);
        let outside = |(kind, id): &(&str, String)| match *kind {
            "queue" => !self.queue_inside(directory, scope, id),
            "user" => !self.user_inside(directory, scope, id, true),
            "region" => false,
            _ => !(self.division_inside(directory, scope, id) && self.division_reached(directory, scope, id)),
        };
        let right = match code {
            Code::ScopeOutside => named.iter().any(outside),
            Code::DivisionParentScan => {
                named.iter().any(|(kind, id)| *kind == "division" && !directory.leaf(id))
                    || self.nothing(directory, scope)
            }
            Code::RegionCrossRegionScan => named.iter().any(|(kind, id)| {
                let other =
                    directory.division(id).is_some_and(|one| one.region != directory.region_of_person(&self.person));
                match *kind {
                    "division" => other,
                    "region" => *id != *directory.region_of_person(&self.person),
                    _ => false,
                }
            }),
            Code::ScopeEmpty => self.nothing(directory, scope) || self.asked(directory, scope).is_none(),
            Code::PermissionMissing => self.nothing(directory, scope),
            Code::VerifyFailed | Code::Internal | Code::AnswerUnreadable | Code::QueryMalformed => false,
            _ => true,
        };
        if right { Ok(()) } else { Err(format!("refused with {}: {message}", code.as_str())) }
    }

    /// Nothing in the whole directory is visible. Sources bound to single interactions are not counted: only the
    /// answer shows whether they open one.
    pub(crate) fn nothing(&self, directory: &Directory, scope: &[Entitlement]) -> bool {
        let queues = data_of(self.kind) != Data::User
            && directory.queues.iter().any(|queue| self.queue_inside(directory, scope, &queue.id));
        let users = data_of(self.kind) != Data::Queue
            && directory.users.iter().any(|user| {
                scope.iter().any(|one| {
                    one.users.covers(&user.id)
                        && one.queues == Dim::Any
                        && one.conversations == Dim::Any
                        && one.divisions.covers(&user.division)
                        && self.leaf_here(directory, &user.division)
                })
            });
        !queues && !users
    }

    /// Whether the asked question speaks of something hidden: it would have another answer over all the world, or
    /// it names something outside.
    pub(crate) fn has_forbidden_part(&self, organisation: &Organisation) -> bool {
        let directory = &organisation.directory;
        let scope = self.scope(directory);
        let Some(asked) = self.asked(directory, &scope) else { return false };
        let data = organisation.stock.of(self.kind);
        let all = facts_of(self.kind, &answer(self.kind, &asked, data, Meaning::Law(directory), self.now));
        Some(all) != self.expected(directory, data)
    }
}

const DAY: Time = 86_400;

/// The whole days that an asked interval touches, as an interval.
fn asked_days(asked: &Value) -> (Time, Time) {
    let (from, until) = asked["interval"].as_str().unwrap().split_once('/').unwrap();
    let (from, until) = (seconds(from), seconds(until));
    (from.div_euclid(DAY) * DAY, (until + DAY - 1).div_euclid(DAY) * DAY)
}

fn covers_days((from, until): (Time, Time), days: &(Time, Time)) -> bool {
    from <= days.0 && days.1 <= until
}

fn fill(value: &mut Value, mine: &[Value]) {
    match value {
        Value::Array(items) => {
            if items.iter().any(|item| item == "${user.queueIds}") {
                items.retain(|item| item != "${user.queueIds}");
                items.extend(mine.iter().cloned());
            }
            items.iter_mut().for_each(|item| fill(item, mine));
        }
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, mine)),
        _ => {}
    }
}

/// Ids on access dimensions that a body names, placeholders left out.
pub(crate) fn named(value: &Value) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    match value {
        Value::Array(items) => items.iter().for_each(|item| all.extend(named(item))),
        Value::Object(members) => {
            let dimension = members.get("dimension").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
            let kind = match dimension.as_str() {
                "queueid" => Some("queue"),
                "userid" | "agentid" => Some("user"),
                "divisionid" => Some("division"),
                "region" => Some("region"),
                _ => None,
            };
            let values = members
                .get("value")
                .into_iter()
                .chain(members.get("values").and_then(Value::as_array).into_iter().flatten());
            if let Some(kind) = kind {
                let ids = values.filter_map(Value::as_str).filter(|id| !id.starts_with("${"));
                all.extend(ids.map(|id| (kind, id.to_owned())));
            }
            if let Some(id) = members.get("divisionId").and_then(Value::as_str) {
                all.push(("division", id.to_owned()));
            }
            members.values().for_each(|member| all.extend(named(member)));
        }
        _ => {}
    }
    all
}
