//! The smallest client in a page: it connects and makes calls, and plain JavaScript uses it.
//! `cargo xtask size` says how small it is.

// ANCHOR: plain
use sente_client::Client;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

/// What the page and its server say to each other.
#[sente::events]
pub enum Chat {
    /// Posts a line, and brings its number.
    #[to_server(reply = u32)]
    Post {
        /// What it says.
        text: String,
    },
}

/// What JavaScript sees: `new Connection("/sente")`, then `await connection.post("hello")`.
#[wasm_bindgen]
pub struct Connection(Client);

#[wasm_bindgen]
impl Connection {
    /// Connects, and returns at once.
    #[wasm_bindgen(constructor)]
    pub fn new(url: &str) -> Self {
        Self(Client::builder(url).contract::<Chat>().connect())
    }

    /// Posts a line, and brings its number.
    pub async fn post(&self, text: String) -> Result<u32, JsError> {
        Ok(Chat::to_server(&self.0).post(text).await?)
    }
}
// ANCHOR_END: plain

// ANCHOR: allocator
/// Smaller than the standard library's.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
// ANCHOR_END: allocator
