//! `POST /api/v2/users/search`, `POST /api/v2/groups/search`, and the same by `GET` with the body in `q64`; `POST
//! /api/v2/teams/search`.
//!
//! Criteria are joined by *and*, fields and values of one criterion by *or*; texts are compared without case.

use super::{aggregates::texts, condition::Lens, lists::Params, memberships, problem::Problem, store::Store};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Users,
    Groups,
    Teams,
}

impl Kind {
    pub(super) fn of(path: &str) -> Option<Self> {
        [Self::Users, Self::Groups, Self::Teams].into_iter().find(|kind| kind.path() == path)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Teams => "teams",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Users => "/api/v2/users/search",
            Self::Groups => "/api/v2/groups/search",
            Self::Teams => "/api/v2/teams/search",
        }
    }
}

pub(super) fn read(store: &Store, lens: Lens, kind: Kind, params: &Params, body: &Value) -> Result<Value, Problem> {
    let linked;
    let body = if let Some(text) = params.first("q64") {
        let bytes = STANDARD.decode(text).map_err(|_| Problem::bad("`q64` is no base64"))?;
        let text = String::from_utf8(bytes).map_err(|_| Problem::bad("`q64` is no UTF-8"))?;
        linked = serde_json::from_str(&text).map_err(|_| Problem::bad("`q64` holds no JSON"))?;
        &linked
    } else {
        body
    };
    if !body.is_object() {
        return Err(Problem::bad("the body is no JSON object"));
    }
    let number = |name: &str, default: u64| match body.get(name) {
        None => Ok(default),
        Some(value) => value.as_u64().filter(|number| *number > 0).ok_or_else(|| Problem::value(format!("`{name}`"))),
    };
    let (size, at) = (number("pageSize", 25)?, number("pageNumber", 1)?);
    if size > 100 {
        return Err(Problem::value("`pageSize` is at most 100"));
    }
    let criteria = match body.get("query") {
        None => &[][..],
        Some(query) => query.as_array().ok_or_else(|| Problem::bad("`query` is no list"))?,
    };
    let mut found = Vec::new();
    for row in rows(store, kind) {
        let mut fit = criteria.iter().map(|criterion| fits(kind, &row, criterion));
        let fits = if lens.blind || criteria.is_empty() {
            fit.try_for_each(|fit| fit.map(drop))?;
            true
        } else {
            let all = fit.collect::<Result<Vec<_>, _>>()?;
            if lens.traits.criteria_and { !all.contains(&false) } else { all.contains(&true) }
        };
        if fits {
            found.push(row);
        }
    }
    sort(kind, body, &mut found)?;
    Ok(page(kind, body, found, (size, at)))
}

