//! The programs that README.md shows, as a user would have them: outside of this workspace, with
//! public names only. They are built, and run where there is a server and a client.
//!
//! `<!-- file: server/src/main.rs -->` above a code block says which file it is; CONTRIBUTING.md
//! has the rules. A package whose Cargo.toml the README does not show gets the one in
//! `xtask/downstream/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::markdown::blocks;
use crate::process::{
    Context, Failure, Result, Stream, cargo, expect_success, free_port, root, target, wait, watch,
};
use crate::test::Counts;

/// The crates that the programs may use. They are not taken from the registry.
const CRATES: [(&str, &str); 6] = [
    ("sente", "runtime/core"),
    ("sente-client", "client"),
    ("sente-macros", "macros"),
    ("sente-proto", "runtime/proto"),
    ("sente-server", "runtime/server"),
    ("sente-test", "runtime/test"),
];

/// The port that the README's programs use; they are given a free one instead.
const PORT: u16 = 3000;

/// How long the client may run.
const PATIENCE: Duration = Duration::from_secs(60);

/// Builds and runs what README.md shows. No tests if it shows nothing yet.
pub(crate) fn check() -> Result<Counts> {
    let readme = match fs::read_to_string(root().join("README.md")) {
        Ok(readme) => Readme::parse(&readme)?,
        Err(_) => Readme::default(),
    };
    if readme.files.is_empty() {
        eprintln!("\nREADME.md shows no program yet, so none is built.");
        return Ok(Counts::NONE);
    }
    let directory = target().join("downstream");
    let port = free_port(PORT)?;
    readme.write(&directory, port)?;
    build(&directory)?;
    if readme.packages().is_superset(&["client", "server"].into()) {
        run(&directory, readme.output.as_deref())?;
    }
    Ok(Counts::ONE)
}

/// What README.md shows.
#[derive(Debug, Default)]
struct Readme {
    /// Paths and contents.
    files: Vec<(String, String)>,
    /// What the client prints, if that is shown.
    output: Option<String>,
}

impl Readme {
    fn parse(text: &str) -> Result<Self> {
        let mut readme = Self::default();
        for block in blocks(text) {
            let Some((mark, value)) = block.comment.and_then(|it| it.split_once(": ")) else {
                continue;
            };
            match mark {
                "file" => {
                    let mut parts = Path::new(value).components();
                    if !parts.all(|it| matches!(it, Component::Normal(_))) || !value.contains('/') {
                        return Err(Failure::because(format!(
                            "README.md:{}: `{value}` should be package/path, like server/src/main.rs",
                            block.line
                        )));
                    }
                    readme.files.push((value.to_owned(), block.text()));
                }
                "output" => readme.output = Some(block.text()),
                _ => {}
            }
        }
        if readme.files.is_empty() && text.lines().any(|line| line.trim() == "## Use it") {
            return Err(Failure::because(
                "README.md has a part `## Use it`, but no code block with a comment like \
                 `<!-- file: server/src/main.rs -->` above it, so nothing of it can be tested",
            ));
        }
        Ok(readme)
    }

    /// The first part of each path.
    fn packages(&self) -> BTreeSet<&str> {
        self.files
            .iter()
            .filter_map(|(path, _)| path.split('/').next())
            .collect()
    }

    /// Lays the files out as a workspace that has nothing to do with ours.
    fn write(&self, directory: &Path, port: u16) -> Result {
        let _ = fs::remove_dir_all(directory);
        let mut manifests = String::new();
        for (path, text) in &self.files {
            let text = with_port(text, port);
            if path.ends_with("/Cargo.toml") {
                manifests += &text;
            }
            write(&directory.join(path), &text)?;
        }
        let packages = self.packages();
        for package in &packages {
            let manifest = format!("{package}/Cargo.toml");
            if self.files.iter().any(|(path, _)| *path == manifest) {
                continue;
            }
            let kept = Path::new("xtask/downstream").join(&manifest);
            let text = fs::read_to_string(root().join(&kept)).context(format!(
                "README.md shows no {manifest}, and there is none to take at {}",
                kept.display()
            ))?;
            write(&directory.join(&manifest), &text)?;
            manifests += &text;
        }
        write(
            &directory.join("Cargo.toml"),
            &workspace(&packages, &manifests),
        )?;
        // The versions that the tests have seen.
        fs::copy(root().join("Cargo.lock"), directory.join("Cargo.lock"))
            .context("cannot copy Cargo.lock")?;
        Ok(())
    }
}

/// The Cargo.toml of the workspace around the packages. Cargo warns about replacements that
/// nobody needs, so there are none for crates that the manifests do not name.
fn workspace(packages: &BTreeSet<&str>, manifests: &str) -> String {
    let mut text = format!("[workspace]\nresolver = \"3\"\nmembers = {packages:?}\n");
    text = text.replace('{', "[").replace('}', "]");
    text += "\n[profile.dev]\ndebug = \"line-tables-only\"\n\n[patch.crates-io]\n";
    for (name, path) in CRATES {
        let always = matches!(name, "sente" | "sente-macros" | "sente-proto");
        let named = manifests
            .lines()
            .any(|line| line.split(['.', ' ', '=']).next() == Some(name));
        if always || named {
            text += &format!("{name} = {{ path = {:?} }}\n", root().join(path));
        }
    }
    text
}

