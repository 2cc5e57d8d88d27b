//! Parses the command line.

use crate::check_copy::options::Options;
use crate::sizes::Size;
use lexopt::{Arg, Error, Parser, ValueExt};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

pub const USAGE: &str = "\
sealflow-engine run <attempt directory>       compute one phase from job.json
sealflow-engine params <size> [--only-check]  generate (test sizes) or check (32GiB, 64GiB) the proof parameters
sealflow-engine params <size> --list          the published files that 32GiB or 64GiB needs, and which are there
sealflow-engine verify <receipt.json> [--json] check the proof of a receipt
sealflow-engine check-copy <receipt.json> <node directory> [--quick] [--json]
                                              check a stored sector from its receipt and the storage node
sealflow-engine info [--size <size>]          versions, features, which parameters are present
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
    ListParams {
        size: Size,
    },
    /// Internal: P1 runs it to generate the parent cache in another process.
    Parents {
        size: Size,
        /// The process whose end must end this one.
        parent: Option<u32>,
    },
    Verify {
        receipt: PathBuf,
        json: bool,
    },
    CheckCopy {
        receipt: PathBuf,
        node: PathBuf,
        options: Options,
    },
    Info {
        size: Option<Size>,
    },
    Help,
}

impl Command {
    /// Parses the arguments (without the program's name). The error is a message for the user.
    pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
        parse_command(&mut Parser::from_args(arguments)).map_err(|error| match error {
            // An invalid value: its message needs no usage.
            Error::Custom(message) => message.to_string(),
            error => format!("{error}\nusage:\n{USAGE}"),
        })
    }
}

fn parse_command(parser: &mut Parser) -> Result<Command, Error> {
    let name = match parser.next()? {
        Some(Arg::Value(name)) => name,
        Some(Arg::Long("help")) => return Ok(Command::Help),
        Some(other) => return Err(other.unexpected()),
        None => return Err(Error::MissingValue { option: None }),
    };
    let (mut only_check, mut list, mut json, mut quick) = (false, false, false, false);
    let mut value = None;
    match name.to_str() {
        Some("run") => {
            let [attempt] = parse_operands(parser, &mut [], None)?;
            Ok(Command::Run { attempt: attempt.into() })
        }
        Some("params") => {
            let flags = &mut [("only-check", &mut only_check), ("list", &mut list)];
            let [size] = parse_operands(parser, flags, None)?;
            let size = parse_size(&size)?;
            match (list, only_check) {
                (true, true) => Err(Error::UnexpectedOption("--only-check".to_owned())),
                (true, false) => Ok(Command::ListParams { size }),
                (false, only_check) => Ok(Command::Params { size, only_check }),
            }
        }
        Some("parents") => {
            let [size] = parse_operands(parser, &mut [], Some(("parent", &mut value)))?;
            Ok(Command::Parents { size: parse_size(&size)?, parent: value.map(|pid| pid.parse()).transpose()? })
        }
        Some("verify") => {
            let [receipt] = parse_operands(parser, &mut [("json", &mut json)], None)?;
            Ok(Command::Verify { receipt: receipt.into(), json })
        }
        Some("check-copy") => {
            let [receipt, node] = parse_operands(parser, &mut [("json", &mut json), ("quick", &mut quick)], None)?;
            Ok(Command::CheckCopy { receipt: receipt.into(), node: node.into(), options: Options { quick, json } })
        }
        Some("info") => {
            let [] = parse_operands(parser, &mut [], Some(("size", &mut value)))?;
            Ok(Command::Info { size: value.as_deref().map(parse_size).transpose()? })
        }
        Some("help") => {
            let [] = parse_operands(parser, &mut [], None)?;
            Ok(Command::Help)
        }
        _ => Err(Error::UnexpectedArgument(name)),
    }
}

/// Parses the rest of the command line: exactly `N` operands, mixed in any order with these flags and with the one
/// option that takes a value.
fn parse_operands<const N: usize>(
    parser: &mut Parser,
    flags: &mut [(&str, &mut bool)],
    mut option: Option<(&str, &mut Option<OsString>)>,
) -> Result<[OsString; N], Error> {
    let mut operands = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(operand) if operands.len() < N => operands.push(operand),
            Arg::Long(name) => {
                if let Some((_, flag)) = flags.iter_mut().find(|(known, _)| *known == name) {
                    **flag = true;
                } else if let Some((_, value)) = option.as_mut().filter(|(known, _)| *known == name) {
                    **value = Some(parser.value()?);
                } else {
                    return Err(argument.unexpected());
                }
            }
            _ => return Err(argument.unexpected()),
        }
    }
    operands.try_into().map_err(|_| Error::MissingValue { option: None })
}

fn parse_size(name: &OsStr) -> Result<Size, Error> {
    Ok(Size::from_name(&name.to_string_lossy())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn valid_and_invalid_commands() {
        assert_eq!(parse("run x/2/P1-1"), Ok(Command::Run { attempt: "x/2/P1-1".into() }));
        assert_eq!(parse("params 2KiB --only-check"), Ok(Command::Params { size: Size::KiB2, only_check: true }));
        assert_eq!(parse("params --list 32GiB"), Ok(Command::ListParams { size: Size::GiB32 }));
        assert_eq!(parse("verify --json r.json"), Ok(Command::Verify { receipt: "r.json".into(), json: true }));
        let check = |quick, json| {
            let options = Options { quick, json };
            Ok(Command::CheckCopy { receipt: "r.json".into(), node: "/mnt/node".into(), options })
        };
        assert_eq!(parse("check-copy r.json /mnt/node"), check(false, false));
        assert_eq!(parse("check-copy r.json --quick /mnt/node"), check(true, false));
        assert_eq!(parse("check-copy --json r.json /mnt/node --quick"), check(true, true));
        assert_eq!(parse("info --size 8MiB"), Ok(Command::Info { size: Some(Size::MiB8) }));
        assert_eq!(parse("info"), Ok(Command::Info { size: None }));
        for wrong in [
            "",
            "--json",
            "run",
            "run a b",
            "params",
            "params 2KiB --what",
            "params 32GiB --list --only-check",
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
