//! TLS by rustls: whom to trust, and what to say when trust fails.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, InvalidMessage, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address::Address;
use super::connect::ConnectError;
use super::options::ByteStream;
use crate::error::SetupError;

/// TLS towards one host.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    pub(super) fn new(host: &str, given: Option<Arc<ClientConfig>>) -> Result<Self, SetupError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            SetupError::Tls(format!("`{host}` is no name of a server: {error}"))
        })?;
        let mut config = match given {
            Some(config) => Arc::unwrap_or_clone(config),
            None => default_config()?,
        };
        // A server that would rather speak HTTP/2 must not think that it may.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        })
    }

    pub(super) async fn secure(
        &self,
        stream: Box<dyn ByteStream>,
        address: &Address,
    ) -> Result<TlsStream<Box<dyn ByteStream>>, ConnectError> {
        self.connector
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| failed(&error, address))
    }
}

/// The system's certificates, and graviola's cryptography.
fn default_config() -> Result<ClientConfig, SetupError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider()?))
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError::Tls(error.to_string()))?;
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some of the system's certificates cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        return Err(SetupError::Tls(
            "this system has no certificates to trust: install them (the package is often called \
             `ca-certificates`), or give a configuration by `.tls(…)`"
                .to_owned(),
        ));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn provider() -> Result<rustls::crypto::CryptoProvider, SetupError> {
    // Graviola stops the program where one of these is missing.
    #[cfg(target_arch = "x86_64")]
    let fits = is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("avx")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("adx")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("pclmulqdq");
    #[cfg(target_arch = "aarch64")]
    let fits = std::arch::is_aarch64_feature_detected!("aes")
        && std::arch::is_aarch64_feature_detected!("sha2")
        && std::arch::is_aarch64_feature_detected!("pmull")
        && std::arch::is_aarch64_feature_detected!("neon");
    if fits {
        Ok(rustls_graviola::default_provider())
    } else {
        Err(no_provider())
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn provider() -> Result<rustls::crypto::CryptoProvider, SetupError> {
    Err(no_provider())
}

fn no_provider() -> SetupError {
    SetupError::Tls(
        "there is no built-in cryptography for this processor: give a configuration with another \
         provider by `.tls(…)`"
            .to_owned(),
    )
}

fn failed(error: &io::Error, address: &Address) -> ConnectError {
    let Address { host, port, .. } = address;
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    ConnectError(match tls {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => format!(
            "nobody whom this client trusts has signed the certificate of `{host}`: if it is the \
             right server, give its issuer by `.tls(…)`"
        ),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => format!("the certificate on port {port} is not for `{host}`: check the address"),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => format!("the certificate of `{host}` has expired: renew it, or check the clock here"),
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => format!(
            "`{host}` does not speak TLS on port {port}: is it `http` there, or another port?"
        ),
        Some(error) => format!("TLS with `{host}` on port {port} failed: {error}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => format!(
            "`{host}` hung up in the midst of the TLS handshake: does port {port} speak TLS?"
        ),
        None => format!("TLS with `{host}` on port {port} failed: {error}"),
    })
}
