//! Questions that are kept here: what is shown of them, what may be changed, and what a run asks.

use super::{decide, scope};
use crate::{
    model::{
        definition::{
            DIVISION, Definition, DefinitionChange, DefinitionPart, DefinitionStep, NAME, NUMBER, QUESTION, SHARED,
            SIZE, Wanted,
        },
        entitlement::Scope,
        kept::Kept,
        operation::Operation,
        org::{DivisionIx, Org, Principal},
        refusal::{Code, Echo, Notice, Refusal},
        world::World,
    },
    policy::{
        definitions::Sight,
        guard::{Guarded, PageInfo},
        local, placeholders,
    },
    query::{
        Question, body,
        json::{self, Limits, Value},
    },
    verify,
};
use jiff::Timestamp;
use std::sync::Arc;

/// Entries on a page, unless the asker says.
const DEFAULT_SIZE: usize = 25;
/// Bytes of one definition.
const MOST: usize = 64 * 1024;

/// What is answered here; `None`: a run, which goes on as the question that is kept.
pub(super) fn answer(
    world: &World,
    holder: Principal,
    part: &DefinitionPart,
    question: &Question,
    now: Timestamp,
) -> Result<Option<Guarded>, Refusal> {
    let of = |operation: &Operation| scope(world, holder, operation, now).ok();
    let (view, edit) = (of(&part.view), of(&part.edit));
    let sight = Sight {
        org: &world.org,
        holder,
        held: world.held(holder),
        view: view.as_ref(),
        edit: edit.as_ref(),
        edits: &part.edit,
        parents: part.parents,
    };
    let saved = Saved { world, part, sight, question, now };
    match part.step {
        DefinitionStep::List => saved.list().map(Some),
        DefinitionStep::Save => {
            saved.may_keep(None)?;
            saved.shown_as_kept().map(Some)
        }
        DefinitionStep::Read => saved.read(saved.named()?).map(Some),
        DefinitionStep::Change => {
            saved.may_keep(Some(saved.editable()?))?;
            saved.shown_as_kept().map(Some)
        }
        DefinitionStep::Remove => saved.removable().map(|_| Some(local::kept(None, Vec::new()))),
        DefinitionStep::Run => saved.named().map(|_| None),
        DefinitionStep::Executions => saved.executions().map(Some),
    }
}

/// What a question that was decided changes in what is kept.
pub fn change(org: &Org, holder: Principal, question: &Question, now: Timestamp) -> Option<DefinitionChange> {
    let part = question.operation.definition.as_ref()?;
    let there = question.definition();
    match (part.step, &question.kept) {
        (DefinitionStep::Save, Some(Kept::New(id))) => {
            let fresh = Definition {
                id: id.clone(),
                region: org.region(org.region_of(holder)).id.clone(),
                operation: part.asks.id.clone(),
                owner: owner(org, holder),
                division: "".into(),
                shared: false,
                name: "".into(),
                body: bytes::Bytes::new(),
                version: 0,
                changed: now,
            };
            written(fresh, question, now).map(DefinitionChange::Put)
        }
        (DefinitionStep::Change, _) => written(there?.clone(), question, now).map(DefinitionChange::Put),
        (DefinitionStep::Remove, _) => there.cloned().map(DefinitionChange::Remove),
        _ => None,
    }
}

/// What of a list has to be looked up: the asked page of what the asker may see.
pub fn wanted(
    world: &World,
    holder: Principal,
    part: &DefinitionPart,
    question: &Question,
    now: Timestamp,
) -> Result<Wanted, Refusal> {
    let (org, view) = (&*world.org, scope(world, holder, &part.view, now).ok());
    let (held, view) = (world.held(holder), view.as_ref());
    let sight = Sight { org, holder, held, view, edit: None, edits: &part.edit, parents: part.parents };
    let page = page(question, 0)?;
    let divisions = sight.viewed().map(|division| org.division(division).id.clone()).collect();
    let (region, operation) = (org.region(org.region_of(holder)).id.clone(), part.asks.id.clone());
    Ok(Wanted { region, operation, holder: owner(org, holder), divisions, skip: page.skip(), take: page.take() })
}

