use super::*;

#[track_caller]
fn finds(text: &str, code: &str, at: &str) {
    let found = org(text).findings;
    let is_found = found.iter().any(|finding| finding.code == code && finding.at == at);
    assert!(is_found, "no {code} at {at} in {found:#?}");
}

#[test]
fn a_plain_organisation_has_no_finding() {
    assert_eq!(org(GOOD).findings, []);
}

#[test]
fn divisions() {
    finds(&with(r#""u-3", "division": "d-b""#, r#""u-3", "division": "d-us""#), "D01", "division `d-us`");
    finds(&with(r#"{"id": "q-2", "division": "d-b""#, r#"{"id": "q-2", "division": "d-us""#), "D01", "division `d-us`");
    finds(
        &with(r#"{"role": "r-1", "division": "d-a"}"#, r#"{"role": "r-1", "division": "d-us"}"#),
        "D02",
        "role `r-1` in division `d-us`",
    );
    let deep = r#"{"id": "1", "parent": "d-us"}, {"id": "2", "parent": "1"}, {"id": "3", "parent": "2"}, {"id": "4", "parent": "3"}, {"id": "5", "parent": "4"}, {"id": "d-eu", "region": "eu"}"#;
    finds(&with(r#"{"id": "d-eu", "region": "eu"}"#, deep), "D03", "division `5`");
    finds(
        &with(
            r#"{"id": "d-b", "region": "us", "parent": "d-us"}"#,
            r#"{"id": "d-b", "region": "us", "parent": "d-a"}"#,
        ),
        "D03",
        "division `d-b`",
    );
    finds(
        &with(r#"{"id": "d-b", "region": "us""#, r#"{"id": "d-b", "shared": true, "region": "us""#),
        "D04",
        "division `d-b`",
    );
}

#[test]
fn regions() {
    finds(
        &with(r#"{"role": "r-1", "division": "d-a"}"#, r#"{"role": "r-1", "division": "d-eu"}"#),
        "O03",
        "user `u-1`",
    );
    finds(&with(r#"{"id": "g-1", "region": "us""#, r#"{"id": "g-1", "region": "eu""#), "O03", "group `g-1`");
    finds(&with(r#"{"id": "q-2", "division": "d-b""#, r#"{"id": "q-2", "division": "d-eu""#), "O03", "queue `q-2`");
}

#[test]
fn roles() {
    let two = r#"[{"role": "r-1", "division": "d-a"}, {"role": "r-2", "division": "d-a"}]}"#;
    let second =
        r#"{"id": "r-2", "permissions": [{"permission": "analytics:query:view", "scope": "self"}]}, {"id": "r-group""#;
    let both = with(r#"{"id": "r-group""#, second).replace(r#"[{"role": "r-1", "division": "d-a"}]}"#, two);
    finds(&both, "R03", "user `u-1`");
    finds(
        &with(
            r#""routing:callback:view", "scope": "assigned", "team": true"#,
            r#""routing:queue:view", "scope": "all""#,
        ),
        "R04",
        "role `r-group`",
    );
    // a wildcard holds what it stands for: it is no more than itself with a part of it, and it is wide
    let starred = |name: &str, scope: &str| {
        let second = format!(
            r#"{{"id": "r-2", "permissions": [{{"permission": "{name}", "scope": "{scope}"}}]}}, {{"id": "r-group""#
        );
        let with_role = with(r#"{"id": "r-group""#, &second).replace(r#"[{"role": "r-1", "division": "d-a"}]}"#, two);
        with_role.replacen(r#""folders": []"#, r#""unsafeAllow": ["wildcard:r-2"], "folders": []"#, 1)
    };
    finds(&starred("*:query:view", "self"), "R03", "user `u-1`");
    for (name, wide) in
        [("*:queue:view", true), ("routing:*:view", true), ("routing:*:*", true), ("analytics:*:view", false)]
    {
        let found = org(&starred(name, "all")).findings;
        let told = found.iter().any(|finding| finding.code == "R04" && finding.at == "role `r-2`");
        assert_eq!(told, wide, "{name}: {found:#?}");
    }
    for (name, scope, more) in
        [("analytics:*:view", "all", false), ("*:report:view", "all", false), ("analytics:*:view", "self", true)]
    {
        let found = org(&starred(name, scope)).findings;
        assert_eq!(found.iter().any(|finding| finding.code == "R03"), more, "{name}: {found:#?}");
    }
    let group = r#""analytics:report:view", "scope": "group", "groups": ["g-2"]"#;
    let shared = with(r#""analytics:report:view", "scope": "all""#, group)
        .replace(r#"{"id": "g-2", "region": "us"}"#, r#"{"id": "g-2", "region": "us", "members": ["u-1"]}"#);
    finds(&shared, "R05", "role `r-1` in division `d-a`");
    finds(&with(r#"["r-1", "r-sod"]"#, r#"["r-1", "r-group"]"#), "R06", "user `u-1`");
}

#[test]
fn views_and_groups_over_a_wall() {
    let view = with(r#""scope": "all""#, r#""scope": "view", "view": "v-1""#)
        .replace(r#""queues": ["q-1"], "users""#, r#""queues": ["q-1", "q-2"], "users""#);
    finds(&view, "V01", "role `r-1` in division `d-a`");
    finds(&view.replace(r#"{"id": "u-1", "#, r#"{"id": "u-1", "bpo": true, "#), "O04", "role `r-1` in division `d-a`");
    let group = with(r#""scope": "all""#, r#""scope": "group", "groups": ["g-2"]"#)
        .replace(r#"{"id": "u-3", "#, r#"{"id": "u-3", "groups": ["g-2"], "#);
    finds(&group, "V01", "role `r-1` in division `d-a`");
}

#[test]
fn outsourcers() {
    let bpo = with(r#"{"id": "u-1", "#, r#"{"id": "u-1", "bpo": true, "#);
    finds(&bpo, "O02", "role `r-1` in division `d-a`");
    finds(&bpo, "O02", "division `d-a`");
    finds(&bpo, "O05", "queue `q-1`");
    finds(&bpo.replace(r#"{"id": "g-1", "region": "us", "#, r#"{"id": "g-1", "#), "O04", "group `g-1`");
    finds(&with(r#"  "folders": [],"#, r#"  "bpoMarks": {"groups": ["g-1"]},"#), "O01", "user `u-1`");
}

#[test]
fn queues_and_lines_of_business() {
    finds(&with(r#"["u-3"]}"#, r#"["u-3"], "restricted": true}"#), "Q03", "queue `q-2`");
    finds(&with(r#"  "folders": [],"#, r#"  "folders": [{"id": "f"}],"#), "L01", "`folders`");
    finds(&with(r#"  "folders": [],"#, r#"  "folders": [{"id": "f"}],"#), "L02", "`queues`");
    finds(
        &with(r#"  "folders": [],"#, r#"  "folders": [{"id": "f"}], "defaultRead": "open","#),
        "L01",
        "`defaultRead`",
    );
    finds(&with(r#"{"id": "u-3","#, r#"{"id": "u-3", "legacy": {"ges": []},"#), "L01", "`users`");
}

#[test]
fn grants_and_services() {
    finds(&with(r#""2026-12-01T00:00:00Z""#, r#""2036-12-01T00:00:00Z""#), "G01", "grant `gr-1`");
    finds(&with(r#"{"id": "u-3","#, r#"{"id": "u-3", "active": false,"#), "G01", "grant `gr-1`");
    finds(&with(r#"{"kind": "queue", "id": "q-1"}"#, r#"{"kind": "division", "id": "d-us"}"#), "G01", "grant `gr-1`");
    finds(&with(r#"{"kind": "queue", "id": "q-1"}"#, r#"{"kind": "division", "id": "d-eu"}"#), "G01", "grant `gr-1`");
    let closed = with(r#"  "folders": [],"#, r#"  "folders": [{"id": "f"}],"#);
    finds(&closed, "G01", "grant `gr-1`");
    let service =
        with(r#""clientIds": ["c-1"]"#, r#""clientIds": ["c-1"], "roles": [{"role": "r-1", "division": "d-a"}]"#);
    finds(&service.replace("analytics:report:view", "user:profile:view"), "S01", "service account `s-1`");
}
