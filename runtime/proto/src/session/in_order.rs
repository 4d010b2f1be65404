//! A sorted map for keys that come nearly in order and leave nearly in order, as numbers and
//! deadlines do: both are then a step at an end of a queue. Anything else costs more, but works.

use std::collections::VecDeque;

use super::IDLE_CAPACITY;

/// So many places of removed entries are kept before they are swept out.
const SPARE: usize = 32;

pub(super) struct InOrder<K, V> {
    /// Sorted by key. `None` marks what has been removed; the first is never removed.
    entries: VecDeque<(K, Option<V>)>,
    len: usize,
}

impl<K, V> Default for InOrder<K, V> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            len: 0,
        }
    }
}

impl<K: Copy + Ord, V> InOrder<K, V> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Inserts, or replaces what is there under that key.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.entries.back().is_none_or(|(last, _)| *last < key) {
            self.entries.push_back((key, Some(value)));
            self.len += 1;
            return;
        }
        match self.place(key) {
            Ok(place) => {
                let old = self.entries[place].1.replace(value);
                self.len += usize::from(old.is_none());
            }
            Err(place) => {
                self.entries.insert(place, (key, Some(value)));
                self.len += 1;
            }
        }
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.entries[self.place(key).ok()?].1.as_ref()
    }

    pub(super) fn remove(&mut self, key: K) -> Option<V> {
        let place = self.place(key).ok()?;
        let value = self.entries[place].1.take()?;
        self.len -= 1;
        while let Some((_, None)) = self.entries.front() {
            self.entries.pop_front();
        }
        if self.entries.len() > 2 * self.len + SPARE {
            self.entries.retain(|(_, value)| value.is_some());
        }
        if self.len == 0 && self.entries.capacity() > IDLE_CAPACITY {
            self.entries = VecDeque::new();
        }
        Some(value)
    }

    pub(super) fn first(&self) -> Option<K> {
        self.entries.front().map(|(key, _)| *key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = K> {
        self.entries
            .iter()
            .filter_map(|(key, value)| value.is_some().then_some(*key))
    }

    fn place(&self, key: K) -> Result<usize, usize> {
        // What leaves is nearly always the first.
        if self.first() == Some(key) {
            return Ok(0);
        }
        self.entries.binary_search_by_key(&key, |(key, _)| *key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_map(steps in prop::collection::vec((any::<bool>(), 0_u8..40), 0..400)) {
            let (mut map, mut model) = (InOrder::default(), BTreeMap::new());
            for (step, (insert, key)) in steps.into_iter().enumerate() {
                if insert {
                    map.insert(key, step);
                    model.insert(key, step);
                } else {
                    prop_assert_eq!(map.remove(key), model.remove(&key));
                }
                prop_assert_eq!(map.len(), model.len());
                prop_assert_eq!(map.first(), model.keys().next().copied());
                prop_assert!(map.keys().eq(model.keys().copied()));
                prop_assert_eq!(map.get(key), model.get(&key));
            }
        }
    }

    #[test]
    fn one_that_stays_does_not_keep_the_places_of_those_that_left() {
        let mut map = InOrder::default();
        map.insert(0, ());
        for key in 1..10_000 {
            map.insert(key, ());
            map.remove(key);
        }
        assert!(map.entries.len() <= 2 + SPARE);
    }

    #[test]
    fn an_empty_one_gives_its_memory_back() {
        let mut map = InOrder::default();
        for key in 0..1_000 {
            map.insert(key, ());
        }
        for key in 0..1_000 {
            map.remove(key);
        }
        assert!(map.entries.capacity() <= IDLE_CAPACITY);
    }
}
