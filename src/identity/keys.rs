//! Public keys: one PEM, or a JSON key set. What cannot verify a signature safely is not taken in.

use super::IdentityError;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::HashMap, path::Path};

/// Smallest RSA modulus, in bits.
const RSA_BITS: usize = 2048;
/// Keys of one set; a provider signs with few.
const MOST: usize = 64;

#[derive(Debug)]
pub(super) enum Keys {
    /// One key, whatever the token calls it.
    One(Key),
    /// A token must name its key.
    ById(HashMap<String, Key>),
}

pub(super) struct Key {
    pub(super) decoding: DecodingKey,
    /// What this key may verify; never more than the configured algorithms.
    pub(super) algorithms: Vec<Algorithm>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

impl Keys {
    pub(super) fn read(file: &Path, allowed: &[Algorithm]) -> Result<Self, IdentityError> {
        let unusable = |why: String| IdentityError::Keys { file: file.display().to_string(), why };
        let text = std::fs::read_to_string(file).map_err(|why| unusable(why.to_string()))?;
        let read = if text.trim_start().starts_with('{') {
            Self::set(&text, allowed).map(|(keys, _)| keys)
        } else {
            pem(&text, allowed)
        };
        read.map_err(unusable)
    }

    /// A key set, and what of it was passed over and why.
    pub(super) fn set(text: &str, allowed: &[Algorithm]) -> Result<(Self, Vec<String>), String> {
        set(text, allowed)
    }

    /// How many there are.
    pub(super) fn many(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::ById(keys) => keys.len(),
        }
    }

    /// The key that a token's header names.
    pub(super) fn find(&self, id: Option<&str>) -> Result<&Key, &'static str> {
        match (self, id) {
            (Self::One(key), _) => Ok(key),
            (Self::ById(keys), Some(id)) => keys.get(id).ok_or("no key has the id that the token names"),
            (Self::ById(_), None) => Err("the token names no key"),
        }
    }
}

fn pem(text: &str, allowed: &[Algorithm]) -> Result<Keys, String> {
    if text.contains("PRIVATE KEY") {
        return Err("it holds a private key; give the public one".to_owned());
    }
    let readers = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
    let Some(decoding) = readers.iter().find_map(|read| read(text.as_bytes()).ok()) else {
        return Err("it is neither a PEM public key (RSA, EC, Ed25519) nor a JSON key set".to_owned());
    };
    let algorithms = of_family(decoding.family(), allowed);
    if algorithms.is_empty() {
        return Err("none of `algorithms` fits this key".to_owned());
    }
    Ok(Keys::One(Key { decoding, algorithms }))
}

/// Key by key: one of a kind that nobody here knows does not spoil the others.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

fn set(text: &str, allowed: &[Algorithm]) -> Result<(Keys, Vec<String>), String> {
    let set: Set = serde_json::from_str(text).map_err(|why| format!("it is not a JSON key set: {why}"))?;
    if set.keys.len() > MOST {
        return Err(format!("it holds {} keys, and at most {MOST} are read", set.keys.len()));
    }
    let mut keys = HashMap::new();
    let mut passed_over = Vec::new();
    for given in &set.keys {
        let id = given.get("kid").and_then(Value::as_str).unwrap_or_default();
        let read = match Jwk::deserialize(given) {
            _ if given.get("d").is_some() => Err("it is a private key, and whoever reads it can sign"),
            Ok(jwk) => usable(&jwk, allowed),
            Err(_) => Err("its kind is not known"),
        };
        match read {
            Ok(_) if id.is_empty() => passed_over.push("a key without an id".to_owned()),
            Ok(key) => {
                if keys.insert(id.to_owned(), key).is_some() {
                    return Err(format!("two keys have the id `{id}`"));
                }
            }
            Err(why) => passed_over.push(format!("`{id}`: {why}")),
        }
    }
    if keys.is_empty() {
        let passed_over = passed_over.join(", ");
        return Err(format!("it holds no key that can be used ({passed_over})"));
    }
    Ok((Keys::ById(keys), passed_over))
}

fn usable(jwk: &Jwk, allowed: &[Algorithm]) -> Result<Key, &'static str> {
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return Err("it is not for signatures");
    }
    if jwk.common.key_operations.as_ref().is_some_and(|operations| !operations.contains(&KeyOperations::Verify)) {
        return Err("it is not for verifying signatures");
    }
    let fitting: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).map_err(|_| "its modulus cannot be read")?;
            let bytes = modulus.iter().skip_while(|byte| **byte == 0).count();
            if bytes * 8 < RSA_BITS {
                return Err("its modulus is shorter than 2048 bits");
            }
            if is_predictable(&modulus) {
                return Err("its modulus was made by a faulty generator (CVE-2017-15361), and who knows that can sign");
            }
            let exponent = URL_SAFE_NO_PAD.decode(&rsa.e).map_err(|_| "its exponent cannot be read")?;
            if exponent.iter().skip_while(|byte| **byte == 0).eq([&1]) {
                return Err("its exponent is 1: everything would be signed by it");
            }
            AlgorithmFamily::Rsa.algorithms()
        }
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => return Err("its curve is not one of P-256 and P-384"),
        },
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        AlgorithmParameters::OctetKey(_) => return Err("it is a shared secret"),
        _ => return Err("its kind is not known"),
    };
    let mut algorithms: Vec<Algorithm> = fitting.iter().copied().filter(|one| allowed.contains(one)).collect();
    if let Some(pinned) = &jwk.common.key_algorithm {
        let pinned: Algorithm = pinned.to_string().parse().map_err(|_| "its algorithm is not one for signatures")?;
        algorithms.retain(|one| *one == pinned);
    }
    if algorithms.is_empty() {
        return Err("none of `algorithms` fits it");
    }
    let decoding = DecodingKey::from_jwk(jwk).map_err(|_| "it cannot be read")?;
    Ok(Key { decoding, algorithms })
}

/// Small primes by which moduli of that generator leave powers of 65537. Of others one in 200 million does.
const SMALL: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// `modulus`: most significant byte first.
fn is_predictable(modulus: &[u8]) -> bool {
    SMALL.iter().all(|prime| {
        let rest = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        // the powers come round again after less than `prime` steps
        (0..*prime).any(|_| {
            let found = power == rest;
            power = power * 65_537 % prime;
            found
        })
    })
}

fn of_family(family: AlgorithmFamily, allowed: &[Algorithm]) -> Vec<Algorithm> {
    allowed.iter().copied().filter(|one| family.algorithms().contains(one)).collect()
}