fn page(kind: Kind, body: &Value, found: Vec<Value>, (size, at): (u64, u64)) -> Value {
    let total = found.len() as u64;
    let pages = total.div_ceil(size);
    let link = |number: u64| {
        let mut asked = body.clone();
        if let Some(asked) = asked.as_object_mut() {
            asked.insert("pageNumber".into(), number.into());
        }
        let text = STANDARD.encode(asked.to_string());
        let text = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        format!("{}?q64={text}", kind.path())
    };
    let skip = usize::try_from((at - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let shown: Vec<Value> = found.into_iter().skip(skip).take(usize::try_from(size).unwrap_or(usize::MAX)).collect();
    let mut answer = json!({
        "total": total, "pageCount": pages, "pageSize": size, "pageNumber": at, "currentPage": link(at),
        "types": [kind.word()], "results": shown,
    });
    if let Some(answer) = answer.as_object_mut() {
        if at < pages {
            answer.insert("nextPage".into(), link(at + 1).into());
        }
        if at > 1 {
            answer.insert("previousPage".into(), link(at - 1).into());
        }
    }
    answer
}

fn rows(store: &Store, kind: Kind) -> Vec<Value> {
    let organisation = &store.organisation;
    let state = |active: bool| if active { "active" } else { "inactive" };
    match kind {
        Kind::Teams => organisation.teams.iter().map(memberships::team).collect(),
        Kind::Users => organisation
            .users
            .iter()
            .map(|user| {
                json!({
                    "id": user.id, "name": user.shown(), "email": user.email, "username": user.email, "version": 1,
                    "state": state(user.active), "division": { "id": user.division, "name": user.division },
                    "manager": { "id": user.manager }, "selfUri": format!("/api/v2/users/{}", user.id),
                })
            })
            .collect(),
        Kind::Groups => organisation
            .groups
            .iter()
            .map(|group| {
                json!({
                    "id": group.id, "name": group.name, "description": format!("People of {}", group.name),
                    "state": "active", "type": "official", "memberCount": group.members.len(),
                    "owners": [{ "id": "carl" }], "selfUri": format!("/api/v2/groups/{}", group.id),
                })
            })
            .collect(),
    }
}

/// Where a row holds what a field means.
fn values<'r>(kind: Kind, row: &'r Value, field: &str) -> Result<Option<&'r str>, Problem> {
    let place = match (kind, field) {
        (Kind::Users, "divisionId") => "/division/id",
        (Kind::Users, "manager.id") => "/manager/id",
        (Kind::Users, "department") => "/department",
        (Kind::Users, "email") => "/email",
        (Kind::Users, "title") => "/title",
        (Kind::Users, "username") => "/username",
        (Kind::Groups | Kind::Teams, "description") => "/description",
        (_, "id") => "/id",
        (_, "name") => "/name",
        (_, "state") => "/state",
        _ => return Err(Problem::value(format!("`{field}` is no field that is searched by"))),
    };
    Ok(row.pointer(place).and_then(Value::as_str))
}

fn fits(kind: Kind, row: &Value, criterion: &Value) -> Result<bool, Problem> {
    let word = |name: &str| criterion.get(name).and_then(Value::as_str).unwrap_or_default();
    let single = criterion.get("value").and_then(Value::as_str);
    let wanted: Vec<String> = texts(criterion, "values")?.into_iter().chain(single).map(str::to_lowercase).collect();
    let mut any = false;
    for field in texts(criterion, "fields")? {
        let Some(held) = values(kind, row, field)?.map(str::to_lowercase) else { continue };
        let like = |wanted: &String| match word("type") {
            "CONTAINS" => held.contains(wanted),
            "STARTS_WITH" => held.starts_with(wanted),
            _ => held == *wanted,
        };
        any |= wanted.iter().any(like);
    }
    match (word("type"), word("operator")) {
        ("MATCH_ALL", _) => Ok(true),
        ("EXACT" | "STARTS_WITH" | "CONTAINS" | "TERM" | "TERMS", "" | "AND") => Ok(any),
        ("EXACT" | "STARTS_WITH" | "CONTAINS" | "TERM" | "TERMS", "NOT") => Ok(!any),
        (kind, operator) => Err(Problem::value(format!("a criterion `{kind}` `{operator}`"))),
    }
}

fn sort(kind: Kind, body: &Value, rows: &mut [Value]) -> Result<(), Problem> {
    let first = body.pointer("/sort/0").unwrap_or(body);
    let by = first.get("sortBy").and_then(Value::as_str).unwrap_or("name");
    let descending = first.get("sortOrder").and_then(Value::as_str) == Some("DESC");
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        let id = values(kind, row, "id")?.unwrap_or_default().to_owned();
        keys.push((id, values(kind, row, by)?.unwrap_or_default().to_owned()));
    }
    let key = |row: &Value| {
        let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
        let of = |(known, by): &(String, String)| (known == id).then(|| (by.clone(), known.clone()));
        keys.iter().find_map(of).unwrap_or_default()
    };
    rows.sort_by_cached_key(key);
    if descending {
        rows.reverse();
    }
    Ok(())
}
