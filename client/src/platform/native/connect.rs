//! From an address to a stream of bytes: the one way by which a client connects.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use super::address::Address;
use super::options::{ByteStream, Transport};
use super::tls::Tls;

/// After so long the next of a host's addresses is tried beside those that do not answer
/// (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);

/// Opens streams to one address.
pub(super) struct Connect {
    pub(super) address: Arc<Address>,
    pub(super) tls: Option<Tls>,
    pub(super) transport: Option<Transport>,
}

/// There is no connection; the text says what happened, to what, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ConnectError(pub(super) String);

impl Connect {
    pub(super) async fn open(&self) -> Result<Box<dyn ByteStream>, ConnectError> {
        let Address { host, port, .. } = &*self.address;
        let stream = match &self.transport {
            Some(transport) => (transport.0)(host.clone(), *port)
                .await
                .map_err(|error| self.unreachable(&error))?,
            None => Box::new(self.by_tcp().await?),
        };
        match &self.tls {
            Some(tls) => Ok(Box::new(tls.secure(stream, &self.address).await?)),
            None => Ok(stream),
        }
    }

    async fn by_tcp(&self) -> Result<TcpStream, ConnectError> {
        let Address { host, port, .. } = &*self.address;
        let addresses = tokio::net::lookup_host((host.as_str(), *port))
            .await
            .map_err(|error| {
                ConnectError(format!(
                    "the name `{host}` cannot be looked up ({error}): check the name and the network"
                ))
            })?
            .collect();
        let stream = first_of(taking_turns(addresses))
            .await
            .map_err(|error| self.unreachable(&error))?;
        // The session cuts frames when it is time to; the kernel must not wait for more.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection cannot be told to send at once");
        }
        Ok(stream)
    }

    fn unreachable(&self, error: &io::Error) -> ConnectError {
        let Address { host, port, .. } = &*self.address;
        ConnectError(match error.kind() {
            io::ErrorKind::ConnectionRefused => format!(
                "`{host}` refuses connections on port {port}: is the server running, and is the \
                 port right?"
            ),
            _ => format!("`{host}` cannot be reached on port {port} ({error}): check the network"),
        })
    }
}

/// Both families in turn, the one that the system prefers first.
fn taking_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let prefers_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == prefers_v6);
    let mut second = second.into_iter();
    let mut turns = Vec::new();
    for address in first {
        turns.push(address);
        turns.extend(second.next());
    }
    turns.extend(second);
    turns
}

/// The first of several addresses that answers. Each is tried when the one before has failed or
/// taken long.
async fn first_of(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        let more = waiting.next();
        let is_last = more.is_none();
        trying.extend(more.map(TcpStream::connect));
        if trying.is_empty() {
            return Err(last);
        }
        let answer = if is_last {
            trying.next().await
        } else {
            tokio::time::timeout(STAGGER, trying.next())
                .await
                .unwrap_or_default()
        };
        match answer {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => last = error,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns() {
        let [a, b, c, d] = ["[::1]:1", "[::2]:1", "127.0.0.1:1", "127.0.0.2:1"]
            .map(|text| text.parse::<SocketAddr>().unwrap());
        assert_eq!(taking_turns(vec![a, b, c]), [a, c, b]);
        assert_eq!(taking_turns(vec![c, a, d, b]), [c, a, d, b]);
        assert_eq!(taking_turns(vec![a, c, d]), [a, c, d]);
        assert_eq!(taking_turns(vec![]), []);
    }
}
