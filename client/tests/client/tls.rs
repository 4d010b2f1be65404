//! TLS, with certificates that are made here and cryptography that needs no C compiler.

use std::sync::Arc;

use futures_util::StreamExt;
use graviola::hashing::Sha256;
use graviola::signing::ecdsa::{P256, SigningKey};
use rcgen::{
    CertificateParams, DnType, Error, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber,
    SignatureAlgorithm,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sente_client::{CarrierChoice, Client, ClientBuilder};
use sente_proto::frame::{Data, Frame};
use tokio_rustls::TlsAcceptor;

use crate::contract::Chat;
use crate::fake::{FakeServer, Upgrades, reply, soon};

/// A key of graviola's, as rcgen wants it.
struct Key {
    key: SigningKey<P256>,
    public: Vec<u8>,
}

impl Key {
    fn generate() -> Self {
        let key = SigningKey::<P256>::generate().unwrap();
        let mut buffer = [0; 256];
        let spki = key.to_spki_der(&mut buffer).unwrap();
        // The point is the last 65 bytes.
        let public = spki[spki.len() - 65..].to_vec();
        Self { key, public }
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = [0; 128];
        self.key
            .sign_asn1::<Sha256>(&[message], &mut signature)
            .map(<[u8]>::to_vec)
            .map_err(|_| Error::RemoteKeyError)
    }
}

/// A certificate for `name`, and a server that shows it.
fn certified(name: &str) -> (CertificateDer<'static>, TlsAcceptor) {
    let key = Key::generate();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from(1_u64));
    // Each is its own issuer, under a name of its own.
    let issuer = format!("{name} {:p}", &raw const *key.public);
    params.distinguished_name.push(DnType::CommonName, issuer);
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let mut buffer = [0; 512];
    let pkcs8 = key.key.to_pkcs8_der(&mut buffer).unwrap().to_vec();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls_graviola::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivateKeyDer::Pkcs8(pkcs8.into()),
        )
        .unwrap();
    (certificate, TlsAcceptor::from(Arc::new(config)))
}

fn trusting(certificate: CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls_graviola::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[tokio::test]
async fn both_carriers_go_over_tls() {
    let (certificate, acceptor) = certified("localhost");
    let mut server = FakeServer::start(Upgrades::Accepted, Some(acceptor)).await;
    let client = Client::builder(server.url())
        .contract::<Chat>()
        .tls(trusting(certificate))
        .connect();
    let call = tokio::spawn(Chat::to_server(&client).post("by WebSocket"));
    let mut socket = server.socket().await;
    socket.welcome().await;
    let (number, _) = socket.items().await;
    socket
        .send_items(1, vec![reply(socket.codec, number, 1)])
        .await;
    assert_eq!(soon("the reply", call).await.unwrap(), Ok(1));

    client.set_carrier(CarrierChoice::Poll);
    server.request().await.welcome();
    client.ready().await.unwrap();
    let call = tokio::spawn(Chat::to_server(&client).post("by polling"));
    let (mut held, mut number) = (None, None);
    while held.is_none() || number.is_none() {
        let request = server.request().await;
        if request.is_held() {
            held = Some(request);
        } else {
            number = number.or(request.call());
            request.answer(&[]);
        }
    }
    let (held, number) = (held.unwrap(), number.unwrap());
    let items = vec![reply(held.codec, number, 2)];
    held.answer(&[Frame::Data(Data {
        first: 2,
        items,
        ..Data::default()
    })]);
    assert_eq!(soon("the reply", call).await.unwrap(), Ok(2));
}

/// What the state says of the first dial.
async fn complaint(builder: ClientBuilder) -> String {
    let mut states = builder.states();
    let _client = builder.contract::<Chat>().connect();
    loop {
        let change = soon("a change", states.next()).await.unwrap();
        if let Some(error) = &change.new.last_ws_error {
            return error.clone();
        }
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_told_with_advice() {
    let (_, acceptor) = certified("localhost");
    let server = FakeServer::start(Upgrades::Accepted, Some(acceptor)).await;
    let (other, _) = certified("localhost");
    let error = complaint(Client::builder(server.url()).tls(trusting(other))).await;
    assert!(error.contains("give its issuer by `.tls(…)`"), "{error}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_told_with_advice() {
    let (certificate, acceptor) = certified("example.org");
    let server = FakeServer::start(Upgrades::Accepted, Some(acceptor)).await;
    let error = complaint(Client::builder(server.url()).tls(trusting(certificate))).await;
    assert!(error.contains("is not for `localhost`"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_with_advice() {
    let server = FakeServer::new().await;
    let (certificate, _) = certified("localhost");
    let url = format!("wss://localhost:{}/sente", server.port);
    let error = complaint(Client::builder(url).tls(trusting(certificate))).await;
    assert!(error.contains("does not speak TLS"), "{error}");
}
