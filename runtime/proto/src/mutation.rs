//! Builds that are wrong on purpose, so that the tests can be seen to notice.
//!
//! `--cfg sente_mutation="forget-cancel"` makes such a build. With `--cfg sente_mutation="chosen"` one
//! build is wrong in whatever way the variable `SENTE_MUTATION` names when it runs, since many builds
//! take long. Without either, nothing of this is left.

/// Whether this build is wrong in the way of that name.
#[cfg(not(sente_mutation = "chosen"))]
macro_rules! mutated {
    ($name:literal) => {
        cfg!(sente_mutation = $name)
    };
}

#[cfg(sente_mutation = "chosen")]
macro_rules! mutated {
    ($name:literal) => {
        crate::mutation::is_chosen($name)
    };
}

#[cfg(sente_mutation = "chosen")]
pub(crate) fn is_chosen(name: &str) -> bool {
    use std::sync::OnceLock;

    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var("SENTE_MUTATION").ok());
    chosen.as_deref() == Some(name)
}
