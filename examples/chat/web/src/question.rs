//! The dialog by which the server asks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use web_sys::{Event, HtmlDialogElement};

use crate::dom;

/// The dialog, and who waits for its answer.
#[derive(Default)]
pub(crate) struct Question {
    waiting: RefCell<Option<oneshot::Sender<bool>>>,
    /// How many have been asked: the newest is shown.
    asked: Cell<u32>,
}

impl Question {
    pub(crate) fn new() -> Rc<Self> {
        let question = Rc::<Self>::default();
        let answered = Rc::clone(&question);
        dom::on(&dialog(), "close", move |_: Event| {
            if let Some(waiting) = answered.waiting.take() {
                // The server may have given up.
                let _ = waiting.send(dialog().return_value() == "yes");
            }
        });
        question
    }

    /// Asks, and waits for the answer. A newer question takes the place of an older one, which is
    /// denied.
    pub(crate) async fn ask(&self, question: &str) -> bool {
        let (answer, answered) = oneshot::channel();
        self.asked.set(self.asked.get() + 1);
        self.waiting.replace(Some(answer));
        dom::show_text("question-text", question);
        dialog().set_return_value("no");
        if !dialog().open() && dialog().show_modal().is_err() {
            return false;
        }
        let _asking = Asking {
            question: self,
            number: self.asked.get(),
        };
        answered.await.unwrap_or(false)
    }
}

/// Closes the dialog when nobody wants to know any more.
struct Asking<'a> {
    question: &'a Question,
    number: u32,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.question.asked.get() == self.number {
            dialog().close();
        }
    }
}

fn dialog() -> HtmlDialogElement {
    dom::by_id("question")
}
