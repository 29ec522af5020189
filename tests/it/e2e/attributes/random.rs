//! Drawn filters over values, agents and media, in both dialects: answered exactly, or refused for a reason that holds.

use super::{BOTH, Bench, NAME, VALUES, question, rows};
use crate::{
    e2e::truth::{Truth, path},
    oracle::{
        generate::Dice,
        questions::Kind,
        semantics::{Dim, Entitlement},
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CAST: [&str; 14] =
    ["sofia", "carl", "olga", "ines", "ana", "rolf", "dana", "viola", "greg", "gus", "elsa", "rita", "pat", "nobody"];

/// A question, and what it names.
struct Asked {
    kind: Kind,
    body: Value,
    values: Vec<String>,
    users: Vec<String>,
}

impl Asked {
    fn draw(dice: &mut Dice, bench: &Bench, person: &str, kind: Kind) -> Self {
        let names = Truth::case(person, kind, &Value::Null).names(&bench.truth.directory);
        let mine: Vec<String> = bench.own.values().filter(|one| bench.stands(person, kind, one)).cloned().collect();
        let mut any: Vec<String> = VALUES.iter().map(|(_, value)| (*value).to_owned()).collect();
        any.extend(["invented", "q-pay-disputes"].map(str::to_owned));
        let pool = if mine.is_empty() || dice.percent(15) { any } else { mine };
        let mut asked = Self { kind, body: Value::Null, values: vec![], users: vec![] };
        let filter = dice.percent(85).then(|| asked.group(dice, &pool, &names.users, 1));
        let by = [NAME, if kind == Kind::Platform { "agentId" } else { "userId" }, "mediaType"];
        asked.body = question(kind, &dice.some(&by, 0, 2), filter);
        asked
    }

    fn group(&mut self, dice: &mut Dice, values: &[String], users: &[String], depth: usize) -> Value {
        let words = if self.kind == Kind::Platform { ["AND", "OR"] } else { ["and", "or"] };
        let predicates: Vec<Value> = (0..=dice.below(3)).map(|_| self.predicate(dice, values, users)).collect();
        let mut group = json!({ "type": dice.pick(&words), "predicates": predicates });
        if depth > 0 && dice.percent(40) {
            group["clauses"] = json!([self.group(dice, values, users, depth - 1)]);
        }
        group
    }

    fn predicate(&mut self, dice: &mut Dice, values: &[String], users: &[String]) -> Value {
        let platform = self.kind == Kind::Platform;
        match dice.below(10) {
            0 if platform => json!({ "dimension": NAME, "operator": dice.pick(&["EXISTS", "NOT_EXISTS"]) }),
            0 => json!({ "dimension": NAME, "operator": dice.pick(&["exists", "notExists"]) }),
            1 | 2 => {
                let medium = *dice.pick(&["voice", "chat", "email"]);
                if platform {
                    json!({ "dimension": "mediaType", "operator": "EQUALS", "values": [medium] })
                } else {
                    json!({ "dimension": "mediaType", "value": medium })
                }
            }
            3 if !users.is_empty() => {
                let user = dice.pick(users).clone();
                self.users.push(user.clone());
                if platform {
                    json!({ "dimension": "agentId", "operator": "EQUALS", "values": [user] })
                } else {
                    json!({ "dimension": "userId", "value": user })
                }
            }
            4 if platform => {
                let some = dice.some(values, 1, 2);
                self.values.extend(some.clone());
                json!({ "dimension": NAME, "operator": "NOT_IN", "values": some })
            }
            _ if platform => {
                let some = dice.some(values, 1, 3);
                self.values.extend(some.clone());
                json!({ "dimension": NAME, "operator": "IN", "values": some })
            }
            _ => {
                let one = dice.pick(values).clone();
                self.values.push(one.clone());
                json!({ "dimension": dice.pick(&[NAME, "COSTCENTER"]), "value": one })
            }
        }
    }
}

#[derive(Default)]
struct Tally {
    answered: usize,
    rows: usize,
    hidden: usize,
    refused: BTreeMap<String, usize>,
}

impl Bench {
    async fn judge(&self, person: &str, asked: &Asked, tally: &mut Tally) -> Result<(), String> {
        let Asked { kind, body, values, users } = asked;
        let kind = *kind;
        let strange = values.iter().any(|value| !self.stands(person, kind, value));
        let (case, scope) = (Truth::case(person, kind, &Value::Null), self.scope(person, kind));
        let outside = |strictly| {
            let inside = |id: &String| case.user_inside(&self.truth.directory, &scope, id, strictly);
            strange || !users.iter().all(inside)
        };
        let heard = self.ask(person, kind, body).await;
        if heard.status != 200 {
            let code = heard.code();
            *tally.refused.entry(code.clone()).or_default() += 1;
            // Rights to single interactions, and such of some days only, may not count at all.
            let whole = |one: &Entitlement| one.conversations == Dim::Any && one.window.is_none();
            let right = match code.as_str() {
                "scope.outside" => outside(true),
                "operation.unscopable" => self.view(person, kind, whole).is_empty(),
                "permission.missing" | "scope.empty" | "division.parent-scan" => {
                    self.view(person, kind, |_| true).is_empty()
                }
                _ => false,
            };
            return if right { Ok(()) } else { Err(format!("{heard:?}")) };
        }
        if outside(false) {
            return Err(format!("answered, though something named is outside: {heard:?}"));
        }
        let (got, due) = (heard.json(), self.due(person, kind, body));
        let region = self.truth.region(person);
        let whole = self.house.sandbox.evaluate(region, path(kind), body).unwrap();
        tally.rows += usize::from(!rows(kind, &got).is_empty());
        tally.hidden += usize::from(rows(kind, &whole) != rows(kind, &due));
        let lost = |notice: &&str| ["scope.no-queue; ", "scope.unbound; "].iter().any(|code| notice.starts_with(code));
        tally.answered += 1;
        let right = heard.notices().iter().all(lost) && rows(kind, &got) == rows(kind, &due);
        if right { Ok(()) } else { Err(format!("beside {:?}: due {due:#}\ngot {got:#}", heard.notices())) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drawn_questions_are_answered_over_what_values_can_say() {
    let bench = Bench::new().await;
    for (nth, kind) in BOTH.into_iter().enumerate() {
        let mut tally = Tally::default();
        let cases = 200;
        for case in 0..cases {
            let mut dice = Dice::new(91_000 + 1_000 * nth as u64 + case);
            let person = *dice.pick(&CAST);
            let asked = Asked::draw(&mut dice, &bench, person, kind);
            if let Err(why) = bench.judge(person, &asked, &mut tally).await {
                panic!("{kind:?} case {case}: {person} {}\n{why}", asked.body);
            }
        }
        let Tally { answered, rows, hidden, refused } = &tally;
        println!(
            "by cost centre, {kind:?}: {cases} cases, {answered} answered exactly ({rows} with rows, {hidden} over something \
             hidden), refused {refused:?}"
        );
        let named = |code: &str| refused.get(code).copied().unwrap_or_default();
        assert_eq!(answered + refused.values().sum::<usize>(), 200);
        assert!(*answered >= 100 && *rows >= 60 && *hidden >= 60, "the cases are too easy");
        assert!(named("scope.outside") >= 20 && named("operation.unscopable") >= 5, "{refused:?}");
    }
}
