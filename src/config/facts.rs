//! A facts file: what `bailiwick probe` has seen, written and read again.

use super::{
    reader::{Reader, Section},
    report::Problem,
};
use crate::model::{
    assumption::Assumption,
    facts::{Fact, Facts, Observation, RegionFacts, Verdict},
};
use std::{collections::HashSet, fmt::Write as _, path::Path};
use toml::de::DeTable;

const HEAD: &str = "\
# What the upstreams were seen to do. Made by `bailiwick probe`; `[policy] facts` of bailiwick.toml names it.
# An assumption that holds in every region opens the rules that need it; one that does not hold anywhere closes them.
";

/// The text of the file.
pub fn write(facts: &Facts) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut text = HEAD.to_owned();
    for region in &facts.regions {
        // Writing to a string cannot fail.
        let _written = write!(
            text,
            "\n[[upstream]]\nregion = {}\nurl = {}\nasked-at = {}\n",
            quoted(&region.region),
            quoted(&region.url),
            quoted(&region.asked_at.to_string())
        );
        for fact in &region.facts {
            let _written = write!(
                text,
                "\n[[upstream.assumption]]\nname = {}\nverdict = {}\nevidence = {}\n",
                quoted(fact.assumption.name()),
                quoted(fact.verdict.word()),
                quoted(&fact.evidence)
            );
        }
        for Observation { question, seen } in &region.observations {
            let _written =
                write!(text, "\n[[upstream.observation]]\nquestion = {}\nseen = {}\n", quoted(question), quoted(seen));
        }
    }
    text
}

/// Reads a file; every problem with its place.
pub fn read(file: &Path) -> Result<Facts, Vec<Problem>> {
    let text = std::fs::read_to_string(file).map_err(|why| {
        let help = "make it with `bailiwick probe`, or take `facts` out of the configuration";
        vec![Problem { help: Some(help.to_owned()), ..Problem::whole(file, format!("cannot read the facts: {why}")) }]
    })?;
    parse(file, &text)
}

fn parse(file: &Path, text: &str) -> Result<Facts, Vec<Problem>> {
    let reader = Reader::new(file, text, &|_| None);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in errors {
            reader.problem(error.span().unwrap_or(0..0), error.message(), "ask again with `bailiwick probe`");
        }
        return Err(reader.into_problems());
    }
    let facts = root(Section::root(&reader, table.get_ref()));
    let problems = reader.into_problems();
    if problems.is_empty() { Ok(facts) } else { Err(problems) }
}

fn root(root: Section<'_, '_>) -> Facts {
    let mut facts = Facts::default();
    let mut seen = HashSet::new();
    for section in root.sections("upstream") {
        let Some(region) = region(section, &mut seen) else { continue };
        facts.regions.push(region);
    }
    root.done();
    facts
}

fn region(section: Section<'_, '_>, seen: &mut HashSet<String>) -> Option<RegionFacts> {
    let name = section.needed("region", "`region = \"<id of a region>\"`");
    if let Some((name, at)) = &name
        && !seen.insert((*name).to_owned())
    {
        section.reader().problem(at.clone(), format!("region `{name}` stands here twice"), "leave the newer one");
    }
    let url = section.needed("url", "`url = \"https://...\"`: the upstream that was asked");
    let at = section.needed("asked-at", "`asked-at = \"2026-11-20T10:00:00Z\"`");
    let asked_at = at.and_then(|(text, at)| {
        let instant = text.parse().ok();
        if instant.is_none() {
            section.reader().problem(at, format!("`{text}` is no instant"), "write it as `2026-11-20T10:00:00Z`");
        }
        instant
    });
    let mut facts: Vec<Fact> = Vec::new();
    for one in section.sections("assumption") {
        let at = one.at.clone();
        let Some(fact) = fact(one) else { continue };
        if facts.iter().any(|known| known.assumption == fact.assumption) {
            let what = format!("`{}` stands here twice for one region", fact.assumption.name());
            section.reader().problem(at, what, "leave one");
        }
        facts.push(fact);
    }
    let mut observations = Vec::new();
    for one in section.sections("observation") {
        let question = one.needed("question", "`question = \"...\"`").map(|(text, _)| text.to_owned());
        let seen = one.needed("seen", "`seen = \"...\"`").map(|(text, _)| text.to_owned());
        one.done();
        observations.extend(question.zip(seen).map(|(question, seen)| Observation { question, seen }));
    }
    section.done();
    Some(RegionFacts { region: name?.0.to_owned(), url: url?.0.to_owned(), asked_at: asked_at?, facts, observations })
}

