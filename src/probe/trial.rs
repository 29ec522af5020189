//! Trials: what is asked about a witness, and what the answers show.

use super::{
    ask::Ask,
    line::{Line, Unanswered},
};
use crate::{base::hash, model::facts::Verdict, query::json::Value};

/// At most so many witnesses are tried for one part of a question.
const WITNESSES: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) evidence: String,
}

impl Judged {
    pub(super) fn holds(evidence: impl Into<String>) -> Self {
        Self { verdict: Verdict::Holds, evidence: evidence.into() }
    }

    pub(super) fn does_not_hold(evidence: impl Into<String>) -> Self {
        Self { verdict: Verdict::DoesNotHold, evidence: evidence.into() }
    }

    pub(super) fn unknown(evidence: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, evidence: evidence.into() }
    }
}

type Judge = Box<dyn Fn(&[Value]) -> Judged + Send + Sync>;

/// Questions about one witness, and how their answers are judged. Judging is pure: answers in, verdict out.
pub(super) struct Trial {
    pub(super) asks: Vec<Ask>,
    judge: Judge,
}

impl Trial {
    pub(super) fn new(asks: Vec<Ask>, judge: impl Fn(&[Value]) -> Judged + Send + Sync + 'static) -> Self {
        Self { asks, judge: Box::new(judge) }
    }

    /// An answer that is missing decides nothing.
    pub(super) fn judge(&self, answers: &[Value]) -> Judged {
        if answers.len() == self.asks.len() { (self.judge)(answers) } else { Judged::unknown("an answer is missing") }
    }
}

/// One part of what an assumption says, with the witnesses that can show it. All parts have to hold.
pub(super) struct Part {
    pub(super) says: &'static str,
    pub(super) trials: Vec<Trial>,
    /// What would have to be there, for when no witness is.
    pub(super) lacks: &'static str,
}

/// Asks every part until one does not hold.
pub(super) async fn run(line: &mut Line, parts: Vec<Part>) -> Judged {
    let mut judged = Vec::new();
    for part in parts {
        let one = run_part(line, &part).await;
        let ends = one.verdict == Verdict::DoesNotHold;
        judged.push((part.says, one));
        if ends {
            break;
        }
    }
    together(&judged)
}

async fn run_part(line: &mut Line, part: &Part) -> Judged {
    let mut last = Judged::unknown(part.lacks);
    for trial in part.trials.iter().take(WITNESSES) {
        let mut answers = Vec::new();
        for ask in &trial.asks {
            match line.ask(ask).await {
                Ok(answer) => answers.push(answer),
                Err(Unanswered(why)) => {
                    last = Judged::unknown(why);
                    break;
                }
            }
        }
        if answers.len() < trial.asks.len() {
            continue;
        }
        last = trial.judge(&answers);
        if last.verdict != Verdict::Unknown {
            break;
        }
    }
    last
}

/// One part that does not hold is enough for the contrary; all must hold for the whole, and there has to be one.
pub(super) fn together(parts: &[(&'static str, Judged)]) -> Judged {
    let worst = |wanted: Verdict| parts.iter().any(|(_, judged)| judged.verdict == wanted);
    let verdict = if worst(Verdict::DoesNotHold) {
        Verdict::DoesNotHold
    } else if parts.is_empty() || worst(Verdict::Unknown) {
        Verdict::Unknown
    } else {
        Verdict::Holds
    };
    let told = parts.iter().filter(|(_, judged)| judged.verdict == verdict || verdict == Verdict::Unknown);
    let words = |(says, judged): &(&str, Judged)| match judged.verdict {
        Verdict::Unknown => format!("{says}: not known: {}", judged.evidence),
        _ => format!("{says}: {}", judged.evidence),
    };
    let evidence = told.map(words).collect::<Vec<_>>().join("; ");
    Judged { verdict, evidence }
}

/// An id of the upstream in a form that names nothing and can be found again.
pub(super) fn mark(id: &str) -> String {
    format!("#{}", hash::short(id.as_bytes()))
}
