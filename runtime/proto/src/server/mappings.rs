//! The mappings of clients, shared where they are the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::Codec;
use crate::contract::{Contract, Mapping, Offered, Table};
use crate::frame::Offer;

/// So many different lists of offers are remembered: those that came last. Clients of one program
/// have the same one.
const REMEMBERED: usize = 64;

/// Makes the mappings of a server's sessions, one for all clients that offer the same.
#[derive(Debug)]
pub struct Mappings {
    contract: Arc<Contract>,
    /// Those of offers that agree with the contract in all that they name, the last used first.
    known: Mutex<VecDeque<Known>>,
}

#[derive(Debug)]
struct Known {
    offers: Box<[Offer]>,
    /// Of the codec.
    self_describing: bool,
    mapping: Arc<Mapping>,
}

impl Mappings {
    /// For the namespaces that the server speaks.
    #[must_use]
    pub fn new(contract: Arc<Contract>) -> Self {
        Self {
            contract,
            known: Mutex::default(),
        }
    }

    /// The mapping for a client's offers; `None` if its tables are wanted first.
    #[must_use]
    pub fn of(&self, offers: &[Offer], codec: Codec) -> Option<Arc<Mapping>> {
        if !self.agree(offers) {
            return Mapping::of_server(&self.contract, offers, &[], codec).map(Arc::new);
        }
        let self_describing = codec.is_self_describing();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let place = known
            .iter()
            .position(|known| *known.offers == *offers && known.self_describing == self_describing);
        let newest = match place.and_then(|place| known.remove(place)) {
            Some(entry) => entry,
            None => {
                let mapping = Mapping::of_server(&self.contract, offers, &[], codec)?;
                Known {
                    offers: offers.into(),
                    self_describing,
                    mapping: Arc::new(mapping),
                }
            }
        };
        let mapping = Arc::clone(&newest.mapping);
        known.push_front(newest);
        known.truncate(REMEMBERED);
        Some(mapping)
    }

    /// What is to be kept of offers until the tables have come.
    pub(super) fn offered(&self, offers: &[Offer]) -> Box<[Offered]> {
        self.contract.offered(offers)
    }

    /// The mapping for a client whose tables have come; `None` if some are missing.
    pub(super) fn with_tables(
        &self,
        offers: &[Offered],
        tables: &[Table],
        codec: Codec,
    ) -> Option<Arc<Mapping>> {
        Mapping::of_offered(&self.contract, offers, tables, codec).map(Arc::new)
    }

    /// Whether all that is offered is known here in the same form.
    fn agree(&self, offers: &[Offer]) -> bool {
        let own = self.contract.offers();
        offers.iter().all(|offer| own.contains(offer))
    }
}
