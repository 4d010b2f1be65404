//! The rooms, in memory: who is where, and what was said. No sockets, no clock.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::Instant;

use chat_contract::{JoinError, Line, Person, PostError, RoomView};

use crate::flood::Flood;
use crate::names::{clean, is_name};

/// How many lines of a room are kept for those who come later.
pub const HISTORY: usize = 50;
/// How many characters a line may have.
pub const MAX_TEXT: u32 = 500;
/// How many rooms there may be.
pub const MAX_ROOMS: usize = 200;
/// How many rooms a device may be in.
pub const MAX_JOINED: usize = 10;

/// All rooms. `D` names a device: the server takes the id of its session.
#[derive(Debug)]
pub struct Rooms<D> {
    rooms: HashMap<String, Room<D>>,
    devices: HashMap<D, Device>,
}

#[derive(Debug)]
struct Room<D> {
    here: HashSet<D>,
    lines: VecDeque<Line>,
    last: u64,
}

#[derive(Debug)]
struct Device {
    name: String,
    rooms: HashSet<String>,
    flood: Flood,
}

/// What came of a join.
#[derive(Debug, Eq, PartialEq)]
pub struct Entered {
    /// What there is to see.
    pub view: RoomView,
    /// Whether the person was not there before, on any device.
    pub new: bool,
}

/// What a device that is gone leaves behind.
#[derive(Debug, Eq, PartialEq)]
pub struct Gone {
    /// Whose it was.
    pub name: String,
    /// The rooms that it was in …
    pub rooms: Vec<String>,
    /// … and those that the person has left with it.
    pub left: Vec<String>,
}

// Not derived: a device need not have a default.
impl<D> Default for Rooms<D> {
    fn default() -> Self {
        Self {
            rooms: HashMap::new(),
            devices: HashMap::new(),
        }
    }
}

impl<D: Copy + Eq + Hash> Rooms<D> {
    /// A device enters a room; `name` is the person's.
    ///
    /// # Errors
    /// If there cannot be such a room, or not one more.
    pub fn join(&mut self, device: D, name: &str, room: &str) -> Result<Entered, JoinError> {
        if !is_name(room) {
            return Err(JoinError::BadName);
        }
        let joined = self.devices.get(&device).map(|it| &it.rooms);
        if joined.is_some_and(|it| it.len() >= MAX_JOINED && !it.contains(room)) {
            return Err(JoinError::TooManyJoined {
                max: MAX_JOINED as u32,
            });
        }
        if !self.rooms.contains_key(room) {
            self.make_place()?;
        }

        let new = !self.is_here(name, room);
        self.rooms
            .entry(room.to_owned())
            .or_insert_with(Room::new)
            .here
            .insert(device);
        self.devices
            .entry(device)
            .or_insert_with(|| Device::new(name))
            .rooms
            .insert(room.to_owned());
        let view = RoomView {
            lines: self.rooms[room].lines.iter().cloned().collect(),
            people: self.who(room),
        };
        Ok(Entered { view, new })
    }

    /// A device leaves a room. Returns whether the person has left with it.
    pub fn leave(&mut self, device: D, room: &str) -> bool {
        let Some(known) = self.devices.get_mut(&device) else {
            return false;
        };
        if !known.rooms.remove(room) {
            return false;
        }
        let name = known.name.clone();
        if let Some(room) = self.rooms.get_mut(room) {
            room.here.remove(&device);
        }
        !self.is_here(&name, room)
    }

    /// A device is gone.
    pub fn gone(&mut self, device: D) -> Option<Gone> {
        let known = self.devices.get(&device)?;
        let name = known.name.clone();
        let rooms: Vec<_> = known.rooms.iter().cloned().collect();
        let left = rooms.iter().filter(|room| self.leave(device, room));
        let left = left.cloned().collect();
        self.devices.remove(&device);
        Some(Gone { name, rooms, left })
    }

    /// All devices that are or were in a room.
    pub fn devices(&self) -> impl Iterator<Item = D> {
        self.devices.keys().copied()
    }

    /// Someone says a line.
    ///
    /// # Errors
    /// If the line may not be said.
    pub fn post(
        &mut self,
        device: D,
        room: &str,
        text: &str,
        reply_to: Option<u64>,
        now: Instant,
    ) -> Result<Line, PostError> {
        let (Some(known), Some(room)) = (self.devices.get_mut(&device), self.rooms.get_mut(room))
        else {
            return Err(PostError::NotJoined);
        };
        if !room.here.contains(&device) {
            return Err(PostError::NotJoined);
        }
        let text = clean(text);
        if text.is_empty() {
            return Err(PostError::Empty);
        }
        if text.chars().count() > MAX_TEXT as usize {
            return Err(PostError::TooLong { max: MAX_TEXT });
        }
        known
            .flood
            .say(now)
            .map_err(|seconds| PostError::Muted { seconds })?;
        Ok(room.keep(&known.name, text, reply_to))
    }

    /// Who is in a room, by name.
    #[must_use]
    pub fn who(&self, room: &str) -> Vec<Person> {
        let mut devices = BTreeMap::<&str, u32>::new();
        for device in self.rooms.get(room).iter().flat_map(|room| &room.here) {
            *devices.entry(&self.devices[device].name).or_default() += 1;
        }
        devices
            .into_iter()
            .map(|(name, devices)| Person {
                name: name.to_owned(),
                devices,
            })
            .collect()
    }

    /// Whether a device is in a room.
    #[must_use]
    pub fn is_in(&self, device: D, room: &str) -> bool {
        let room = self.rooms.get(room);
        room.is_some_and(|room| room.here.contains(&device))
    }

    /// Forgets what was said in a room. Returns how many lines those were.
    pub fn clear(&mut self, room: &str) -> usize {
        self.rooms
            .get_mut(room)
            .map_or(0, |room| room.lines.drain(..).count())
    }

    fn is_here(&self, name: &str, room: &str) -> bool {
        self.rooms
            .get(room)
            .is_some_and(|room| room.here.iter().any(|it| self.devices[it].name == name))
    }

    /// Forgets a room where nobody is, if there is need.
    fn make_place(&mut self) -> Result<(), JoinError> {
        if self.rooms.len() < MAX_ROOMS {
            return Ok(());
        }
        let empty = self
            .rooms
            .iter()
            .find(|(_, room)| room.here.is_empty())
            .map(|(name, _)| name.clone())
            .ok_or(JoinError::TooManyRooms)?;
        self.rooms.remove(&empty);
        Ok(())
    }
}

impl<D> Room<D> {
    fn new() -> Self {
        Self {
            here: HashSet::new(),
            lines: VecDeque::new(),
            last: 0,
        }
    }

    fn keep(&mut self, from: &str, text: String, reply_to: Option<u64>) -> Line {
        self.last += 1;
        let line = Line {
            id: self.last,
            from: from.to_owned(),
            text,
            reply_to,
        };
        if self.lines.len() == HISTORY {
            self.lines.pop_front();
        }
        self.lines.push_back(line.clone());
        line
    }
}

impl Device {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rooms: HashSet::new(),
            flood: Flood::default(),
        }
    }
}

#[cfg(test)]
mod tests;
