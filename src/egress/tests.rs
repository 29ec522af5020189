use super::*;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer, server::WebPkiClientVerifier};
use secrecy::SecretString;
use std::{
    convert::Infallible,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// An authority's certificate (PEM) and a TLS server on loopback that answers every connection once.
async fn tls_server() -> (String, Uri) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &Issuer::new(authority, authority_key))
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/t", listener.local_addr().unwrap().port()).parse().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = [0; 2048];
                let _read = stream.read(&mut head).await;
                let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                let _closed = stream.shutdown().await;
            });
        }
    });
    (pem, url)
}

fn door(trust: &Trust, opened: &Arc<AtomicUsize>) -> Result<Door, EgressError> {
    let opened = opened.clone();
    let count: OnOpen = Arc::new(move || {
        opened.fetch_add(1, Ordering::SeqCst);
    });
    Door::new(trust, Times { whole: Duration::from_secs(5), ..Times::default() }, count)
}

async fn post(door: &Door, url: &Uri) -> Result<Reply, DoorFailed> {
    door.post_form(url, "n", &SecretString::from("p"), "a=b").await
}

#[tokio::test]
async fn certificates_are_verified_against_the_named_authority() {
    let (pem, url) = tls_server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    let opened = Arc::new(AtomicUsize::new(0));
    let reply = post(&door(&Trust::File(file), &opened).unwrap(), &url).await.unwrap();
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"ok".as_slice()));
    assert_eq!(opened.load(Ordering::SeqCst), 1);

    let (other, _) = tls_server().await;
    let file = folder.path().join("other.pem");
    std::fs::write(&file, other).unwrap();
    let why = post(&door(&Trust::File(file), &opened).unwrap(), &url).await.unwrap_err();
    assert!(why.to_string().contains("certificate"), "{why}");
}

#[test]
fn a_file_without_certificates_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.pem");
    std::fs::write(&file, "").unwrap();
    let opened = Arc::new(AtomicUsize::new(0));
    assert!(door(&Trust::File(file), &opened).unwrap_err().to_string().contains("holds no certificate"));
    assert!(door(&Trust::File("/nowhere".into()), &opened).unwrap_err().to_string().contains("/nowhere"));
}

#[tokio::test]
async fn bodies_are_read_up_to_the_limit() {
    let body = || Full::new(bytes::Bytes::from_static(b"12345"));
    assert_eq!(read_capped(body(), 5).await.unwrap(), b"12345");
    assert!(matches!(read_capped(body(), 4).await, Err(ReadFailed::TooLarge { limit: 4 })));
}

/// A server that wants a certificate of its own authority, speaks both protocols and says which.
async fn strict_server(folder: &Path) -> Uri {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&authority_key).unwrap();
    std::fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let signed = |name: &str| {
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap(), key)
    };
    let (own, own_key) = signed("proxy.example");
    std::fs::write(folder.join("own.pem"), own.pem()).unwrap();
    std::fs::write(folder.join("own.key"), own_key.serialize_pem()).unwrap();
    let (server, key) = signed("localhost");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/t", listener.local_addr().unwrap().port()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(async |request: Request<Incoming>| {
                    let told = format!("{:?} {}", request.version(), request.headers().contains_key("host"));
                    Ok::<_, Infallible>(Response::new(Full::new(bytes::Bytes::from(told))))
                });
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    let speaking = http2::Builder::new(TokioExecutor::new());
                    let _ended = speaking.serve_connection(TokioIo::new(stream), service).await;
                } else {
                    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn an_own_certificate_is_shown_and_the_other_side_chooses_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let url = strict_server(folder.path()).await;
    let own = Own { certificate: file("own.pem"), key: file("own.key") };
    let ask = async |way: Way| {
        let door = Door::new(&way, Times::default(), Arc::new(|| ())).unwrap();
        post(&door, &url).await.map(|reply| String::from_utf8(reply.body).unwrap())
    };
    let way = Way { trust: Trust::File(file("ca.pem")), own: Some(own.clone()), http2: true };
    assert_eq!(ask(way.clone()).await.unwrap(), "HTTP/2.0 false");
    assert_eq!(ask(Way { http2: false, ..way.clone() }).await.unwrap(), "HTTP/1.1 true");
    assert!(ask(Way { own: None, ..way.clone() }).await.is_err());
    let swapped = Own { certificate: own.key.clone(), key: own.certificate };
    let why = Door::new(&Way { own: Some(swapped), ..way }, Times::default(), Arc::new(|| ())).unwrap_err();
    assert!(why.to_string().contains("own."), "{why}");
}
