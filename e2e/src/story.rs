//! What counting programs have written down, and whether it is what was promised.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{Answer, Back, Entry};

/// The journals of all programs that took part.
#[derive(Debug, Default)]
pub struct Story {
    clients: Vec<Journal>,
    servers: Vec<Journal>,
}

#[derive(Debug)]
struct Journal {
    entries: Vec<Entry>,
    /// Nobody asked it: it was killed, and could not tell what came back.
    killed: bool,
}

impl Story {
    /// Adds what a client has written down; `killed`: up to the moment when it was killed.
    pub fn client(&mut self, entries: Vec<Entry>, killed: bool) {
        self.clients.push(Journal { entries, killed });
    }

    /// Adds what a run of the server has written down.
    pub fn server(&mut self, entries: Vec<Entry>, killed: bool) {
        self.servers.push(Journal { entries, killed });
    }

    /// Compares the journals.
    ///
    /// # Panics
    /// If something was lost, repeated or reordered within a session, if it is not told rightly what
    /// may not have arrived, or if a session ended in silence. Says what and where.
    pub fn check(&self) -> Summary {
        let mut summary = Summary::default();
        let sessions = self.sessions();
        for client in &self.clients {
            check_ends_are_told(client);
            summary.sessions += ids(client).count();
            let own: BTreeSet<&str> = ids(client).collect();
            let heard = self.up(&own);
            check_numbers_up(client, &heard);
            summary.up += heard.len();
            summary.calls += self.check_calls(client, &own);
        }
        for (count, told) in &sessions {
            summary.down += self.check_numbers_down(*count, told);
        }
        summary
    }

    /// The counts, with their sessions and the servers that made them.
    fn sessions(&self) -> BTreeMap<u64, (&str, &Journal)> {
        let mut sessions = BTreeMap::new();
        for server in &self.servers {
            for entry in &server.entries {
                if let Entry::Joined { session, count } = entry {
                    let before = sessions.insert(*count, (session.as_str(), server));
                    assert!(before.is_none(), "two sessions have the count {count}");
                }
            }
        }
        sessions
    }

    /// The numbers that came up in some sessions, each with the session.
    fn up(&self, own: &BTreeSet<&str>) -> BTreeMap<u64, &str> {
        let mut last: HashMap<&str, u64> = HashMap::new();
        let mut heard = BTreeMap::new();
        for entry in self.servers.iter().flat_map(|server| &server.entries) {
            let Entry::Up { session, number } = entry else {
                continue;
            };
            if !own.contains(session.as_str()) {
                continue;
            }
            if let Some(last) = last.insert(session, *number) {
                assert_eq!(
                    *number,
                    last + 1,
                    "what came up after {last} in session {session}"
                );
            }
            let before = heard.insert(*number, session.as_str());
            assert!(before.is_none(), "{number} came up twice, in {session} too");
        }
        heard
    }

    fn check_calls(&self, client: &Journal, own: &BTreeSet<&str>) -> usize {
        let mut ran = BTreeSet::new();
        for entry in self.servers.iter().flat_map(|server| &server.entries) {
            if let Entry::Ran { session, number } = entry
                && own.contains(session.as_str())
            {
                assert!(ran.insert(*number), "the call {number} ran twice");
            }
        }
        let mut open = BTreeSet::new();
        for entry in &client.entries {
            match entry {
                Entry::Asking { number } => assert!(open.insert(*number)),
                Entry::Answered { number, answer } => {
                    assert!(open.remove(number), "the call {number} ended twice");
                    let has_run = ran.contains(number);
                    match answer {
                        Answer::Came => assert!(has_run, "{number} was answered and never ran"),
                        Answer::NeverRan => assert!(!has_run, "{number} ran, against its word"),
                        Answer::MaybeRan => {}
                    }
                }
                _ => {}
            }
        }
        assert!(
            client.killed || open.is_empty(),
            "these calls never ended: {open:?}"
        );
        ran.len()
    }

