//! sealflow-engine: computes the phases P1–P5 of a Filecoin sector, one process for each. The contract is
//! docs/engine-protocol.md.

mod attempt;
mod basis;
mod batches;
mod caught;
mod check_copy;
mod cli;
mod clock;
mod copy;
mod digest;
mod durable;
mod failure;
mod hex32;
mod info;
mod job;
mod layers;
mod lease;
mod logging;
mod machine;
mod making;
mod params;
mod parents;
mod phases;
mod places;
mod progress;
mod progress_file;
mod receipt;
mod recorder;
mod run;
mod sector;
mod sizes;
mod stream;
mod take_over;
mod vanilla;
mod verify;
mod versions;

use cli::Command;
use failure::Outcome;

fn main() {
    failure::end_on_panic();
    let command = match Command::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(why) => {
            failure::complain(why.trim_end());
            std::process::exit(2);
        }
    };
    match obey(command) {
        Ok(()) => failure::end_well(),
        Err(failed) => failure::end(&failed),
    }
}

fn obey(command: Command) -> Outcome<()> {
    places::fix()?;
    // What people run and read should not drown in the library's lines.
    let is_for_people = matches!(command, Command::Verify { .. } | Command::CheckCopy { .. } | Command::Info { .. });
    logging::start(if is_for_people { "warn" } else { "info" });
    machine::raise_open_files();
    match command {
        Command::Run { attempt } => run::run(&attempt),
        Command::Params { size, only_check } => params::make(size, only_check),
        Command::Parents { size } => parents::make(size),
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
