//! Makes of what the compiler built a module that pages can load: `xtask-bindgen MODULE DIRECTORY`
//! writes `name.js` and `name_bg.wasm` there. It is `wasm-bindgen` without its command line.
//!
//! With `--without-names` the functions of the module lose their names, which stack traces show.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (module, directory, without_names) = match arguments.as_slice() {
        [module, directory] => (module, directory, false),
        [module, directory, option] if option == "--without-names" => (module, directory, true),
        _ => {
            eprintln!("Usage: xtask-bindgen MODULE DIRECTORY [--without-names]");
            return ExitCode::FAILURE;
        }
    };
    let outcome = Bindgen::new()
        .input_path(module)
        .remove_name_section(without_names)
        .web(true)
        .and_then(|bindgen| bindgen.typescript(false).generate(directory));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {module} cannot be made ready for pages: {error:#}");
            ExitCode::FAILURE
        }
    }
}
