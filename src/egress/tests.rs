use super::*;
use http::Uri;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use secrecy::SecretString;
use std::{
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
    use http_body_util::Full;
    let body = || Full::new(bytes::Bytes::from_static(b"12345"));
    assert_eq!(read_capped(body(), 5).await.unwrap(), b"12345");
    assert!(matches!(read_capped(body(), 4).await, Err(ReadFailed::TooLarge { limit: 4 })));
}
