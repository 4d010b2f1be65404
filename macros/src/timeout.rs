//! The literal of `timeout = "5s"`.

use std::time::Duration;

const EXAMPLE: &str =
    "write a number and a unit (`ms`, `s`, `m` or `h`), for instance `timeout = \"5s\"`";
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a number and a unit: `"250ms"`, `"1.5s"`, `"2m"`, `"1h"`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let nanos_per_unit: u128 = match unit.trim() {
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "" => return Err(format!("`{text}` has no unit: {EXAMPLE}")),
        unit => return Err(format!("`{unit}` is no unit of time: {EXAMPLE}")),
    };
    let billionths =
        billionths(number).ok_or_else(|| format!("`{number}` is no number: {EXAMPLE}"))?;
    let nanos = billionths.saturating_mul(nanos_per_unit) / 1_000_000_000;
    if nanos == 0 {
        return Err(format!(
            "a timeout of zero would fail every call: {EXAMPLE}"
        ));
    }
    if nanos > LONGEST.as_nanos() {
        return Err(
            "a timeout is at most 24 hours: answer at once, and send the outcome as an event"
                .into(),
        );
    }
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    // Both fit: the longest timeout is far below either limit.
    Ok(Duration::new(
        u64::try_from(seconds).unwrap_or(u64::MAX),
        u32::try_from(rest).unwrap_or(0),
    ))
}

/// A decimal number in billionths, exactly; digits beyond the ninth decimal are dropped.
fn billionths(number: &str) -> Option<u128> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || decimals.is_empty() || decimals.contains('.') {
        return None;
    }
    // No timeout needs 20 digits; without the cap a long enough literal would overflow.
    let whole: u128 = if whole.len() > 20 {
        u128::from(u64::MAX)
    } else {
        whole.parse().ok()?
    };
    let decimals: u128 = format!("{decimals:0<9}").get(..9)?.parse().ok()?;
    Some(whole * 1_000_000_000 + decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_are_durations() {
        for (text, expected) in [
            ("250ms", Duration::from_millis(250)),
            ("5s", Duration::from_secs(5)),
            ("1.5s", Duration::from_millis(1500)),
            ("0.5ms", Duration::from_micros(500)),
            ("2m", Duration::from_secs(120)),
            ("0.25h", Duration::from_secs(900)),
            ("24h", Duration::from_secs(86_400)),
            ("5 s", Duration::from_secs(5)),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_says_what_is_wrong() {
        for (text, expected) in [
            ("5", "`5` has no unit"),
            ("", "`` has no unit"),
            ("5 seconds", "`seconds` is no unit of time"),
            ("5d", "`d` is no unit of time"),
            ("-5s", "`-5s` is no unit of time"),
            ("s", "`` is no number"),
            ("1.2.3s", "`1.2.3` is no number"),
            (".5s", "`.5` is no number"),
            ("5.s", "`5.` is no number"),
            ("0s", "a timeout of zero"),
            ("0.0000000001s", "a timeout of zero"),
            ("25h", "at most 24 hours"),
            ("24.001h", "at most 24 hours"),
            (
                "99999999999999999999999999999999999999999999h",
                "at most 24 hours",
            ),
        ] {
            let fault = parse(text).expect_err(text);
            assert!(
                fault.starts_with(expected) || fault.contains(expected),
                "{text}: {fault}"
            );
        }
    }
}
