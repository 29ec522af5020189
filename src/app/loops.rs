//! An upstream whose name leads back to the proxy: each question would be asked of itself. What an address tells without asking
//! anybody, the configuration's reader has refused before.

use super::StartError;
use crate::upstream::RegionSettings;
use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    time::Duration,
};

/// How long the place of one name is waited for. Who is not known in time is not refused: a name may come later, and what comes
/// back through it carries a mark.
const LOOK_UP: Duration = Duration::from_secs(5);

/// Looks every upstream's name up, and refuses one that is `here`, where the proxy listens.
pub(super) async fn refuse(upstreams: &[RegionSettings], here: SocketAddr) -> Result<(), StartError> {
    for upstream in upstreams {
        let url = &upstream.url;
        let usual = if url.scheme_str() == Some("http") { 80 } else { 443 };
        let port = url.port_u16().unwrap_or(usual);
        let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        if port != here.port() {
            continue;
        }
        let found = tokio::time::timeout(LOOK_UP, tokio::net::lookup_host((host, port))).await;
        let Ok(Ok(mut found)) = found else { continue };
        if let Some(address) = found.find(|address| leads(address.ip(), here.ip())) {
            return Err(StartError::Looped { region: upstream.region.clone(), url: url.to_string(), address });
        }
    }
    Ok(())
}

fn leads(there: IpAddr, here: IpAddr) -> bool {
    let (there, here) = (there.to_canonical(), here.to_canonical());
    there == here || here.is_unspecified() && (here.is_ipv6() || there.is_ipv4()) && is_of_this_machine(there)
}

/// Whether packets to this address end here: only then something may be bound to it.
fn is_of_this_machine(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::{Times, Way};

    async fn told(url: &str, here: &str) -> Option<String> {
        let upstream = RegionSettings {
            region: "us".into(),
            url: url.parse().unwrap(),
            way: Way::default(),
            credential: crate::upstream::Credentials::Asker,
            login: None,
            times: Times::default(),
            concurrency: 1,
            wait: Duration::ZERO,
            max_answer_bytes: 1,
            gzip: false,
            media_hosts: Vec::new(),
            forward_subject: false,
        };
        refuse(&[upstream], here.parse().unwrap()).await.err().map(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_that_leads_back_is_refused() {
        for (url, here) in [
            ("http://localhost:8600", "127.0.0.1:8600"),
            ("http://localhost:8600/api", "0.0.0.0:8600"),
            ("http://localhost:8600", "[::]:8600"),
            ("http://localhost", "127.0.0.1:80"),
            ("https://localhost", "127.0.0.1:443"),
            ("http://[::ffff:127.0.0.1]:8600", "127.0.0.1:8600"),
        ] {
            let told = told(url, here).await.unwrap_or_else(|| panic!("{url} {here}"));
            assert!(told.contains("region `us`") && told.contains(here.split(':').next_back().unwrap()), "{told}");
        }
        for (url, here) in [
            ("http://localhost:8601", "127.0.0.1:8600"),
            ("http://localhost:8600", "192.0.2.1:8600"),
            ("http://192.0.2.1:8600", "0.0.0.0:8600"),
            ("http://no-such-name.invalid:8600", "0.0.0.0:8600"),
        ] {
            assert_eq!(told(url, here).await, None, "{url} {here}");
        }
    }
}
