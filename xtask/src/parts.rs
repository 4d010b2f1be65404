//! Whose code a module for pages is made of, by the names of its functions.

use std::collections::BTreeMap;

use crate::process::{Failure, Result};

/// Sections of a module, by their numbers.
const CUSTOM: u8 = 0;
const IMPORTS: u8 = 2;
const CODE: u8 = 10;
const DATA: u8 = 11;

/// How many bytes of a module each crate has, the largest first. A function counts for the crate
/// that it was written in, with all that the compiler has put into it from others.
pub(crate) fn of(module: &[u8]) -> Result<Vec<(String, u64)>> {
    parts(module).ok_or_else(|| {
        Failure::because("the module has no names, or is not in the form that is known here")
    })
}

fn parts(module: &[u8]) -> Option<Vec<(String, u64)>> {
    let mut module = Bytes(module.strip_prefix(b"\0asm\x01\0\0\0")?);
    let (mut imported, mut names, mut bodies, mut data) = (0, None, Vec::new(), 0);
    while !module.0.is_empty() {
        let kind = module.byte()?;
        let mut section = Bytes(module.counted()?);
        match kind {
            IMPORTS => imported = section.functions_imported()?,
            CODE => {
                for _ in 0..section.number()? {
                    bodies.push(section.counted()?.len() as u64);
                }
            }
            DATA => data = section.0.len() as u64,
            CUSTOM if section.counted()? == b"name" => names = Some(section.functions_named()?),
            _ => {}
        }
    }
    let names = names?;
    let mut parts = BTreeMap::from([("texts and tables".to_owned(), data)]);
    for (function, size) in (imported..).zip(bodies) {
        let name = names.get(&function).map_or("", String::as_str);
        *parts.entry(crate_of(name)).or_default() += size;
    }
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    Some(parts)
}

/// The crate of a function with a name like `<core::fmt::Formatter as core::fmt::Write>::write_str`.
fn crate_of(name: &str) -> String {
    let name = name.trim_start_matches(|it: char| !it.is_alphanumeric() && it != '_');
    let name = name.trim_start_matches("dyn ").trim_start_matches("mut ");
    let end = name.find(|it: char| !it.is_alphanumeric() && it != '_');
    match end {
        Some(end) if name[end..].starts_with(['[', ':']) => name[..end].to_owned(),
        _ => "between the page and its program".to_owned(),
    }
}

/// What of a module has not been read yet.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number in LEB128.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Bytes with their number before them.
    fn counted(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn functions_imported(&mut self) -> Option<u64> {
        let mut functions = 0;
        for _ in 0..self.number()? {
            self.counted()?;
            self.counted()?;
            match self.byte()? {
                0 => {
                    functions += 1;
                    self.number()?;
                }
                // A global. Pages import nothing else.
                3 => {
                    self.byte()?;
                    self.byte()?;
                }
                _ => return None,
            }
        }
        Some(functions)
    }

    fn functions_named(&mut self) -> Option<BTreeMap<u64, String>> {
        const FUNCTIONS: u8 = 1;
        let mut names = BTreeMap::new();
        while !self.0.is_empty() {
            let kind = self.byte()?;
            let mut part = Bytes(self.counted()?);
            if kind == FUNCTIONS {
                for _ in 0..part.number()? {
                    let function = part.number()?;
                    let name = String::from_utf8_lossy(part.counted()?).into_owned();
                    names.insert(function, name);
                }
            }
        }
        Some(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_count_for_the_crate_that_they_were_written_in() {
        for (name, of) in [
            (
                "sente_client::drive::drive::{{closure}}::h0c19a7dbe68f3278",
                "sente_client",
            ),
            (
                "<&mut core[1f]::fmt::Formatter as core[1f]::fmt::Write>::write_str",
                "core",
            ),
            ("<dyn alloc::any::Any>::f", "alloc"),
            (
                "__externref_table_alloc",
                "between the page and its program",
            ),
            ("", "between the page and its program"),
        ] {
            assert_eq!(crate_of(name), of, "{name}");
        }
    }

    #[test]
    fn a_module_is_taken_apart() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        let mut section = |kind: u8, bytes: &[u8]| {
            module.extend([kind, bytes.len() as u8]);
            module.extend(bytes);
        };
        section(IMPORTS, b"\x01\x01a\x01b\0\0");
        section(CODE, b"\x02\x03abc\x01d");
        section(DATA, b"12345");
        section(CUSTOM, b"\x04name\x01\x09\x01\x01\x06serde:");
        let of = |name: &str, size| (name.to_owned(), size);
        assert_eq!(
            parts(&module),
            Some(vec![
                of("texts and tables", 5),
                of("serde", 3),
                of("between the page and its program", 1),
            ])
        );
        assert_eq!(parts(b"\0asm\x01\0\0\0"), None);
    }
}
