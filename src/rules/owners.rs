//! Names of fields by which an upstream says whose something is, or that open something.

/// Whoever is named by one of these, alone or with what follows in [`PARTS`], is somebody.
const SOMEBODY: [&str; 37] = [
    "agent",
    "approver",
    "assignee",
    "attendee",
    "author",
    "caller",
    "coach",
    "colleague",
    "contributor",
    "conversation",
    "creator",
    "customer",
    "division",
    "editor",
    "employee",
    "evaluator",
    "externalcontact",
    "facilitator",
    "interaction",
    "manager",
    "member",
    "modifier",
    "owner",
    "participant",
    "people",
    "person",
    "publisher",
    "queue",
    "requester",
    "reviewer",
    "subject",
    "submitter",
    "supervisor",
    "team",
    "user",
    "username",
    "worker",
];

/// What an id, a name or an address of somebody ends with.
const PARTS: [&str; 14] =
    ["id", "ids", "s", "name", "names", "email", "emails", "ref", "refs", "address", "uri", "list", "details", "info"];

/// What opens something to whoever holds it.
const KEYS: [&str; 11] = [
    "token",
    "tokens",
    "secret",
    "secrets",
    "password",
    "credential",
    "credentials",
    "apikey",
    "privatekey",
    "webhook",
    "passphrase",
];

/// Words before `By` that order things and name nobody.
const ORDERS: [&str; 3] = ["sort", "order", "group"];

/// What a field says of somebody, or opens, by its name; in any case, with or without underlines.
pub(super) fn says(field: &str) -> Option<&'static str> {
    let lower = field.to_ascii_lowercase().replace(['_', '-'], "");
    if let Some(done) = lower.strip_suffix("by") {
        let word = ["By", "_by", "-by", "_BY"].iter().any(|by| field.ends_with(by)) || done.ends_with("ed");
        if word && !ORDERS.contains(&done) {
            return Some("names whose something is");
        }
    }
    if lower.ends_with("email") || lower.ends_with("emails") || lower.ends_with("emailaddress") {
        return Some("names whose something is");
    }
    if KEYS.iter().any(|key| lower.ends_with(key) || lower.strip_suffix("url").is_some_and(|rest| rest.ends_with(key)))
    {
        return Some("opens something to whoever holds it");
    }
    let stem = |part: &str| lower.strip_suffix(part).unwrap_or(&lower);
    let named = std::iter::once("").chain(PARTS).any(|part| SOMEBODY.iter().any(|word| is_of(stem(part), word)));
    named.then_some("names whose something is")
}

/// `agent` itself, and with a plural.
fn is_of(stem: &str, word: &str) -> bool {
    stem == word || stem.strip_suffix('s') == Some(word)
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn fields_that_name_somebody_or_open_something_are_known_in_every_spelling() {
        for field in [
            "userId",
            "user_id",
            "USERID",
            "users",
            "userIds",
            "userName",
            "createdBy",
            "created_by",
            "writtenBy",
            "managerEmail",
            "email",
            "queueName",
            "queue_names",
            "divisionIds",
            "agentList",
            "accessToken",
            "clientSecret",
            "webhookUrl",
            "apiKey",
            "owner",
            "memberRefs",
            "people",
        ] {
            assert!(says(field).is_some(), "{field}");
        }
        for field in [
            "id",
            "name",
            "sortBy",
            "groupBy",
            "description",
            "maxAgentsPerCall",
            "userInactivityTimeout",
            "tokenExpirySeconds",
            "standby",
            "ownership",
            "queueable",
            "dateCreated",
            "emailEnabled",
            "version",
        ] {
            assert_eq!(says(field), None, "{field}");
        }
    }
}
