//! The stops of the tour: who asks what, and what is due, said case by case.

use super::{
    ask::Asked,
    questions::{Dates, and, get, is, or_of},
    rows::Measure,
    visible::{Plain, of_people, on_queues, without_queue},
};
use crate::sandbox::Bounds;
use serde_json::Value;

#[derive(Debug)]
pub(super) struct Case {
    pub(super) asker: &'static str,
    pub(super) who: &'static str,
    /// What this stop shows.
    pub(super) shows: &'static str,
    pub(super) asked: Asked,
    pub(super) measure: Measure,
    /// Whose upstream has the rows.
    pub(super) region: &'static str,
    pub(super) due: Due,
}

#[derive(Debug)]
pub(super) enum Due {
    /// The asked query over the world of these legs, in words that need no placeholder.
    Visible { bounds: Vec<Bounds>, plainly: Value },
    /// These entities.
    Listed(Vec<String>),
    /// A refusal with this code.
    Refused(&'static str),
}

impl Case {
    fn of((id, who): Who, shows: &'static str, asked: Asked, due: Due) -> Self {
        Self { asker: id, who, shows, measure: Measure::of(&asked.target), asked, region: "us-east-1", due }
    }

    fn seen(who: Who, shows: &'static str, asked: Asked, bounds: Vec<Bounds>) -> Self {
        let plainly = asked.body.clone().unwrap_or_default();
        Self::of(who, shows, asked, Due::Visible { bounds, plainly })
    }

    fn refused(who: Who, shows: &'static str, asked: Asked, code: &'static str) -> Self {
        Self::of(who, shows, asked, Due::Refused(code))
    }

