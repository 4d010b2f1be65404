//! Sorted pairs of numbers that come nearly in order and leave nearly in order, as the numbers and
//! the deadlines of calls do: both are then a step at an end of a queue. Anything else costs more,
//! but works.
//!
//! One type for all of them, rather than a generic one, keeps pages small.

use std::collections::VecDeque;

use super::{IDLE_CAPACITY, keep};

/// So many places of removed pairs are kept before they are swept out.
const SPARE: usize = 32;

#[derive(Default)]
pub(super) struct InOrder {
    /// Sorted. What has been removed is marked; the first is never removed.
    entries: VecDeque<Entry>,
    len: usize,
}

struct Entry {
    pair: (u64, u64),
    removed: bool,
}

impl InOrder {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Inserts a pair, if it is not there.
    pub(super) fn insert(&mut self, first: u64, second: u64) {
        let pair = (first, second);
        let entry = Entry {
            pair,
            removed: false,
        };
        if self.entries.back().is_none_or(|last| last.pair < pair) {
            self.entries.push_back(entry);
        } else {
            let place = self.place(pair);
            match self.entries.get_mut(place) {
                Some(known) if known.pair == pair && !known.removed => return,
                Some(known) if known.pair == pair => *known = entry,
                _ => self.entries.insert(place, entry),
            }
        }
        self.len += 1;
    }

    /// The other number of the only pair that begins with `first`.
    pub(super) fn get(&self, first: u64) -> Option<u64> {
        if let Some((front, second)) = self.first()
            && front == first
        {
            return Some(second);
        }
        let mut beginning = self.entries.range(self.place((first, 0))..);
        let entry = beginning.find(|entry| !entry.removed)?;
        (entry.pair.0 == first).then_some(entry.pair.1)
    }

    /// Returns whether the pair was there.
    pub(super) fn remove(&mut self, first: u64, second: u64) -> bool {
        let pair = (first, second);
        // What leaves is nearly always the first.
        if self.first() == Some(pair) {
            self.entries.pop_front();
        } else {
            let place = self.place(pair);
            match self.entries.get_mut(place) {
                Some(entry) if entry.pair == pair && !entry.removed => entry.removed = true,
                _ => return false,
            }
        }
        self.len -= 1;
        while self.entries.front().is_some_and(|entry| entry.removed) {
            self.entries.pop_front();
        }
        if self.len == 0 {
            if self.entries.capacity() > IDLE_CAPACITY {
                self.entries = VecDeque::new();
            }
        } else if self.entries.len() > 2 * self.len + SPARE {
            keep(&mut self.entries, |entry| !entry.removed);
        }
        true
    }

    pub(super) fn first(&self) -> Option<(u64, u64)> {
        self.entries.front().map(|entry| entry.pair)
    }

    /// All pairs, in order.
    pub(super) fn pairs(&self) -> Vec<(u64, u64)> {
        let there = self.entries.iter().filter(|entry| !entry.removed);
        there.map(|entry| entry.pair).collect()
    }

    fn place(&self, pair: (u64, u64)) -> usize {
        self.entries.partition_point(|entry| entry.pair < pair)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_set(steps in prop::collection::vec((any::<bool>(), 0_u64..40), 0..400)) {
            let (mut set, mut model) = (InOrder::default(), BTreeSet::new());
            for (insert, number) in steps {
                let (first, second) = (number / 2, number % 2);
                if !insert {
                    prop_assert_eq!(set.remove(first, second), model.remove(&(first, second)));
                } else if model.insert((first, second)) {
                    set.insert(first, second);
                }
                prop_assert_eq!(set.len(), model.len());
                prop_assert_eq!(set.first(), model.first().copied());
                prop_assert!(set.pairs().into_iter().eq(model.iter().copied()));
                let begins = model.range((first, 0)..=(first, u64::MAX)).next();
                prop_assert_eq!(set.get(first), begins.map(|(_, second)| *second));
            }
        }
    }

    #[test]
    fn one_that_stays_does_not_keep_the_places_of_those_that_left() {
        let mut set = InOrder::default();
        set.insert(0, 0);
        for number in 1..10_000 {
            set.insert(number, 0);
            set.remove(number, 0);
        }
        assert!(set.entries.len() <= 2 + SPARE);
    }

    #[test]
    fn an_empty_one_gives_its_memory_back() {
        let mut set = InOrder::default();
        for number in 0..1_000 {
            set.insert(number, 0);
        }
        for number in 0..1_000 {
            set.remove(number, 0);
        }
        assert!(set.entries.capacity() <= IDLE_CAPACITY);
    }
}