/// As it is kept.
fn owner(org: &Org, holder: Principal) -> (Box<str>, Box<str>) {
    let kind = match holder {
        Principal::User(_) => "user",
        Principal::Service(_) => "service",
    };
    (kind.into(), org.principal_id(holder).into())
}

pub fn page(question: &Question, total: usize) -> Result<PageInfo, Refusal> {
    let number = |name: &str, default: usize| {
        let found = question.params.iter().find(|(known, _)| **known == *name);
        let Some(text) = found.and_then(|(_, values)| values.first()) else { return Ok(default) };
        let refused = || Refusal::new(Code::QueryMalformed, "page number and size start at 1");
        text.parse().ok().filter(|number| *number > 0).ok_or_else(refused)
    };
    Ok(PageInfo { number: number(NUMBER, 1)?, size: number(SIZE, DEFAULT_SIZE)?, total })
}

pub(super) fn paged(page: PageInfo, rows: impl Iterator<Item = Value>) -> Value {
    let count = |many: usize| Value::int(i64::try_from(many).unwrap_or(i64::MAX));
    Value::object([
        ("entities", Value::array(rows)),
        (SIZE, count(page.size)),
        (NUMBER, count(page.number)),
        ("total", count(page.total)),
        ("pageCount", count(page.pages())),
    ])
}

