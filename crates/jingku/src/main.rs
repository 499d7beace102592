//! The binary: `serve`, the client commands and the operator's commands. Arguments and output, nothing else.

mod args;
mod audit;
mod backup;
mod base_url;
mod check;
mod cluster;
mod completions;
mod config;
mod connection;
mod console;
mod env;
mod errors;
mod failure;
mod health;
mod hint;
mod image;
mod lab;
mod lang;
mod library;
mod limit;
mod man;
mod messages;
mod migrate;
mod operate;
mod output;
mod review;
mod run;
mod serve;
mod stop;
mod sweep;
mod trash;
mod usage;
mod webhook;
mod wrong_scheme;

use std::ffi::OsString;
use std::process::ExitCode;

use args::{AnyImageCommand, Cli, Command, Global};
use failure::Failure;
use lang::Lang;
use messages::tr;
use rustix::fs::Mode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    // Restarts the program. Before the arguments are read, where that is certain, because reading them takes a millisecond.
    if args.get(1).is_some_and(|arg| arg == "serve") {
        serve::keep_little();
    }
    Lang::init(&args);
    let Cli { mut global, command, .. } = match Cli::read(&args) {
        Ok(cli) => cli,
        Err(error)
            if error.use_stderr()
                && args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json") =>
        {
            return Failure::from(error).report(true);
        }
        Err(error) => error.exit(),
    };
    if let Err(failure) = global.drop_empty_data_dir() {
        return failure.report(global.json);
    }
    let outcome = match command {
        None => output::print(tr!("overview-screen", check = check::summary(&global)).trim_end())
            .map(|()| ExitCode::SUCCESS),
        Some(command) => run(&global, command),
    };
    outcome.unwrap_or_else(|failure| failure.report(global.json))
}

fn run(global: &Global, command: Command) -> Result<ExitCode, Failure> {
    if matches!(command, Command::Serve(_)) {
        serve::keep_little();
    }
    if command.keeps_the_library() {
        // Children of client commands keep the caller's umask; qemu-img here does not.
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::fault)?;
    let outcome = runtime.block_on(async {
        let outcome = match command {
            Command::Run(args) => return run::run(global, args).await,
            Command::Env(args) => env::run(global, args).await,
            Command::Console(args) => console::run(global, args).await,
            Command::Webhook(command) => webhook::run(global, command).await,
            Command::Serve(args) => Box::pin(serve::run(global, args)).await,
            Command::Config(command) => Box::pin(config::run(global, command)).await,
            Command::Image(AnyImageCommand::Api(command)) => image::run(global, command).await,
            Command::Image(AnyImageCommand::Platform(command)) => operate::platform(global, command).await,
            Command::Instance(command) => Box::pin(operate::instance(global, command)).await,
            Command::Account(command) => operate::account(global, command).await,
            Command::Key(command) => operate::key(global, command).await,
            Command::Review(command) => review::run(global, command).await,
            Command::Trash(command) => trash::run(global, command).await,
            Command::Audit(command) => audit::run(global, command).await,
            Command::Cluster(command) => cluster::run(global, command).await,
            Command::Usage => usage::run(global).await,
            Command::Check(args) => check::run(global, args).await,
            Command::Health(args) => health::run(global, args).await,
            Command::Sweep { dry_run } => sweep::run(global, dry_run).await,
            Command::Backup(args) => backup::run(global, &args).await,
            Command::Restore(args) => backup::restore(global, &args).await,
            Command::MigrateDatabase(args) => Box::pin(migrate::database(global, &args)).await,
            Command::MigrateStorage(args) => Box::pin(migrate::storage(global, &args)).await,
            Command::Lab(args) => lab::run(global, args).await,
            Command::Completions { shell } => completions::run(shell),
            Command::Man { folder } => man::run(&folder),
        };
        outcome.map(|()| ExitCode::SUCCESS)
    });
    // A thread that still waits, for example for a disk that does not answer, must not keep the process alive.
    runtime.shutdown_background();
    outcome
}
