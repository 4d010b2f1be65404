//! Pages and workers: the browser's WebSocket, `fetch`, timers and events.

mod address;
mod alarm;
mod options;
mod request;
mod signals;
mod socket;

use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use js_sys::Uint8Array;
use sente::MaybeSendFuture;
use sente::driver::Host;
use sente_proto::Time;
use sente_proto::client::{Response, SocketClosed};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use super::{Form, Platform};
use crate::error::SetupError;
use address::Address;
use alarm::Alarm;
use signals::Signals;

pub(crate) use options::Options;

/// What pages and workers both have, wherever it hangs: `window` is not there in a worker.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn milliseconds_running() -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);

    #[wasm_bindgen(js_name = Uint8Array)]
    type Bytes;

    /// Unlike [`Uint8Array::to_vec`] it brings no panic with a message into the program.
    #[wasm_bindgen(method, js_name = subarray)]
    fn copy_from(this: &Bytes, first: u32) -> Vec<u8>;
}

/// Numbers that nobody can foresee. No browser is without.
pub(crate) fn random() -> Result<impl FnMut() -> u128 + Send + use<>, String> {
    Ok(|| {
        let mut bytes = [0; 16];
        get_random_values(&mut bytes);
        u128::from_ne_bytes(bytes)
    })
}

/// What an exception says.
fn text_of(error: &JsValue) -> String {
    js_sys::Object::from(error.clone()).to_string().into()
}

/// A copy of them.
fn bytes_of(array: &Uint8Array) -> Vec<u8> {
    array.unchecked_ref::<Bytes>().copy_from(0)
}

/// This platform, for one client.
pub(crate) struct Page {
    address: Rc<Address>,
    clock: Clock,
    /// How much further the system's clock has come than the one that may stop in a sleep.
    slept: Duration,
    signals: Signals,
}

/// A machine that slept for so long should look whether its connections still live.
const NAP: Duration = Duration::from_secs(5);

impl Page {
    /// Sets up all that a client at `url` needs. Nothing is connected yet.
    pub(crate) fn new(url: &str, _: Options) -> Result<(Self, Arc<dyn Host>), SetupError> {
        let address = Rc::new(Address::parse(url)?);
        let clock = Clock::new();
        let page = Self {
            address,
            clock,
            slept: Duration::ZERO,
            signals: Signals::listen(),
        };
        Ok((page, Arc::new(clock)))
    }

    /// What stands in for the host of a client that could not be set up.
    pub(crate) fn nowhere() -> Arc<dyn Host> {
        Arc::new(Clock::new())
    }

    /// Runs the driver.
    pub(crate) fn spawn(host: &Arc<dyn Host>, driver: impl Future<Output = ()> + 'static) {
        host.spawn(Box::pin(driver));
    }
}

impl Platform for Page {
    type Socket = socket::WebSocket;
    type Timer = Alarm;

    fn dial(&self, form: Form) -> MaybeSendFuture<Result<Self::Socket, SocketClosed>> {
        let address = Rc::clone(&self.address);
        Box::pin(async move { socket::dial(&address, form).await })
    }

    fn post(
        &self,
        form: Form,
        body: Vec<u8>,
        timeout: Duration,
        _fresh: bool,
    ) -> MaybeSendFuture<Result<Response, String>> {
        let address = Rc::clone(&self.address);
        Box::pin(async move { request::post(&address, form, body, timeout).await })
    }

    fn timer(&self) -> Alarm {
        Alarm::default()
    }

    /// Those who were just woken stand in the same queue before this task, and all of them run
    /// before the browser does anything else: a longer way round would only cost time.
    fn yield_now() -> impl Future<Output = ()> {
        let mut has_yielded = false;
        poll_fn(move |cx| {
            if std::mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.signals.poll_background(cx)
    }

    fn poll_woken(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Of a sleep nobody tells a page that stayed visible.
        let slept = self.clock.slept();
        let nap = slept.saturating_sub(self.slept);
        self.slept = slept;
        if nap > NAP {
            return Poll::Ready(());
        }
        self.signals.poll(cx)
    }
}

/// A clock that never goes back: the system's time at the start, and what has passed since.
#[derive(Clone, Copy, Debug)]
struct Clock {
    since_epoch: Duration,
    /// By the clock that never goes back.
    started: Duration,
}

impl Clock {
    fn new() -> Self {
        Self {
            since_epoch: milliseconds(js_sys::Date::now()),
            started: milliseconds(milliseconds_running()),
        }
    }

    fn running(self) -> Duration {
        milliseconds(milliseconds_running()).saturating_sub(self.started)
    }

    /// How much further the system's clock has come: it goes on while a machine sleeps.
    fn slept(self) -> Duration {
        milliseconds(js_sys::Date::now()).saturating_sub(self.since_epoch + self.running())
    }
}

fn milliseconds(milliseconds: f64) -> Duration {
    Duration::from_micros((milliseconds * 1000.0) as u64)
}

impl Host for Clock {
    fn now(&self) -> Time {
        Time::from_unix(self.since_epoch + self.running())
    }

    fn spawn(&self, task: MaybeSendFuture<()>) {
        wasm_bindgen_futures::spawn_local(task);
    }
}
