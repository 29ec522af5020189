//! What a rule's lists of words come to in the contract: the words that may be sent, after everything that is never
//! sent was taken out.

use super::{
    format::Rule,
    reading::{At, Reader},
};
use crate::model::{
    assumption::Assumption,
    body::{Access, BodyModel, Dimension, Field, FieldKind, Path},
    contract::{Data, Words},
    operation::{AllowList, MetricRule},
    world::Policy,
};

/// The lists of one rule.
pub(super) struct Lists<'r> {
    pub(super) group_by: Option<&'r AllowList>,
    pub(super) sort: Option<&'r AllowList>,
    pub(super) metrics: Option<&'r MetricRule>,
    /// Where the fields of documents are listed that come back.
    pub(super) source: Option<&'r Path>,
}

impl Lists<'_> {
    /// The words of the contract.
    pub(super) fn words(&self, model: &BodyModel, data: Data, policy: &Policy) -> Vec<Words> {
        let tags = data == Data::Interaction && !policy.accepted.contains(&Assumption::DivisionOfLeg);
        let tag = |word: &str| tags && model.dimensions(word).any(|kind| kind == Dimension::Access(Access::Division));
        let listed = |list: &AllowList, groups: bool| Words {
            at: list.at.clone(),
            groups,
            allow: list
                .allow
                .iter()
                .filter(|word| !(groups && (list.high_cardinality.contains(word) || tag(word))))
                .cloned()
                .collect(),
            bpo_allow: list.bpo_allow.clone(),
        };
        let every = |at: &Path| model.field(at).and_then(FieldKind::words).unwrap_or_default().to_vec();
        let metrics = self.metrics.map(|rule| Words {
            at: rule.at.clone(),
            groups: false,
            allow: every(&rule.at),
            bpo_allow: rule.bpo_allow.clone(),
        });
        let source = self.source.map(|at| Words { at: at.clone(), groups: false, allow: every(at), bpo_allow: None });
        let group_by = self.group_by.map(|list| listed(list, true));
        [group_by, self.sort.map(|list| listed(list, false)), metrics, source].into_iter().flatten().collect()
    }

    /// A grouping has a meaning, and a field whose words carry access or are hidden has a list.
    pub(super) fn check(&self, model: &BodyModel, rule: &At<Rule>, reader: &mut Reader<'_>) {
        for word in self.group_by.iter().flat_map(|list| &list.allow) {
            if model.dimensions(word).next().is_none() {
                let help = "say in the model table what it means: `access`, `plain`, `hidden` or `masked` of a filter";
                let message = format!("`group-by` allows `{word}`, and no filter of `{}` knows it", model.name);
                reader.problem_with(rule.id.span.clone(), message, Some(help.to_owned()));
            }
        }
        let listed: Vec<&Path> = [self.group_by, self.sort]
            .into_iter()
            .flatten()
            .map(|list| &list.at)
            .chain(self.metrics.map(|rule| &rule.at))
            .chain(self.source)
            .collect();
        let mut open: Vec<(Path, &[Field])> = vec![(Path::new(), &model.fields)];
        while let Some((above, fields)) = open.pop() {
            for field in fields {
                let mut at = above.clone();
                at.push(field.name.clone());
                if let FieldKind::Object(inner) = &field.kind {
                    open.push((at, inner));
                    continue;
                }
                if matches!(field.kind, FieldKind::Aggregations(_)) && self.group_by.is_none_or(|list| list.at != at) {
                    let message = format!("`$.{}` asks for buckets, and the rule does not list by what", at.join("."));
                    let help = "add `[rule.group-by]` with the fields by which buckets may be made";
                    reader.problem_with(rule.id.span.clone(), message, Some(help.to_owned()));
                    continue;
                }
                let speaks = |word: &str| model.dimensions(word).any(|kind| kind != Dimension::Plain);
                let spoken = field.kind.words().unwrap_or_default().iter().find(|word| speaks(word));
                if let Some(word) = spoken.filter(|_| !listed.contains(&&at)) {
                    let message =
                        format!("`$.{}` may say `{word}`, and the rule does not list its words", at.join("."));
                    let help = "add `[rule.group-by]` or `[rule.sort]` with the words that may be asked";
                    reader.problem_with(rule.id.span.clone(), message, Some(help.to_owned()));
                }
            }
        }
    }
}
