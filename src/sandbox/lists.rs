//! Lists of queues, users and divisions, in the native paged form.

use super::{condition::Lens, problem::Problem, store::Store};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// Query parameters, decoded, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn read(query: &str) -> Result<Self, Problem> {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            let decoded = percent_decode_str(&text).decode_utf8().map(std::borrow::Cow::into_owned);
            decoded.map_err(|_| Problem::bad("the query string is no UTF-8"))
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        };
        pairs.map(pair).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn id(id: &str) -> Self {
        Self::default().and("id", id)
    }

    pub(super) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Values of a list parameter: repeated, joined by commas, or both.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(known, _)| known == name).flat_map(|(_, value)| value.split(','));
        values.filter(|value| !value.is_empty()).collect()
    }

    pub(super) fn number(&self, name: &str, default: usize, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.first(name) else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| Problem::value(format!("`{name}` must be a number from 1 to {most}")))
    }
}

/// The first entity of a list that was asked for one id.
pub(super) fn only(mut list: Value) -> Result<Value, Problem> {
    let found = list.pointer_mut("/entities/0").map(Value::take);
    found.ok_or_else(Problem::not_found)
}

/// One entity and what the parameters can ask of it.
struct Entry<'a> {
    id: &'a str,
    name: String,
    division: &'a str,
    shown: Value,
}

pub(super) fn queues(store: &Store, lens: Lens, params: &Params) -> Result<Value, Problem> {
    let members = store.organisation.members();
    let entries = store.organisation.queues.iter().filter(|queue| queue.state() != "deleted").map(|queue| {
        let count = members.get(queue.id.as_str()).map_or(0, Vec::len);
        Entry {
            id: &queue.id,
            name: queue.name.clone(),
            division: &queue.division,
            shown: json!({
                "id": queue.id, "name": queue.name, "division": division(store, &queue.division),
                "memberCount": count, "selfUri": format!("/api/v2/routing/queues/{}", queue.id),
            }),
        }
    });
    page(entries.collect(), lens, params, "/api/v2/routing/queues")
}

pub(super) fn users(store: &Store, lens: Lens, params: &Params) -> Result<Value, Problem> {
    let state = params.first("state").unwrap_or("active");
    if !matches!(state, "active" | "inactive" | "any") {
        return Err(Problem::value(format!("`{state}` is no state of users")));
    }
    let entries = store.organisation.users.iter().filter(|user| state == "any" || user.active == (state == "active")).map(|user| {
        let name = user.shown();
        Entry {
            id: &user.id,
            division: &user.division,
            shown: json!({
                "id": user.id, "name": name, "email": user.email, "username": user.email, "version": 1,
                "state": if user.active { "active" } else { "inactive" }, "division": division(store, &user.division),
                "selfUri": format!("/api/v2/users/{}", user.id),
            }),
            name,
        }
    });
    page(entries.collect(), lens, params, "/api/v2/users")
}

/// Everybody has as many dashboards as his name has words, and one that somebody else shares with him.
pub(super) fn dashboard_users(store: &Store, lens: Lens, params: &Params) -> Result<Value, Problem> {
    let entries = store.organisation.users.iter().map(|user| {
        let name = user.shown();
        Entry {
            id: &user.id,
            division: &user.division,
            shown: json!({
                "id": user.id, "name": name, "dashboardCount": name.split(' ').count(), "publicDashboardCount": 1,
                "state": if user.active { "active" } else { "inactive" },
                "selfUri": format!("/api/v2/analytics/reporting/dashboards/users/{}", user.id),
            }),
            name,
        }
    });
    page(entries.collect(), lens, params, "/api/v2/analytics/reporting/dashboards/users")
}

/// The dashboards of one person, the one of somebody else among them.
pub(super) fn dashboards(store: &Store, id: &str) -> Result<Value, Problem> {
    let users = &store.organisation.users;
    let place = users.iter().position(|user| user.id == id).ok_or_else(Problem::not_found)?;
    let owner = users.get(place).ok_or_else(Problem::not_found)?;
    let other = users.iter().find(|user| user.division != owner.division).ok_or_else(Problem::not_found)?;
    let one = |word: &str, builder: &str| {
        json!({
            "id": format!("db-{id}-{word}"), "name": word, "rows": 1, "columns": 1, "createdBy": { "id": builder },
            "widgets": [{
                "row": 1, "column": 1, "type": "METRIC", "metrics": ["nOffered"],
                "filter": { "queueIds": ["q-unlisted"], "userIds": ["u-unlisted"] },
            }],
            "dashboardsSharedWith": { "userIds": ["u-unlisted"] }, "selfUri": "/api/v2/unlisted",
        })
    };
    let own = owner.shown();
    let mut all: Vec<Value> = own.split(' ').map(|word| one(word, id)).collect();
    all.push(one("shared", &other.id));
    Ok(json!({ "entities": all, "pageSize": 25, "pageNumber": 1, "total": all.len(), "pageCount": 1 }))
}

