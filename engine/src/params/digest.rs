//! The digest of a parameter file as the library's list has it: the first 16 bytes of its BLAKE2b, in hex.

use crate::failure::{IoContext, Outcome};
use crate::progress;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads the whole file, which the progress shows.
pub fn digest_of(path: &Path) -> Outcome<String> {
    let reading = format!("reading {}", path.display());
    let mut file = File::open(path).context(&reading)?;
    let size = file.metadata().context(&reading)?.len().max(1);
    let mut hash = blake2b_simd::State::new();
    let mut buffer = vec![0; 8 << 20];
    let mut done = 0;
    loop {
        let n = file.read(&mut buffer).context(&reading)?;
        if n == 0 {
            return Ok(digest_in_hex(&hash));
        }
        hash.update(&buffer[..n]);
        done += n as u64;
        progress::set_step_fraction(done as f64 / size as f64);
    }
}

/// The digest of what has been hashed so far.
pub fn digest_in_hex(hash: &blake2b_simd::State) -> String {
    hash.finalize().to_hex()[..32].to_owned()
}
