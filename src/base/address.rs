//! Base addresses: which are taken, and which of them mean one place.

use http::Uri;
use std::net::{IpAddr, Ipv4Addr};

/// Reads `https://host:port/prefix`. Spellings that another reader could take for another place are no base address: user
/// names, escapes, dots and empty segments in the prefix, numbers that only some resolvers read as an IP address.
pub fn base(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let path = uri.path();
    let segments = path.strip_suffix('/').unwrap_or(path);
    let plain = |segment: &str| !matches!(segment, "" | "." | "..");
    (matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.query().is_none()
        && !text.contains(['#', '%', '\\'])
        && !authority.contains('@')
        && (segments.is_empty() || segments.split('/').skip(1).all(plain))
        && host(&uri).is_some())
    .then_some(uri)
}

/// The one spelling of a base address: scheme and host in small letters, IP addresses as numbers, this machine by one name,
/// the port said, no slash at the end. What is no base address stays as it is written.
pub fn canonical(text: &str) -> String {
    let read = || {
        let uri = base(text)?;
        let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(usual);
        Some(format!("{}://{}:{port}{}", uri.scheme_str()?, host(&uri)?, uri.path().trim_end_matches('/')))
    };
    read().unwrap_or_else(|| text.trim_end_matches('/').to_owned())
}

/// The same; `None` for port 0, a placeholder that another file replaces.
pub fn stated(text: &str) -> Option<String> {
    let zero = text.parse::<Uri>().is_ok_and(|uri| uri.port_u16() == Some(0));
    (!zero).then(|| canonical(text))
}

/// The host in its one spelling; `None` for a number that is no IP address as standards write it (`127.1`, `0x7f000001`).
fn host(uri: &Uri) -> Option<String> {
    let name = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
    let literal = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    let last = name.rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with("0x") || last.chars().all(|letter| letter.is_ascii_digit());
    match literal.map(|ip| ip.to_canonical()) {
        // every address of this machine, and so none
        Some(ip) if ip.is_unspecified() => None,
        Some(IpAddr::V6(ip)) if ip.is_loopback() => Some(Ipv4Addr::LOCALHOST.to_string()),
        Some(IpAddr::V6(ip)) => Some(format!("[{ip}]")),
        Some(IpAddr::V4(ip)) => Some(ip.to_string()),
        None if name == "localhost" => Some(Ipv4Addr::LOCALHOST.to_string()),
        None => (!numeric).then_some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::{base, canonical, stated};

    #[test]
    fn one_place_has_one_spelling() {
        for same in ["https://a.example", "HTTPS://A.example/", "https://a.example:443", "https://a.example.:443/"] {
            assert_eq!(canonical(same), "https://a.example:443", "{same}");
        }
        for other in ["http://a.example", "https://a.example:8443", "https://a.example/eu", "https://b.example"] {
            assert_ne!(canonical(other), "https://a.example:443", "{other}");
        }
        let here =
            ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]", "[0:0::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"];
        for same in here {
            assert_eq!(canonical(&format!("http://{same}/eu/")), "http://127.0.0.1:80/eu", "{same}");
        }
        assert_eq!(canonical("http://[2001:DB8:0::1]:8080"), "http://[2001:db8::1]:8080");
        assert_ne!(canonical("http://127.0.0.2"), canonical("http://127.0.0.1"));
        assert_eq!(canonical("no address/"), "no address");
        assert_eq!([stated("http://a:0/x"), stated("http://a:10")], [None, Some("http://a:10".to_owned())]);
    }

    #[test]
    fn what_could_mean_two_places_is_no_base_address() {
        for good in
            ["https://a.example", "https://a.example/", "http://a:0/eu/v1/", "http://10.0.0.1", "https://[::1]:9"]
        {
            assert!(base(good).is_some(), "{good}");
        }
        for bad in [
            "a.example",
            "/eu",
            "ftp://a.example",
            "https://me@a.example",
            "https://a.example/?x",
            "https://a.example/#x",
            "https://a.example/%75s",
            "https://a%2eexample",
            "https://a.example/./eu",
            "https://a.example/eu/../us",
            "https://a.example//eu",
            "https://a.example/eu//",
            "https://a.example/..",
            "http://127.1",
            "http://2130706433",
            "http://0x7f000001",
            "http://0177.0.0.1",
            "http://127.0.0.0x1",
            "http://010.0.0.1",
            "http://0.0.0.0",
            "http://[::]",
            "http://[::ffff:0.0.0.0]",
        ] {
            assert!(base(bad).is_none(), "{bad}");
        }
    }
}
