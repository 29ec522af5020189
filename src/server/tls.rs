//! TLS in: the listener's certificate, whose clients are asked for one of theirs, and both read again while serving.
//!
//! A connection keeps what it began with; whoever comes after a change gets what the files say now. It says whose
//! certificate was proved, and never what that is worth.

use super::stream::Stream;
use crate::base::hash::sha256_hex;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _};

/// Where the certificate of a listener lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// PEM, the listener's own certificate first and then those that lead to its authority.
    pub certificate: PathBuf,
    /// PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
    pub clients: Option<Clients>,
}

/// Whose certificates are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// PEM: the authorities whose word is taken for who a client is.
    pub authorities: PathBuf,
    /// Nobody gets in without one.
    pub required: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot use `{}` for TLS: {why}", file.display())]
    File { file: PathBuf, why: String },
    #[error("the key in `{}` is not that of the certificate in `{}`: {why}", key.display(), certificate.display())]
    Pair { certificate: PathBuf, key: PathBuf, why: String },
    #[error("cannot set up TLS: {0}")]
    SetUp(String),
}

/// The certificate that a client has proved to hold the key of, with a chain to one of the authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of it, 64 small hexadecimal digits.
    pub fingerprint: String,
    /// Its subject's alternative names, of hosts and URIs.
    pub names: Vec<String>,
    /// When it ends: a connection may live longer.
    pub not_after: Timestamp,
}

/// TLS of one listener.
#[derive(Debug)]
pub struct Tls {
    files: Files,
    http2: bool,
    current: ArcSwap<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// Of all the files together.
    version: String,
}

impl Tls {
    /// Reads the files. `http2`: whether clients may choose it.
    pub fn open(files: Files, http2: bool) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(read(&files, http2)?);
        Ok(Self { files, http2, current })
    }

    /// Reads the files again, and has new connections use them if they are whole and differ from what is in force; otherwise
    /// nothing changes. Gives the version of what is new.
    pub fn reload(&self) -> Result<Option<String>, TlsError> {
        let new = read(&self.files, self.http2)?;
        if new.version == self.current.load().version {
            return Ok(None);
        }
        let version = new.version.clone();
        self.current.store(Arc::new(new));
        Ok(Some(version))
    }

    /// Gives the decrypted stream, whether it speaks HTTP/2, and whose certificate the client has proved.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<(Stream, bool, Option<Arc<Certificate>>)> {
        let config = Arc::clone(&self.current.load().config);
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        let (_, session) = stream.get_ref();
        let http2 = session.alpn_protocol() == Some(HTTP2);
        let proved = session.peer_certificates().and_then(<[CertificateDer<'_>]>::first).map(certificate);
        let proved = proved.transpose()?.map(Arc::new);
        Ok((Box::new(stream), http2, proved))
    }
}

const HTTP2: &[u8] = b"h2";

fn certificate(proved: &CertificateDer<'_>) -> io::Result<Certificate> {
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("the client's certificate: {why}"));
    let (_, read) = X509Certificate::from_der(proved).map_err(|why| wrong(why.to_string()))?;
    let alternatives = read.subject_alternative_name().map_err(|why| wrong(why.to_string()))?;
    let names = alternatives.iter().flat_map(|one| &one.value.general_names).filter_map(|name| match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) => Some((*name).to_owned()),
        _ => None,
    });
    let not_after = read.validity().not_after.timestamp();
    Ok(Certificate {
        fingerprint: sha256_hex(proved),
        names: names.collect(),
        not_after: Timestamp::from_second(not_after).unwrap_or(Timestamp::MAX),
    })
}

fn read(files: &Files, http2: bool) -> Result<Current, TlsError> {
    let (certificate, key) = (text(&files.certificate)?, text(&files.key)?);
    let clients = files.clients.as_ref().map(|clients| text(&clients.authorities)).transpose()?;
    let parts = [Some(&certificate), Some(&key), clients.as_ref()];
    let digests: String = parts.into_iter().flatten().map(|part| sha256_hex(part)).collect();
    let version = sha256_hex(digests.as_bytes());

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| TlsError::SetUp(why.to_string()))?;
    let builder = match files.clients.as_ref().zip(clients) {
        None => builder.with_no_client_auth(),
        Some((clients, pem)) => {
            let wrong = |why: String| TlsError::File { file: clients.authorities.clone(), why };
            let mut roots = RootCertStore::empty();
            for authority in chain(&clients.authorities, &pem)? {
                roots.add(authority).map_err(|why| wrong(why.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if clients.required { verifier } else { verifier.allow_unauthenticated() };
            builder.with_client_cert_verifier(verifier.build().map_err(|why| wrong(why.to_string()))?)
        }
    };
    let chain = chain(&files.certificate, &certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|why| TlsError::File { file: files.key.clone(), why: format!("it holds no private key: {why}") })?;
    let mut config = builder.with_single_cert(chain, key).map_err(|why| TlsError::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        why: why.to_string(),
    })?;
    let protocols: &[&[u8]] = if http2 { &[HTTP2, b"http/1.1"] } else { &[b"http/1.1"] };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Current { config: Arc::new(config), version })
}

fn text(file: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(file).map_err(|why| TlsError::File { file: file.to_owned(), why: why.to_string() })
}

fn chain(file: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |why: String| TlsError::File { file: file.to_owned(), why };
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = read.map_err(|why| wrong(why.to_string()))?;
    if found.is_empty() { Err(wrong("it holds no certificate".to_owned())) } else { Ok(found) }
}
