//! Answers that nobody judges row by row: proved by the ids of their path, or by naming nobody.

use super::fixture::*;
use crate::model::{
    answer::Shape,
    body::Access,
    contract::{Data, Param, ParamKind},
};

#[test]
fn what_is_nobodys_is_proved_by_any_right_and_by_none_not() {
    let ask = |entitlements| Try::new(plain("settings", Data::Metadata), entitlements, None).path("/settings");
    assert_eq!(ask(vec![whole()]).proved(), ["data of nobody <- answer: listed fields"]);
    assert_eq!(ask(vec![queues(&["qa"])]).proved(), ["data of nobody <- answer: listed fields"]);
    ask(vec![]).refused("without a right", "no entitlement");
    for data in [Data::Queue, Data::User, Data::Division, Data::Interaction] {
        let ask = Try::new(plain("settings", data), vec![whole()], None).path("/settings");
        ask.refused("data of somebody", "nothing says whose");
    }
    let thing = |path| Try::new(plain("settings/{thingId}", Data::Metadata), vec![whole()], None).path(path);
    assert_eq!(thing("/settings/any-thing").proved(), ["data of nobody <- answer: listed fields"]);
    for odd in ["/settings/", "/settings/..", "/settings/a/b", "/settings/%61"] {
        thing(odd).refused(odd, "");
    }
}

#[test]
fn what_is_somebodys_is_proved_by_each_of_its_owners() {
    let ask = |path, entitlements| {
        Try::new(plain("queues/{queueId}/waits/{thingId}", Data::Queue), entitlements, None).path(path)
    };
    assert_eq!(ask("/queues/qa/waits/chat", vec![whole()]).proved(), ["one id of the scope <- path"]);
    assert_eq!(ask("/queues/qa/waits/chat", vec![queues(&["qa"])]).proved(), ["one id of the scope <- path"]);
    ask("/queues/qb/waits/chat", vec![queues(&["qa"])]).refused("another queue", "outside");
    ask("/queues/qa/waits/chat", vec![boxed("qa", ANN)]).refused("a right to people", "");
    // the id of a thing proves nothing where rows are due
    let mut entity = ask("/queues/qa/waits/chat", vec![whole()]);
    entity.contract.shape = Shape::Entity;
    entity.refused("an entity read by what is nobody's", "may not come back whole");
    let mut interaction = Try::new(plain("conversations/{conversationId}", Data::Interaction), vec![whole()], None);
    interaction = interaction.path("/conversations/c-1");
    interaction.refused("an interaction without its legs", "may not come back whole");
}

#[test]
fn parameters_list_no_ids() {
    let mut ask = Try::new(plain("settings", Data::Metadata), vec![whole()], None).path("/settings").param("id", "qa");
    ask.contract.params = vec![Param { name: "id".into(), kind: ParamKind::Ids { access: Access::Queue, max: 3 } }];
    ask.refused("ids that nobody judges", "ids in parameters");
}
