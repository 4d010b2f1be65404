//! Questions of the server that wait for an answer from the keyboard.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// The question that waits, if there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Questions {
    waiting: Arc<Mutex<Option<oneshot::Sender<bool>>>>,
    /// There is nobody to ask: a script means what it says.
    yes_to_all: bool,
}

impl Questions {
    pub(crate) fn new(yes_to_all: bool) -> Self {
        Self {
            yes_to_all,
            ..Self::default()
        }
    }

    /// Waits for the answer. A newer question takes the place of an older one, which is denied.
    pub(crate) async fn ask(&self) -> bool {
        if self.yes_to_all {
            return true;
        }
        let (answer, answered) = oneshot::channel();
        self.put(Some(answer));
        answered.await.unwrap_or(false)
    }

    /// Takes a line as the answer, if it is one and was asked for.
    pub(crate) fn answer(&self, line: &str) -> bool {
        let yes = match line.trim().to_lowercase().as_str() {
            "y" | "yes" => true,
            "n" | "no" => false,
            _ => return false,
        };
        self.put(None)
            .is_some_and(|question| question.send(yes).is_ok())
    }

    fn put(&self, question: Option<oneshot::Sender<bool>>) -> Option<oneshot::Sender<bool>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *waiting, question)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn yes_and_no_answer_and_nothing_else_does() {
        let questions = Questions::default();
        assert!(!questions.answer("yes"), "nobody asked");
        let mut asked = pin!(questions.ask());
        assert!(asked.as_mut().now_or_never().is_none());
        assert!(!questions.answer("maybe"));
        assert!(questions.answer(" Yes "));
        assert!(asked.await);
    }

    #[tokio::test]
    async fn a_question_that_was_given_up_takes_no_answer() {
        let questions = Questions::default();
        {
            let mut asked = pin!(questions.ask());
            assert!(asked.as_mut().now_or_never().is_none());
        }
        assert!(!questions.answer("yes"));
    }

    #[tokio::test]
    async fn a_script_says_yes() {
        assert!(Questions::new(true).ask().await);
    }
}
