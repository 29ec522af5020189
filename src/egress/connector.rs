//! Opening connections: TCP, TLS with verified certificates, counted.

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{
    future::Future,
    path::PathBuf,
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

#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error("cannot read the certificates in `{}`: {why}", file.display())]
    Certificates { file: PathBuf, why: String },
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
pub fn connector(trust: &Trust, connect: Duration, opened: OnOpen) -> Result<Connector, EgressError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = match trust {
        Trust::System => HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .map_err(|why| EgressError::NoRoots(why.to_string()))?,
        Trust::File(file) => {
            let unreadable = |why: String| EgressError::Certificates { file: file.clone(), why };
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(file).map_err(|why| unreadable(why.to_string()))? {
                let certificate = certificate.map_err(|why| unreadable(why.to_string()))?;
                roots.add(certificate).map_err(|why| unreadable(why.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unreadable("it holds no certificate".to_owned()));
            }
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|why| EgressError::Tls(why.to_string()))?
                .with_root_certificates(roots)
                .with_no_client_auth();
            HttpsConnectorBuilder::new().with_tls_config(config)
        }
    };
    Ok(builder.https_or_http().enable_http1().wrap_connector(Counted { inner: tcp, opened }))
}
