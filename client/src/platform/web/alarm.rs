//! Timers, by `setTimeout`; and the flag by which the browser wakes a task.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::platform::Timer;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(then: &Closure<dyn FnMut()>, milliseconds: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timeout: &JsValue);
}

/// Something that has happened, and who waits for it.
#[derive(Default)]
pub(super) struct Flag {
    raised: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Flag {
    pub(super) fn raise(&self) {
        self.raised.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Ready once for all that has happened since it was last ready.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.raised.take() {
            return Poll::Ready(());
        }
        self.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

/// One timeout of the browser's.
#[derive(Default)]
pub(crate) struct Alarm(Option<Bell>);

/// What an alarm that was once set needs.
struct Bell {
    rings: Rc<Flag>,
    ring: Closure<dyn FnMut()>,
    /// The timeout that is set now.
    timeout: Option<JsValue>,
}

impl Timer for Alarm {
    fn set(&mut self, after: Duration) {
        let bell = self.0.get_or_insert_with(|| {
            let rings = Rc::<Flag>::default();
            let ring = Closure::new({
                let rings = Rc::clone(&rings);
                move || rings.raise()
            });
            Bell {
                rings,
                ring,
                timeout: None,
            }
        });
        bell.stop();
        // Not too early: then there would be nothing to do yet.
        let whole = i32::try_from(after.as_secs()).unwrap_or(i32::MAX);
        let begun = after.subsec_nanos().div_ceil(1_000_000) as i32;
        let milliseconds = whole.saturating_mul(1000).saturating_add(begun);
        bell.timeout = Some(set_timeout(&bell.ring, milliseconds));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(bell) = &mut self.0 else {
            return Poll::Pending;
        };
        bell.rings.poll(cx)
    }
}

impl Bell {
    fn stop(&mut self) {
        if let Some(timeout) = self.timeout.take() {
            clear_timeout(&timeout);
        }
        self.rings.raised.set(false);
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.stop();
    }
}