    /// One count, at the client that heard it. Returns how many numbers it has heard.
    fn check_numbers_down(&self, count: u64, (session, server): &(&str, &Journal)) -> usize {
        let heard: Vec<u64> = self
            .clients
            .iter()
            .flat_map(|client| &client.entries)
            .filter_map(|entry| match entry {
                Entry::Down { count: of, number } if *of == count => Some(*number),
                _ => None,
            })
            .collect();
        for (place, number) in heard.iter().enumerate() {
            assert_eq!(
                *number,
                place as u64 + 1,
                "what came down in session {session}, after {:?}",
                &heard[..place].last()
            );
        }
        let mut pushed = 0;
        let mut end = None;
        for entry in &server.entries {
            match entry {
                Entry::Pushing { count: of, number } if *of == count => pushed = *number,
                Entry::Refused { count: of, number } if *of == count => pushed = number - 1,
                Entry::Ended {
                    session: of, back, ..
                } if of == session => {
                    assert!(end.is_none(), "session {session} ended twice");
                    end = Some(back);
                }
                _ => {}
            }
        }
        let last = heard.len() as u64;
        assert!(last <= pushed, "{last} came down of {pushed}");
        match end {
            Some(back) => check_back(back, 1..=pushed, &heard.iter().copied().collect()),
            None => assert!(server.killed, "session {session} ended in silence"),
        }
        heard.len()
    }
}

/// What a story was made of, so that a test sees that it was about something.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Sessions of all clients.
    pub sessions: usize,
    /// Numbers that came up.
    pub up: usize,
    /// Numbers that came down.
    pub down: usize,
    /// Calls that ran.
    pub calls: usize,
}

/// All sessions of a client, in order.
fn ids(client: &Journal) -> impl Iterator<Item = &str> {
    let mut last = None;
    client.entries.iter().filter_map(move |entry| match entry {
        Entry::Open { session, .. } if last != Some(session) => {
            last = Some(session);
            Some(session.as_str())
        }
        _ => None,
    })
}

/// Each session after the first says why it is not the one before.
fn check_ends_are_told(client: &Journal) {
    let mut last: Option<&str> = None;
    for entry in &client.entries {
        let Entry::Open { session, fresh, .. } = entry else {
            continue;
        };
        match (last, fresh) {
            (Some(last), _) if last == session => {}
            (None, Some(reason)) => assert_eq!(reason, "First"),
            (Some(_), Some(reason)) => {
                assert_ne!(reason, "First", "a session ended in silence");
                assert_ne!(reason, "Violation", "no program broke the protocol");
            }
            (_, None) => panic!("session {session} goes on, and the client never had it"),
        }
        last = Some(session);
    }
}

/// What a client has sent has come up, or has come back.
fn check_numbers_up(client: &Journal, heard: &BTreeMap<u64, &str>) {
    let mut sent = client.entries.iter().filter_map(|entry| match entry {
        Entry::Sending { number } => Some(*number),
        _ => None,
    });
    let sent = sent.next_back().unwrap_or_default();
    let heard: BTreeSet<u64> = heard.keys().copied().collect();
    let came_back = client.entries.iter().filter_map(|entry| match entry {
        Entry::Back { back, .. } => Some(back),
        _ => None,
    });
    let back: Vec<Back> = came_back.flatten().copied().collect();
    if client.killed {
        // It cannot tell what would have come back, but nothing is missing in between.
        let last = heard.last().copied().unwrap_or_default();
        assert!(last <= sent, "{last} came up of {sent}");
        check_back(&back, 1..=last, &heard);
    } else {
        check_back(&back, 1..=sent, &heard);
    }
}

