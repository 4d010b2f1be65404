//! The mappings of clients, shared where they are the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::contract::{Contract, Mapping, Table};
use crate::frame::Offer;

/// So many different lists of offers are remembered. Clients of one program have the same one.
const REMEMBERED: usize = 64;

/// Makes the mappings of a server's sessions, one for all clients that offer the same.
#[derive(Debug)]
pub struct Mappings {
    contract: Arc<Contract>,
    /// By offers that agree with the contract in all that they name.
    known: Mutex<HashMap<Vec<Offer>, Arc<Mapping>>>,
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

    /// The mapping for a client's offers; `None` if its tables are wanted and not given.
    #[must_use]
    pub fn of(&self, offers: &[Offer], tables: &[Table]) -> Option<Arc<Mapping>> {
        if !self.agree(offers) {
            return Mapping::of_server(&self.contract, offers, tables).map(Arc::new);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mapping) = known.get(offers) {
            return Some(Arc::clone(mapping));
        }
        let mapping = Arc::new(Mapping::of_server(&self.contract, offers, &[])?);
        if known.len() < REMEMBERED {
            known.insert(offers.to_vec(), Arc::clone(&mapping));
        }
        Some(mapping)
    }

    /// Whether the client is to send its tables.
    #[must_use]
    pub fn wants_tables(&self, offers: &[Offer]) -> bool {
        self.contract
            .answers(offers)
            .iter()
            .any(|answer| answer.table.is_some())
    }

    /// Whether all that is offered is known here in the same form.
    fn agree(&self, offers: &[Offer]) -> bool {
        let own = self.contract.offers();
        offers.iter().all(|offer| own.contains(offer))
    }
}
