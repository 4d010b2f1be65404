//! Requests of long polling and their responses, on the network one by one.

use std::time::Duration;

use bytes::Bytes;
use sente_proto::Carrier;
use sente_proto::client::{ExchangeId, Response};

use super::World;
use super::queue::{Asked, ForClient, ForServer};

/// What a request is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    Hello,
    Poll,
    Send,
}

impl World {
    pub(super) fn post(&mut self, of: Asked, body: Bytes, purpose: Purpose, timeout: Duration) {
        self.clients[of.client].exchanges.extend(of.exchange);
        let late = Err("no response came in time".to_owned());
        self.hears_of(of, timeout, late);
        let there = self.delay(of.client, Carrier::Poll);
        if self.clients[of.client].network.blocks_posts {
            self.coverage.meet("network: request blocked");
            let response = Ok(Response {
                status: 502,
                body: Bytes::from_static(b"Bad Gateway"),
            });
            return self.hears_of(of, there * 2, response);
        }
        if self.is_offline(of.client) || self.loses(of.client, Carrier::Poll) {
            self.coverage.meet(match purpose {
                Purpose::Hello => "network: hello by post lost",
                Purpose::Poll => "network: poll lost",
                Purpose::Send => "network: send lost",
            });
            self.trace.note(self.now, || format!("{of:?} is lost"));
            return self.request_lost(of);
        }
        let at = self.now + there;
        if self.rng.chance(self.clients[of.client].network.repeat) {
            self.coverage.meet("network: request repeated");
            let late = at + self.rng.within(&(Duration::ZERO..Duration::from_secs(10)));
            let body = body.clone();
            self.for_server(late, ForServer::Request { of, body });
        }
        self.for_server(at, ForServer::Request { of, body });
    }

    /// The client sees it fail, at once or after its timeout.
    pub(super) fn request_lost(&mut self, of: Asked) {
        if self.rng.chance(0.5) {
            let after = self.delay(of.client, Carrier::Poll) * 2;
            self.hears_of(of, after, Err("the connection was reset".to_owned()));
        }
    }

    /// The server has answered, and knows no more of it.
    pub(super) fn respond(&mut self, of: Asked, purpose: Purpose, status: u16, mut body: Bytes) {
        if self.is_offline(of.client) || self.loses(of.client, Carrier::Poll) {
            self.coverage.meet(match purpose {
                Purpose::Hello => "network: response to a hello lost",
                Purpose::Poll => "network: response to a poll lost",
                Purpose::Send => "network: response to a send lost",
            });
            self.trace
                .note(self.now, || format!("the response to {of:?} is lost"));
            return self.request_lost(of);
        }
        let mut response = Ok(());
        if !body.is_empty() && self.rng.chance(self.clients[of.client].network.breaks_off) {
            self.coverage.meet("network: response broken off");
            body.truncate(body.len() - 1);
            if self.rng.chance(0.5) {
                response = Err("the response broke off".to_owned());
            }
        }
        let after = self.delay(of.client, Carrier::Poll);
        self.hears_of(of, after, response.map(|()| Response { status, body }));
    }

    fn hears_of(&mut self, of: Asked, after: Duration, response: Result<Response, String>) {
        if let Some(exchange) = of.exchange {
            let sent = self.now;
            let response = ForClient::Response {
                exchange,
                response,
                sent,
            };
            self.for_client(self.now + after, of.client, response);
        }
    }

    pub(super) fn abort(&mut self, client: usize, exchange: ExchangeId) {
        self.clients[client].exchanges.remove(&exchange);
        if self.rng.chance(0.7) {
            let at = self.now + self.delay(client, Carrier::Poll);
            let exchange = Some(exchange);
            let of = Asked { client, exchange };
            self.for_server(at, ForServer::Aborted { of });
        }
    }
}
