//! The page, driven as a person would, in Chromium: windows, tabs, a server that is killed, a
//! proxy in between.
//!
//! # Layout
//! * `chat`, `account`, `buttons`, `carriers`, `bad`, `looks`: what is tested
//! * `window`: a person before a window; `webdriver`: how that is told to a browser
//! * `programs`: the server, the proxy, the browser's driver
#![cfg(not(target_family = "wasm"))]

mod account;
mod bad;
mod buttons;
mod carriers;
mod chat;
mod looks;
mod programs;
mod webdriver;
mod window;
