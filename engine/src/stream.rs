//! Reads a file once, with reading, hashing and further processing, such as writing, overlapped.

use crate::copy::chunks::IN_FLIGHT;
use crate::copy::direct::{self, Aligned};
use crate::copy::rate_limiter::RateLimiter;
use std::fs::File;
use std::io;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Bytes read at a time, unless a rate limit requires less. With 8 MiB, BLAKE3 on rayon and O_DIRECT writes run at full
/// speed (measured).
const CHUNK_BYTES: usize = 8 << 20;

pub struct Chunk {
    pub offset: u64,
    pub len: usize,
    pub buffer: Aligned,
}

/// Reads `file` up to the size that it has at the start and passes each chunk, in order, to `on_chunk`. Returns size
/// and BLAKE3. Fails with errors of reading (UnexpectedEof if the file has become shorter), of the shared limit, and of
/// `on_chunk`.
pub fn stream(
    file: &File,
    limiter: &RateLimiter,
    mut on_chunk: impl FnMut(&mut Chunk) -> io::Result<()>,
) -> io::Result<(u64, blake3::Hash)> {
    let size = file.metadata()?.len();
    let max_chunk = limiter.max_chunk().map_or(CHUNK_BYTES, |max| CHUNK_BYTES.min(direct::round_up(max)));
    let chunk_bytes = max_chunk.min(direct::round_up(size as usize)).max(direct::BLOCK);
    let (recycle, free_buffers) = sync_channel::<Aligned>(IN_FLIGHT);
    for _ in 0..IN_FLIGHT.min(size.div_ceil(chunk_bytes as u64) as usize) {
        recycle.send(Aligned::new(chunk_bytes)).expect("the channel has room for all");
    }
    let (send_read, read_chunks) = sync_channel::<Chunk>(IN_FLIGHT);
    let (send_hashed, hashed_chunks) = sync_channel::<Chunk>(IN_FLIGHT);

    thread::scope(|scope| {
        let reader = scope.spawn(move || -> io::Result<()> {
            let mut offset = 0;
            while offset < size {
                // Closed when a later stage has failed; that stage's error is returned.
                let Ok(mut buffer) = free_buffers.recv() else {
                    return Ok(());
                };
                let len = chunk_bytes.min((size - offset) as usize);
                limiter.wait_for(len as u64)?;
                direct::read_exact_at(file, &mut buffer, len, offset)?;
                if send_read.send(Chunk { offset, len, buffer }).is_err() {
                    return Ok(());
                }
                offset += len as u64;
            }
            Ok(())
        });
        let hasher = scope.spawn(move || {
            let mut hasher = blake3::Hasher::new();
            for chunk in read_chunks {
                hasher.update_rayon(&chunk.buffer.bytes()[..chunk.len]);
                if send_hashed.send(chunk).is_err() {
                    break;
                }
            }
            hasher.finalize()
        });
        let mut processed = Ok(());
        for mut chunk in hashed_chunks {
            processed = on_chunk(&mut chunk);
            if processed.is_err() {
                break;
            }
            // Fails when the reader has finished.
            let _ = recycle.send(chunk.buffer);
        }
        drop(recycle);
        let read = reader.join().expect("a panic ends the process");
        let hash = hasher.join().expect("a panic ends the process");
        processed?;
        read?;
        Ok((size, hash))
    })
}
