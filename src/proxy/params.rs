//! Query strings and form bodies: decoded once, strictly, and typed against what the operation lists.

use super::path::hex_pair;
use crate::{
    model::{
        contract::{Param, ParamKind},
        refusal::{Code, Refusal},
    },
    query::json,
};

/// Names and values in the order they were sent.
pub(super) type Pairs = Vec<(String, String)>;
/// Values by the names that the operation lists.
pub(super) type Typed = Vec<(Box<str>, Vec<String>)>;

/// Splits at `&` and `=`; `+` is a space, as forms and every client library write it.
pub(super) fn read(raw: &str) -> Result<Pairs, Refusal> {
    if raw.is_empty() {
        return Ok(Vec::new());
    }
    raw.split('&').map(pair).collect()
}

fn pair(raw: &str) -> Result<(String, String), Refusal> {
    let (name, value) = raw.split_once('=').ok_or_else(|| refuse("a query parameter has no `=`"))?;
    let (name, value) = (decode(name)?, decode(value)?);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(refuse("the name of a query parameter is empty or holds odd characters"));
    }
    Ok((name, value))
}

fn decode(raw: &str) -> Result<String, Refusal> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex_pair(&mut bytes)
                .ok_or_else(|| refuse("a query parameter has a `%` without two hexadecimal digits"))?,
            b';' => return Err(refuse("query parameters are separated by `&`; write `;` as `%3B`")),
            _ => byte,
        });
    }
    let decoded =
        String::from_utf8(decoded).map_err(|_| refuse("a query parameter is not UTF-8 once it is decoded"))?;
    if decoded.contains(char::is_control) {
        return Err(refuse("a query parameter holds a control character"));
    }
    if is_encoded(&decoded) {
        return Err(refuse("a query parameter is percent-encoded twice; encode it once"));
    }
    Ok(decoded)
}

fn is_encoded(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| hex_pair(&mut rest.bytes()).is_some())
}

/// What the operation lists, each with values of its type. Lists are split at commas, and repetitions joined.
pub(super) fn typed(pairs: Pairs, listed: &[Param]) -> Result<Typed, Refusal> {
    let mut typed = Typed::new();
    for (name, value) in pairs {
        let Some(param) = listed.iter().find(|param| *param.name == name) else {
            return Err(malformed(&name, "this operation has no such query parameter; leave it out"));
        };
        let values = values(&param.kind, value).map_err(|why| malformed(&name, why))?;
        match typed.iter_mut().find(|(known, _)| *known == param.name) {
            None => typed.push((param.name.clone(), values)),
            Some((_, known)) if matches!(param.kind, ParamKind::Ids { .. }) => known.extend(values),
            Some(_) => return Err(malformed(&name, "this query parameter is sent twice; send it once")),
        }
    }
    for (name, values) in &typed {
        let too_many = listed
            .iter()
            .any(|param| param.name == *name && matches!(param.kind, ParamKind::Ids { max, .. } if values.len() > max));
        if too_many {
            return Err(malformed(name, "this query parameter lists more ids than this operation takes"));
        }
    }
    Ok(typed)
}

fn values(kind: &ParamKind, value: String) -> Result<Vec<String>, &'static str> {
    match kind {
        ParamKind::Int { min, max } => {
            let number: i64 = value.parse().map_err(|_| "this query parameter is a whole number")?;
            if number.to_string() != value {
                return Err("this query parameter is a whole number without sign or leading zeros");
            }
            if number < *min || number > *max {
                return Err("this query parameter is outside its range");
            }
            Ok(vec![value])
        }
        ParamKind::Enum(words) if words.iter().any(|word| **word == *value) => Ok(vec![value]),
        ParamKind::Enum(_) => Err("this query parameter is not one of its words"),
        ParamKind::Cursor => Ok(vec![value]),
        ParamKind::Text { max } if value.len() <= *max => Ok(vec![value]),
        ParamKind::Text { .. } => Err("this query parameter is too long"),
        ParamKind::Ids { .. } => {
            let ids: Vec<String> = value.split(',').map(str::to_owned).collect();
            if ids.iter().any(String::is_empty) { Err("this query parameter has an empty id") } else { Ok(ids) }
        }
    }
}

/// Said in the query string and again in the body, a parameter would have two values.
pub(super) fn not_in_body(params: &[(Box<str>, Vec<String>)], body: &json::Value) -> Result<(), Refusal> {
    let keys = body.as_object().unwrap_or_default();
    match params.iter().find(|(name, _)| keys.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))) {
        Some((name, _)) => {
            Err(malformed(name, "this parameter stands in the query string and in the body; send it once"))
        }
        None => Ok(()),
    }
}

fn malformed(name: &str, why: &'static str) -> Refusal {
    let name: String = name.chars().take(64).collect();
    Refusal::new(Code::QueryMalformed, format!("`{name}`: {why}")).with("parameter", name)
}

fn refuse(why: &'static str) -> Refusal {
    Refusal::new(Code::RequestMalformed, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::body::Access;

    fn listed() -> Vec<Param> {
        vec![
            Param { name: "pageSize".into(), kind: ParamKind::Int { min: 1, max: 100 } },
            Param { name: "sortOrder".into(), kind: ParamKind::Enum(vec!["asc".into(), "desc".into()]) },
            Param { name: "name".into(), kind: ParamKind::Text { max: 8 } },
            Param { name: "id".into(), kind: ParamKind::Ids { access: Access::Queue, max: 3 } },
        ]
    }

    fn ask(raw: &str) -> Result<Vec<(String, Vec<String>)>, Code> {
        let typed = read(raw).and_then(|pairs| typed(pairs, &listed())).map_err(|refusal| refusal.code)?;
        Ok(typed.into_iter().map(|(name, values)| (name.into(), values)).collect())
    }

    #[test]
    fn both_forms_of_lists_that_clients_send_are_one() {
        let due = Ok(vec![("id".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
        for raw in ["id=a,b", "id=a%2Cb", "id=a&id=b"] {
            assert_eq!(ask(raw), due, "{raw}");
        }
        assert_eq!(ask("name=Que%2A+x"), Ok(vec![("name".to_owned(), vec!["Que* x".to_owned()])]));
        assert_eq!(ask(""), Ok(vec![]));
    }

    #[test]
    fn what_reads_in_two_ways_is_refused() {
        for raw in [
            "&",
            "a",
            "=b",
            "name=a;b=c",
            "name=%zz",
            "name=%2541",
            "name=%ff",
            "name=%0a",
            "name[]=a",
            "%70ageSize%26=1",
            "page+Size=1",
        ] {
            assert_eq!(ask(raw), Err(Code::RequestMalformed), "{raw}");
        }
    }

    #[test]
    fn what_the_operation_does_not_list_is_refused() {
        for raw in [
            "other=1",
            "pagesize=1",
            "pageSize=0",
            "pageSize=101",
            "pageSize=+1",
            "pageSize=01",
            "pageSize=1&pageSize=1",
            "sortOrder=ASC",
            "name=123456789",
            "name=a&name=b",
            "id=",
            "id=a,,b",
            "id=a,b,c,d",
            "id=a,b&id=c,d",
        ] {
            assert_eq!(ask(raw), Err(Code::QueryMalformed), "{raw}");
        }
    }

    #[test]
    fn one_parameter_in_two_places_is_refused() {
        let body = json::Value::object([("PageSize", json::Value::int(1))]);
        let params = vec![("pageSize".into(), vec!["2".to_owned()])];
        assert_eq!(not_in_body(&params, &body).unwrap_err().code, Code::QueryMalformed);
        assert!(not_in_body(&[], &body).is_ok());
    }
}
