//! What the derive writes has no warnings, and asks of parameters no more than it has to.

#![deny(missing_docs, unreachable_pub, warnings, clippy::pedantic)]

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

/// Something of a size.
#[derive(Default)]
pub struct Size<const N: usize>;

/// A page.
#[derive(Deserialize, Serialize, sente::Schema)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
pub struct Page<T, K: ?Sized, const N: usize>
where
    T: Clone,
{
    /// What is on it.
    pub all_items: Vec<T>,
    /// The pages below.
    pub below: Vec<Self>,
    /// Not written.
    #[serde(skip)]
    pub kind: PhantomData<K>,
    /// The old form.
    #[deprecated]
    pub old: Option<u8>,
    /// Of a size.
    #[serde(skip)]
    pub size: Size<N>,
}

struct Undescribed;

fn main() {
    fn described<T: sente::Schema>() {}
    described::<Page<String, Undescribed, 3>>();
}
