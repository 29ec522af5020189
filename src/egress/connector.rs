//! Opening connections: TCP, TLS with verified certificates and an own one where somebody asks for it, counted.

use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::{
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// Whose certificates are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// The machine's own store.
    #[default]
    System,
    /// These authorities and nobody else.
    File(PathBuf),
}

/// The certificate that this program shows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// PEM, the own certificate first and then those that lead to its authority.
    pub certificate: PathBuf,
    /// PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// How somebody is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    pub trust: Trust,
    /// Shown to whoever asks for one.
    pub own: Option<Own>,
    /// Whether the other side may choose HTTP/2.
    pub http2: bool,
}

impl From<&Trust> for Way {
    fn from(trust: &Trust) -> Self {
        Self { trust: trust.clone(), ..Self::default() }
    }
}

impl From<&Way> for Way {
    fn from(way: &Way) -> Self {
        way.clone()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error("cannot read the certificates in `{}`: {why}", file.display())]
    Certificates { file: PathBuf, why: String },
    #[error("cannot use the key in `{}`: {why}", file.display())]
    Key { file: PathBuf, why: String },
    #[error("this machine has no trusted certificates: {0}; name a file with `ca-file`")]
    NoRoots(String),
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Called once for each connection that was opened.
pub type OnOpen = Arc<dyn Fn() + Send + Sync>;

pub type Connector = HttpsConnector<Counted>;

/// A TCP connector that reports each connection.
#[derive(Clone)]
pub struct Counted {
    inner: HttpConnector,
    opened: OnOpen,
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counted").finish_non_exhaustive()
    }
}

type Opening<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl tower_service::Service<http::Uri> for Counted {
    type Response = <HttpConnector as tower_service::Service<http::Uri>>::Response;
    type Error = <HttpConnector as tower_service::Service<http::Uri>>::Error;
    type Future = Opening<Self::Response, Self::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        let opening = self.inner.call(uri);
        let opened = self.opened.clone();
        Box::pin(async move {
            let connection = opening.await?;
            opened();
            Ok(connection)
        })
    }
}

/// A connector for `http` and `https` that reports each connection to `opened`.
pub fn connector(way: &Way, connect: Duration, opened: OnOpen) -> Result<Connector, EgressError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect));
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls(way)?).https_or_http().enable_http1();
    let counted = Counted { inner: tcp, opened };
    Ok(if way.http2 { builder.enable_http2().wrap_connector(counted) } else { builder.wrap_connector(counted) })
}

fn tls(way: &Way) -> Result<ClientConfig, EgressError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| EgressError::Tls(why.to_string()))?;
    let builder = match &way.trust {
        Trust::System => builder.with_native_roots().map_err(|why| EgressError::NoRoots(why.to_string()))?,
        Trust::File(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                let unreadable =
                    |why: rustls::Error| EgressError::Certificates { file: file.clone(), why: why.to_string() };
                roots.add(certificate).map_err(unreadable)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    let Some(own) = &way.own else { return Ok(builder.with_no_client_auth()) };
    let unusable = |why: String| EgressError::Key { file: own.key.clone(), why };
    let key = PrivateKeyDer::from_pem_file(&own.key).map_err(|why| unusable(why.to_string()))?;
    builder.with_client_auth_cert(certificates(&own.certificate)?, key).map_err(|why| unusable(why.to_string()))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, EgressError> {
    let unreadable = |why: String| EgressError::Certificates { file: file.to_owned(), why };
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|why| unreadable(why.to_string()))?;
    if found.is_empty() { Err(unreadable("it holds no certificate".to_owned())) } else { Ok(found) }
}
