//! The raw client.

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::READ_BUFFER;
use crate::Result;
use crate::figure::TEXT;
use crate::load::{self, Counter, Role, Target};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) struct Client {
    socket: Socket,
    counter: Counter,
}

impl load::Client for Client {
    type Listener = SplitSink<Socket, Message>;

    async fn connect(target: Target, role: Role, counter: Counter) -> Result<Self> {
        let path = match role {
            Role::Call | Role::Mirror => "echo",
            Role::Take => "take",
            Role::Push => "push",
        };
        let address = format!("ws://127.0.0.1:{}/{path}", target.port);
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let (socket, _) = connect_async_with_config(address, Some(config), true).await?;
        Ok(Self { socket, counter })
    }

    async fn call(mut self, in_flight: usize) -> Result {
        for _ in 0..in_flight {
            self.socket.send(Message::text(TEXT)).await?;
        }
        while let Some(message) = self.socket.next().await {
            let text = message?.into_text()?;
            if text.as_str() != TEXT {
                return Err("another text came back".into());
            }
            self.counter.add_one();
            self.socket.send(Message::text(TEXT)).await?;
        }
        Err("the connection ended".into())
    }

    async fn send_events(mut self) -> Result {
        loop {
            self.socket.send(Message::text(TEXT)).await?;
            self.counter.add_one();
        }
    }

    fn listen(self) -> Self::Listener {
        let (sink, mut stream) = self.socket.split();
        tokio::spawn(async move {
            while let Some(Ok(Message::Text(_))) = stream.next().await {
                self.counter.add_one();
            }
        });
        sink
    }

    async fn send(listener: &mut Self::Listener, events: usize) -> Result {
        for _ in 0..events {
            listener.send(Message::text(TEXT)).await?;
        }
        Ok(())
    }
}
