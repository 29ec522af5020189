//! Roles that tokens name.

use super::{super::claims::Roles, judge_in, org};
use crate::{
    model::{
        org::{Assignment, Org, Principal, Role},
        refusal::Code,
        set::{Ix, Set},
    },
    query::json::{self, Value},
};

/// `user-1` holds the first two of these roles, twice the first; two are called alike, and one has the other's id for a name.
fn with_roles() -> Org {
    let mut org = org();
    for (nth, (id, name)) in
        [("r-1", "Supervisor"), ("r-2", "Agent"), ("r-3", "Agent"), ("r-4", "r-1")].iter().enumerate()
    {
        let ix = Ix::new(u32::try_from(nth).unwrap());
        org.roles.push(Role { id: (*id).into(), name: (*name).into(), permissions: Vec::new() });
        org.index.roles.insert((*id).into(), ix);
        for word in [id, name] {
            let named = org.index.named_roles.entry((*word).into()).or_insert(Some(ix));
            *named = named.filter(|one| *one == ix);
        }
    }
    let division = Ix::new(0);
    let held = |role| Assignment { role: Ix::new(role), division, via: None };
    org.users[0].assignments = vec![held(0), held(1), held(0)];
    org
}

#[test]
fn of_the_roles_of_the_directory_those_count_that_the_token_names() {
    let org = with_roles();
    let of = |names: &[&str]| {
        let named = Roles::Named(names.iter().map(|name| (*name).into()).collect());
        named.of(Principal::User(Ix::new(0)), &org).unwrap().unwrap()
    };
    let some = |list: &[u32]| list.iter().map(|nth| Ix::new(*nth)).collect::<Set<_>>();
    assert_eq!(of(&["Supervisor"]), some(&[0]));
    assert_eq!(of(&["r-2", "Supervisor"]), some(&[0, 1]));
    // two are called alike; one is called as another is identified
    assert_eq!(of(&["Agent", "r-1"]), some(&[]));
    // he does not hold it, nobody knows it, or it is written otherwise
    assert_eq!(of(&["r-3", "r-4", "Owner", "supervisor", "Supervisor ", ""]), some(&[]));
    assert_eq!(of(&[]), some(&[]));
}

#[test]
fn a_claim_is_read_at_its_place() {
    let payload = r#"{"roles": ["a", "b"], "role": "a b", "realm_access": {"roles": ["c"], "x/y": {"~": "d"}},
        "https://idp.example/roles": ["e"], "mixed": ["a", 1], "number": 1, "none": null, "empty": []}"#;
    let payload: Value = json::parse_object(payload.as_bytes(), &json::Limits::default()).unwrap();
    let named = |list: &[&str]| Roles::Named(list.iter().map(|one| (*one).into()).collect());
    for (claim, due) in [
        ("roles", named(&["a", "b"])),
        ("role", named(&["a b"])),
        ("/realm_access/roles", named(&["c"])),
        ("/realm_access/x~1y/~0", named(&["d"])),
        ("https://idp.example/roles", named(&["e"])),
        ("empty", named(&[])),
        ("mixed", Roles::Missing),
        ("number", Roles::Missing),
        ("none", Roles::Missing),
        ("gone", Roles::Missing),
        ("realm_access/roles", Roles::Missing),
        ("/realm_access/gone", Roles::Missing),
        ("/roles/0", Roles::Missing),
    ] {
        assert_eq!(Roles::read(&payload, Some(claim)), due, "{claim}");
    }
    assert_eq!(Roles::read(&payload, None), Roles::Unasked);
}

#[test]
fn a_token_without_the_claim_is_refused_and_not_counted_as_a_failure() {
    let org = with_roles();
    let refusal = judge_in(&org, |settings| settings.role_claim = Some("roles".to_owned()), 0).unwrap_err();
    assert_eq!(refusal.code, Code::IdentityNoRoles);
    // the subject of the token stands for a list of roles: none that he holds
    let subject = judge_in(&org, |settings| settings.role_claim = Some("sub".to_owned()), 0).unwrap();
    assert_eq!(subject.claimed().map(|claimed| claimed.roles), Some(Set::new()));
    assert_eq!(judge_in(&org, |_| {}, 0).unwrap().claimed(), None);
}
