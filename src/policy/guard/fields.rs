//! Field by field: the allow-list of an answer, and masks.

use super::GuardPlan;
use crate::{
    model::{answer::Keep, entitlement::Action},
    query::json::Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a masked text looks like.
const MASKED: &str = "***";

/// What a masked value looks like: of the same type, so that clients read it as before. A list keeps its length, an object
/// nothing of what it said, not even its names; a number has nothing to hide behind.
fn masked(value: &Value) -> Value {
    match value {
        Value::Text(_) => Value::text(MASKED),
        Value::Array(items) => Value::Array(items.iter().map(masked).collect()),
        Value::Object(_) => Value::Object(Vec::new()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Value::Null,
    }
}

/// Drops every field that no level of the allow-list names.
pub(in crate::policy) fn keep(keep: &Keep, answer: Value) -> Value {
    prune(keep, answer, ("", ""), &|_, _, value| value)
}

/// The same of an object of one level.
pub(super) fn keep_below(keep: &Keep, level: &str, row: Value) -> Value {
    prune(keep, row, (level, ""), &|_, _, value| value)
}

/// The same where nobody judged what the fields hold: no object passes that no level lists, and no link that leads away
/// but those that an action opens.
pub(super) fn keep_listed(keep: &Keep, links: &Links<'_>, answer: Value) -> Value {
    prune(keep, answer, ("", ""), &|level, name, value| links.bare(level, name, value))
}

/// The same where nothing but counts stands, and whether something holds: a text, or an object that no level lists, could
/// say anything.
pub(super) fn keep_figures(keep: &Keep, answer: Value) -> Value {
    let figure = |value| if matches!(value, Value::Number(_) | Value::Bool(_)) { value } else { Value::Null };
    prune(keep, answer, ("", ""), &|_, _, value| figure(value))
}

/// `level` and the `name` of the field that holds the value.
fn prune(
    keep: &Keep,
    value: Value,
    (level, name): (&str, &str),
    unlisted: &impl Fn(&str, &str, Value) -> Value,
) -> Value {
    let Some(listed) = keep.levels.get(level) else {
        return unlisted(level, name, value);
    };
    let is_map = matches!(&**listed, [one] if **one == *MAP);
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(name, _)| if is_map { is_short(name) } else { listed.contains(name) })
                .map(|(name, value)| {
                    let own = if is_map { MAP } else { &*name };
                    let below = if level.is_empty() { own.to_owned() } else { format!("{level}.{own}") };
                    let value = prune(keep, value, (&below, own), unlisted);
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| prune(keep, item, (level, name), unlisted)).collect())
        }
        // Where an object or a list is due, a bare value could say anything.
        _ => Value::Null,
    }
}

/// Stands in an allow-list for the names of a map.
const MAP: &str = "*";

/// A name that an upstream counts or codes by, and that tells nothing else.
fn is_short(name: &str) -> bool {
    (1..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Which links to other hosts pass.
pub(super) struct Links<'a> {
    /// Fields that hold such links, and the action that opens each.
    pub fields: &'a BTreeMap<Box<str>, Action>,
    /// Actions that may be done with everything that the answer speaks of.
    pub open: &'a [Action],
    /// Where files may lie that are fetched without encryption.
    pub media: &'a [Box<str>],
}

impl Links<'static> {
    /// None passes.
    pub(super) fn none() -> Self {
        const NONE: &BTreeMap<Box<str>, Action> = &BTreeMap::new();
        Self { fields: NONE, open: &[], media: &[] }
    }
}

