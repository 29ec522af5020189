//! Public vectors of signatures (Wycheproof, JOSE): what is not valid is refused, and what is valid is accepted or refused for a
//! reason that is ours on purpose. `BAILIWICK_CORPORA` names the folder that holds `jwt/wycheproof`.

use super::*;
use crate::{
    identity::{jwt::Verifier, keys::Keys},
    query::json,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

const FILES: [&str; 3] = ["json_web_signature_test.json", "json_web_key_test.json", "json_web_crypto_test.json"];

const ALGORITHMS: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::EdDSA,
];

/// Why something valid may be refused: shared secrets and curves that are not read here, and keys that name another algorithm.
const OURS: [&str; 4] = [
    "the token's algorithm is not one of its key",
    "no key that can be used",
    "the token's algorithm is not one of those configured",
    "the token's algorithm is not known",
];

/// As a request's token is judged, without its claims: the vectors sign other texts.
fn judge(token: &str, set: &str) -> Result<(), String> {
    let (_, settings, _folder) = corpus();
    let verifier =
        Verifier::new(&JwtSettings { algorithms: ALGORITHMS.to_vec(), typ: None, ..settings }, Metrics::detached());
    let verifier = verifier.map_err(|why| why.to_string())?;
    let (keys, _) = Keys::set(set, &ALGORITHMS).map_err(|why| format!("no key that can be used: {why}"))?;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { return Err("not three parts".to_owned()) };
    let bytes = URL_SAFE_NO_PAD.decode(header).map_err(|_| "no base64url")?;
    let header = json::parse_object(&bytes, &json::Limits::default()).map_err(|_| "no strict JSON")?;
    let algorithm = verifier.header(&header, None)?;
    let key = keys.find(header.get("kid").and_then(json::Value::as_str))?;
    if !key.algorithms.contains(&algorithm) {
        return Err("the token's algorithm is not one of its key".to_owned());
    }
    let signed = format!("{}.{payload}", parts[0]);
    match jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key.decoding, algorithm) {
        Ok(true) => Ok(()),
        Ok(false) => Err("the signature is not right".to_owned()),
        Err(why) => Err(format!("the signature cannot be read: {why}")),
    }
}

/// The public half of what a group is about, as a set of keys.
fn keys(group: &Value) -> String {
    let given = if group["public"].is_null() { &group["private"] } else { &group["public"] };
    let mut keys = given["keys"].as_array().cloned().unwrap_or_else(|| vec![given.clone()]);
    for key in &mut keys {
        for secret in ["d", "p", "q", "dp", "dq", "qi"] {
            key.as_object_mut().unwrap().remove(secret);
        }
    }
    serde_json::json!({ "keys": keys }).to_string()
}

#[test]
fn nothing_invalid_is_taken_and_what_is_valid_is_refused_on_purpose_alone() {
    let folder =
        std::env::var_os("BAILIWICK_CORPORA").map(|folder| PathBuf::from(folder).join("jwt/wycheproof/testvectors_v1"));
    let Some(folder) = folder.filter(|folder| folder.exists()) else {
        // past the capture of the test harness
        writeln!(
            std::io::stderr(),
            "LEFT OUT: signature vectors; set BAILIWICK_CORPORA to the folder that holds jwt/wycheproof"
        )
        .unwrap();
        return;
    };
    let (mut accepted, mut refused) = (0, 0);
    let mut ours: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in FILES {
        let whole: Value = serde_json::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap();
        for group in whole["testGroups"].as_array().unwrap() {
            for vector in group["tests"].as_array().unwrap() {
                let Some(token) = vector["jws"].as_str() else { continue };
                let judgement = judge(token, &keys(group));
                let name = format!("{file} {} {}: {judgement:?}", vector["tcId"], vector["comment"]);
                match (vector["result"].as_str().unwrap(), judgement) {
                    ("valid", Ok(())) => accepted += 1,
                    ("valid", Err(why)) => match OURS.iter().find(|known| why.starts_with(**known)) {
                        Some(prefix) => *ours.entry(prefix).or_default() += 1,
                        None => wrong.push(name),
                    },
                    ("invalid", Err(_)) => refused += 1,
                    _ => wrong.push(name),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let on_purpose: usize = ours.values().sum();
    assert_eq!((accepted, refused, on_purpose), (35, 420, 20), "{ours:?}");
}
