//! The command line.

use crate::check_copy;
use crate::sizes::Size;
use std::ffi::OsString;
use std::path::PathBuf;

pub const USAGE: &str = "\
sealflow-engine run <attempt directory>       compute one phase from job.json
sealflow-engine params <size> [--only-check]  make (test sizes) or check (32GiB, 64GiB) the proof parameters
sealflow-engine verify <receipt.json> [--json] check the proof of a receipt
sealflow-engine check-copy <receipt.json> <node directory> [--quick] [--json]
                                              check a stored sector from its receipt and the storage node
sealflow-engine info [--size <size>]          versions, abilities, parameters present
";

#[derive(Debug, PartialEq)]
pub enum Command {
    Run {
        attempt: PathBuf,
    },
    Params {
        size: Size,
        only_check: bool,
    },
    /// Not for people: P1 runs it to make the parent cache in a process of its own.
    Parents {
        size: Size,
    },
    Verify {
        receipt: PathBuf,
        json: bool,
    },
    CheckCopy {
        receipt: PathBuf,
        node: PathBuf,
        options: check_copy::Options,
    },
    Info {
        size: Option<Size>,
    },
    Help,
}

impl Command {
    /// What the arguments (without the program's name) ask for, or a message for people.
    pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
        let mut plain = Vec::new();
        let mut flags = Vec::new();
        for argument in arguments {
            match argument.to_str() {
                Some(flag) if flag.starts_with("--") => flags.push(flag.to_owned()),
                _ => plain.push(argument),
            }
        }
        let text: Vec<&str> = plain.iter().map(|argument| argument.to_str().unwrap_or("?")).collect();
        let flag: Vec<&str> = flags.iter().map(String::as_str).collect();
        match (text.as_slice(), flag.as_slice()) {
            (["run", _], []) => Ok(Command::Run { attempt: PathBuf::from(&plain[1]) }),
            (["params", size], []) => Ok(Command::Params { size: Size::named(size)?, only_check: false }),
            (["params", size], ["--only-check"]) => Ok(Command::Params { size: Size::named(size)?, only_check: true }),
            (["parents", size], []) => Ok(Command::Parents { size: Size::named(size)? }),
            (["verify", _], []) => Ok(Command::Verify { receipt: PathBuf::from(&plain[1]), json: false }),
            (["verify", _], ["--json"]) => Ok(Command::Verify { receipt: PathBuf::from(&plain[1]), json: true }),
            (["check-copy", _, _], flags) if flags.iter().all(|flag| matches!(*flag, "--quick" | "--json")) => {
                let options =
                    check_copy::Options { quick: flags.contains(&"--quick"), json: flags.contains(&"--json") };
                Ok(Command::CheckCopy { receipt: PathBuf::from(&plain[1]), node: PathBuf::from(&plain[2]), options })
            }
            (["info"], []) => Ok(Command::Info { size: None }),
            (["info", size], ["--size"]) => Ok(Command::Info { size: Some(Size::named(size)?) }),
            (["help"], []) | ([], ["--help"]) => Ok(Command::Help),
            _ => Err(format!("usage:\n{USAGE}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn commands() {
        assert_eq!(parse("run x/2/P1-1"), Ok(Command::Run { attempt: "x/2/P1-1".into() }));
        assert_eq!(parse("params 2KiB --only-check"), Ok(Command::Params { size: Size::KiB2, only_check: true }));
        assert_eq!(parse("verify --json r.json"), Ok(Command::Verify { receipt: "r.json".into(), json: true }));
        let check = |quick, json| {
            let options = check_copy::Options { quick, json };
            Ok(Command::CheckCopy { receipt: "r.json".into(), node: "/mnt/node".into(), options })
        };
        assert_eq!(parse("check-copy r.json /mnt/node"), check(false, false));
        assert_eq!(parse("check-copy r.json --quick /mnt/node"), check(true, false));
        assert_eq!(parse("check-copy --json r.json /mnt/node --quick"), check(true, true));
        assert_eq!(parse("info --size 8MiB"), Ok(Command::Info { size: Some(Size::MiB8) }));
        assert_eq!(parse("info"), Ok(Command::Info { size: None }));
        for wrong in [
            "",
            "run",
            "run a b",
            "params",
            "params 2KiB --what",
            "info 8MiB",
            "verify",
            "check-copy r.json",
            "check-copy r.json n --fast",
            "seal",
        ] {
            assert!(parse(wrong).unwrap_err().contains("usage"), "{wrong}");
        }
        assert!(parse("params 3KiB").unwrap_err().contains("one of 2KiB"));
    }
}
