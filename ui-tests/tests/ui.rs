//! What users see when a contract or a handler has a mistake, and what must compile.
//!
//! `cargo test -p sente-ui-tests -- ui trybuild=generic` runs the cases with `generic` in their
//! path. After a change of a message, `TRYBUILD=overwrite` writes the `.stderr` files anew; read
//! the difference as someone who has made the mistake.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("cases/*/pass/*.rs");
    cases.compile_fail("cases/*/fail/*.rs");
}
