//! What a page does, seen and bent from inside it; see `spy.js`.

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/tests/suite/spy.js")]
extern "C" {
    pub(crate) fn dialled() -> u32;
    pub(crate) fn requested() -> u32;
    pub(crate) fn requests_awaited() -> u32;
    pub(crate) fn timers_set() -> u32;
    pub(crate) fn listeners_added() -> u32;
    pub(crate) fn sockets_held() -> u32;
    pub(crate) fn close_last(code: u16, reason: &str);
    pub(crate) fn hold_timers(from: f64);
    pub(crate) fn mute(yes: bool);
    pub(crate) fn jump(by: f64);
    pub(crate) fn take_web_socket();
    pub(crate) fn set_visibility(state: &str);
    pub(crate) fn happen(name: &str);
    pub(crate) fn show_page(persisted: bool);
    pub(crate) fn set_meta(name: &str, content: &str);
    pub(crate) fn set_cookie(cookie: &str);

    #[wasm_bindgen(js_name = restore)]
    fn restore_all();
    type Wait;
    #[wasm_bindgen(constructor)]
    fn new(after: f64) -> Wait;
    #[wasm_bindgen(method, getter)]
    fn promise(this: &Wait) -> js_sys::Promise;
    #[wasm_bindgen(method)]
    fn stop(this: &Wait);
    #[wasm_bindgen(js_name = tell)]
    fn tell_promise(url: &str) -> js_sys::Promise;
    #[wasm_bindgen(js_name = memory_pages)]
    fn pages_of(memory: &JsValue) -> u32;
}

/// Faults last until this is dropped.
pub(crate) struct Bent;

impl Drop for Bent {
    fn drop(&mut self) {
        restore_all();
    }
}

/// After so many milliseconds, whatever timers do. Dropped before, it leaves nothing behind.
pub(crate) async fn later(milliseconds: f64) {
    struct Stop(Wait);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.stop();
        }
    }
    let wait = Stop(Wait::new(milliseconds));
    // It never fails.
    JsFuture::from(wait.0.promise()).await.ok();
}

/// Has the server do something, and brings its word.
pub(crate) async fn tell(url: &str) -> String {
    let answer = JsFuture::from(tell_promise(url)).await;
    answer.unwrap().as_string().unwrap()
}

/// The program's memory, in pages of 64 KiB.
pub(crate) fn memory_pages() -> u32 {
    pages_of(wasm_bindgen::memory().unchecked_ref())
}
