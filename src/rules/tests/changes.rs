//! Changes: what a rule of class `write` has to say, and what it may not.

use super::*;
use crate::model::{
    contract::Effect,
    entitlement::Action,
    operation::{Class, Operation},
};

const CHANGES: &str = r#"[fixture]
directory = "../sample/directory.json"
now = 2026-11-20T10:00:00Z

[[rule]]
id = "interactions"
match = "GET /api/v2/mine/interactions"
class = "read"
data = "interaction"
permission = "a:b:view"
params = { id = { kind = "ids", of = "conversation", max = 100 } }
[rule.answer]
shape = "conversations"
rows = "$.conversations"
keys = { conversationId = "conversation" }
keep = "conversations"
empty = '{}'
[rule.answer.leg]
at = "$.participants[*].sessions[*].segments[*]"
queue = "queueId"
user = "../../userId"
time = ["segmentStart", "segmentEnd"]
[[rule.test]]
name = "a test"
as = "nobody"
refuses = "permission.missing"

[[rule]]
id = "mine"
match = "PATCH /api/v2/mine/interactions"
class = "write"
data = "interaction"
permission = "a:b:edit"
body = "BulkCallbackDisconnectRequest"
[rule.look]
of = "interactions"
part = "$.participants[*].sessions[*].sessionId"
[rule.answer]
shape = "plain"
keep = "callbacks-ended"
empty = '{}'
[[rule.test]]
name = "a test"
as = "nobody"
refuses = "permission.missing"
"#;

fn operation<'c>(compiled: &'c Compiled, id: &str) -> &'c Operation {
    compiled.rules.operations.iter().find(|one| *one.id == *id).unwrap()
}

#[test]
fn a_change_is_an_edit_and_looks_in_its_own_scope() {
    let compiled = compiled(CHANGES);
    let mine = operation(&compiled, "mine");
    assert_eq!((mine.class, mine.contract.method, mine.contract.action), (Class::Write, Method::Patch, Action::Edit));
    assert_eq!(mine.contract.effect, Effect::Changes);
    let look = mine.look.as_ref().unwrap();
    assert_eq!((&*look.operation.id, look.operation.contract.action), ("interactions", Action::Edit));
    assert_eq!(look.operation.contract.effect, Effect::Reads);
    assert!(look.part.as_ref().is_some_and(|part| part.array == 1));
    let read = operation(&compiled, "interactions");
    assert_eq!(read.contract.action, Action::View);
}

