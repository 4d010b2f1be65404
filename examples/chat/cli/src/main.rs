//! The chat in a terminal: `chat-cli --help` says how to start it.

mod app;
mod args;
mod command;
mod input;
mod news;
mod posts;
mod questions;
mod screen;
mod ui;

use std::process::ExitCode;

use app::App;
use args::{Options, Task};
use input::Source;
use screen::{Screen, Style};

// One thread is plenty for a person, and calls are then sent in the order in which they are made.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME"));
    let task = match args::parse(std::env::args_os().skip(1), user.ok()) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("chat-cli: {error}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    let Task::Chat(options) = task else {
        print!("{}", args::HELP);
        return ExitCode::SUCCESS;
    };
    match chat(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chat-cli: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Chats until the end. Returns whether all that should be said was said.
async fn chat(options: &Options) -> Result<bool, String> {
    let style = Style::of_stdout();
    let (source, printer) = Source::open();
    let screen = Screen::new(style, printer);
    let mut app =
        App::new(options, screen.clone(), source.is_script()).map_err(|error| error.to_string())?;
    let is_all_said = match app.enter(&options.url).await {
        Ok(()) => Ok(app.run(source.start(style, options.room.clone())).await),
        Err(error) => Err(error),
    };
    screen.close();
    is_all_said
}
