//! `jingku completions`: scripts that complete commands and options, with their texts in the current language.

use clap_complete::generate;

use crate::args::{Cli, Shell};
use crate::failure::Failure;
use crate::output::print;

pub(crate) fn run(shell: Shell) -> Result<(), Failure> {
    let generator = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    generate(generator, &mut Cli::described(), "jingku", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())
}