/// The text with `port` in place of the one that the README uses on this machine.
fn with_port(text: &str, port: u16) -> String {
    let mut text = text.to_owned();
    for host in ["127.0.0.1", "localhost", "0.0.0.0"] {
        text = text.replace(&format!("{host}:{PORT}"), &format!("{host}:{port}"));
    }
    text
}

/// Builds all packages; a warning is a failure, since users would see it too.
fn build(directory: &Path) -> Result {
    let mut command = cargo(["build", "--workspace", "--all-targets"]);
    command
        .current_dir(directory)
        // What both workspaces need is built once; the programs do not mix with ours.
        .env("CARGO_BUILD_BUILD_DIR", target())
        .env("CARGO_TARGET_DIR", directory.join("target"));
    let (status, lines) = watch(&mut command, Stream::Err)?;
    expect_success("cargo build of the programs in README.md", status)?;
    match lines.iter().find(|line| line.starts_with("warning")) {
        Some(warning) => Err(Failure::because(format!(
            "the programs in README.md give a {warning}"
        ))),
        None => Ok(()),
    }
}

/// Starts the server, and the client against it, which waits until the server is there. The
/// client has to end by itself, and to print what the README shows.
fn run(directory: &Path, expected: Option<&str>) -> Result {
    let mut server = Running::start(directory, "server", Stdio::inherit())?;
    let mut client = Running::start(directory, "client", Stdio::piped())?;
    let status = wait(&mut client.0, PATIENCE)?.ok_or_else(|| {
        Failure::because(format!(
            "the client in README.md did not end within {PATIENCE:?}"
        ))
    })?;
    let mut printed = String::new();
    if let Some(mut output) = client.0.stdout.take() {
        std::io::Read::read_to_string(&mut output, &mut printed)
            .context("cannot read what the client in README.md prints")?;
    }
    eprint!("{printed}");
    expect_success("the client in README.md", status)?;
    if let Some(status) = server.0.try_wait().context("cannot watch the server")? {
        return Err(Failure::because(format!(
            "the server in README.md ended by itself ({status})"
        )));
    }
    match expected {
        Some(expected) if expected.trim() != printed.trim() => Err(Failure::because(format!(
            "README.md says that its client prints\n{expected}but it prints\n{printed}"
        ))),
        _ => Ok(()),
    }
}

/// A program that ends with its owner.
struct Running(Child);

impl Running {
    fn start(directory: &Path, package: &str, output: Stdio) -> Result<Self> {
        let manifest = directory.join(package).join("Cargo.toml");
        let text =
            fs::read_to_string(&manifest).context(format!("cannot read {}", manifest.display()))?;
        let name = text
            .lines()
            .find_map(|line| line.strip_prefix("name = "))
            .map_or(package, |name| name.trim().trim_matches('"'));
        let program = directory
            .join("target/debug")
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        eprintln!("\n$ {}", program.display());
        Command::new(&program)
            .stdin(Stdio::null())
            .stdout(output)
            .spawn()
            .map(Self)
            .context(format!("cannot start {}", program.display()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn write(path: &Path, text: &str) -> Result {
    let doing = format!("cannot write {}", path.display());
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).context(&doing)?;
    }
    fs::write(path, text).context(&doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "\
## Use it
<!-- file: contract/src/lib.rs -->
```rust
pub enum Chat {}
```

Then the server:

<!-- file: server/src/main.rs -->

```rust
fn main() {}
```
<!-- output: client -->
```text
hello
```
```rust
not_marked!()
```
";

    #[test]
    fn marked_blocks_become_files() {
        let readme = Readme::parse(README).unwrap();
        assert_eq!(readme.packages(), BTreeSet::from(["contract", "server"]));
        assert_eq!(readme.files[0].1, "pub enum Chat {}\n");
        assert_eq!(readme.files[1].0, "server/src/main.rs");
        assert_eq!(readme.output.as_deref(), Some("hello\n"));
    }

    #[test]
    fn a_readme_that_says_use_it_has_to_show_something_to_use() {
        assert!(Readme::parse("# sente\n").unwrap().files.is_empty());
        let Err(Failure::Because(reason)) = Readme::parse("## Use it\n```rust\n```\n") else {
            panic!("accepted");
        };
        assert!(reason.contains("<!-- file:"), "{reason}");
    }

    #[test]
    fn a_file_stays_inside_its_package() {
        for path in ["../a.rs", "/etc/a.rs", "main.rs", "a/../../b.rs"] {
            let text = format!("<!-- file: {path} -->\n```rust\n```\n");
            assert!(Readme::parse(&text).is_err(), "{path}");
        }
    }

    #[test]
    fn only_crates_that_are_used_are_replaced() {
        let packages = BTreeSet::from(["contract", "server"]);
        let text = workspace(&packages, "sente-server = \"0.1\"\nserde = \"1\"\n");
        assert!(
            text.contains("members = [\"contract\", \"server\"]"),
            "{text}"
        );
        assert!(text.contains("\nsente-server = { path = "), "{text}");
        assert!(text.contains("\nsente = { path = "), "{text}");
        assert!(!text.contains("sente-client"), "{text}");
    }

    #[test]
    fn the_port_is_replaced_and_other_numbers_are_not() {
        let text = with_port("\"127.0.0.1:3000\" http://localhost:3000/sente 3000", 4711);
        assert_eq!(text, "\"127.0.0.1:4711\" http://localhost:4711/sente 3000");
    }
}
