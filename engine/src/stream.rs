//! One pass over a file with reading, hashing and whatever follows (writing) overlapped.

use crate::copy::chunks::IN_FLIGHT;
use crate::copy::direct::{self, Aligned};
use crate::copy::pace::Pace;
use std::fs::File;
use std::io;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Bytes read at a time, unless a limit wants less. 8 MiB keeps BLAKE3 over rayon and O_DIRECT writes at full speed (measured).
const CHUNK: usize = 8 << 20;

pub struct Chunk {
    pub offset: u64,
    pub len: usize,
    pub buffer: Aligned,
}

/// Reads `file` from its start to the size it has now, and hands each chunk, in order, to `each`. Returns size and BLAKE3.
/// Errors: of reading, UnexpectedEof when the file got shorter meanwhile, of a shared limit, and those of `each`.
pub fn stream(
    file: &File,
    pace: &Pace,
    mut each: impl FnMut(&mut Chunk) -> io::Result<()>,
) -> io::Result<(u64, blake3::Hash)> {
    let size = file.metadata()?.len();
    let max = pace.chunk().map_or(CHUNK, |max| CHUNK.min(direct::round_up(max)));
    let chunk = max.min(direct::round_up(size as usize)).max(direct::BLOCK);
    let (give_back, free) = sync_channel::<Aligned>(IN_FLIGHT);
    for _ in 0..IN_FLIGHT.min(size.div_ceil(chunk as u64) as usize) {
        give_back.send(Aligned::new(chunk)).expect("the channel holds them all");
    }
    let (read_one, to_hash) = sync_channel::<Chunk>(IN_FLIGHT);
    let (hashed_one, to_use) = sync_channel::<Chunk>(IN_FLIGHT);

    thread::scope(|scope| {
        let reader = scope.spawn(move || -> io::Result<()> {
            let mut offset = 0;
            while offset < size {
                // Closed when a later stage failed: its error is the one that counts.
                let Ok(mut buffer) = free.recv() else {
                    return Ok(());
                };
                let len = chunk.min((size - offset) as usize);
                pace.wait_for(len as u64)?;
                direct::read_exact_at(file, &mut buffer, len, offset)?;
                if read_one.send(Chunk { offset, len, buffer }).is_err() {
                    return Ok(());
                }
                offset += len as u64;
            }
            Ok(())
        });
        let hasher = scope.spawn(move || {
            let mut hasher = blake3::Hasher::new();
            for chunk in to_hash {
                hasher.update_rayon(&chunk.buffer.bytes()[..chunk.len]);
                if hashed_one.send(chunk).is_err() {
                    break;
                }
            }
            hasher.finalize()
        });
        let mut used = Ok(());
        for mut chunk in to_use {
            used = each(&mut chunk);
            if used.is_err() {
                break;
            }
            // The reader is gone when it has read everything.
            let _ = give_back.send(chunk.buffer);
        }
        drop(give_back);
        let read = reader.join().expect("a panic ends the process");
        let hash = hasher.join().expect("a panic ends the process");
        used?;
        read?;
        Ok((size, hash))
    })
}