#[test]
fn each_fault_of_a_change_is_told() {
    const LOOK: &str = "[rule.look]\nof = \"interactions\"\npart = \"$.participants[*].sessions[*].sessionId\"\n";
    for (from, to, message) in [
        ("PATCH /", "GET /", "a `write` is a `POST`, `PUT`, `PATCH` or `DELETE`"),
        ("class = \"write\"", "class = \"query\"", "only a `write`, or an `export`, has a body with `owners`"),
        ("class = \"write\"", "class = \"read\"", "only a `write`, or an `export`, has a body with `owners`"),
        ("\"write\"\ndata = \"interaction\"", "\"write\"\ndata = \"queue\"", "changes what belongs to queues"),
        ("\"plain\"", "\"entity\"\nkeys = { id = \"queue\" }", "the answer to a `write` has the shape `plain`"),
        ("\"BulkCallbackDisconnectRequest\"", "\"ConversationQuery\"", "its proof names no `owners`"),
        ("body = \"BulkCallbackDisconnectRequest\"\n", "", "names what owns the changed thing"),
        ("/mine/interactions\"\nclass = \"write\"", "/mine/{thingId}\"\nclass = \"write\"", "whose anything else is"),
        (
            "/mine/interactions\"\nclass = \"write\"",
            "/mine/{divisionId}\"\nclass = \"write\"",
            "whose anything else is",
        ),
        (LOOK, "", "has a `[rule.look]` when it names interactions"),
        ("of = \"interactions\"", "of = \"mine\"", "shows no interactions by their ids"),
        ("of = \"interactions\"", "of = \"interaction\"", "there is no rule `interaction`"),
        ("part = \"$.participants[*].sessions[*].sessionId\"\n", "", "say in `part` where their ids stand"),
        ("sessions[*].sessionId\"", "others[*].sessionId\"", "is no element of the interaction"),
        ("\"BulkCallbackDisconnectRequest\"", "\"PatchCallbackRequest\"", "leave `part` out"),
        ("\"BulkCallbackDisconnectRequest\"", "\"CreateCallbackCommand\"", "when it names interactions, and only then"),
        ("\"a:b:edit\"", "\"a:b:edit\"\naction = \"view\"", "leave `action` out"),
        ("\"a:b:edit\"", "\"a:b:edit\"\noutside = \"narrow\"", "leave `outside` out"),
        ("\"a:b:edit\"", "\"a:b:edit\"\nstatic = \"drop\"", "leave `static` out"),
        ("\"a:b:edit\"", "\"a:b:edit\"\nempty-scope = \"answer\"", "leave `empty-scope` out"),
        ("\"a:b:edit\"", "\"a:b:edit\"\nmax-values = 3", "leave `max-values` out"),
        ("\"callbacks-ended\"", "\"queue\"", "passes `division`, which names whose something is"),
        (
            "class = \"write\"",
            "class = \"write\"\nparams = { id = { kind = \"ids\", of = \"queue\", max = 9 } }",
            "without parameters that list ids",
        ),
    ] {
        assert!(CHANGES.contains(from), "{from}");
        let told = problems(&CHANGES.replacen(from, to, 1));
        assert!(told.contains(message), "`{from}` -> `{to}`: wanted `{message}`, told\n{told}");
    }
}

#[test]
fn a_body_of_a_change_says_who_owns_it() {
    let model = |proof: &str, fields: &str| {
        format!("[model.X]\ndialect = \"genesys\"\ndata = \"interaction\"\nproof = {proof}\nfields = {{ {fields} }}\n")
    };
    let queue = "q = { kind = \"id\", access = \"queue\", required = true }";
    let no_owner = "no id of an owner that has to be sent";
    for (proof, fields, message) in [
        ("{ owners = [\"$.other\"] }", queue, no_owner),
        ("{ owners = [\"$.q\"] }", "q = { kind = \"id\", access = \"queue\" }", no_owner),
        ("{ owners = [\"$.q\"] }", "q = { kind = \"id\", access = \"user\", required = true }", no_owner),
        ("{ owners = [\"$.q\"] }", "q = { kind = \"text\", max = 9, required = true }", no_owner),
        (
            "{ owners = [\"$.q[*]\"] }",
            "q = { kind = \"list\", max = 9, of = { kind = \"id\", access = \"queue\" }, required = true }",
            no_owner,
        ),
        ("{ owners = [\"$.q[0]\"] }", queue, "is no path of ids"),
        ("{ owners = [\"$.q\"], filter = \"$.q\" }", queue, "this is no proof"),
        ("{ owners = [\"$.q\"], also = [\"$.q\"] }", queue, "this is no proof"),
        (
            "{ filter = \"$.f\" }",
            "f = { kind = \"filter\", filter = \"conversation-aggregate\" }, p = { kind = \"part\" }",
            "only the body of a change",
        ),
    ] {
        let mut files = files(GOOD);
        files.push(("more/models.toml".to_owned(), model(proof, fields)));
        let told = report(&compile(files, Policy::default()).unwrap_err());
        assert!(told.contains(message), "{proof} {fields}: told\n{told}");
    }
    let mut files = files(GOOD);
    files.push(("more/models.toml".to_owned(), model("{ owners = [\"$.q\"] }", queue)));
    assert!(compile(files, Policy::default()).is_ok());
}