/// Of what was sent each number was heard, or came back; and none that came back as certainly not
/// received was heard.
fn check_back(back: &[Back], sent: std::ops::RangeInclusive<u64>, heard: &BTreeSet<u64>) {
    for back in back.iter().filter(|back| !back.maybe_received) {
        let Back { number, .. } = back;
        assert!(
            !heard.contains(number),
            "{number} came back as never received, and was heard"
        );
    }
    let back: BTreeSet<u64> = back.iter().map(|back| back.number).collect();
    let lost: Vec<u64> = sent
        .filter(|number| !heard.contains(number) && !back.contains(number))
        .collect();
    assert!(lost.is_empty(), "lost without a word: {lost:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(session: &str, fresh: Option<&str>) -> Entry {
        Entry::Open {
            session: session.to_owned(),
            fresh: fresh.map(str::to_owned),
            polls: false,
        }
    }

    fn up(numbers: &[u64]) -> Vec<Entry> {
        let up = |number: &u64| Entry::Up {
            session: "a".to_owned(),
            number: *number,
        };
        numbers.iter().map(up).collect()
    }

    fn back(numbers: &[(u64, bool)]) -> Vec<Back> {
        let back = |(number, maybe_received): &(u64, bool)| Back {
            number: *number,
            maybe_received: *maybe_received,
        };
        numbers.iter().map(back).collect()
    }

    /// A client that sent 1 to 3 and heard some, and a server that heard some and sent 1 to 3.
    fn story(mut client: Vec<Entry>, mut server: Vec<Entry>, back: &[(u64, bool)]) -> Story {
        client.insert(0, open("a", Some("First")));
        client.push(Entry::Sending { number: 3 });
        let session = "a".to_owned();
        server.insert(0, Entry::Joined { session, count: 1 });
        server.push(Entry::Pushing {
            count: 1,
            number: 3,
        });
        server.push(Entry::Ended {
            session: "a".to_owned(),
            reason: "Goodbye".to_owned(),
            back: self::back(back),
        });
        let mut story = Story::default();
        story.client(client, false);
        story.server(server, false);
        story
    }

    fn down(numbers: &[u64]) -> Vec<Entry> {
        let down = |number: &u64| Entry::Down {
            count: 1,
            number: *number,
        };
        numbers.iter().map(down).collect()
    }

    #[test]
    fn what_has_come_or_come_back_is_as_promised() {
        let summary = story(down(&[1, 2, 3]), up(&[1, 2, 3]), &[]).check();
        assert_eq!((summary.up, summary.down, summary.sessions), (3, 3, 1));
        story(down(&[1, 2]), up(&[1, 2, 3]), &[(2, true), (3, false)]).check();
        let mut client = down(&[1, 2, 3]);
        client.push(Entry::Back {
            reason: "Restarted".to_owned(),
            back: back(&[(2, true), (3, false)]),
        });
        client.push(open("b", Some("Restarted")));
        story(client, up(&[1, 2]), &[]).check();
    }

    #[test]
    #[should_panic(expected = "lost without a word: [3]")]
    fn what_does_not_come_up_is_lost() {
        story(down(&[1, 2, 3]), up(&[1, 2]), &[]).check();
    }

    #[test]
    #[should_panic(expected = "lost without a word: [2, 3]")]
    fn what_does_not_come_down_is_lost() {
        story(down(&[1]), up(&[1, 2, 3]), &[]).check();
    }

    #[test]
    #[should_panic(expected = "what came up after 1")]
    fn a_gap_on_the_way_up_is_seen() {
        story(down(&[1, 2, 3]), up(&[1, 3]), &[]).check();
    }

    #[test]
    #[should_panic(expected = "what came up after 2")]
    fn what_comes_up_twice_is_seen() {
        story(down(&[1, 2, 3]), up(&[1, 2, 2, 3]), &[]).check();
    }

    #[test]
    #[should_panic(expected = "what came down")]
    fn what_comes_down_in_another_order_is_seen() {
        story(down(&[1, 3, 2]), up(&[1, 2, 3]), &[]).check();
    }

    #[test]
    #[should_panic(expected = "3 came back as never received, and was heard")]
    fn a_wrong_word_about_what_came_back_is_seen() {
        story(down(&[1, 2, 3]), up(&[1, 2, 3]), &[(3, false)]).check();
    }

    #[test]
    #[should_panic(expected = "a session ended in silence")]
    fn a_session_that_follows_without_a_word_is_seen() {
        let mut client = down(&[1, 2, 3]);
        client.push(open("b", Some("First")));
        story(client, up(&[1, 2, 3]), &[]).check();
    }

    #[test]
    #[should_panic(expected = "the call 5 ran twice")]
    fn a_call_that_runs_twice_is_seen() {
        let mut server = up(&[1, 2, 3]);
        for session in ["a", "a"].map(str::to_owned) {
            server.push(Entry::Ran { session, number: 5 });
        }
        story(down(&[1, 2, 3]), server, &[]).check();
    }

    #[test]
    #[should_panic(expected = "these calls never ended: {5}")]
    fn a_call_that_never_ends_is_seen() {
        let mut client = down(&[1, 2, 3]);
        client.push(Entry::Asking { number: 5 });
        story(client, up(&[1, 2, 3]), &[]).check();
    }
}
