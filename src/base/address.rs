//! Base addresses that mean one place.

use http::Uri;

/// The one spelling of a base address: scheme and host in small letters, the port said, no slash at the end. What is
/// no address stays as it is written.
pub fn canonical(text: &str) -> String {
    let plain = text.trim_end_matches('/');
    let Ok(uri) = plain.parse::<Uri>() else { return plain.to_owned() };
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return plain.to_owned() };
    let usual = if scheme == "http" { 80 } else { 443 };
    let host = host.to_ascii_lowercase();
    let port = uri.port_u16().unwrap_or(usual);
    format!("{scheme}://{}:{port}{}", host.trim_end_matches('.'), uri.path().trim_end_matches('/'))
}

/// The same; `None` for port 0, a placeholder that another file replaces.
pub fn stated(text: &str) -> Option<String> {
    let zero = text.parse::<Uri>().is_ok_and(|uri| uri.port_u16() == Some(0));
    (!zero).then(|| canonical(text))
}

#[cfg(test)]
mod tests {
    use super::{canonical, stated};

    #[test]
    fn one_place_has_one_spelling() {
        for same in ["https://a.example", "HTTPS://A.example/", "https://a.example:443", "https://a.example.:443//"] {
            assert_eq!(canonical(same), "https://a.example:443", "{same}");
        }
        for other in ["http://a.example", "https://a.example:8443", "https://a.example/eu", "https://b.example"] {
            assert_ne!(canonical(other), "https://a.example:443", "{other}");
        }
        assert_eq!(canonical("http://[::1]:80/eu/"), "http://[::1]:80/eu");
        assert_eq!(canonical("no address/"), "no address");
        assert_eq!([stated("http://a:0/x"), stated("http://a:10")], [None, Some("http://a:10".to_owned())]);
    }
}