    fn in_europe(self) -> Self {
        Self { region: "eu-west-1", ..self }
    }
}

/// An id, and a sentence of what the person may.
type Who = (&'static str, &'static str);

const SOFIA: Who = ("sofia", "supervisor of two queues");
const CARL: Who = ("carl", "report consumer of one division");
const ANA: Who = ("ana", "agent, `self`");
const VIOLA: Who = ("viola", "analyst with a view of three queues");
const GREG: Who = ("greg", "lead of a group of five");
const EXPORTER: Who = ("svc-exporter", "service account of one division");
const EVA: Who = ("eva", "report consumer of a division in Europe");
const BO: Who = ("bo", "outsourcer's agent, `assigned`");
const BEA: Who = ("bea", "outsourcer's supervisor, view-scoped");
const INES: Who = ("ines", "queue operator, `assigned`");
const DANA: Who = ("dana", "report builder of one division");
const OLGA: Who = ("olga", "report consumer of two divisions");
const RITA: Who = ("rita", "supervisor, named member of the queue");
const NILS: Who = ("nils", "report consumer of the queue's whole division");
const GUS: Who = ("gus", "no role there, but a grant for this queue");
const PAT: Who = ("pat", "placed in a parent division, with a role on it");
const ROLF: Who = ("rolf", "holds two analytics roles");
const NOBODY: Who = ("nobody", "holds no role");

/// All stops, in the order in which they are told.
pub(super) fn cases(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let mut all = people(directory, dates);
    all.extend(outsourcers(directory, dates));
    all.extend(questions(directory, dates));
    all.extend(restricted(directory, dates));
    all.extend(walls(dates));
    all
}

/// Everything of a division: the queues open to the reader, and what its people did without a queue.
fn whole(directory: Plain<'_>, division: &str, reader: &str) -> Vec<Bounds> {
    vec![on_queues(directory.open_queues(division, reader)), without_queue(directory.users_of(division))]
}

fn people(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let by_queue = || dates.aggregates("queueId", None);
    let sofia = vec![on_queues(directory.queues_of_member("d-payments-us", "sofia"))];
    let carl = whole(directory, "d-claims-us", "carl");
    let (own, me) = (directory.queues_of_member("d-payments-us", "ana"), || vec!["ana".to_owned()]);
    let ana = vec![of_people(directory.open_queues("d-payments-us", "ana"), me()), without_queue(me())];
    let viola = vec![on_queues(directory.queues_of_view("d-sales-us", "v-sales-hot", "viola"))];
    let blue = directory.members("g-svc-blue");
    let greg = vec![
        of_people(directory.open_queues("d-service-us", "greg"), blue.clone()),
        without_queue(blue),
        on_queues(directory.queues_of_group("d-service-us", "g-svc-blue", "greg")),
    ];
    let retail = whole(directory, "d-retail-us", "svc-exporter");
    let eva = whole(directory, "d-payments-eu", "eva");
    let list = get("/api/v2/routing/queues?pageSize=100");
    vec![
        Case::seen(SOFIA, "without a filter, her two queues are written", by_queue(), sofia),
        Case::seen(CARL, "open queues, and his people without a queue", dates.aggregates("mediaType", None), carl),
        Case::seen(ANA, "her own legs; others in the same interactions are cut", dates.week_of_details(), ana),
        Case::of(ANA, "a list is asked by the ids that she may see", list, Due::Listed(own)),
        Case::seen(VIOLA, "the view names a restricted queue, and so opens it", by_queue(), viola),
        Case::seen(GREG, "their legs, and the queue that is theirs alone", dates.aggregates("userId", None), greg),
        Case::seen(EXPORTER, "a program is narrowed like a person", by_queue(), retail),
        Case::seen(EVA, "her own region's upstream is asked", by_queue(), eva).in_europe(),
    ]
}

fn outsourcers(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let asked = || dates.aggregates("queueId", None);
    let bo = vec![of_people(directory.queues_of_member("d-bpo-acme-voice", "bo"), vec!["bo".to_owned()])];
    let bea = vec![on_queues(directory.queues_of_view("d-bpo-acme-voice", "v-acme-voice", "bea"))];
    vec![
        Case::seen(BO, "his own work on the queues he serves", asked(), bo),
        Case::seen(BEA, "the queues of the view, not the one shared with own agents", asked(), bea),
    ]
}

fn questions(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let on = |queues: &[String]| dates.report("my queues", ("queueId", "IN", queues));
    let ines = directory.queues_of_member("d-service-us", "ines");
    let plainly = on(&ines).body.unwrap_or_default();
    let ines = Due::Visible { bounds: vec![of_people(ines, vec!["ines".to_owned()])], plainly };
    let mine = on(&["${user.queueIds}".to_owned()]);
    let dead = on(&["q-pay-cards".to_owned(), "q-pay-old".to_owned()]);
    let either = or_of(&[
        and(&[is("queueId", "q-sales-new"), is("mediaType", "voice")]),
        and(&[is("queueId", "q-svc-care"), is("direction", "inbound")]),
        and(&[is("mediaType", "email"), is("direction", "outbound")]),
    ]);
    let either = dates.aggregates("queueId", Some(either));
    let olga = ["d-sales-us", "d-service-us"].into_iter().flat_map(|division| whole(directory, division, "olga"));
    let sofia = vec![on_queues(directory.queues_of_member("d-payments-us", "sofia"))];
    let sold = dates.day_of_details(&and(&[is("purpose", "agent"), is("wrapUpCode", "wu-sale")]));
    let motor = dates.day_of_details(&and(&[is("queueId", "q-claims-motor")]));
    vec![
        Case::of(INES, "`${user.queueIds}` becomes the queues she is a member of", mine, ines),
        Case::refused(DANA, "a static list with an archived queue", dead, "query.dead-queue"),
        Case::seen(OLGA, "an or of ands, joined with the scope", either, olga.collect()),
        Case::seen(SOFIA, "a filter that a hidden leg could meet", sold, sofia),
        Case::refused(SOFIA, "a probe for foreign legs of what she sees", motor, "scope.outside"),
    ]
}

fn restricted(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let asked = || dates.aggregates("queueId", Some(and(&[is("queueId", "q-fraud-vip")])));
    let rita = vec![on_queues(directory.queues_of_member("d-fraud-us", "rita"))];
    let gus = vec![on_queues(vec!["q-fraud-vip".to_owned()])];
    vec![
        Case::seen(RITA, "a restricted queue", asked(), rita),
        Case::refused(NILS, "a restricted queue", asked(), "scope.outside"),
        Case::seen(GUS, "a restricted queue", asked(), gus),
    ]
}

fn walls(dates: &Dates) -> Vec<Case> {
    let everything = || dates.aggregates("queueId", None);
    let region = dates.report("cards in Europe", ("region", "EQUALS", &["eu-west-1".to_owned()]));
    let division = dates.aggregates("queueId", Some(and(&[is("divisionId", "d-payments-eu")])));
    let unruled = get("/api/v2/analytics/query/executions?pageSize=100");
    let wall = "region.cross-region-scan";
    vec![
        Case::refused(PAT, "nothing is inherited downwards", everything(), "division.parent-scan"),
        Case::refused(SOFIA, "another region, by its name", region, wall).in_europe(),
        Case::refused(CARL, "another region, by one of its divisions", division, wall).in_europe(),
        Case::refused(ROLF, "roles that conflict are not added up", everything(), "role.conflict"),
        Case::refused(NOBODY, "nothing passes by default", everything(), "permission.missing"),
        Case::refused(CARL, "an operation that no rule governs", unruled, "operation.unknown"),
    ]
}
