//! Random bytes that nobody can guess.

use super::hash;

/// A secret of this process, made when it starts and kept nowhere.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// `None`: the system gives no random bytes.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// A secret for one purpose: who knows it knows nothing of the others, nor of this one.
    pub fn of(&self, purpose: &[u8]) -> [u8; 32] {
        hash::sha256(&[&self.0, purpose].concat())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_another_in_each_process_and_for_each_purpose_and_is_not_printed() {
        let (one, two) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_ne!(one.of(b"a"), two.of(b"a"));
        assert_ne!(one.of(b"a"), one.of(b"b"));
        assert_eq!(one.of(b"a"), one.clone().of(b"a"));
        assert_eq!(format!("{one:?}"), "Secret(..)");
    }
}
