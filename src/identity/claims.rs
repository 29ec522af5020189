//! What a token says of its holder, whoever vouches for it.

use crate::{
    model::{
        org::{Org, Principal, RoleIx},
        refusal::{Code, Refusal},
        set::Set,
    },
    query::json::Value,
};
use jiff::Timestamp;

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    /// A user id of the directory, or the client id of a service account.
    pub(super) name: Box<str>,
    /// The provider's own name for the holder.
    pub(super) subject: Option<Box<str>>,
    pub(super) client: Option<Box<str>>,
    /// The token's own id; of one that has none, the digest of it.
    pub(super) token: Option<Box<str>>,
    pub(super) session: Option<Box<str>>,
    pub(super) issued: Option<Timestamp>,
    /// When it ends, leeway and all.
    pub(super) expires_at: Option<Timestamp>,
    /// Seconds from its issue, or from now, to its expiry.
    pub(super) lifetime: Option<i64>,
    pub(super) roles: Roles,
}

/// The roles that a token names, by id or by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roles {
    /// It is not asked for any.
    Unasked,
    Named(Vec<Box<str>>),
    /// It has to say them, and does not.
    Missing,
}

impl Roles {
    /// What stands at `claim`: one role, or a list of them. A claim that begins with `/` leads to its place as a JSON pointer
    /// does; any other is a name to the letter.
    pub(super) fn read(payload: &Value, claim: Option<&str>) -> Self {
        let Some(claim) = claim else { return Self::Unasked };
        let found = match claim.strip_prefix('/') {
            None => payload.get(claim),
            Some(path) => {
                path.split('/').try_fold(payload, |at, part| at.get(&part.replace("~1", "/").replace("~0", "~")))
            }
        };
        match found {
            Some(Value::Text(role)) => Self::Named(vec![role.as_ref().into()]),
            Some(Value::Array(list)) => {
                let roles = list.iter().map(|one| one.as_str().map(Box::from));
                roles.collect::<Option<_>>().map_or(Self::Missing, Self::Named)
            }
            _ => Self::Missing,
        }
    }

    /// Of the roles that the directory gives somebody, those that his token names. What it names beside them adds nothing.
    pub(super) fn of(&self, principal: Principal, org: &Org) -> Result<Option<Set<RoleIx>>, Refusal> {
        let named = match self {
            Self::Unasked => return Ok(None),
            Self::Named(named) => named,
            Self::Missing => {
                return Err(Refusal::new(
                    Code::IdentityNoRoles,
                    "your token does not say which roles you have, and only those count that it names; ask whoever runs your sign-in to \
                     put them into the token",
                ));
            }
        };
        let named: Set<RoleIx> =
            named.iter().filter_map(|role| org.index.named_roles.get(role).copied().flatten()).collect();
        let held: Set<RoleIx> = org.assignments(principal).iter().map(|held| held.role).collect();
        Ok(Some(held.intersection(&named)))
    }
}

/// Whole seconds since 1970, or a number with a fraction, which is cut off.
pub(super) fn instant(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    let seconds = value.as_i64().or_else(|| {
        let float = value.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
        (0.0..9e15).contains(&float).then_some(float as i64)
    })?;
    (seconds >= 0).then_some(seconds)
}

/// An id: a text that is not empty and holds no control character.
pub(super) fn name(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty() && !text.contains(char::is_control))
}

/// The client that a token was issued to.
pub(super) fn client(payload: &Value) -> Option<Box<str>> {
    ["azp", "client_id"].iter().find_map(|claim| name(payload.get(claim))).map(Into::into)
}

/// A text, or a list that holds it.
pub(super) fn holds(value: Option<&Value>, due: &str) -> bool {
    match value {
        Some(Value::Text(text)) => **text == *due,
        Some(Value::Array(list)) => list.iter().any(|one| one.as_str() == Some(due)),
        _ => false,
    }
}
