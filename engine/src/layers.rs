//! layers.json: the files that P1 has finished and made durable.

use crate::digest::FileRecord;
use crate::durable;
use crate::failure::{IoContext, Outcome};
use crate::hex32::Hex32;
use crate::versions::{self, PROTOCOL};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layers {
    v: u64,
    input_hash: Hex32,
    pub files: Vec<FileRecord>,
}

impl Layers {
    pub fn new(input_hash: Hex32) -> Layers {
        Layers { v: PROTOCOL, input_hash, files: Vec::new() }
    }

    /// Writes layers.json durably. The files that it names must be durable already.
    pub fn write(&self) -> Outcome<()> {
        durable::write_json(Path::new("layers.json"), self)
    }

    /// The files that the attempt `dir` has recorded for this input, as far as they agree with the beginning of
    /// `expected`. The list is empty if there is no layers.json, or if it is for another input or cannot be parsed.
    /// Fails if it exists but cannot be read.
    pub fn read_recorded(dir: &Path, input_hash: Hex32, expected: &[String]) -> Outcome<Vec<FileRecord>> {
        let path = dir.join("layers.json");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            result => result.context(format_args!("reading {}", path.display()))?,
        };
        let files = match serde_json::from_slice::<Layers>(&text) {
            Ok(layers) if versions::is_supported(layers.v) && layers.input_hash == input_hash => layers.files,
            _ => Vec::new(),
        };
        let in_order = files.into_iter().zip(expected).take_while(|(file, name)| file.name == **name);
        Ok(in_order.map(|(file, _)| file).collect())
    }
}
