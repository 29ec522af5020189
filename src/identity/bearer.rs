//! The `Authorization` header's one accepted form.

/// Longer tokens are not looked at.
pub(super) const MAX_TOKEN: usize = 8 * 1024;

/// The token of `Bearer <token>`, or why there is none. Never quotes the value.
pub(super) fn token(value: &str) -> Result<&str, &'static str> {
    let (scheme, token) = value.split_once(' ').ok_or("the header is not `Bearer` and a token")?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err("the scheme is not `Bearer`");
    }
    if token.len() > MAX_TOKEN {
        return Err("the token is longer than 8 KiB");
    }
    if is_token(token) { Ok(token) } else { Err("the token has characters that no token has") }
}

/// Whether a text is one that can stand behind `Bearer`.
pub(super) fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    text.len() <= MAX_TOKEN && !body.is_empty() && body.bytes().all(legal)
}

/// Whether this is a whole signed token, and no name of one: its header is a JSON object in base64.
pub(super) fn is_signed(text: &str) -> bool {
    text.starts_with("eyJ") && text.matches('.').count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_only() {
        assert_eq!(token("Bearer abc.DEF-_~+/=="), Ok("abc.DEF-_~+/=="));
        assert_eq!(token("bEARER abc"), Ok("abc"));
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer  abc",
            "Basic abc",
            "Bearer a b",
            "Bearer a,Bearer b",
            "Bearer =",
            "Bearer ä",
        ] {
            assert!(token(value).is_err(), "{value:?}");
        }
        assert!(token(&format!("Bearer {}", "a".repeat(MAX_TOKEN + 1))).is_err());
    }
}
