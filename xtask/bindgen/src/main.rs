//! Makes of what the compiler built a module that pages can load: `xtask-bindgen MODULE DIRECTORY`
//! writes `name.js` and `name_bg.wasm` there. It is `wasm-bindgen` without its command line.
//!
//! With `--small` functions lose their names, which stack traces show, and those that the script
//! gives to the module get short ones: their hashes would be a thirtieth of a page.

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
    let mut names = Vec::new();
    if small {
        for import in output.wasm_mut().imports.iter_mut() {
            let short = format!("i{}", names.len());
            names.push((std::mem::replace(&mut import.name, short.clone()), short));
        }
    }
    output.emit(directory)?;
    let script = directory.join(bindgen.stem()?).with_extension("js");
    let text = fs::read_to_string(&script)?;
    fs::write(&script, renamed(&text, &names)?)?;
    Ok(())
}

/// The script with other names for the functions that it gives to its module. There it has each
/// name once, as a key.
fn renamed(script: &str, names: &[(String, String)]) -> Result<String> {
    let mut script = script.to_owned();
    for (name, short) in names {
        let key = format!("{name}: ");
        if script.matches(&key).count() != 1 {
            return Err(format!("the script does not have the key `{name}` just once").into());
        }
        script = script.replace(&key, &format!("{short}: "));
    }
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_renamed_and_nothing_else() {
        let names = [("__wbg_now_1f".to_owned(), "i0".to_owned())];
        let script = "imports = { __wbg_now_1f: function() {} }; __wbg_now_1f_more();";
        let renamed_script = "imports = { i0: function() {} }; __wbg_now_1f_more();";
        assert_eq!(renamed(script, &names).unwrap(), renamed_script);
        assert!(renamed("imports = {}", &names).is_err());
    }
}
