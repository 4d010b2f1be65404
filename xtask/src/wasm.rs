//! The compiler for pages, and what it makes of a package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{Context, Failure, Result, cargo, root, run, target};
use crate::tools::cargo_home;

/// What pages run.
const TARGET: &str = "wasm32-unknown-unknown";

/// What makes modules and scripts smaller, from npm. Older releases of the first break modules
/// without a word.
const SHRINKERS: [&str; 2] = ["binaryen@132.0.0", "terser@5.51.4"];

/// How wasm-opt makes a module shortest, as found by trying. It may take the first KiB of the memory
/// for unused, since the compiler puts the far end of the stack there.
const SHORTEST: [&str; 10] = [
    "--low-memory-unused",
    "--one-caller-inline-max-function-size=30",
    "--always-inline-max-function-size=4",
    "-Oz",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--strip-producers",
    "--strip-target-features",
];

/// How a package is built for pages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Profile {
    /// Quickly, with names in stack traces.
    Dev,
    /// Small, as pages are served; see `profile.web` in Cargo.toml.
    Web,
}

impl Profile {
    const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Web => "web",
        }
    }

    /// Where cargo puts what it builds.
    const fn directory(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Web => "web",
        }
    }
}

/// What a page loads: the script is a module whose default export starts it.
pub(crate) struct Files {
    /// `target/pages/<package>`, with nothing else in it.
    pub(crate) directory: PathBuf,
    /// `<name>.js`.
    pub(crate) script: PathBuf,
    /// `<name>_bg.wasm`.
    pub(crate) module: PathBuf,
}

/// Builds a package, which is a `cdylib`, for pages.
pub(crate) fn build(package: &str, profile: Profile) -> Result<Files> {
    let mut compiler = compiler()?;
    if profile == Profile::Web {
        compiler
            .env("CARGO_ENCODED_RUSTFLAGS", without_paths())
            // It makes other programs, and larger ones.
            .env("CARGO_INCREMENTAL", "0");
    }
    run(compiler.args(["build", "--package", package, "--profile", profile.name()]))?;
    let directory = target().join("pages").join(package);
    let files = bindgen(package, profile, directory, profile == Profile::Web)?;
    if profile == Profile::Web {
        shrink(&files)?;
    }
    Ok(files)
}

/// The module of a package that has been built as pages are served, but with the names of its
/// functions.
pub(crate) fn with_names(package: &str) -> Result<PathBuf> {
    let directory = target().join("pages").join(format!("{package}-with-names"));
    let files = bindgen(package, Profile::Web, directory, false)?;
    if let Some(shrinkers) = shrinkers()? {
        let mut shrink = shrink_module(&shrinkers, &files.module);
        run(shrink.arg("--debuginfo"))?;
    }
    Ok(files.module)
}

/// Makes of what the compiler built what a page can load.
fn bindgen(package: &str, profile: Profile, directory: PathBuf, small: bool) -> Result<Files> {
    let name = package.replace('-', "_");
    let built = target()
        .join(TARGET)
        .join(profile.directory())
        .join(format!("{name}.wasm"));
    let _ = fs::remove_dir_all(&directory);
    let mut bindgen = cargo(["run", "--package", "xtask-bindgen", "--"]);
    bindgen.args([&built, &directory]);
    if small {
        bindgen.arg("--small");
    }
    run(&mut bindgen)?;
    Ok(Files {
        script: directory.join(format!("{name}.js")),
        module: directory.join(format!("{name}_bg.wasm")),
        directory,
    })
}

/// Has the compiler leave out of its messages where this machine keeps its files: that is nobody's
/// business who loads a page.
fn without_paths() -> String {
    let registry = cargo_home().map(|home| home.join("registry/src"));
    let sources = registry
        .iter()
        .flat_map(fs::read_dir)
        .flatten()
        .flatten()
        .map(|registry| registry.path());
    let prefixes = sources.chain([root()]);
    let remaps = prefixes.map(|prefix| format!("--remap-path-prefix={}=", prefix.display()));
    remaps.collect::<Vec<_>>().join("\u{1f}")
}

/// A cargo command that builds for pages. Gets what that needs where it is missing.
pub(crate) fn compiler() -> Result<Command> {
    if has_target() || add_target() {
        let mut command = cargo::<&str>([]);
        command.env("CARGO_BUILD_TARGET", TARGET);
        return Ok(command);
    }
    let mut command = Command::new(from_debian()?);
    command.current_dir(root());
    Ok(command)
}

/// Whether the toolchain can build for pages.
fn has_target() -> bool {
    let directory = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(root())
        .stderr(Stdio::null())
        .output();
    let Ok(directory) = directory else {
        return false;
    };
    let directory = String::from_utf8_lossy(&directory.stdout).into_owned();
    fs::read_dir(directory.trim()).is_ok_and(|mut files| {
        files.any(|file| {
            file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        })
    })
}

fn add_target() -> bool {
    eprintln!("\nRust's library for pages is missing. Adding it to the toolchain, once.");
    run(Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(root()))
    .is_ok()
        && has_target()
}

/// The cargo of a compiler that is made of Debian's packages: for machines that reach those, but
/// not Rust's own downloads.
fn from_debian() -> Result<PathBuf> {
    let script = root().join("xtask/wasm-from-debian.sh");
    eprintln!(
        "\nrustup could not add it. Making a compiler of Debian's packages, once: two minutes."
    );
    let output = Command::new("bash")
        .arg(&script)
        .stderr(Stdio::inherit())
        .output();
    let cargo = output
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map(|path| PathBuf::from(path.trim()));
    cargo.ok_or_else(|| {
        Failure::because(format!(
            "nothing can be built for pages: `rustup target add {TARGET}` fails, and so does \
             {}; the output above says why",
            script.display()
        ))
    })
}

/// Makes what a page loads smaller, where npm can bring the tools for it.
fn shrink(files: &Files) -> Result {
    let Some(shrinkers) = shrinkers()? else {
        eprintln!(
            "\nNot made smaller: there is no npm here to bring what does that. It works so too."
        );
        return Ok(());
    };
    run(&mut shrink_module(&shrinkers, &files.module))?;
    run(Command::new(shrinkers.join("terser"))
        .args(["--module", "--compress", "--mangle", "--output"])
        .arg(&files.script)
        .arg(&files.script))
}

fn shrink_module(shrinkers: &Path, module: &Path) -> Command {
    let mut command = Command::new(shrinkers.join("wasm-opt"));
    command.args(SHORTEST).arg(module).arg("-o").arg(module);
    command
}

/// Where the tools are that make pages smaller; `None` where npm is missing. Never those of the
/// system: the `wasm-opt` of Debian is old, and breaks modules.
fn shrinkers() -> Result<Option<PathBuf>> {
    let directory = cache()?.join(SHRINKERS.join("-"));
    let programs = directory.join("node_modules/.bin");
    if programs.join("wasm-opt").exists() && programs.join("terser").exists() {
        return Ok(Some(programs));
    }
    let npm = Command::new("npm")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !npm.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    eprintln!(
        "\n{} are missing: they make pages smaller. Installing them for you, once.",
        SHRINKERS.join(" and ")
    );
    fs::create_dir_all(&directory).context(format!("cannot make {}", directory.display()))?;
    run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(&directory)
        .args(SHRINKERS))?;
    Ok(Some(programs))
}

/// What is kept for the user, beside cargo's own programs.
fn cache() -> Result<PathBuf> {
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .map(|cache| cache.join("sente"))
        .ok_or_else(|| Failure::because("there is no home directory: set HOME"))
}
