//! Makes of what the compiler built a module that pages can load: `xtask-bindgen MODULE DIRECTORY`
//! writes `name.js` and `name_bg.wasm` there. It is `wasm-bindgen` without its command line.
//!
//! With `--small` functions lose their names, which stack traces show, and what the script and the
//! module give to each other for themselves gets short ones: their hashes would be a thirtieth of a
//! page.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (module, directory, small) = match arguments.as_slice() {
        [module, directory] => (module, directory, false),
        [module, directory, option] if option == "--small" => (module, directory, true),
        _ => {
            eprintln!("Usage: xtask-bindgen MODULE DIRECTORY [--small]");
            return ExitCode::FAILURE;
        }
    };
    match make(Path::new(module), Path::new(directory), small) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {module} cannot be made ready for pages: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn make(module: &Path, directory: &Path, small: bool) -> Result {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .web(true)?
        .typescript(false)
        .encode_into(EncodeInto::Always)
        .remove_name_section(small);
    let mut output = bindgen.generate_output()?;
    let mut script = output.js().to_owned();
    if small {
        let module = format!("\"./{}_bg.js\"", bindgen.stem()?);
        script = with_key(&script, &module, "i")?;
        for (number, import) in output.wasm_mut().imports.iter_mut().enumerate() {
            let short = format!("i{number}");
            script = with_key(&script, &import.name, &short)?;
            import.name = short;
            import.module = "i".to_owned();
        }
        let own = |name: &str| name.starts_with("__") || name.starts_with("wasm_bindgen__");
        for (number, export) in output.wasm_mut().exports.iter_mut().enumerate() {
            if own(&export.name) {
                let short = format!("e{number}");
                script = with_member(&script, &export.name, &short);
                export.name = short;
            }
        }
    }
    output.emit(directory)?;
    let path = directory.join(bindgen.stem()?).with_extension("js");
    fs::write(path, script)?;
    Ok(())
}

/// The script with another name for a function that it gives to its module. There it has the name
/// once, as a key.
fn with_key(script: &str, name: &str, short: &str) -> Result<String> {
    let key = format!("{name}: ");
    if script.matches(&key).count() != 1 {
        return Err(format!("the script does not have the key `{name}` just once").into());
    }
    Ok(script.replace(&key, &format!("{short}: ")))
}

/// The script with another name for what its module gives to it.
fn with_member(script: &str, name: &str, short: &str) -> String {
    let member = format!("wasm.{name}");
    let mut parts = script.split(&member);
    let mut renamed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on = |first: char| first.is_alphanumeric() || first == '_';
        let name = if part.starts_with(goes_on) {
            name
        } else {
            short
        };
        renamed += &format!("wasm.{name}{part}");
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_renamed_and_nothing_else() {
        let script = "imports = { __wbg_now_1f: function() {} }; __wbg_now_1f_more();";
        let renamed = "imports = { i0: function() {} }; __wbg_now_1f_more();";
        assert_eq!(with_key(script, "__wbg_now_1f", "i0").unwrap(), renamed);
        assert!(with_key("imports = {}", "__wbg_now_1f", "i0").is_err());
    }

    #[test]
    fn members_are_renamed_and_nothing_else() {
        let script = "wasm.__free(1, wasm.__free); wasm.__free_all(); __free();";
        let renamed = "wasm.e0(1, wasm.e0); wasm.__free_all(); __free();";
        assert_eq!(with_member(script, "__free", "e0"), renamed);
    }
}
