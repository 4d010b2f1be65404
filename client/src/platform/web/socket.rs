//! WebSockets of the browser's.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{poll_fn, ready};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use js_sys::Uint8Array;
use sente::MaybeSendFuture;
use sente_proto::client::SocketClosed;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent};

use super::address::Address;
use super::alarm::Alarm;
use super::{bytes_of, text_of};
use crate::platform::{Form, Socket, Timer};

/// With so many bytes in the browser's buffer the network is taken to be busy: what is not sent
/// yet can still be dropped, or give way to something newer.
const BUSY: u32 = 256 * 1024;
/// The browser does not tell when its buffer empties: after so long it is asked again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Close codes that stand for no code (RFC 6455, 7.1.5).
const NO_CODE: [u16; 2] = [1005, 1006];

/// A WebSocket of the browser's. Dropping it closes it, and takes its listeners away.
pub(crate) struct WebSocket {
    socket: web_sys::WebSocket,
    news: Rc<RefCell<News>>,
    look_again: Alarm,
    text: bool,
    /// What the browser calls.
    _on_event: Closure<dyn FnMut(Event)>,
}

/// What the browser has told.
#[derive(Default)]
struct News {
    messages: VecDeque<Bytes>,
    is_open: bool,
    closed: Option<SocketClosed>,
    waker: Option<Waker>,
}

pub(super) async fn dial(address: &Address, form: Form) -> Result<WebSocket, SocketClosed> {
    let url = address.websocket.as_str();
    let socket = WebSocket::new(url, form).map_err(failure)?;
    poll_fn(|cx| socket.poll_open(cx))
        .await
        .map_err(|mut closed| {
            closed.error = Some(format!(
                "`{url}` opened no WebSocket, and the browser does not say why: the server may not \
             run, a proxy may not pass WebSockets on, the server may not allow pages of this \
             origin, or the page's content security policy (`connect-src`) may forbid it"
            ));
            closed
        })?;
    Ok(socket)
}

impl WebSocket {
    fn new(url: &str, form: Form) -> Result<Self, String> {
        let socket = web_sys::WebSocket::new(url).map_err(|error| {
            format!(
                "this page can open no WebSocket to `{url}`: {}",
                text_of(&error)
            )
        })?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let news = Rc::<RefCell<News>>::default();
        let on_event = Closure::new({
            let news = Rc::clone(&news);
            move |event: Event| News::tell(&news, |news| news.event(&event, form.message))
        });
        let listener = on_event.as_ref().unchecked_ref();
        socket.set_onmessage(Some(listener));
        socket.set_onopen(Some(listener));
        socket.set_onclose(Some(listener));
        // Where a policy of the page forbids the address, some browsers tell nothing but this.
        socket.set_onerror(Some(listener));
        Ok(Self {
            socket,
            news,
            look_again: Alarm::default(),
            text: form.text,
            _on_event: on_event,
        })
    }

    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<Result<(), SocketClosed>> {
        let mut news = self.news.borrow_mut();
        if news.is_open {
            return Poll::Ready(Ok(()));
        }
        match news.closed.take() {
            Some(closed) => Poll::Ready(Err(closed)),
            None => news.wait(cx),
        }
    }
}

impl News {
    fn tell(news: &RefCell<Self>, f: impl FnOnce(&mut Self)) {
        let waker = {
            let mut news = news.borrow_mut();
            f(&mut news);
            news.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn event(&mut self, event: &Event, most: usize) {
        match event.type_().as_str() {
            "message" => self.message(event.unchecked_ref(), most),
            "open" => self.is_open = true,
            "close" => self.close(event.unchecked_ref()),
            // An error. Of one that was open the close tells more.
            _ if !self.is_open => {
                self.closed.get_or_insert_default();
            }
            _ => {}
        }
    }

    fn message(&mut self, event: &MessageEvent, most: usize) {
        if self.closed.is_some() {
            return;
        }
        let data = event.data();
        let message = match data.as_string() {
            Some(text) => Some(text.into_bytes()).filter(|text| text.len() <= most),
            // It is asked for in this form.
            None => {
                let bytes = Uint8Array::new(&data);
                (bytes.length() as usize <= most).then(|| bytes_of(&bytes))
            }
        };
        match message {
            Some(message) => self.messages.push_back(message.into()),
            None => {
                self.closed = Some(failure(format!(
                    "the server sent more than the {most} bytes that this client takes as one \
                     message: raise `max_message` in the client's limits"
                )));
            }
        }
    }

    fn close(&mut self, event: &CloseEvent) {
        let clean = event.was_clean();
        self.closed.get_or_insert_with(|| SocketClosed {
            clean,
            code: Some(event.code()).filter(|code| !NO_CODE.contains(code)),
            reason: event.reason(),
            error: (!clean).then(|| "the connection was cut without a goodbye".to_owned()),
        });
    }

    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Socket for WebSocket {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, SocketClosed>> {
        let mut news = self.news.borrow_mut();
        if let Some(message) = news.messages.pop_front() {
            return Poll::Ready(Ok(message));
        }
        match &news.closed {
            Some(closed) => Poll::Ready(Err(closed.clone())),
            None => news.wait(cx),
        }
    }

    fn send(&mut self, message: Vec<u8>) -> Result<(), SocketClosed> {
        let sent = if self.text {
            let text = String::from_utf8(message)
                .map_err(|_| failure("a frame of a text codec is no text".to_owned()))?;
            self.socket.send_with_str(&text)
        } else {
            self.socket.send_with_u8_array(&message)
        };
        sent.map_err(|error| failure(format!("the WebSocket broke: {}", text_of(&error))))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SocketClosed>> {
        if self.socket.buffered_amount() <= BUSY {
            return Poll::Ready(Ok(()));
        }
        self.look_again.set(LOOK_AGAIN);
        self.look_again.poll(cx).map(Ok)
    }

    /// The browser sends what it has, and then waits for the other side's goodbye by itself.
    fn close(self) -> MaybeSendFuture<()> {
        drop(self);
        Box::pin(ready(()))
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onopen(None);
        self.socket.set_onclose(None);
        self.socket.set_onerror(None);
        // Without effect on one that is closed.
        self.socket.close_with_code(1000).ok();
    }
}

fn failure(error: String) -> SocketClosed {
    SocketClosed {
        error: Some(error),
        ..SocketClosed::default()
    }
}
