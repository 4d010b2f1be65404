//! Tools that do not come with Rust: found, or installed once for the user.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{Context, Failure, Result, cargo, run, target};

/// A program that some task needs.
pub(crate) struct Tool {
    /// The package.
    name: &'static str,
    /// The program in it.
    program: &'static str,
    /// The release that is installed.
    version: &'static str,
    /// Whether it has to be just this release. Else a later one of the same series is used as it
    /// is.
    exact: bool,
    /// What it is needed for, to say when it is installed.
    purpose: &'static str,
    /// Further arguments for `cargo install`.
    options: &'static [&'static str],
}

pub(crate) const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    program: "cargo-nextest",
    version: "0.9.143",
    exact: false,
    purpose: "it runs the tests, each in a process of its own",
    // Without the updater, which only programs downloaded from its authors can use.
    options: &[
        "--locked",
        "--no-default-features",
        "--features",
        "default-no-update",
    ],
};

pub(crate) const DENY: Tool = Tool {
    name: "cargo-deny",
    program: "cargo-deny",
    version: "0.20.2",
    exact: false,
    purpose: "it checks the licences and the sources of all dependencies",
    options: &["--locked"],
};

pub(crate) const MDBOOK: Tool = Tool {
    name: "mdbook",
    program: "mdbook",
    version: "0.5.4",
    exact: false,
    purpose: "it builds the book",
    // Without its own web server and file watcher, which are most of it.
    options: &["--locked", "--no-default-features", "--features", "search"],
};

pub(crate) const WASM_BINDGEN: Tool = Tool {
    name: "wasm-bindgen-cli",
    program: "wasm-bindgen-test-runner",
    // That of the crate `wasm-bindgen` in Cargo.lock: each release has a format of its own.
    version: "0.2.130",
    exact: true,
    purpose: "it runs tests in browsers",
    // Without `--locked`: its own lock file names a release that was withdrawn.
    options: &["--bin", "wasm-bindgen-test-runner"],
};

pub(crate) const GECKODRIVER: Tool = Tool {
    name: "geckodriver",
    program: "geckodriver",
    version: "0.37.1",
    exact: false,
    purpose: "it drives Firefox",
    options: &["--locked"],
};

pub(crate) const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    program: "cargo-fuzz",
    version: "0.13.2",
    exact: false,
    purpose: "it builds and runs fuzzers",
    options: &["--locked"],
};

impl Tool {
    /// Where the program is; installs it if it is missing or too old.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        match self.find() {
            Found::Fits(path) => return Ok(path),
            Found::Other(version) => eprintln!(
                "\n{} is here as {version}, but {} is needed: {}.",
                self.name, self.version, self.purpose
            ),
            Found::Missing => eprintln!("\n{} is missing: {}.", self.name, self.purpose),
        }
        eprintln!(
            "Installing {} {} for you, once. This takes one to five minutes.",
            self.name, self.version
        );
        self.install()?;
        match self.find() {
            Found::Fits(path) => Ok(path),
            Found::Other(version) => Err(Failure::because(format!(
                "{} {} was installed, but an older {version} comes first in PATH; remove that one",
                self.name, self.version
            ))),
            Found::Missing => Err(Failure::because(format!(
                "{} was installed, but is not found; add cargo's bin directory to PATH",
                self.program
            ))),
        }
    }

    /// Looks at the first one only: it is the one that cargo and the shell would start.
    fn find(&self) -> Found {
        let first = self
            .places()
            .find_map(|path| version_of(&path).map(|version| (path, version)));
        match first {
            Some((path, version)) if self.accepts(&version) => Found::Fits(path),
            Some((_, version)) => Found::Other(version),
            None => Found::Missing,
        }
    }

    fn accepts(&self, version: &str) -> bool {
        if self.exact {
            version == self.version
        } else {
            fits(version, self.version)
        }
    }

    /// The program in each directory of PATH, then in cargo's own.
    fn places(&self) -> impl Iterator<Item = PathBuf> {
        let program = format!("{}{}", self.program, std::env::consts::EXE_SUFFIX);
        let own = cargo_home().map(|home| home.join("bin").join(program));
        in_path(self.program).chain(own.filter(|program| program.is_file()))
    }

    fn install(&self) -> Result {
        let directory = target().join("tools");
        let mut arguments = vec!["install", "--version", self.version, self.name];
        arguments.extend(self.options);
        let by_hand = format!("cargo {}", arguments.join(" "));
        let outcome = run(cargo(arguments)
            .arg("--target-dir")
            .arg(&directory)
            // These tools mostly wait for other programs. Unoptimized they take a fraction of a
            // second more at each run, and are here in less than half the time.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0"));
        if outcome.is_err() {
            return Err(Failure::because(format!(
                "{} could not be installed ({}); install it by hand:\n  {by_hand}",
                self.name, self.purpose
            )));
        }
        std::fs::remove_dir_all(&directory)
            .context(format!("cannot remove {}", directory.display()))
    }
}

/// Programs of the system's: browsers, what drives them, and what stands before servers.
pub(crate) struct SystemPrograms {
    /// The programs, by any of the names that they have.
    programs: &'static [&'static [&'static str]],
    /// The packages of Debian and its kin that have them.
    packages: &'static [&'static str],
    /// What they are needed for.
    purpose: &'static str,
}

pub(crate) const CHROMIUM: SystemPrograms = SystemPrograms {
    programs: &[
        &["chromedriver"],
        &["chromium", "google-chrome", "chrome", "chromium-browser"],
    ],
    packages: &["chromium", "chromium-driver"],
    purpose: "pages are tested in Chromium",
};

