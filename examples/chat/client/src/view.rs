//! The room as it is shown: which lines have been, so that none is shown twice.

use std::collections::VecDeque;

use chat_contract::Line;

/// So many lines are remembered, to reply to and to quote.
const REMEMBERED: usize = 200;

/// One room, as far as it has been shown.
#[derive(Debug, Default)]
pub struct View {
    room: String,
    /// Whether the answer to a join is awaited. What comes meanwhile is shown after it.
    waits: bool,
    early: Vec<Line>,
    shown: VecDeque<Line>,
}

impl View {
    /// Which room it is.
    #[must_use]
    pub fn room(&self) -> &str {
        &self.room
    }

    /// Whether it is that room.
    #[must_use]
    pub fn is_in(&self, room: &str) -> bool {
        self.room == room
    }

    /// A join has been sent. `same` says that it is the same room as before, with the same
    /// history: what has been shown of it is not shown again.
    pub fn enter(&mut self, room: &str, same: bool) {
        if !same || self.room != room {
            self.shown.clear();
        }
        room.clone_into(&mut self.room);
        self.early.clear();
        self.waits = true;
    }

    /// The join has been answered with the room's history. Returns what there is to show.
    pub fn entered(&mut self, history: Vec<Line>) -> Vec<Line> {
        self.waits = false;
        let early = std::mem::take(&mut self.early);
        let new = |line: &Line| self.shown.back().is_none_or(|last| line.id > last.id);
        let mut lines: Vec<_> = history.into_iter().filter(new).collect();
        let last = lines.last().map_or(0, |line| line.id);
        lines.extend(early.into_iter().filter(|line| line.id > last));
        for line in &lines {
            self.remember(line.clone());
        }
        lines
    }

    /// A line has come. Returns it if it is to be shown now.
    pub fn posted(&mut self, room: &str, line: Line) -> Option<Line> {
        if self.room != room {
            return None;
        }
        if self.waits {
            self.early.push(line);
            return None;
        }
        self.remember(line.clone());
        Some(line)
    }

    /// Takes a line for shown.
    pub fn remember(&mut self, line: Line) {
        if self.shown.len() == REMEMBERED {
            self.shown.pop_front();
        }
        self.shown.push_back(line);
    }

    /// The line with that number, if it has been shown.
    #[must_use]
    pub fn line(&self, id: u64) -> Option<&Line> {
        self.shown.iter().rev().find(|line| line.id == id)
    }

    /// The last line of someone.
    #[must_use]
    pub fn last_of(&self, name: &str) -> Option<&Line> {
        self.shown.iter().rev().find(|line| line.from == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: u64) -> Line {
        Line {
            id,
            from: "bob".to_owned(),
            text: format!("line {id}"),
            reply_to: None,
        }
    }

    fn ids(lines: &[Line]) -> Vec<u64> {
        lines.iter().map(|line| line.id).collect()
    }

    fn in_lobby(history: std::ops::RangeInclusive<u64>) -> View {
        let mut view = View::default();
        view.enter("lobby", false);
        view.entered(history.map(line).collect());
        view
    }

    #[test]
    fn what_comes_before_the_history_is_shown_after_it_and_once() {
        let mut view = View::default();
        view.enter("lobby", false);
        assert_eq!(view.posted("lobby", line(3)), None);
        assert_eq!(view.posted("lobby", line(4)), None);
        assert_eq!(ids(&view.entered(vec![line(2), line(3)])), [2, 3, 4]);
        assert_eq!(view.posted("lobby", line(5)), Some(line(5)));
        assert_eq!(view.posted("garden", line(6)), None);
    }

    #[test]
    fn who_comes_back_is_shown_what_was_missed() {
        let mut view = in_lobby(1..=3);
        view.enter("lobby", true);
        assert_eq!(ids(&view.entered((2..=5).map(line).collect())), [4, 5]);
    }

    #[test]
    fn after_a_restart_numbers_begin_anew() {
        let mut view = in_lobby(1..=3);
        view.enter("lobby", false);
        assert_eq!(ids(&view.entered(vec![line(1)])), [1]);
    }

    #[test]
    fn the_last_line_of_someone_can_be_replied_to() {
        let view = in_lobby(1..=3);
        assert_eq!(view.last_of("bob").map(|line| line.id), Some(3));
        assert_eq!(view.last_of("ann"), None);
        assert_eq!(view.line(2).map(|line| line.text.as_str()), Some("line 2"));
    }
}
