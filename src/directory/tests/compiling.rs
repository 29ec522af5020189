use super::*;
use crate::model::{
    entitlement::Action,
    org::{GrantResource, ObjectKind, PermissionScope, Principal, Read},
    set::Dim,
};

#[test]
fn dangling_references_are_refused_everywhere() {
    for (old, new, line, what) in [
        (r#"{"id": "d-b", "region": "us""#, r#"{"id": "d-b", "region": "xx""#, 7, "no region `xx`"),
        (r#""members": ["u-1"], "roles""#, r#""members": ["xx"], "roles""#, 12, "no user `xx`"),
        (r#"{"role": "r-group""#, r#"{"role": "xx""#, 12, "no role `xx`"),
        (r#""queues": ["q-1"], "users""#, r#""queues": ["xx"], "users""#, 19, "no queue `xx`"),
        (r#""u-3", "division": "d-b""#, r#""u-3", "division": "xx""#, 23, "no division `xx`"),
        (r#""groups": ["g-1"]"#, r#""groups": ["xx"]"#, 22, "no group `xx`"),
        (r#""memberGroups": ["g-1"]"#, r#""memberGroups": ["xx"]"#, 26, "no group `xx`"),
        (r#"["u-3"]}"#, r#"["u-3"], "folder": "xx"}"#, 27, "no folder `xx`"),
        (r#"["u-3"]}"#, r#"["u-3"], "readList": ["xx"]}"#, 27, "no group `xx`"),
        (r#"["u-3"]}"#, r#"["u-3"], "owners": ["xx"]}"#, 27, "no user `xx`"),
        (r#""clientIds": ["c-1"]"#, r#""groups": ["xx"]"#, 29, "no group `xx`"),
        (r#""clientIds": ["c-1"]"#, r#""actsFor": {"groups": ["xx"]}"#, 29, "no group `xx`"),
        (r#"{"id": "f-1", "division": "d-a"}"#, r#"{"id": "f-1", "division": "xx"}"#, 30, "no division `xx`"),
        (r#""labels": ["l-1"]"#, r#""labels": ["xx"]"#, 32, "no label `xx`"),
        (
            r#""conversations": ["c-2"]}"#,
            r#""marks": ["offer", "size", "offer"]}"#,
            31,
            "the property `offer` marks two labels",
        ),
        (r#""conversations": ["c-2"]}"#, r#""marks": [""]}"#, 31, "the mark has an empty id"),
        (r#""conversations": ["c-2"]}"#, r#""marks": [" offer"]}"#, 31, "the mark id ` offer` begins"),
        (r#""conversations": ["c-2"]}"#, r#""marks": [7]}"#, 31, "a number where a text belongs"),
        (r#"["r-1", "r-sod"]"#, r#"["r-1", "xx"]"#, 33, "no role `xx`"),
        (r#""beneficiary": "u-3""#, r#""beneficiary": "xx""#, 35, "no user `xx`"),
        (r#"{"kind": "case", "id": "case-1"}"#, r#"{"kind": "case", "id": "xx"}"#, 35, "no case `xx`"),
        (r#"  "folders": [],"#, r#"  "bpoMarks": {"groups": ["xx"]},"#, 10, "no group `xx`"),
    ] {
        refused(&with(old, new), line, what);
    }
}

#[test]
fn a_mark_is_of_the_division_of_its_label() {
    let org = org(&with(r#""conversations": ["c-2"]}"#, r#""marks": ["offer", "Offer"]}"#));
    let here = org.index.divisions["d-a"];
    assert_eq!(org.index.marks, [("offer".into(), here), ("Offer".into(), here)].into());
}

#[test]
fn ids_are_unique_and_canonical() {
    refused(&with(r#"{"id": "g-2""#, r#"{"id": "g-1""#), 13, "defined twice");
    // Two things go wrong here, the queue's member among them.
    let all = problems(&with(r#"{"id": "u-3""#, r#"{"id": " u-3""#));
    assert!(all.iter().any(|problem| problem.line == 23 && problem.what.contains("white space")), "{}", told(&all));
    refused(&with(r#"{"id": "g-2""#, r#"{"id": """#), 13, "has an empty id");
    refused(&with(r#"{"id": "g-2""#, "{\"id\": \"g\u{200b}-2\""), 13, "invisible character");
    refused(
        &with(
            r#""clientIds": ["c-1"]}"#,
            r#""clientIds": ["c-1"]}, {"id": "s-2", "region": "us", "clientIds": ["c-1"]}"#,
        ),
        29,
        "two service accounts",
    );
}

#[test]
fn divisions_make_one_tree_in_each_region() {
    let org = org(GOOD);
    let leaf = |id: &str| org.division(*org.index.divisions.get(id).unwrap()).leaf;
    assert_eq!((leaf("d-us"), leaf("d-a"), leaf("d-eu")), (false, true, true));
    refused(
        &with(r#"{"id": "d-b", "region": "us", "parent": "d-us"}"#, r#"{"id": "d-b", "region": "us"}"#),
        7,
        "`d-us` is the root of region `us`",
    );
    refused(
        &with(r#"{"id": "d-us", "region": "us"}"#, r#"{"id": "d-us", "region": "us", "parent": "d-a"}"#),
        5,
        "its own ancestor",
    );
    refused(
        &with(r#"{"id": "d-eu", "region": "eu"}"#, r#"{"id": "d-eu", "region": "eu", "parent": "d-us"}"#),
        8,
        "stands under `d-us`",
    );
    refused(
        &with(r#"{"id": "d-us", "region": "us"}"#, r#"{"id": "d-us", "region": "us", "shared": true}"#),
        5,
        "has children",
    );
    refused(&with(r#"{"id": "d-eu", "region": "eu"}"#, r#"{"id": "d-eu"}"#), 8, "states no region");
    refused(&with(r#""https://eu.example.com""#, r#""eu.example.com""#), 3, "no base URL");
    refused(
        &with(r#""https://eu.example.com""#, r#""https://eu.example.com", "hosts": ["US.example.com"]"#),
        3,
        "stands in regions",
    );
}

#[test]
fn a_person_belongs_to_a_division() {
    refused(&with(r#""u-3", "division": "d-b", "#, r#""u-3", "#), 23, "is in no division");
    refused(
        &with(r#""u-3", "division": "d-b", "#, r#""u-3", "manager": "u-3", "division": "d-b", "#),
        23,
        "his own manager",
    );
}

#[test]
fn membership_comes_from_both_sides_and_through_groups() {
    let org = org(GOOD);
    let group = org.group(*org.index.groups.get("g-1").unwrap());
    assert_eq!(names(&org, &group.members), ["u-1", "u-2"]);
    let one = org.queue(queue(&org, "q-1"));
    assert_eq!(
        (names(&org, &one.named), names(&org, &one.members)),
        (vec!["u-2".to_owned()], vec!["u-1".to_owned(), "u-2".to_owned()])
    );
    let first = org.user(user(&org, "u-1"));
    assert!(first.queues.contains(&queue(&org, "q-1")) && first.named_queues.is_empty());
    assert!(org.user(user(&org, "u-2")).named_queues.contains(&queue(&org, "q-1")));
}

#[test]
fn every_present_member_holds_the_roles_of_the_group() {
    let org = org(GOOD);
    let via = |id: &str| org.user(user(&org, id)).assignments.iter().map(|held| held.via.is_some()).collect::<Vec<_>>();
    assert_eq!((via("u-1"), via("u-2"), via("u-3")), (vec![false, true], vec![true], vec![]));
}

#[test]
fn dangerous_roles_need_a_name_in_unsafe_allow() {
    let role = r#"{"id": "r-1", "permissions": [{"permission": "analytics:report:view", "scope": "all"}]}"#;
    for (form, new, what) in [
        ("inherits", r#"{"id": "r-1", "inherits": ["r-group"]}"#, "inherits from other roles"),
        ("system", r#"{"id": "r-1", "system": true}"#, "is a system role"),
        (
            "wildcard",
            r#"{"id": "r-1", "permissions": [{"permission": "analytics:*:view", "scope": "self"}]}"#,
            "holds the wildcard",
        ),
        (
            "impersonate",
            r#"{"id": "r-1", "permissions": [{"permission": "user:impersonate", "scope": "all"}]}"#,
            "act for everybody",
        ),
    ] {
        let text = with(role, new);
        refused(&text, 16, what);
        let allowed = text.replace(r#"  "folders": [],"#, &format!(r#"  "unsafeAllow": ["{form}:r-1"],"#));
        assert!(org(&allowed).findings.iter().any(|finding| finding.code == "R01" && finding.at == "role `r-1`"));
    }
    let part = r#"{"id": "r-1", "permissions": [{"permission": "analytics:conv*:view", "scope": "self"}]}"#;
    refused(&with(role, part), 16, "`analytics:conv*:view` is no permission");
    let inherited = with(role, r#"{"id": "r-1", "inherits": ["r-group"]}"#)
        .replace(r#"  "folders": [],"#, r#"  "unsafeAllow": ["inherits:r-1"],"#);
    assert_eq!(org(&inherited).roles.first().unwrap().permissions.len(), 1);
    let circle = inherited.replace(r#"["r-group"]}"#, r#"["r-1"]}"#);
    refused(&circle, 16, "inherits from itself");
    refused(&with(r#"  "folders": [],"#, r#"  "unsafeAllow": ["all"],"#), 10, "no dangerous form");
    refused(&with(r#"  "folders": [],"#, r#"  "unsafeAllow": ["system:xx"],"#), 10, "no role `xx`");
}

#[test]
fn a_permission_has_a_form_and_what_its_scope_needs() {
    let line = r#""analytics:report:view", "scope": "all""#;
    refused(&with(line, r#""analytics:report", "scope": "all""#), 16, "is no permission");
    refused(&with(line, r#""analytics:report:view", "scope": "view""#), 16, "names no view");
    refused(&with(line, r#""analytics:report:view", "scope": "view", "view": "xx""#), 16, "no view `xx`");
    refused(&with(line, r#""analytics:report:view", "scope": "group""#), 16, "names no group");
    refused(&with(line, r#""analytics:report:view", "scope": "self", "team": true"#), 16, "needs scope `assigned`");
    refused(&with(line, r#""analytics:report:view", "scope": "all", "view": "v-1""#), 16, "needs scope `view`");
    refused(&with(line, r#""analytics:report:view", "scope": "all", "groups": ["g-1"]"#), 16, "need scope `group`");
    refused(
        &with(line, r#""analytics:report:view", "scope": "all", "crossRegion": "metadata""#),
        16,
        "no audit permission",
    );
    let org = org(&with(line, r#""analytics:report:view", "scope": "view", "view": "v-1""#));
    let PermissionScope::View(view) = &org.roles[0].permissions[0].scope else { panic!() };
    assert_eq!(org.view(*view).queues, Dim::Only(Set::one(queue(&org, "q-1"))));
    assert_eq!(org.view(*view).users, Dim::Any);
}

#[test]
fn only_people_of_the_house_cross_regions() {
    let audit = with(
        r#""analytics:report:view", "scope": "all""#,
        r#""audits:audit:view", "scope": "all", "crossRegion": "metadata""#,
    );
    assert!(org(&audit).roles[0].permissions[0].cross_region);
    refused(
        &audit.replace(r#""u-1", "division": "d-a""#, r#""u-1", "bpo": true, "division": "d-a""#),
        21,
        "the outsourcer `u-1`",
    );
    let service = r#""clientIds": ["c-1"], "roles": [{"role": "r-1", "division": "d-a"}]"#;
    refused(&audit.replace(r#""clientIds": ["c-1"]"#, service), 29, "service account `s-1`");
    let group = audit.replace(r#"{"role": "r-group", "division": "d-b"}"#, r#"{"role": "r-1", "division": "d-b"}"#);
    refused(
        &group.replace(r#""u-2", "division""#, r#""u-2", "bpo": true, "division""#),
        12,
        "group `g-1` holds the outsourcer `u-2`",
    );
}

#[test]
fn marks_are_read_as_the_flag() {
    let marked = |marks: &str| with(r#"  "folders": [],"#, &format!(r#"  "bpoMarks": {marks},"#));
    let is_bpo = |text: &str| {
        let org = org(text);
        (org.user(user(&org, "u-2")).bpo, org.user(user(&org, "u-3")).bpo)
    };
    assert_eq!(is_bpo(&marked(r#"{"groups": ["g-1"]}"#)), (true, false));
    let mail = |address: &str| {
        marked(r#"{"mailDomains": ["Acme.example"], "licences": ["bpo"]}"#)
            .replace(r#"{"id": "u-3","#, &format!(r#"{{"id": "u-3", "email": "{address}","#))
    };
    assert_eq!(is_bpo(&mail("x@acme.EXAMPLE")), (false, true));
    assert_eq!(is_bpo(&mail("x@sub.acme.example")), (false, true));
    assert_eq!(is_bpo(&mail("x@notacme.example")), (false, false));
    assert_eq!(is_bpo(&mail("x@b.example\", \"licence\": \"bpo")), (false, true));
}

#[test]
fn the_nearest_list_that_reaches_decides_alone() {
    let folders = r#"  "folders": [
      {"id": "top", "readList": ["g-1"], "propagate": true},
      {"id": "own", "parent": "top", "readList": ["g-2"]},
      {"id": "deep", "parent": "own"},
      {"id": "none"}, {"id": "nobody", "parent": "top", "readList": []}],"#;
    let read = |queue_says: &str, default: &str| {
        let text = with(r#"  "folders": [],"#, &format!("{folders}{default}"))
            .replace(r#"["u-3"]}"#, &format!(r#"["u-3"]{queue_says}}}"#));
        let org = org(&text);
        match &org.queue(queue(&org, "q-2")).read {
            Read::Groups(groups) => {
                groups.iter().map(|group| org.group(*group).id.to_string()).collect::<Vec<_>>().join("+")
            }
            other => format!("{other:?}"),
        }
    };
    assert_eq!(read(r#", "folder": "own""#, ""), "g-2");
    assert_eq!(read(r#", "folder": "top""#, ""), "g-1");
    assert_eq!(read(r#", "folder": "deep""#, ""), "g-1", "a list that does not propagate ends at its own queues");
    assert_eq!(read(r#", "folder": "nobody""#, ""), "Closed");
    assert_eq!(read(r#", "folder": "none""#, ""), "Closed");
    assert_eq!(read("", ""), "Closed", "in no folder");
    assert_eq!(read("", r#""defaultRead": "open","#), "Open");
    assert_eq!(read(r#", "folder": "nobody""#, r#""defaultRead": "open","#), "Closed");
    assert_eq!(
        read(r#", "folder": "own", "readList": ["g-1", "g-2"]"#, ""),
        "g-1+g-2",
        "the queue's own list decides alone"
    );
    refused(
        &with(r#"  "folders": [],"#, r#"  "folders": [{"id": "a", "parent": "b"}, {"id": "b", "parent": "a"}],"#),
        10,
        "lies in itself",
    );
}

/// `GOOD` with names for its queues and these permission objects.
fn with_objects(objects: &str, first: &str, second: &str) -> String {
    with(r#"  "folders": [],"#, &format!(r#"  "permissionObjects": [{objects}],"#))
        .replace(r#"{"id": "q-1", "#, &format!(r#"{{"id": "q-1", {first}"#))
        .replace(r#"{"id": "q-2", "#, &format!(r#"{{"id": "q-2", {second}"#))
}

#[test]
fn permission_objects_are_the_read_lists_of_their_queues() {
    let reads = |objects: &str, first: &str, second: &str| {
        let org = org(&with_objects(objects, first, second));
        let told = |id: &str| match &org.queue(queue(&org, id)).read {
            Read::Groups(groups) => groups.iter().map(|group| org.group(*group).id.to_string()).collect::<String>(),
            other => format!("{other:?}"),
        };
        (told("q-1"), told("q-2"))
    };
    let due = |first: &str, second: &str| (first.to_owned(), second.to_owned());
    let (cards, loans) = (r#""name": "Cards", "#, r#""name": "Loans", "#);
    let object = r#"{"name": "ges_Cards", "readList": ["g-1"]}"#;
    assert_eq!(reads(object, cards, loans), due("g-1", "Closed"), "a list brings lines of business into force");
    assert_eq!(reads(r#"{"name": "ges_q-2", "readList": ["g-2"]}"#, cards, loans), due("Closed", "g-2"), "by id");
    assert_eq!(reads(r#"{"name": "ges_Cards", "readList": []}"#, cards, loans), due("Closed", "Closed"));
    assert_eq!(reads(r#"{"name": "ges_cards", "readList": ["g-1"]}"#, cards, loans), due("Closed", "Closed"), "whole");
    // Not clear: two queues of the name, two objects of one queue, a list of the queue's own.
    assert_eq!(reads(object, cards, cards), due("Closed", "Closed"));
    let both = r#"{"name": "ges_Cards", "readList": ["g-1"]}, {"name": "gms_Cards", "readList": ["g-1"]}"#;
    assert_eq!(reads(both, cards, loans), due("Closed", "Closed"));
    let own = r#""name": "Cards", "readList": ["g-1"], "#;
    assert_eq!(reads(object, own, loans), due("Closed", "Closed"));
    let stated = r#"{"name": "ges_Cards", "queue": "q-2", "readList": ["g-2"]}"#;
    assert_eq!(reads(stated, cards, cards), due("Closed", "g-2"), "the id says what the name does not");
    let as_other = r#"{"name": "ges_q-2", "readList": ["g-1"]}"#;
    assert_eq!(reads(as_other, r#""name": "q-2", "#, loans), due("Closed", "Closed"), "one queue's name, another's id");
}

#[test]
fn permission_objects_that_bind_nothing_are_told() {
    let found = |objects: &str, first: &str| {
        let org = org(&with_objects(objects, first, r#""name": "Loans", "#));
        let about = |finding: &&crate::model::finding::Finding| finding.code == "L03";
        org.findings.iter().filter(about).map(|finding| finding.why.clone()).collect::<Vec<_>>()
    };
    let object = r#"{"name": "ges_Loans", "readList": ["g-1"]}"#;
    assert!(found(object, r#""name": "Cards", "#).is_empty());
    let unclear = found(object, r#""name": "Loans", "#);
    assert!(unclear.len() == 1 && unclear[0].contains("`ges_Loans`"), "{unclear:?}");
    assert!(unclear[0].contains("`q-1`, `q-2`"), "{unclear:?}");
    let loose = found(r#"{"name": "ges_Gone", "readList": ["g-1"]}"#, r#""name": "Cards", "#);
    assert!(loose.len() == 1 && loose[0].contains("`ges_Gone`"), "{loose:?}");
    refused(&with_objects(r#"{"name": "Cards", "readList": ["g-1"]}"#, "", ""), 10, "names no queue");
    refused(&with_objects(r#"{"name": "ges_", "readList": ["g-1"]}"#, "", ""), 10, "names no queue");
    refused(&with_objects(r#"{"name": "ges_q-1", "queue": "xx", "readList": []}"#, "", ""), 10, "no queue `xx`");
    refused(&with_objects(r#"{"name": "ges_q-1", "readList": ["xx"]}"#, "", ""), 10, "no group `xx`");
    refused(&with_objects(r#"{"name": "ges_q-1"}"#, "", ""), 10, "`readList` is missing");
}

#[test]
fn without_folder_or_list_there_are_no_lines_of_business() {
    let plain = org(GOOD);
    assert!(plain.queues.iter().all(|queue| queue.read == Read::Open));
    let listed = org(&with(r#"["u-3"]}"#, r#"["u-3"], "readList": ["g-1"]}"#));
    assert_eq!(listed.queue(queue(&listed, "q-1")).read, Read::Closed);
    assert!(listed.open_to(queue(&listed, "q-2"), Principal::User(user(&listed, "u-1"))));
    assert!(!listed.open_to(queue(&listed, "q-2"), Principal::User(user(&listed, "u-3"))));
}

#[test]
fn a_legacy_option_opens_what_all_its_sections_open() {
    let legacy = |sections: &str| {
        let org = org(&with(r#"{"id": "u-3","#, &format!(r#"{{"id": "u-3", "legacy": {sections},"#)));
        org.user(user(&org, "u-3")).legacy.as_ref().map(Set::len)
    };
    assert_eq!(legacy("{}"), None);
    assert_eq!(legacy(r#"{"ges": ["q-1", "q-2"]}"#), Some(2));
    assert_eq!(legacy(r#"{"ges": ["q-1", "q-2"], "gms": ["q-2"]}"#), Some(1));
    assert_eq!(legacy(r#"{"ges": ["q-1"], "gms": ["q-2"]}"#), Some(0));
}

#[test]
fn grants_and_objects_are_resolved() {
    let org = org(GOOD);
    let grant = &org.grants[0];
    assert_eq!(grant.actions, [Action::View, Action::AddRemove]);
    assert_eq!(grant.resources[0], GrantResource::Queue(queue(&org, "q-1")));
    let GrantResource::Conversations { conversations, .. } = &grant.resources[1] else { panic!() };
    assert_eq!(conversations.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["c-1", "c-2"]);
    assert_eq!(org.index.grants.get(&user(&org, "u-3")), Some(&vec![0]));
    assert_eq!(org.objects.get(&(ObjectKind::Flow, "f-1".into())), org.index.divisions.get("d-a"));
    refused(&with(r#"["view", "addRemove"]"#, r#"["look"]"#), 36, "`look` is no action");
    refused(&with(r#"["view", "addRemove"]"#, "[]"), 36, "names no action");
    refused(&with(r#""2026-12-01T00:00:00Z""#, r#""2026-11-01T00:00:00Z""#), 36, "ends before it begins");
    refused(
        &with(
            r#"["view", "addRemove"]"#,
            r#"["view"], "data": {"from": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}"#,
        ),
        36,
        "is empty",
    );
}

#[test]
fn people_of_another_region_stand_in_no_list() {
    let org = org(&with(r#""u-3", "division": "d-b", "region": "us""#, r#""u-3", "division": "d-b", "region": "eu""#));
    assert!(org.division(*org.index.divisions.get("d-b").unwrap()).users.is_empty());
    assert!(org.findings.iter().any(|finding| finding.code == "O03" && finding.at == "user `u-3`"));
}

/// Near-linear: ten times the people must not take a hundred times as long.
#[test]
fn large_organisations_compile() {
    use std::fmt::Write as _;
    let mut text = String::from(
        r#"{"regions": [{"id": "us", "upstream": "https://us.example.com"}], "divisions": [{"id": "d", "region": "us"}],
        "roles": [{"id": "r", "permissions": [{"permission": "analytics:report:view", "scope": "assigned"}]}], "folders": ["#,
    );
    for nth in 0..20_000 {
        let parent = if nth == 0 { String::new() } else { format!(r#", "parent": "f-{}""#, nth - 1) };
        write!(text, "{}{{\"id\": \"f-{nth}\"{parent}}}", if nth == 0 { "" } else { "," }).unwrap();
    }
    text.push_str(r#"], "users": ["#);
    for nth in 0..20_000 {
        let comma = if nth == 0 { "" } else { "," };
        write!(text, r#"{comma}{{"id": "u-{nth}", "division": "d", "region": "us", "roles": [{{"role": "r", "division": "d"}}]}}"#).unwrap();
    }
    text.push_str("]}");
    assert_eq!(org(&text).users.len(), 20_000);
}