pub(crate) const FIREFOX: SystemPrograms = SystemPrograms {
    programs: &[&["firefox", "firefox-esr"]],
    packages: &["firefox-esr"],
    purpose: "pages are tested in Firefox as well",
};

pub(crate) const NGINX: SystemPrograms = SystemPrograms {
    programs: &[&["nginx"]],
    packages: &["nginx-light"],
    purpose: "in tests it stands between clients and their server",
};

pub(crate) const HAPROXY: SystemPrograms = SystemPrograms {
    programs: &[&["haproxy"]],
    packages: &["haproxy"],
    purpose: "in tests it stands between clients and their server",
};

pub(crate) const NODE: SystemPrograms = SystemPrograms {
    programs: &[&["node"], &["npm"]],
    packages: &["nodejs", "npm"],
    purpose: "pages are made smaller, and measured, by programs that it runs",
};

pub(crate) const NETWORK: SystemPrograms = SystemPrograms {
    programs: &[&["ip"], &["nft"]],
    packages: &["iproute2", "nftables"],
    purpose: "they make network namespaces, and lose packets there",
};

impl SystemPrograms {
    /// Where the first of them is; installs them if one is missing.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        if let Some(program) = self.find() {
            return Ok(program);
        }
        let packages = self.packages.join(" ");
        let by_hand = format!("apt-get install {packages}");
        eprintln!("\n{packages}: not all of it is here, and {}.", self.purpose);
        eprintln!("Installing it by apt-get, once.");
        let install = || {
            // The lists of a new machine may be empty, or too old to find anything by.
            run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
            run(Command::new("apt-get")
                .args(["install", "--quiet=2", "--yes", "--no-install-recommends"])
                .args(self.packages)
                .env("DEBIAN_FRONTEND", "noninteractive")
                // A service that is installed is not started.
                .env("RUNLEVEL", "1"))
        };
        match (install(), self.find()) {
            (Ok(()), Some(program)) => Ok(program),
            _ => Err(Failure::because(format!(
                "{packages} could not be installed ({}); install it by hand, for instance:\n  \
                 sudo {by_hand}",
                self.purpose
            ))),
        }
    }

    fn find(&self) -> Option<PathBuf> {
        let mut found = self
            .programs
            .iter()
            .map(|names| names.iter().find_map(|name| in_path(name).next()));
        let first = found.next()??;
        found.all(|program| program.is_some()).then_some(first)
    }
}

/// Where cargo keeps what it installs and downloads.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}

/// The programs of that name in the directories of PATH, and where services are.
fn in_path(name: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let program = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    directories
        .into_iter()
        .chain([PathBuf::from("/usr/sbin")])
        .map(move |directory| directory.join(&program))
        .filter(|program| program.is_file())
}

enum Found {
    Fits(PathBuf),
    Other(String),
    Missing,
}

/// The version that a program says it has.
fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program)
        .args(subcommand(program))
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    first_version(&text)
}

/// Extensions of cargo expect their own name as the first argument.
fn subcommand(program: &Path) -> Option<String> {
    let name = program.file_stem()?.to_str()?;
    name.strip_prefix("cargo-").map(str::to_owned)
}

fn first_version(text: &str) -> Option<String> {
    text.split_whitespace()
        .map(|word| word.trim_start_matches('v'))
        .find(|word| parse(word).is_some())
        .map(str::to_owned)
}

/// Whether `version` is `wanted` or a later one of the same series.
fn fits(version: &str, wanted: &str) -> bool {
    match (parse(version), parse(wanted)) {
        (Some((0, minor, patch)), Some((0, wanted_minor, wanted_patch))) => {
            minor == wanted_minor && patch >= wanted_patch
        }
        (Some(version), Some(wanted)) => version.0 == wanted.0 && version >= wanted,
        _ => false,
    }
}

fn parse(version: &str) -> Option<(u64, u64, u64)> {
    let mut parts = version.split('.').map(str::parse::<u64>);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Some((major, minor, patch)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_tools_print() {
        for (printed, version) in [
            (
                "cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\n",
                Some("0.9.143"),
            ),
            ("mdbook v0.5.4", Some("0.5.4")),
            ("cargo-deny 0.20.2", Some("0.20.2")),
            ("error: no such command", None),
        ] {
            assert_eq!(first_version(printed).as_deref(), version, "{printed}");
        }
    }

    #[test]
    fn the_test_runner_is_of_the_release_that_is_locked() {
        let lock = std::fs::read_to_string(crate::process::root().join("Cargo.lock")).unwrap();
        let version = WASM_BINDGEN.version;
        assert!(
            lock.contains(&format!(
                "name = \"wasm-bindgen\"\nversion = \"{version}\"\n"
            )),
            "raise the version of WASM_BINDGEN to that of wasm-bindgen in Cargo.lock"
        );
        assert!(!WASM_BINDGEN.accepts("0.2.131"));
    }

    #[test]
    fn a_later_release_of_the_same_series_fits() {
        assert!(fits("0.5.4", "0.5.4"));
        assert!(fits("0.5.10", "0.5.4"));
        assert!(fits("1.9.0", "1.2.3"));
        assert!(!fits("0.5.3", "0.5.4"));
        assert!(!fits("0.6.0", "0.5.4"));
        assert!(!fits("2.0.0", "1.2.3"));
        assert!(!fits("nightly", "0.5.4"));
    }
}
