//! One person read by his id: there for whoever sees him, and for nobody else.

use super::{
    lists::{Asker, Heard, every_asker, told},
    program,
    random::{cases, judges_shares},
};
use crate::oracle::{
    data::{Directory, User},
    lists::{self, List},
};
use bailiwick::{model::contract::Method, model::refusal::Code, query::Question};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// Whether region and division of somebody disagree.
fn misplaced(directory: &Directory, user: &User) -> bool {
    directory.division(&user.division).is_none_or(|division| division.region != user.region)
}

fn read(asker: &Asker<'_>, user: &User) -> Heard {
    let (operation, ids) = program::rules().find(Method::Get, &["api", "v2", "users", &user.id]).unwrap();
    let ids = ids.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let question =
        Question { operation: Arc::clone(operation), ids, params: vec![], body: None, kept: None, seen: None };
    asker.put(&question, |_, _| Some(json!({ "id": user.id, "name": user.name, "division": { "id": user.division } })))
}

#[test]
fn a_person_is_read_by_whoever_sees_him_and_is_not_there_for_others() {
    let (mut shown, mut odd, mut own) = (0, 0, 0);
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    every_asker(cases() / 50, &mut |asker, dice| {
        let directory = asker.directory();
        let scope = asker.scope(program::list_of(List::Users), lists::data_of(List::Users));
        let drawn = dice.some(&directory.users, 8, 8);
        let always = directory.users.iter().filter(|user| user.id == asker.person || misplaced(directory, user));
        let mut stranger = drawn[0].clone();
        stranger.id = "u-invented".to_owned();
        let invented = read(asker, &stranger).err().map(|refusal| told(&refusal));
        for user in drawn.iter().chain(always) {
            let due = lists::shows_user(directory, &asker.person, &scope, &user.id);
            odd += usize::from(misplaced(directory, user));
            own += usize::from(misplaced(directory, user) && user.id == asker.person);
            match read(asker, user) {
                Ok((answer, _)) if due && answer["id"] == json!(user.id) => shown += 1,
                Ok((answer, _)) => return Err(format!("`{}`: due {due}, answered {answer}", user.id)),
                Err(refusal) if due => return Err(format!("`{}` is due: {refusal} {:?}", user.id, refusal.cause)),
                Err(refusal) => {
                    *codes.entry(refusal.code.as_str()).or_default() += 1;
                    // A right with a data window names him, and a person has no time.
                    if refusal.code != Code::WindowOutside && invented != Some(told(&refusal)) {
                        return Err(format!("`{}`: {refusal:?}, and an invented one {invented:?}", user.id));
                    }
                }
            }
        }
        Ok(())
    });
    println!("people read: {shown} shown, {odd} misplaced, {own} of them the asker, refused {codes:?}");
    assert!((shown > 100 && odd > 100 && own > 1) || !judges_shares(), "{shown} {odd} {own} {codes:?}");
}
