//! The compiler for pages, and what it makes of a package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{Context, Failure, Result, cargo, root, run, target};

/// What pages run.
const TARGET: &str = "wasm32-unknown-unknown";

/// Makes modules smaller. Older ones than this break them without a word.
const BINARYEN: &str = "binaryen@132.0.0";

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
    run(compiler()?.args(["build", "--package", package, "--profile", profile.name()]))?;
    let name = package.replace('-', "_");
    let built = target()
        .join(TARGET)
        .join(profile.directory())
        .join(format!("{name}.wasm"));
    let directory = target().join("pages").join(package);
    let _ = fs::remove_dir_all(&directory);
    let mut bindgen = cargo(["run", "--package", "xtask-bindgen", "--"]);
    bindgen.args([&built, &directory]);
    if profile == Profile::Web {
        bindgen.arg("--without-names");
    }
    run(&mut bindgen)?;
    let files = Files {
        script: directory.join(format!("{name}.js")),
        module: directory.join(format!("{name}_bg.wasm")),
        directory,
    };
    if profile == Profile::Web {
        shrink(&files.module)?;
    }
    Ok(files)
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

/// Makes a module smaller, where npm can bring the tool for it.
fn shrink(module: &Path) -> Result {
    let Some(wasm_opt) = wasm_opt()? else {
        eprintln!(
            "\nNot made smaller: there is no npm here to bring wasm-opt. Pages work all the same."
        );
        return Ok(());
    };
    run(Command::new(wasm_opt)
        .arg("-Oz")
        .arg(module)
        .arg("-o")
        .arg(module))
}

/// Where `wasm-opt` is; `None` where npm is missing. Never the one of the system: that of Debian
/// is old, and breaks modules.
pub(crate) fn wasm_opt() -> Result<Option<PathBuf>> {
    let directory = cache()?.join(BINARYEN);
    let program = directory.join("node_modules/.bin/wasm-opt");
    if program.exists() {
        return Ok(Some(program));
    }
    let npm = Command::new("npm")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !npm.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    eprintln!("\nwasm-opt is missing: it makes pages smaller. Installing it for you, once.");
    fs::create_dir_all(&directory).context(format!("cannot make {}", directory.display()))?;
    run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(&directory)
        .arg(BINARYEN))?;
    Ok(Some(program))
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
