//! `Send` where there are threads, nothing where there are none: the only place beside the
//! client's platforms that asks which of the two it is.

use std::future::Future;
use std::pin::Pin;

#[cfg(not(target_family = "wasm"))]
mod sendness {
    /// `Send` where programs have threads; every type in a browser.
    pub trait MaybeSend: Send {}
    impl<T: Send + ?Sized> MaybeSend for T {}

    /// `Sync` where programs have threads; every type in a browser.
    pub trait MaybeSync: Sync {}
    impl<T: Sync + ?Sized> MaybeSync for T {}

    pub(super) type Boxed<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;
}

#[cfg(target_family = "wasm")]
mod sendness {
    /// `Send` where programs have threads; every type in a browser.
    pub trait MaybeSend {}
    impl<T: ?Sized> MaybeSend for T {}

    /// `Sync` where programs have threads; every type in a browser.
    pub trait MaybeSync {}
    impl<T: ?Sized> MaybeSync for T {}

    pub(super) type Boxed<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;
}

pub use sendness::{MaybeSend, MaybeSync};

/// A future in a box that may stay on its thread in a browser.
pub type MaybeSendFuture<T> = sendness::Boxed<T>;

/// A future in a box that may move between threads everywhere.
pub type SendFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