pub(super) fn instant(at: Timestamp) -> Value {
    Value::text(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// Whether `holder` may see a definition, and so run it.
pub(super) fn sees(
    world: &World,
    holder: Principal,
    part: &DefinitionPart,
    definition: &Definition,
    now: Timestamp,
) -> bool {
    let view = scope(world, holder, &part.view, now).ok();
    let (org, parents) = (&*world.org, part.parents);
    let (held, view) = (world.held(holder), view.as_ref());
    let sight = Sight { org, holder, held, view, edit: None, edits: &part.edit, parents };
    definition.operation == part.asks.id && sight.sees(definition)
}

/// The definition as the asked body has it.
fn written(before: Definition, question: &Question, now: Timestamp) -> Option<Definition> {
    let asked = question.body.as_ref()?;
    Some(Definition {
        division: asked.get(DIVISION)?.as_str()?.into(),
        shared: asked.get(SHARED).and_then(Value::as_bool).unwrap_or(false),
        name: asked.get(NAME)?.as_str()?.into(),
        body: asked.get(QUESTION)?.to_bytes().into(),
        version: before.version.saturating_add(1),
        changed: now,
        ..before
    })
}

struct Saved<'a> {
    world: &'a World,
    part: &'a DefinitionPart,
    sight: Sight<'a>,
    question: &'a Question,
    now: Timestamp,
}

impl Saved<'_> {
    /// The one that the path names, when the asker may see it; else it is not there.
    fn named(&self) -> Result<&Definition, Refusal> {
        let found = self.question.definition().filter(|found| found.operation == self.part.asks.id);
        found.filter(|found| self.sight.sees(found)).ok_or_else(|| {
            Refusal::outside(if found.is_some() { "a definition of somebody else" } else { "no such definition" })
                .in_path()
        })
    }

    fn editable(&self) -> Result<&Definition, Refusal> {
        let named = self.named()?;
        if self.sight.edits(named) { Ok(named) } else { Err(self.may_not_edit()) }
    }

    fn removable(&self) -> Result<&Definition, Refusal> {
        let named = self.named()?;
        if self.sight.removes(named) { Ok(named) } else { Err(self.may_not_edit()) }
    }

    fn may_not_edit(&self) -> Refusal {
        let permission = &self.part.edit.permission;
        let says = format!(
            "you need the permission `{permission}` in the division that owns this; ask the administrator of that division"
        );
        Refusal::new(Code::PermissionMissing, says).with("permission", &**permission)
    }

    /// Whether the body may be kept, in the place of one that is there: read as strictly as the question would be, every
    /// name in it inside the scope of now, and nothing narrowed.
    fn may_keep(&self, there: Option<&Definition>) -> Result<(), Refusal> {
        let malformed = || Refusal::new(Code::QueryMalformed, "say `name`, `divisionId` and `definition`");
        let model = self.question.operation.body().ok_or_else(malformed)?;
        let asked = self.question.body.as_ref().ok_or_else(malformed)?;
        body::read(model, asked, &|_, _| false)?;
        let question = asked.get(QUESTION).ok_or_else(malformed)?;
        let name = asked.get(NAME).and_then(Value::as_str).unwrap_or_default();
        if name.trim().is_empty() {
            return Err(Refusal::new(Code::QueryMalformed, "`$.name` is empty; name what is kept"));
        }
        if question.to_bytes().len() > MOST {
            let says = format!(
                "a definition of more than {MOST} bytes is not kept; name divisions or placeholders instead of lists"
            );
            return Err(Refusal::new(Code::RequestTooLarge, says));
        }
        let shared = asked.get(SHARED).and_then(Value::as_bool).unwrap_or(false);
        let division = asked.get(DIVISION).and_then(Value::as_str).ok_or_else(malformed)?;
        self.may_own(division, shared, there.is_none_or(|there| self.sight.owns(there)))?;
        self.may_name(question).map(|_| ())
    }

    /// Whether the asker may put something into a division.
    fn may_own(&self, division: &str, shared: bool, own: bool) -> Result<(), Refusal> {
        let org = self.sight.org;
        let Some(ix) = org.index.divisions.get(division).copied() else {
            return Err(Refusal::outside(format!("`{}`: no such division", Echo(division))));
        };
        if org.division(ix).region != org.region_of(self.sight.holder) {
            let says = "a division of another region owns nothing of yours; name one of your own region";
            return Err(Refusal::new(Code::RegionCrossRegionScan, says).because(format!("`{}`", Echo(division))));
        }
        let may_stand = org.division(ix).leaf || self.part.parents && shared;
        if !may_stand {
            let says = if self.part.parents {
                "a parent division holds shared definitions only: set `shared`, or name a leaf division"
            } else {
                "a parent division holds no definitions; name a leaf division"
            };
            return Err(Refusal::new(Code::DivisionParentScan, says).with("divisions", self.leaves()));
        }
        if self.sight.edits_in(ix, own) {
            return Ok(());
        }
        if self.sight.views(ix) {
            return Err(self.may_not_edit());
        }
        Err(Refusal::outside(format!("`{}`: a division outside the scope", Echo(division))))
    }

    /// Leaf divisions in which the asker may keep definitions.
    fn leaves(&self) -> String {
        let org = self.sight.org;
        let leaf = |ix: &DivisionIx| org.division(*ix).leaf && self.sight.edits_in(*ix, true);
        org.division_ixs().filter(leaf).map(|ix| &*org.division(ix).id).collect::<Vec<_>>().join(",")
    }

    /// Whether everything that a question names itself is inside the asker's scope. What placeholders stand for, and whether
    /// it is anything now, is seen at each run.
    fn may_name(&self, question: &Value) -> Result<Arc<Scope>, Refusal> {
        let asks = &self.part.asks;
        let scope: Arc<Scope> = Arc::new(scope(self.world, self.sight.holder, asks, self.now)?);
        let mut body = question.clone();
        if asks.body().is_some_and(|model| model.dialect.has_placeholders()) {
            placeholders::leave_out(&mut body, asks.division_slot.as_deref())?;
        }
        let (operation, body) = (asks.clone(), Some(body));
        let asked = Question { operation, ids: Vec::new(), params: Vec::new(), body, kept: None, seen: None };
        match decide(self.world, &scope, &asked, self.now) {
            Ok(_) => Ok(scope),
            // told after every name was judged
            Err(refusal) if matches!(refusal.code, Code::ScopeEmpty | Code::DivisionChoose) => Ok(scope),
            Err(refusal) => Err(refusal),
        }
    }

    /// Whether the second reader finds every id of it inside the scope too.
    fn proves(&self, found: &Definition, scope: &Scope) -> bool {
        verify::check_shown(&self.part.asks.contract, &found.body, scope, self.sight.org, self.now).is_ok()
    }

    fn shown_as_kept(&self) -> Result<Guarded, Refusal> {
        match change(self.sight.org, self.sight.holder, self.question, self.now) {
            Some(DefinitionChange::Put(kept)) => Ok(local::kept(Some(self.row(&kept, true)), Vec::new())),
            _ => Err(Refusal::new(Code::Internal, "a definition that says nothing")),
        }
    }

    fn read(&self, found: &Definition) -> Result<Guarded, Refusal> {
        let question = json::parse_object(&found.body, &Limits::own(&found.body))
            .map_err(|error| Refusal::new(Code::Internal, "a definition cannot be read").because(error.to_string()))?;
        let mut notices = Vec::new();
        // its owner too: another who may edit there sees more, and may have written it
        let shown = self.may_name(&question).is_ok_and(|scope| self.proves(found, &scope));
        if !shown {
            let text = "what it asks is left out: you could not ask it as it stands";
            notices.push(Notice::new("definition.hidden", text));
        }
        Ok(local::kept(Some(self.row(found, shown)), notices))
    }

    /// Every visible one once, by name.
    fn list(&self) -> Result<Guarded, Refusal> {
        let (found, total) = self.question.definitions();
        let rows = found.iter().filter(|one| self.sight.sees(one)).map(|one| self.row(one, false));
        let answer = paged(page(self.question, total)?, rows);
        Ok(local::kept(Some(answer), Vec::new()))
    }

    /// What the asker asked himself, and how much of it a cache answered: nothing, for there is none.
    fn executions(&self) -> Result<Guarded, Refusal> {
        let all = self.question.executions();
        let page = page(self.question, all.len())?;
        let number = |number: u64| Value::int(i64::try_from(number).unwrap_or(i64::MAX));
        let rows = all.iter().skip(page.skip()).take(page.take()).map(|one| {
            let text = |text: &Option<Box<str>>| text.as_deref().map_or(Value::Null, Value::text);
            Value::object([
                ("queryId", text(&one.definition)),
                (NAME, text(&one.name)),
                ("dateStarted", instant(one.began)),
                ("durationMs", number(one.micros.div_ceil(1_000))),
                ("rows", one.rows.map_or(Value::Null, number)),
                ("cached", Value::Bool(false)),
            ])
        });
        let mut answer = paged(page, rows);
        answer.set("hitRatio", Value::int(0));
        Ok(local::kept(Some(answer), Vec::new()))
    }

    /// Whose it is, is told to himself and to who administers it.
    fn row(&self, one: &Definition, with_question: bool) -> Value {
        let mut row = Value::object([
            ("id", Value::text(&*one.id)),
            (NAME, Value::text(&*one.name)),
            (DIVISION, Value::text(&*one.division)),
            (SHARED, Value::Bool(one.shared)),
            ("version", Value::int(one.version.into())),
            ("dateModified", instant(one.changed)),
        ]);
        if self.sight.owns(one) || self.sight.edits(one) {
            row.set("owner", Value::object([("id", Value::text(&*one.owner.1))]));
        }
        let question = with_question.then(|| json::parse_object(&one.body, &Limits::own(&one.body)).ok()).flatten();
        if let Some(question) = question {
            row.set(QUESTION, question);
        }
        row
    }
}
