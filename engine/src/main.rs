//! sealflow-engine computes the phases P1–P5 of a Filecoin sector, one process per phase. docs/engine-protocol.md
//! specifies its behaviour.

mod attempt;
mod batches;
mod check_copy;
mod claim;
mod cli;
mod clock;
mod copy;
mod damage;
mod diagnosis;
mod digest;
mod durable;
mod environment;
mod exit;
mod failure;
mod hex32;
mod info;
mod input;
mod job;
mod labels;
mod layers;
mod lease;
mod logging;
mod machine;
mod os_error;
mod panics;
mod params;
mod parents;
mod phase;
mod phase_files;
mod phases;
mod progress;
mod progress_file;
mod publish_lock;
mod receipt;
mod recorder;
mod reuse;
mod run;
mod sector;
mod sizes;
mod stream;
mod vanilla;
mod verify;
mod versions;

use cli::Command;
use failure::Outcome;
use log::LevelFilter;

fn main() {
    exit::install_panic_hook();
    let command = match Command::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(message) => {
            exit::print_error(message.trim_end());
            std::process::exit(2);
        }
    };
    match execute(command) {
        Ok(()) => exit::exit_ok(),
        Err(failure) => exit::exit_with(&failure),
    }
}

fn execute(command: Command) -> Outcome<()> {
    environment::init()?;
    // These print a result for the terminal, which the library's info lines would bury.
    let is_interactive = matches!(
        command,
        Command::Verify { .. } | Command::CheckCopy { .. } | Command::Info { .. } | Command::ListParams { .. }
    );
    logging::start(if is_interactive { LevelFilter::Warn } else { LevelFilter::Info });
    machine::raise_open_file_limit();
    match command {
        Command::Run { attempt } => run::run(&attempt),
        Command::Params { size, only_check } => params::run(size, only_check),
        Command::ListParams { size } => params::list(size),
        Command::Parents { size, parent } => parents::run(size, parent),
        Command::Verify { receipt, json } => verify::run(&receipt, json),
        Command::CheckCopy { receipt, node, options } => check_copy::run(&receipt, &node, options),
        Command::Info { size } => {
            info::run(size);
            Ok(())
        }
        Command::Help => {
            print!("{}", cli::USAGE);
            Ok(())
        }
    }
}
