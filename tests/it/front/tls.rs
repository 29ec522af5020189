//! TLS in: what is agreed on, whose certificate is asked for and what it is worth, and new certificates while serving.

use super::{frames::QUERY, *};
use bailiwick::server::{Clients, Files, Tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use std::path::PathBuf;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// An authority, and a folder with what it has signed.
pub(super) struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// A certificate and its key, PEM.
pub(super) struct Signed {
    certificate: String,
    key: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        let der = certificate.der().clone();
        Self { folder, issuer: Issuer::new(params, key), certificate: der }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sign(&self, name: &str, until: Option<(i32, u8, u8)>) -> Signed {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if let Some((year, month, day)) = until {
            params.not_after = rcgen::date_time_ymd(year, month, day);
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Signed { certificate, key: key.serialize_pem() }
    }

    fn write(&self, signed: &Signed) {
        std::fs::write(self.file("cert.pem"), &signed.certificate).unwrap();
        std::fs::write(self.file("key.pem"), &signed.key).unwrap();
    }

    /// TLS of a listener with that name. `clients`: whether they have to show a certificate; none are asked for without it.
    pub(super) fn tls(&self, name: &str, clients: Option<bool>) -> Arc<Tls> {
        self.write(&self.sign(name, None));
        let clients = clients.map(|required| Clients { authorities: self.file("ca.pem"), required });
        let files = Files { certificate: self.file("cert.pem"), key: self.file("key.pem"), clients };
        Arc::new(Tls::open(files, true).unwrap())
    }

    /// A connection that offers these protocols.
    pub(super) async fn connect(
        &self,
        address: SocketAddr,
        protocols: &[&[u8]],
        own: Option<&Signed>,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = CertificateDer::pem_slice_iter(own.certificate.as_bytes()).map(Result::unwrap).collect();
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("proxy.test").unwrap(), stream).await
    }
}

async fn house_of(tls: Arc<Tls>) -> House {
    let short = Duration::from_millis(400);
    let server = server::Settings { tls: Some(tls), handshake_time: short, ..Default::default() };
    house_with(proxy::Settings::default(), server).await
}

/// One request of HTTP/1 on an open connection.
async fn ask(stream: &mut TlsStream<TcpStream>, headers: &str) -> Option<Heard> {
    let raw =
        format!("POST /v1/query HTTP/1.1\r\nHost: proxy.test\r\n{headers}Content-Length: {}\r\n\r\n{BODY}", BODY.len());
    stream.write_all(raw.as_bytes()).await.ok()?;
    let (mut heard, mut space) = (Vec::new(), [0_u8; 4096]);
    while let Ok(many @ 1..) = stream.read(&mut space).await {
        heard.extend_from_slice(&space[..many]);
        let answers = answers(std::str::from_utf8(&heard).unwrap());
        if let Some(answer) = answers.into_iter().find(|answer| !answer.body.is_empty()) {
            return Some(answer);
        }
    }
    None
}

const TOKEN: &str = "Authorization: Bearer T\r\n";

#[tokio::test]
async fn both_protocols_are_agreed_on() {
    let authority = Authority::new();
    let house = house_of(authority.tls("proxy.test", None)).await;
    for offered in [&[&b"h2"[..], b"http/1.1"][..], &[b"h2"]] {
        let stream = authority.connect(house.proxy, offered, None).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let (mut client, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        let driving = tokio::spawn(connection);
        let mut request = hyper::Request::post("https://proxy.test/v1/query");
        for (name, value) in QUERY.iter().filter(|(name, _)| !name.starts_with(':')) {
            request = request.header(*name, *value);
        }
        let body = http_body_util::Full::new(bytes::Bytes::from_static(BODY.as_bytes()));
        let answer = client.send_request(request.body(body).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        driving.abort();
    }
    for offered in [&[&b"http/1.1"[..]][..], &[]] {
        let mut stream = authority.connect(house.proxy, offered, None).await.unwrap();
        for _ in 0..2 {
            assert_eq!(ask(&mut stream, TOKEN).await.unwrap().status, 200);
        }
    }
    assert!(authority.connect(house.proxy, &[b"h3"], None).await.is_err());
    assert_eq!(house.upstream.sent().len(), 6);
    // in the clear nothing is said here
    let heard = house.say(house.proxy, &[(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(), Duration::ZERO)], false).await;
    assert!(!heard.contains("HTTP/1.1"), "{heard}");
}

#[tokio::test]
async fn whoever_does_not_set_it_up_in_time_gives_his_place_back() {
    let authority = Authority::new();
    let server = server::Settings {
        tls: Some(authority.tls("proxy.test", None)),
        connections: 2,
        handshake_time: Duration::from_millis(500),
        ..Default::default()
    };
    let house = house_with(proxy::Settings::default(), server).await;
    let mut silent = Vec::new();
    for _ in 0..2 {
        silent.push(TcpStream::connect(house.proxy).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = std::time::Instant::now();
    let mut stream = authority.connect(house.proxy, &[], None).await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(200), "their places were counted");
    assert_eq!(ask(&mut stream, TOKEN).await.unwrap().status, 200);
    let mut one = [0_u8; 16];
    assert_eq!(silent[0].read(&mut one).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_certificate_of_a_client_is_a_service_account() {
    let authority = Authority::new();
    let house = house_of(authority.tls("proxy.test", Some(false))).await;
    let robot = authority.sign("robot.example", None);
    let mut stream = authority.connect(house.proxy, &[], Some(&robot)).await.unwrap();
    let heard = ask(&mut stream, "").await.unwrap();
    assert_eq!(heard.status, 200, "{heard:?}");
    let subject = house.outcome(heard.decision()).await.subject.unwrap();
    assert_eq!((subject.id.as_str(), subject.method.as_str()), ("robot", "certificate"));
    // a token that is somebody else's is not believed beside it
    let heard = ask(&mut stream, TOKEN).await.unwrap();
    assert_eq!((heard.status, heard.code().as_str()), (401, "identity.required"));
    let cause = house.outcome(heard.decision()).await.cause.unwrap();
    assert!(cause.contains("certificate"), "{cause}");
    // one that is nobody's is worth nothing, and takes nothing away
    let other = authority.sign("other.example", None);
    let mut stream = authority.connect(house.proxy, &[], Some(&other)).await.unwrap();
    assert_eq!(ask(&mut stream, "").await.unwrap().status, 401);
    let mut stream = authority.connect(house.proxy, &[], Some(&other)).await.unwrap();
    assert_eq!(ask(&mut stream, TOKEN).await.unwrap().status, 200);
    // nor does whoever shows none
    let mut stream = authority.connect(house.proxy, &[], None).await.unwrap();
    assert_eq!(ask(&mut stream, TOKEN).await.unwrap().status, 200);
    // one of another authority, or one that has ended, is no certificate
    for wrong in [Authority::new().sign("robot.example", None), authority.sign("robot.example", Some((2020, 1, 1)))] {
        let stream = authority.connect(house.proxy, &[], Some(&wrong)).await;
        let heard = match stream {
            Ok(mut stream) => ask(&mut stream, "").await,
            Err(_) => None,
        };
        assert!(heard.is_none(), "{heard:?}");
    }
}

#[tokio::test]
async fn where_a_certificate_is_required_nobody_asks_without_one() {
    let authority = Authority::new();
    let house = house_of(authority.tls("proxy.test", Some(true))).await;
    let heard = match authority.connect(house.proxy, &[], None).await {
        Ok(mut stream) => ask(&mut stream, TOKEN).await,
        Err(_) => None,
    };
    assert!(heard.is_none(), "{heard:?}");
    let robot = authority.sign("robot.example", None);
    let mut stream = authority.connect(house.proxy, &[], Some(&robot)).await.unwrap();
    assert_eq!(ask(&mut stream, "").await.unwrap().status, 200);
    assert_eq!(house.record().await.len(), 2, "an intent and an outcome of the one that was asked");
}

#[tokio::test]
async fn new_certificates_are_for_new_connections() {
    let authority = Authority::new();
    let tls = authority.tls("proxy.test", None);
    let house = house_of(Arc::clone(&tls)).await;
    let shown = |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let mut old = authority.connect(house.proxy, &[], None).await.unwrap();
    assert_eq!(ask(&mut old, TOKEN).await.unwrap().status, 200);
    assert_eq!(tls.reload().unwrap(), None, "nothing has changed");

    // half of a pair, or none, changes nothing
    let new = authority.sign("proxy.test", None);
    std::fs::write(authority.file("cert.pem"), &new.certificate).unwrap();
    let why = tls.reload().unwrap_err().to_string();
    assert!(why.contains("key.pem") && why.contains("cert.pem"), "{why}");
    std::fs::write(authority.file("key.pem"), "nothing").unwrap();
    assert!(tls.reload().unwrap_err().to_string().contains("key.pem"));
    let again = authority.connect(house.proxy, &[], None).await.unwrap();
    assert_eq!(shown(&again), shown(&old));

    authority.write(&new);
    assert!(tls.reload().unwrap().is_some());
    let mut fresh = authority.connect(house.proxy, &[], None).await.unwrap();
    assert_ne!(shown(&fresh), shown(&old));
    for stream in [&mut old, &mut fresh] {
        assert_eq!(ask(stream, TOKEN).await.unwrap().status, 200);
    }
}
