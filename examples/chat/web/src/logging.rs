//! The library's log, shown in the console at the level that a person chooses.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::console;

static LEVEL: Mutex<LevelFilter> = Mutex::new(LevelFilter::OFF);

/// Shows the log from now on; nothing of it until a level is [chosen](choose).
pub(crate) fn begin() {
    tracing::subscriber::set_global_default(Console(AtomicU64::new(1)))
        .expect("nobody else takes the log");
}

/// Shows what is at least as important.
pub(crate) fn choose(level: LevelFilter) {
    *LEVEL.lock().unwrap_or_else(PoisonError::into_inner) = level;
    // What the places that log remember of the old one.
    tracing::callsite::rebuild_interest_cache();
}

fn level() -> LevelFilter {
    *LEVEL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts spans, of which it shows nothing.
struct Console(AtomicU64);

impl Subscriber for Console {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(level())
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let level = event.metadata().level();
        console::log(&format!("{level} {}{}", text.message, text.fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// An event in words: its message, then its fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