pub(super) fn divisions(store: &Store, lens: Lens, params: &Params) -> Result<Value, Problem> {
    let entries = store.organisation.divisions.iter().map(|division| Entry {
        id: &division.id,
        name: division.name.clone(),
        division: &division.id,
        shown: json!({
            "id": division.id, "name": division.name, "homeDivision": division.home,
            "selfUri": format!("/api/v2/authorization/divisions/{}", division.id),
        }),
    });
    page(entries.collect(), lens, params, "/api/v2/authorization/divisions")
}

fn division(store: &Store, id: &str) -> Value {
    let name = store.organisation.divisions.iter().find(|division| division.id == id).map(|division| &division.name);
    json!({ "id": id, "name": name, "selfUri": format!("/api/v2/authorization/divisions/{id}") })
}

fn page(mut entries: Vec<Entry<'_>>, lens: Lens, params: &Params, path: &str) -> Result<Value, Problem> {
    let size = params.number("pageSize", 25, 500)?;
    let number = params.number("pageNumber", 1, 1_000_000)?;
    if !lens.blind {
        let (ids, divisions) = (params.list("id"), params.list("divisionId"));
        let mut strangers = if lens.traits.ids_only || ids.is_empty() { 0 } else { 3 };
        entries.retain(|entry| {
            let named = ids.is_empty() || ids.contains(&entry.id);
            let stranger = !named && strangers > 0;
            strangers -= usize::from(stranger);
            (named || stranger) && (divisions.is_empty() || divisions.contains(&entry.division))
        });
        if let Some(pattern) = params.first("name") {
            entries.retain(|entry| like(&entry.name, pattern));
        }
    }
    match params.first("sortOrder").map(str::to_ascii_lowercase).as_deref() {
        None | Some("asc" | "ascending") => {
            entries.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        }
        Some("desc" | "descending") => {
            entries.sort_by(|one, other| (&other.name, other.id).cmp(&(&one.name, one.id)));
        }
        Some(other) => return Err(Problem::value(format!("`{other}` is no order"))),
    }
    let total = entries.len();
    let pages = total.div_ceil(size);
    let link = |number: usize| format!("{path}?pageSize={size}&pageNumber={number}");
    let shown: Vec<Value> =
        entries.into_iter().skip((number - 1).saturating_mul(size)).take(size).map(|entry| entry.shown).collect();
    let mut answer = json!({
        "entities": shown, "pageSize": size, "pageNumber": number, "total": total, "pageCount": pages,
        "firstUri": link(1), "selfUri": link(number), "lastUri": link(pages.max(1)),
    });
    if let Some(answer) = answer.as_object_mut() {
        if number < pages {
            answer.insert("nextUri".into(), link(number + 1).into());
        }
        if number > 1 {
            answer.insert("previousUri".into(), link(number - 1).into());
        }
    }
    Ok(answer)
}

/// Names match without case; a star stands for anything.
fn like(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (name.to_lowercase(), pattern.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    last.map_or(rest.is_empty(), |part| name.ends_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (name, pattern) in
            [("Cards", "cards"), ("Cards EU", "*eu"), ("Cards EU", "c*"), ("Cards EU", "*rd*"), ("x", "*")]
        {
            assert!(like(name, pattern), "{name} {pattern}");
        }
        for (name, pattern) in [("Cards EU", "cards"), ("Cards", "*x*"), ("Cards", "ards*"), ("Cards EU", "*cards")] {
            assert!(!like(name, pattern), "{name} {pattern}");
        }
    }

    #[test]
    fn parameters_are_decoded_joined_and_repeated() {
        let params = Params::read("id=a%2Cb&id=c&name=Que%2A&pageSize=3").unwrap();
        assert_eq!(params.list("id"), ["a", "b", "c"]);
        assert_eq!(params.first("name"), Some("Que*"));
        assert_eq!(params.number("pageSize", 25, 500).unwrap(), 3);
        assert!(params.number("name", 25, 500).is_err());
    }
}
