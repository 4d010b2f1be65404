//! A codec of a program's own, as in the book.

use cbor4ii::core::dec::Read;
use cbor4ii::core::utils::{BufWriter, SliceReader};
use cbor4ii::serde::{Deserializer, Serializer};
use sente_proto::codec::{CustomCodec, CustomError, CustomSlot, CustomValue};
use serde::Serialize;
use serde::de::DeserializeSeed;

/// CBOR.
pub(crate) struct Cbor;

impl CustomCodec for Cbor {
    fn name(&self) -> &'static str {
        "cbor"
    }

    fn encode(&self, value: CustomValue<'_>, out: &mut Vec<u8>) -> Result<(), CustomError> {
        let mut serializer = Serializer::new(BufWriter::new(std::mem::take(out)));
        value.serialize(&mut serializer)?;
        *out = serializer.into_inner().into_inner();
        Ok(())
    }

    fn decode(&self, bytes: &[u8], slot: CustomSlot<'_>) -> Result<(), CustomError> {
        let mut deserializer = Deserializer::new(SliceReader::new(bytes));
        slot.deserialize(&mut deserializer)?;
        match deserializer.into_inner().fill(1)?.as_ref() {
            [] => Ok(()),
            _ => Err("bytes are left over".into()),
        }
    }
}
