//! The lines that are to be said: one at a time, so that they stay in order.

use std::collections::VecDeque;

use chat_client::Fate;

/// A line on its way to the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Post {
    pub(crate) room: String,
    pub(crate) text: String,
    pub(crate) reply_to: Option<u64>,
    /// Whether it could not be said at once. Then it is told when it has been.
    pub(crate) late: bool,
}

/// What waits, and what went wrong.
#[derive(Debug, Default)]
pub(crate) struct Posts {
    waiting: VecDeque<Post>,
    doubtful: Vec<Post>,
    failed: bool,
}

impl Posts {
    pub(crate) fn push(&mut self, post: Post) {
        self.waiting.push_back(post);
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The next one to be sent; it stays the next until it is [`done`](Self::done).
    pub(crate) fn next(&self) -> Option<&Post> {
        self.waiting.front()
    }

    /// The next one is posted, or given up.
    pub(crate) fn done(&mut self) -> Option<Post> {
        self.waiting.pop_front()
    }

    /// What became of the next one, which was not posted. Returns it unless it waits again.
    pub(crate) fn failed(&mut self, fate: &Fate) -> Option<Post> {
        match fate {
            Fate::Later => {
                if let Some(post) = self.waiting.front_mut() {
                    post.late = true;
                }
                return None;
            }
            Fate::Doubtful => self.doubtful.extend(self.waiting.front().cloned()),
            Fate::Failed(_) => {}
        }
        self.failed = true;
        self.done()
    }

    /// Says again what is in doubt. Returns how many lines that are.
    pub(crate) fn again(&mut self) -> usize {
        let count = self.doubtful.len();
        self.waiting.extend(self.doubtful.drain(..));
        count
    }

    /// Whether all have been posted so far.
    pub(crate) fn all_posted(&self) -> bool {
        !self.failed && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use chat_client::fate;
    use sente::CallError;

    use super::*;

    fn posts(texts: &[&str]) -> Posts {
        let mut posts = Posts::default();
        for text in texts {
            posts.push(Post {
                room: "lobby".to_owned(),
                text: (*text).to_owned(),
                reply_to: None,
                late: false,
            });
        }
        posts
    }

    #[test]
    fn what_never_left_stays_the_next() {
        let mut posts = posts(&["one", "two"]);
        let fate = fate(CallError::Disconnected {
            maybe_executed: false,
        });
        assert_eq!(fate, Fate::Later);
        assert_eq!(posts.failed(&fate), None);
        let next = posts.next().unwrap();
        assert_eq!((next.text.as_str(), next.late), ("one", true));
    }

    #[test]
    fn what_is_in_doubt_is_not_said_twice_by_itself() {
        let mut posts = posts(&["one", "two"]);
        let fate = fate(CallError::TimedOut {
            maybe_executed: true,
        });
        assert_eq!(fate, Fate::Doubtful);
        assert_eq!(posts.failed(&fate).unwrap().text, "one");
        assert_eq!(posts.next().unwrap().text, "two");
        posts.done();
        assert!(!posts.all_posted());
        assert_eq!(posts.again(), 1);
        assert_eq!(posts.next().unwrap().text, "one");
        assert_eq!(posts.again(), 0);
    }
}