fn fact(section: Section<'_, '_>) -> Option<Fact> {
    let names = Assumption::ALL.map(|one| (one.name(), one));
    let verdicts = Verdict::ALL.map(|one| (one.word(), one));
    for (key, due) in [("name", "`name = \"entries-and\"`"), ("verdict", "`verdict = \"holds\"`")] {
        if !section.has_any(&[key]) {
            section.missing(key, due);
        }
    }
    let assumption = section.word("name", &names);
    let verdict = section.word("verdict", &verdicts);
    let evidence = section.needed("evidence", "`evidence = \"...\"`: what was seen").map(|(text, _)| text.to_owned());
    section.done();
    Some(Fact { assumption: assumption?, verdict: verdict?, evidence: evidence? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let fact =
            |assumption, verdict| Fact { assumption, verdict, evidence: "a \"word\"\nand `\\` another".to_owned() };
        let region = |name: &str| RegionFacts {
            region: name.to_owned(),
            url: format!("https://{name}.example/"),
            asked_at: "2026-11-20T10:00:00.123456Z".parse().unwrap(),
            facts: vec![
                fact(Assumption::EntriesAnd, Verdict::Holds),
                fact(Assumption::IdsOnly, Verdict::DoesNotHold),
                fact(Assumption::LegFilter, Verdict::Unknown),
            ],
            observations: vec![Observation { question: "how many".to_owned(), seen: "100".to_owned() }],
        };
        for regions in [vec![], vec![region("us")], vec![region("us"), region("eu\"")]] {
            let facts = Facts { regions };
            assert_eq!(parse(Path::new("facts.toml"), &write(&facts)), Ok(facts));
        }
    }

    #[test]
    fn what_nobody_can_mean_is_told_at_its_place() {
        let good = "[[upstream]]\nregion = \"us\"\nurl = \"https://a.example\"\nasked-at = \"2026-11-20T10:00:00Z\"\n\
                    [[upstream.assumption]]\nname = \"ids-only\"\nverdict = \"holds\"\nevidence = \"seen\"\n";
        assert!(parse(Path::new("f"), good).is_ok());
        for (from, to, due, line) in [
            ("region = \"us\"", "region = \"us\"\nregoin = 1", "unknown key `regoin`", 3),
            ("\"ids-only\"", "\"ids-onyl\"", "`ids-onyl` is no value of `name`", 6),
            ("\"holds\"", "\"hold\"", "`hold` is no value of `verdict`", 7),
            ("\"2026-11-20T10:00:00Z\"", "\"yesterday\"", "`yesterday` is no instant", 4),
            ("url = \"https://a.example\"\n", "", "`url` is missing", 1),
            ("verdict = \"holds\"\n", "", "`verdict` is missing", 5),
            ("evidence = \"seen\"\n", "", "`evidence` is missing", 5),
        ] {
            let problems = parse(Path::new("f"), &good.replace(from, to)).unwrap_err();
            let [problem] = problems.as_slice() else { panic!("{from}: {problems:?}") };
            assert!(problem.what.contains(due), "{}", problem.what);
            assert_eq!(problem.place.as_ref().unwrap().line_and_column().0, line, "{problem}");
        }
        let twice = format!("{good}{good}");
        assert!(parse(Path::new("f"), &twice).unwrap_err()[0].what.contains("region `us` stands here twice"));
        let again =
            format!("{good}[[upstream.assumption]]\nname = \"ids-only\"\nverdict = \"unknown\"\nevidence = \"x\"\n");
        assert!(parse(Path::new("f"), &again).unwrap_err()[0].what.contains("`ids-only` stands here twice"));
        assert!(!parse(Path::new("f"), "[[upstream").unwrap_err().is_empty());
        assert!(!parse(Path::new("f"), "upstream = 1").unwrap_err().is_empty());
    }
}
