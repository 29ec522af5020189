//! The first law and the fourth for every family of questions that the shipped rules govern: each is drawn from its own
//! row of the model table and held against the oracle, leg by leg. A family that nobody can draw or answer fails.

pub(crate) mod ask;
mod reference;

use super::{
    case::{Case, Organisation, Stock},
    counts::Counts,
    program::{self, Answered, Got},
    random::seed,
};
use crate::oracle::{
    data::{Directory, Interaction},
    generate::{self, Dice},
    questions::{Facts, Kind, Meaning, within},
    semantics::Entitlement,
};
use ask::{Draw, HOSTILE, plain_values};
use bailiwick::{
    decision::{self, Decided},
    model::{
        answer::Shape,
        body::{Access, BodyModel, FieldKind, Path, Proof},
        contract::{Data, Segment},
        operation::{Audience, Class, Operation, Outsourcers},
        refusal::Code,
    },
    policy::guard::Unguarded,
    query::{
        Question,
        json::{self, Limits},
    },
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

const CASES: usize = 200;
const CASES_OF_ONE_ORGANISATION: usize = 10;
const THREADS: usize = 2;
/// Of all questions, in percent, that may be refused as too much to say or as having nothing to hold on to.
const MOST: f64 = 5.0;

/// What a division owns, and how people stand now, are drawn and judged by tests of their own: `e2e::objects`, `e2e::present`.
const ELSEWHERE: [&str; 7] = [
    "agents.status.query",
    "casemanagement.aggregates.query",
    "flowexecutions.aggregates.query",
    "flows.activity.query",
    "flows.aggregates.query",
    "flows.observations.query",
    "teams.activity.query",
];

/// One governed operation that answers questions with a body.
pub(crate) struct Family {
    pub(crate) operation: Arc<Operation>,
    /// A known kind about the same data: which column of the scope table applies.
    pub(crate) kind: Kind,
}

impl Family {
    /// Every one that is shipped, but those of [`ELSEWHERE`].
    pub(crate) fn all() -> Vec<Self> {
        let asked = program::rules().operations.iter().filter(|one| one.class == Class::Query && one.body().is_some());
        // searches have laws of their own, which draw negations: `laws::opensearch`
        asked
            .filter(|one| !ELSEWHERE.contains(&&*one.id))
            .filter(|operation| operation.answer.shape != Shape::Documents)
            .map(|operation| {
                let known = program::KINDS.iter().find(|(kind, _)| program::operation(*kind).id == operation.id);
                let kind = match (known, operation.contract.data) {
                    (Some((kind, _)), _) => *kind,
                    (None, Data::Interaction) => Kind::Aggregates,
                    (None, Data::Queue) => Kind::QueueObservations,
                    (None, Data::User) => Kind::UserObservations,
                    (None, other) => panic!("{}: nobody draws questions about {other:?}", operation.id),
                };
                Self { operation: Arc::clone(operation), kind }
            })
            .collect()
    }

    pub(crate) fn model(&self) -> &BodyModel {
        self.operation.body().unwrap()
    }

    pub(crate) fn path(&self) -> String {
        let segments = self.operation.contract.template.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => &**text,
            Segment::Param { .. } => panic!("{}: a question with an id in its path", self.operation.id),
        });
        segments.fold(String::new(), |path, segment| path + "/" + segment)
    }

    /// What the model knows of metrics.
    pub(crate) fn metrics(&self) -> Vec<String> {
        let words = |kind: &FieldKind| -> Vec<String> {
            kind.words().unwrap_or_default().iter().map(ToString::to_string).collect()
        };
        match self.model().field(&["metrics".into()]) {
            Some(FieldKind::List { of, .. }) => match &**of {
                FieldKind::Object(fields) => fields.iter().flat_map(|field| words(&field.kind)).collect(),
                words_of => words(words_of),
            },
            _ => vec![],
        }
    }

    pub(crate) fn metrics_are_objects(&self) -> bool {
        let metrics = self.model().field(&["metrics".into()]);
        matches!(metrics, Some(FieldKind::List { of, .. }) if matches!(&**of, FieldKind::Object(_)))
    }

    /// Whether the scope is written into this array.
    fn scoped(&self, at: &Path) -> bool {
        matches!(&self.model().proof, Proof::Entries { at: known, .. } if known == at)
    }

    fn lacks(&self, metric: &str, access: Access) -> bool {
        let known = self.operation.metrics.as_ref().and_then(|metrics| metrics.lacks.get(metric));
        known.is_some_and(|lacks| lacks.contains(&access))
    }

    /// Lists of interactions and report definitions have an upstream and a judge of their own.
    fn has_a_judge_of_its_own(&self) -> bool {
        match self.operation.answer.shape {
            Shape::Groups | Shape::Owned => false,
            Shape::Conversations | Shape::Rows if [Kind::Details, Kind::Platform].contains(&self.kind) => true,
            other => panic!("{}: nobody judges answers of the shape {other:?}", self.operation.id),
        }
    }

    fn ask(&self, organisation: &Organisation, case: &Case) -> Got {
        let world = &organisation.world;
        let holder = program::principal(&world.org, &case.person);
        let now = program::at(case.now);
        let scope = match decision::scope(world, holder, &self.operation, now) {
            Ok(scope) => Arc::new(scope),
            Err(refusal) => return refusal.into(),
        };
        let body = Some(json::parse(case.body.as_bytes(), &Limits::default()).expect("drawn bodies are good JSON"));
        let operation = Arc::clone(&self.operation);
        let question = Question { operation, ids: vec![], params: vec![], body, kept: None, seen: None };
        match decision::decide(world, &scope, &question, now) {
            Err(refusal) => refusal.into(),
            Ok(Decided::Split(_) | Decided::Kept(_)) => panic!("nothing here is asked in parts"),
            Ok(Decided::Local(guarded)) => Got::Answered(Answered {
                sent: None,
                facts: reference::said(self, &program::text(guarded.body())),
                notices: guarded.notices().to_vec(),
            }),
            Ok(Decided::Forward(forward)) => {
                let sent = program::sent(&forward.verified);
                let body: Value = serde_json::from_str(&sent).expect("what is sent is JSON");
                let answer =
                    reference::answer(self, &body, organisation.stock.of(case.kind), Meaning::Tags).to_string();
                match forward.plan.guard(Unguarded::new(200, answer.into_bytes())) {
                    Err(refusal) => refusal.into(),
                    Ok(guarded) => Got::Answered(Answered {
                        sent: Some(sent),
                        facts: reference::said(self, &program::text(guarded.body())),
                        notices: forward.notices.iter().chain(guarded.notices()).cloned().collect(),
                    }),
                }
            }
        }
    }

    /// Whether the report is about own people only, and this person is none.
    pub(crate) fn leaves_out(&self, directory: &Directory, person: &str) -> bool {
        self.operation.outsourcers != Outsourcers::Count && directory.bpo(person)
    }

    /// What an answer is due to say over these interactions.
    fn due(&self, asked: &Value, data: &[Interaction], directory: &Directory) -> Facts {
        reference::said(self, &reference::answer(self, asked, data, Meaning::Law(directory)))
    }

    fn judge(&self, organisation: &Organisation, case: &Case, got: &Got, counts: &mut Counts) -> Result<(), String> {
        let directory = &organisation.directory;
        let scope = case.scope_for(directory, &self.operation);
        match got {
            Got::Refused { code, message } => self.judge_refusal(directory, case, &scope, *code, message),
            Got::Answered(answered) => {
                if self.operation.audience == Audience::Internal && directory.bpo(&case.person) {
                    return Err("an outsourcer is answered by an internal report".to_owned());
                }
                if names_nothing(&case.body) {
                    return Err("answered, though it names what nobody has".to_owned());
                }
                case.judge_names(directory, &scope)?;
                let mut asked: Value = serde_json::from_str(&case.body).unwrap();
                let mut view = directory.view(&case.person, &scope, organisation.stock.of(case.kind));
                for one in &mut view {
                    one.legs.retain(|leg| !leg.agent.as_ref().is_some_and(|agent| self.leaves_out(directory, agent)));
                }
                view.retain(|one| !one.legs.is_empty());
                let expected = self.due(&asked, &view, directory);
                let whole = self.due(&asked, organisation.stock.of(case.kind), directory);
                counts.forbidden += usize::from(whole != expected);
                if answered.facts == expected {
                    return Ok(());
                }
                // A loss that a notice names: what is left must be true. Pages shift, so they are not compared.
                if !asked["paging"].is_null() {
                    asked["paging"] = json!({ "pageSize": 1_000, "pageNumber": 1 });
                }
                if answered.tells_of_losses() && within(&answered.facts, &self.due(&asked, &view, directory)) {
                    return Ok(());
                }
                Err(format!("due {expected:#?}\ngot {answered:#?}"))
            }
        }
    }

    pub(crate) fn judge_refusal(
        &self,
        directory: &Directory,
        case: &Case,
        scope: &[Entitlement],
        code: Code,
        message: &str,
    ) -> Result<(), String> {
        let named = super::case::named(&serde_json::from_str(&case.body).unwrap());
        let outsourcer = named.iter().any(|(kind, id)| *kind == "user" && self.leaves_out(directory, id));
        let of_nobody = names_nothing(&case.body);
        let own = directory
            .users
            .iter()
            .any(|user| case.user_inside(directory, scope, &user.id, false) && !self.leaves_out(directory, &user.id));
        let lawful = match code {
            Code::ScopeOutside => outsourcer || of_nobody,
            Code::ScopeEmpty => self.operation.outsourcers != Outsourcers::Count && !own,
            _ => false,
        };
        if lawful { Ok(()) } else { case.judge_refusal_within(directory, scope, code, message) }
    }

    /// Soundness and completeness; what was sent, asked once more, is sent again.
    fn hold(&self, organisation: &Organisation, case: &Case, counts: &mut Counts) -> Result<(), String> {
        let own = self.has_a_judge_of_its_own();
        let ask = |case: &Case| if own { case.ask(organisation) } else { self.ask(organisation, case) };
        let got = ask(case);
        counts.note(&got);
        if own {
            counts.forbidden += usize::from(case.has_forbidden_part(organisation));
            case.judge(organisation, &got)?;
        } else {
            self.judge(organisation, case, &got, counts)?;
        }
        let Got::Answered(answered) = &got else { return Ok(()) };
        counts.rows += usize::from(!answered.facts.is_empty());
        counts.noticed += usize::from(answered.tells_of_losses());
        let Some(sent) = &answered.sent else { return Ok(()) };
        match ask(&Case { body: sent.clone(), ..case.clone() }) {
            Got::Answered(again) if again.sent.as_ref() == Some(sent) && again.facts == answered.facts => Ok(()),
            // The one exception to the fourth law, which `once_is_enough` bounds.
            Got::Refused { code: Code::QueryDeadQueue, .. } => {
                counts.stale += 1;
                Ok(())
            }
            again => Err(format!("a rewritten question is changed again\nsent {sent}\nagain {again:#?}")),
        }
    }

    fn draw(&self, dice: &mut Dice, organisation: &Organisation) -> Case {
        let directory = &organisation.directory;
        let now = generate::now(dice);
        let mut case = Case { person: String::new(), kind: self.kind, body: String::new(), now };
        let mut scope = Vec::new();
        for _ in 0..6 {
            case.person = dice.pick(&directory.users).id.clone();
            scope = case.scope_for(directory, &self.operation);
            if !scope.is_empty() {
                break;
            }
        }
        let names = case.names_within(directory, &scope);
        let values = |filter: &_, name: &str| plain_values(filter, name).into_iter().map(str::to_owned).collect();
        case.body = Draw { family: self, names: &names, metrics: &[], values }.question(dice).to_string();
        case
    }
}

