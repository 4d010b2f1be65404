//! What only pages can choose.

use std::future::ready;

use super::signals::DOCUMENT;
use crate::builder::ClientBuilder;

/// What a builder keeps for this platform: nothing, the browser decides.
#[derive(Debug, Default)]
pub(crate) struct Options {}

/// What only pages can choose.
impl ClientBuilder {
    /// Shows the token against cross-site request forgery that the page has in an element
    /// `<meta name="csrf-token" content="…">`, for the name `csrf-token`.
    ///
    /// It is looked up at every dial, so a page that changes it needs no more than
    /// [`reconnect`](crate::Client::reconnect). Where there is no such element, no token is shown.
    ///
    /// ```no_run
    /// use sente_client::Client;
    ///
    /// let builder = Client::builder("/sente").csrf_from_meta("csrf-token");
    /// ```
    pub fn csrf_from_meta(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.csrf(move || ready(meta(&name)))
    }
}

fn meta(name: &str) -> Option<String> {
    DOCUMENT.with(|document| {
        let all = document.as_ref()?.get_elements_by_tag_name("meta");
        (0..all.length())
            .filter_map(|index| all.item(index))
            .find(|meta| meta.get_attribute("name").as_deref() == Some(name))?
            .get_attribute("content")
    })
}
