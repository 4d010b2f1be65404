//! What comes in on a carrier, item by item.

use std::sync::Arc;

use super::{Arrival, Event, Session, calls};
use crate::contract::{Inbound, Mapping};
use crate::frame::{Data, Failure, Item, Outcome};
use crate::{CloseReason, Time};

impl Session {
    /// Takes in a data frame.
    ///
    /// # Errors
    /// If the frame breaks the protocol; the session must then be [ended](Self::end).
    pub fn handle_data(&mut self, now: Time, data: Data) -> Result<(), CloseReason> {
        if let Some(acknowledge) = data.acknowledge {
            self.acknowledged(acknowledge)?;
        }
        if data.items.is_empty() {
            return Ok(());
        }
        let mut number = data.first;
        if number == 0 || self.misses_before(&data) {
            return Err(CloseReason::Gap);
        }
        for item in data.items {
            let count = if let Item::Skip { count } = item {
                count
            } else {
                1
            };
            let next = number.checked_add(count).ok_or(CloseReason::Malformed)?;
            let new = next.saturating_sub(self.inbox.received() + 1).min(count);
            let new = if mutated!("keep-duplicate") {
                count
            } else {
                new
            };
            if new > 0 {
                self.receive(now, number, new, item)?;
            }
            number = next;
        }
        self.inbox.arrived(now);
        Ok(())
    }

    /// The other side asks for a sign of life: it gets that with the next frames.
    pub fn handle_ping(&mut self, number: u64) {
        self.pong = Some(number);
        self.inbox.acknowledge_now();
    }

    /// Whether items are missing before those of a frame: on carriers whose answers may go astray
    /// that is no fault of the other side.
    #[must_use]
    pub fn misses_before(&self, data: &Data) -> bool {
        !data.items.is_empty() && data.first > self.inbox.received() + 1
    }

    fn receive(&mut self, now: Time, number: u64, new: u64, item: Item) -> Result<(), CloseReason> {
        self.inbox.advance(new, &item)?;
        match item {
            Item::Skip { .. } => self.inbox.skipped(new),
            Item::Event { event, payload } => match self.inbound(event) {
                Inbound::Event {
                    number: event,
                    exact,
                } => {
                    self.events.push_back(Event::Event(Arrival {
                        event,
                        payload,
                        exact,
                    }));
                }
                refused @ (Inbound::Unsupported | Inbound::Incompatible) => {
                    self.refuse(event, refused, false, payload.len());
                }
            },
            Item::Call {
                event,
                remaining,
                payload,
            } => {
                let inbound = self.inbound(event);
                let failure = match inbound {
                    Inbound::Event {
                        number: event,
                        exact,
                    } => {
                        let deadline = now + remaining;
                        let call = self.inbox.start_call(number, deadline);
                        let arrival = Arrival {
                            event,
                            payload,
                            exact,
                        };
                        self.events.push_back(Event::Call {
                            call,
                            deadline,
                            arrival,
                        });
                        return Ok(());
                    }
                    Inbound::Unsupported => Failure::Unsupported,
                    Inbound::Incompatible => Failure::Incompatible,
                };
                self.refuse(event, inbound, true, payload.len());
                self.outbox
                    .push_reply(now, number, Outcome::Failed(failure));
            }
            Item::Reply { call, outcome } => match self.calls.of_number(call) {
                Some(id) => {
                    self.outbox.give_up(call);
                    self.complete(id, calls::result_of(outcome));
                }
                // A late reply to a call that was given up is no fault; one to a call that was
                // never made is.
                None if call == 0 || call > self.outbox.last_number() => {
                    return Err(CloseReason::UnknownCall);
                }
                None => {}
            },
            Item::Cancel { call } => {
                let call = self.inbox.call(call);
                if self.inbox.finish_call(call) {
                    self.events.push_back(Event::Cancelled { call });
                }
            }
        }
        Ok(())
    }

    /// An event or call of the other side, by its number there, is not taken.
    fn refuse(&mut self, number: u32, inbound: Inbound, is_call: bool, size: usize) {
        self.counts.skewed_in += 1;
        self.inbox.skipped(1);
        let name = |mapping: &Arc<Mapping>| mapping.name_of_refused(number);
        self.events.push_back(Event::Refused {
            name: self.mapping.as_ref().and_then(name),
            is_known: inbound == Inbound::Incompatible,
            is_call,
            size,
        });
    }

    fn inbound(&self, event: u32) -> Inbound {
        self.mapping
            .as_ref()
            .map_or(Inbound::Unsupported, |mapping| mapping.inbound(event))
    }
}
