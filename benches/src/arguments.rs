//! What the command line asks for.

use std::time::Duration;

use crate::Result;
use crate::figure::Figure;

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench [figure ..] [--pairs N] [--seconds S] [--check]

Measures sente beside a raw WebSocket echo server, in turn, in one run, on the same work, and
prints the medians and the spread of the ratios. Without a figure, all of them.

  --pairs N     how often each side is measured, in turn (default 15)
  --seconds S   how long each measurement lasts after its warm-up (default 0.5)
  --check       fail if a goal is missed

";

/// A run of the harness.
#[derive(Debug, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) figures: Vec<Figure>,
    pub(crate) pairs: usize,
    pub(crate) window: Duration,
    pub(crate) check: bool,
    pub(crate) help: bool,
}

impl Arguments {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut parsed = Self {
            figures: Vec::new(),
            pairs: 15,
            window: Duration::from_millis(500),
            check: false,
            help: false,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("`{argument}` needs a number"))
            };
            match argument.as_str() {
                "--check" => parsed.check = true,
                "-h" | "--help" => parsed.help = true,
                "--pairs" => {
                    let pairs = value()?;
                    parsed.pairs = pairs
                        .parse()
                        .ok()
                        .filter(|pairs| (1..=1_000).contains(pairs))
                        .ok_or_else(|| format!("`--pairs {pairs}`: give 1 to 1,000"))?;
                }
                "--seconds" => {
                    let seconds = value()?;
                    parsed.window = seconds
                        .parse()
                        .ok()
                        .filter(|seconds| (0.05..=60.0).contains(seconds))
                        .map(Duration::from_secs_f64)
                        .ok_or_else(|| format!("`--seconds {seconds}`: give 0.05 to 60"))?;
                }
                name => parsed.figures.push(Figure::named(name).ok_or_else(|| {
                    let names = Figure::ALL.map(Figure::name).join(", ");
                    format!("there is no figure `{name}`; there are {names}")
                })?),
            }
        }
        if parsed.figures.is_empty() {
            parsed.figures = Figure::ALL.to_vec();
        }
        Ok(parsed)
    }
}

pub(crate) fn help() -> String {
    Figure::ALL
        .iter()
        .fold(String::from(HELP) + "Figures:\n", |text, figure| {
            text + &format!("  {:<10}{}\n", figure.name(), figure.about())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn without_arguments_all_figures_are_measured() {
        let parsed = parse("").unwrap();
        assert_eq!(parsed.figures, Figure::ALL);
        assert_eq!(parsed.pairs, 15);
        assert!(!parsed.check);
    }

    #[test]
    fn figures_and_options_may_stand_in_any_order() {
        let parsed = parse("many --pairs 3 --check one --seconds 0.25").unwrap();
        assert_eq!(parsed.figures, [Figure::Many, Figure::One]);
        assert_eq!(parsed.pairs, 3);
        assert_eq!(parsed.window, Duration::from_millis(250));
        assert!(parsed.check);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for line in ["nany", "--pairs", "--pairs 0", "--seconds fast", "--chekc"] {
            let error = parse(line).unwrap_err().to_string();
            let named = line.split_whitespace().next().unwrap();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn the_help_names_every_figure() {
        let help = help();
        assert!(Figure::ALL.iter().all(|it| help.contains(it.name())));
    }
}