/// Whether a question names what nobody has; of a flow or another thing, nobody holds anything here.
fn names_nothing(body: &str) -> bool {
    HOSTILE.iter().any(|id| body.contains(&format!("\"value\":{}", json!(id))))
}

/// An organisation of which some people may ask every family, and its data before a family is known.
fn organisation(dice: &mut Dice, families: &[Family]) -> Organisation {
    let of_families =
        families.iter().map(|family| family.operation.opened_by.iter().map(ToString::to_string).collect());
    let opened: Vec<Vec<String>> = program::opened().into_iter().chain(of_families).collect();
    let file = generate::directory(dice, &opened);
    let stock = Stock::draw(dice, &Directory::read(&file.to_string()));
    Organisation::of(file, stock).unwrap_or_else(|problem| panic!("a drawn directory does not load: {problem}"))
}

#[test]
fn every_governed_family_answers_the_asked_question_over_the_visible_world() {
    let families = Family::all();
    let tallies: Vec<Mutex<Counts>> = families.iter().map(|_| Mutex::default()).collect();
    let failures: Mutex<BTreeMap<String, (usize, String)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CASES / CASES_OF_ONE_ORGANISATION {
                        break;
                    }
                    let mut dice = Dice::new(seed() * 5_000_011 + number as u64);
                    let mut organisation = organisation(&mut dice, &families);
                    let bare = organisation.stock.clone();
                    for (family, tally) in families.iter().zip(&tallies) {
                        organisation.stock = bare.clone();
                        reference::furnish(&mut dice, family, organisation.stock.of_mut(family.kind));
                        for _ in 0..CASES_OF_ONE_ORGANISATION {
                            let case = family.draw(&mut dice, &organisation);
                            let Err(why) = family.hold(&organisation, &case, &mut tally.lock().unwrap()) else {
                                continue;
                            };
                            let mut failures = failures.lock().unwrap();
                            let told = || {
                                (
                                    0,
                                    format!(
                                        "{} asks {}\nscope {:#?}\n{why}",
                                        case.person,
                                        case.body,
                                        case.scope_for(&organisation.directory, &family.operation)
                                    ),
                                )
                            };
                            failures.entry(family.operation.id.to_string()).or_insert_with(told).0 += 1;
                        }
                    }
                }
            });
        }
    });
    let (mut all, mut too_hard) = (0, Vec::new());
    let mut too_much: BTreeMap<&str, usize> = BTreeMap::new();
    for (family, tally) in families.iter().zip(tallies) {
        let counts = tally.into_inner().unwrap();
        counts.print(&family.operation.id);
        let answered = counts.of("answered") + counts.of("answered locally");
        println!(
            "  {} with rows, {} over something hidden, {} with notices, {} stale when asked again",
            counts.rows, counts.forbidden, counts.noticed, counts.stale
        );
        assert_eq!(counts.all, CASES, "{}", family.operation.id);
        if answered * 4 < CASES || counts.rows * 10 < CASES || counts.forbidden * 10 < CASES {
            too_hard.push(&*family.operation.id);
        }
        all += counts.all;
        for code in [Code::QueryTooComplex, Code::OperationUnscopable].map(Code::as_str) {
            *too_much.entry(code).or_default() += counts.of(code);
        }
        for code in [Code::VerifyFailed, Code::Internal, Code::AnswerUnreadable, Code::QueryMalformed].map(Code::as_str)
        {
            assert_eq!(counts.of(code), 0, "{}: {code}", family.operation.id);
        }
    }
    println!("{} families, {all} questions, refused as too much to say: {too_much:?}", families.len());
    let failures = failures.into_inner().unwrap();
    let told = failures.iter().map(|(family, (count, first))| format!("{family}: {count} cases, the first: {first}"));
    assert!(failures.is_empty(), "{}", told.collect::<Vec<_>>().join("\n=====\n"));
    assert!(too_hard.is_empty(), "too little is answered or shown of {too_hard:?}");
    assert!(too_much.values().all(|count| 100.0 * *count as f64 / (all as f64) < MOST), "{too_much:?} of {all}");
}
