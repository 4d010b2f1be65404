//! The client in a page, against a server that `cargo xtask browser` starts.
#![cfg(target_family = "wasm")]

mod carriers;
mod leaks;
mod lost;
mod page;
mod refused;
mod spy;
mod talk;
mod woken;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