impl Links<'_> {
    /// A value, or a list of values; an object could say anything, and a link to another host goes round this guard.
    fn bare(&self, level: &str, name: &str, value: Value) -> Value {
        match value {
            Value::Object(_) => Value::Null,
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.bare(level, name, item)).collect()),
            value => match self.fields.get(level) {
                Some(action) => self.opened(*action, value),
                None => match value {
                    Value::Text(text) if is_link(name) && !stays_here(&text) => Value::Null,
                    value => value,
                },
            },
        }
    }

    /// A field of links holds nothing else, whatever the upstream writes there.
    fn opened(&self, action: Action, value: Value) -> Value {
        match value {
            Value::Text(text) if self.open.contains(&action) && self.leads_to_a_file(&text) => Value::Text(text),
            _ => Value::Null,
        }
    }

    fn leads_to_a_file(&self, link: &str) -> bool {
        let origin = origin(link);
        origin.is_some_and(|origin| origin.starts_with("https://") || self.media.iter().any(|known| **known == *origin))
    }
}

/// Scheme and host of an absolute link, in small letters as upstreams write them; `None` for what two readers could take for
/// two hosts.
pub(super) fn origin(link: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>' | b'`');
    let host = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"))?;
    let (host, _) = host.split_once('/')?;
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b':');
    let known = host.starts_with(|first: char| first.is_ascii_alphanumeric()) && host.bytes().all(letter);
    let end = link.len() - link.split_once("://")?.1.len() + host.len();
    (known && link.len() <= 8192 && link.bytes().all(plain)).then(|| link.get(..end))?
}

/// Whether clients follow what such a field holds. Other texts may speak of links as they like.
fn is_link(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix('s').unwrap_or(&name);
    ["uri", "url", "href", "link"].iter().any(|word| name.ends_with(word))
}

/// A path of this API: one slash first, and nothing that any client could read as a host or a scheme.
fn stays_here(link: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    link.starts_with('/') && !link.starts_with("//") && link.bytes().all(plain)
}

/// Masks the fields of one object, but those whose class is lifted here.
pub(super) fn mask(plan: &GuardPlan, value: &mut Value, lifted: &BTreeSet<&str>) {
    let Value::Object(members) = value else {
        return;
    };
    for (name, value) in members {
        let class = plan.operation.answer.mask.get(name);
        if class.is_some_and(|class| !lifted.contains(&**class)) {
            *value = masked(value);
        }
    }
}

pub(super) fn remove(value: &mut Value, path: &[Box<str>]) {
    let Some((last, above)) = path.split_last() else {
        return;
    };
    if let Some(holder) = value.at_mut(above) {
        holder.remove(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::json::{self, Limits};

    #[test]
    fn nothing_passes_below_a_field_that_no_level_lists() {
        let level = |fields: &[&str]| fields.iter().map(|field| (*field).into()).collect();
        let levels = BTreeMap::from([("".into(), level(&["a", "b", "c"])), ("c".into(), level(&["d"]))]);
        let list = Keep { levels };
        let answer = br#"{"a":1,"b":{"x":1},"c":[{"d":"t","e":2},3,{"d":[{"f":1},"u",["v"]]}],"z":0}"#;
        let answer = || json::parse_object(answer, &Limits::default()).unwrap();
        let text = |value: Value| String::from_utf8(value.to_bytes()).unwrap();
        let due = r#"{"a":1,"b":null,"c":[{"d":"t"},null,{"d":[null,"u",["v"]]}]}"#;
        assert_eq!(text(keep_listed(&list, &Links::none(), answer())), due);
        assert!(text(keep(&list, answer())).contains(r#""b":{"x":1}"#));
    }

    #[test]
    fn what_is_masked_keeps_its_type_and_nothing_else() {
        let hidden = br#"{"a":"+15550100","b":["+1","",null,["x"]],"c":{"home":"+1","of":["x"]},"d":[{"home":1},7],"e":12,"f":true,"g":null}"#;
        let hidden = json::parse_object(hidden, &Limits::default()).unwrap();
        let Value::Object(members) = hidden else { panic!("an object") };
        let shown = members.into_iter().map(|(name, value)| (name, masked(&value))).collect();
        let shown = String::from_utf8(Value::Object(shown).to_bytes()).unwrap();
        let due = r#"{"a":"***","b":["***","***",null,["***"]],"c":{},"d":[{},null],"e":null,"f":null,"g":null}"#;
        assert_eq!(shown, due);
    }

    #[test]
    fn a_field_of_links_holds_nothing_but_paths_of_this_api() {
        for name in ["nextUri", "selfUri", "pageUrl", "URL", "links", "hrefs"] {
            assert!(is_link(name), "{name}");
        }
        for name in ["description", "name", "curl_of_hair", "linkage"] {
            assert!(!is_link(name), "{name}");
        }
        for away in [
            "https://a",
            " HTTP://a",
            "//a/b",
            "\\\\a\\b",
            "wss://a",
            "https:x",
            "java\tscript:x",
            "/\t/a",
            "/\\a",
            "data:,x",
            "/a b",
            "",
            "a",
            "/\u{e9}",
        ] {
            assert!(!stays_here(away), "{away:?}");
        }
        for here in ["/api/v2/x?next=2", "/", "/a//b"] {
            assert!(stays_here(here), "{here}");
        }
    }

    #[test]
    fn a_text_that_speaks_of_a_link_is_left_as_it_is() {
        let levels = BTreeMap::from([("".into(), ["description", "nextUri"].map(Into::into).into())]);
        let answer = br#"{"description":"https://wiki.example/page","nextUri":"https:x"}"#;
        let answer = json::parse_object(answer, &Limits::default()).unwrap();
        let kept = String::from_utf8(keep_listed(&Keep { levels }, &Links::none(), answer).to_bytes()).unwrap();
        assert_eq!(kept, r#"{"description":"https://wiki.example/page","nextUri":null}"#);
    }

    #[test]
    fn a_link_passes_with_its_action_and_only_as_one_that_every_client_reads_alike() {
        let level = |fields: &[&str]| fields.iter().map(|field| (*field).into()).collect();
        let keep = Keep {
            levels: BTreeMap::from([
                ("".into(), level(&["id", "mediaUris"])),
                ("mediaUris".into(), level(&["*"])),
                ("mediaUris.*".into(), level(&["mediaUri", "waveformData"])),
            ]),
        };
        let fields = BTreeMap::from([("mediaUris.*.mediaUri".into(), Action::Playback)]);
        let media = ["http://127.0.0.1:9".into()];
        let shown = |open: &[Action], link: &str| {
            let answer = serde_json::json!({ "id": "r", "mediaUris": { "0": { "mediaUri": link, "waveformData": [1, 2], "x": 1 }, "a b": {} } });
            let answer = json::parse_object(answer.to_string().as_bytes(), &Limits::default()).unwrap();
            let kept = keep_listed(&keep, &Links { fields: &fields, open, media: &media }, answer);
            serde_json::from_str::<serde_json::Value>(std::str::from_utf8(&kept.to_bytes()).unwrap()).unwrap()
        };
        let due = |link: Option<&str>| serde_json::json!({ "id": "r", "mediaUris": { "0": { "mediaUri": link, "waveformData": [1, 2] } } });
        for link in ["https://files.example/a.wav?sig=%2F", "https://files.example:8443/", "http://127.0.0.1:9/a"] {
            assert_eq!(shown(&[Action::Playback], link), due(Some(link)), "{link}");
            assert_eq!(shown(&[], link), due(None), "{link}");
            assert_eq!(shown(&[Action::Export, Action::View], link), due(None), "{link}");
        }
        for link in [
            "http://files.example/a.wav",
            "http://127.0.0.1:90/a",
            "https://files.example",
            "https://a@b/c",
            "https:///a",
            "https://a b/c",
            "https://a\\b/c",
            "https://a/b\\c",
            "https://a/b#c",
            "HTTPS://a/b",
            "https://A/b",
            "//a/b",
            "/api/v2/x",
            "javascript:alert(1)//https://a/",
            "https://-a/b",
            "https://a/\u{e9}",
            "",
        ] {
            assert_eq!(shown(&[Action::Playback], link), due(None), "{link}");
        }
    }
}
