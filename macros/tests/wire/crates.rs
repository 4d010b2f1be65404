//! Types of other crates.

use chrono::{NaiveDate, NaiveTime, TimeDelta, Utc};
use indexmap::{IndexMap, IndexSet};
use rust_decimal::Decimal;
use serde_bytes::{ByteArray, ByteBuf};
use smol_str::SmolStr;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use crate::Sample;

/// A value of each.
pub(crate) fn all() -> Vec<Sample> {
    let date = NaiveDate::from_ymd_opt(2025, 2, 3).expect("there is such a day");
    let clock = NaiveTime::from_hms_milli_opt(4, 5, 6, 7).expect("there is such a time");
    let moment = OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("it is not far away");
    samples! {
        bytes::Bytes => [bytes::Bytes::from_static(&[1, 2, 200])];
        bytes::BytesMut => [bytes::BytesMut::from(&[1, 2, 200][..])];
        ByteBuf => [ByteBuf::from([1, 2, 200])];
        ByteArray<3> => [ByteArray::new([1, 2, 200])];
        SmolStr => [SmolStr::new("hi")];
        IndexMap<String, u32> => [IndexMap::from([("ann".to_owned(), 2)])];
        IndexSet<u32> => [IndexSet::from([1, 2])];
        Uuid => [Uuid::from_u128(1 << 100)];
        Url => [Url::parse("https://example.org/sente").expect("it is one")];
        Decimal => [Decimal::new(-1234, 2)];
        NaiveDate => [date];
        NaiveTime => [clock];
        chrono::NaiveDateTime => [date.and_time(clock)];
        chrono::DateTime<Utc> => [date.and_time(clock).and_utc()];
        chrono::DateTime<chrono::FixedOffset> => [date.and_time(clock).and_utc().fixed_offset()];
        TimeDelta => [TimeDelta::new(-1, 2).expect("it is not long")];
        chrono::Month => [chrono::Month::May];
        chrono::Weekday => [chrono::Weekday::Sun];
        OffsetDateTime => [moment];
        time::UtcDateTime => [moment.to_utc()];
        time::PrimitiveDateTime => [time::PrimitiveDateTime::new(moment.date(), moment.time())];
        time::Date => [moment.date()];
        time::Time => [moment.time()];
        time::UtcOffset => [time::UtcOffset::UTC];
        time::Duration => [time::Duration::new(-1, -2)];
        time::Month => [time::Month::May];
        time::Weekday => [time::Weekday::Sunday];
        serde_json::Value => [serde_json::json!({"a": [1, null]})];
    }
}
