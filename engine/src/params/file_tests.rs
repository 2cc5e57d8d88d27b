//! Damaged parameter files are found, and said to be damaged as long as they are.

use super::digest::digest_of;
use super::file::{Compared, ParameterFile};
use super::note::{Note, State};
use crate::failure::{Failure, Outcome};
use crate::sizes::Size;
use std::fs::{self, FileTimes, OpenOptions};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const RIGHT: &[u8] = b"the right file";

/// A `.params` file of a test size, as the generator leaves it.
fn generated() -> (TempDir, ParameterFile) {
    let dir = tempfile::tempdir().unwrap();
    let file = ParameterFile::new(Size::KiB2, "v28-x.params".to_owned(), dir.path());
    fs::write(&file.path, RIGHT).unwrap();
    let digest = digest_of(&file.path).unwrap();
    Note::right(state_of(&file), &digest).write(&file.path).unwrap();
    (dir, file)
}

fn state_of(file: &ParameterFile) -> State {
    State::of(&fs::metadata(&file.path).unwrap())
}

/// Writes another content; the file is as old as before, as after a fault of the disk.
fn rot(file: &ParameterFile, content: &[u8]) {
    let modified = fs::metadata(&file.path).unwrap().modified().unwrap();
    fs::write(&file.path, content).unwrap();
    set_modified(file, modified);
}

fn set_modified(file: &ParameterFile, to: SystemTime) {
    let opened = OpenOptions::new().write(true).open(&file.path).unwrap();
    opened.set_times(FileTimes::new().set_modified(to)).unwrap();
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Outcome<T>, by: &[&str]) {
    let Err(Failure::MissingParameters(message)) = outcome else { panic!("{outcome:?}") };
    for words in by {
        assert!(message.contains(words), "{words} in {message}");
    }
}

#[test]
fn a_whole_file_is_right_and_is_read_only_to_compare_it() {
    let (_dir, file) = generated();
    assert_eq!((file.look(), file.check(), file.compare()), (Ok(()), Ok(()), Ok(Compared::Right)));
    rot(&file, b"the wrong file");
    assert_eq!((file.look(), file.check()), (Ok(()), Ok(())), "nothing was read");
}

#[test]
fn another_size_is_found_without_reading() {
    let (_dir, file) = generated();
    rot(&file, &RIGHT[..5]);
    let words = ["v28-x.params is damaged: it has 5 bytes, the right file has 14", "delete it"];
    refused(file.look(), &words);
    refused(file.check(), &words);
    refused(file.compare(), &words);
    rot(&file, b"");
    refused(file.look(), &["v28-x.params is damaged: it is empty"]);
}

#[test]
fn damage_that_was_found_stays_known_until_the_file_is_right_again() {
    let (_dir, file) = generated();
    rot(&file, b"the wrong file");
    let (wrong, right) = (digest_of(&file.path).unwrap(), Note::read(&file.path).unwrap().digest.unwrap());
    let words = ["v28-x.params is damaged", wrong.as_str(), right.as_str(), "`sealflow setup --parameters 2KiB`"];
    refused(file.compare(), &words);
    refused(file.look(), &words);
    refused(file.check(), &words);
    rot(&file, RIGHT);
    refused(file.check(), &words);
    assert_eq!(file.compare(), Ok(Compared::Right));
    assert_eq!((file.look(), file.check()), (Ok(()), Ok(())));
}

#[test]
fn a_file_that_may_have_changed_is_read_once() {
    let (_dir, file) = generated();
    set_modified(&file, SystemTime::now() - Duration::from_secs(100));
    assert_eq!(file.check(), Ok(()));
    assert!(Note::read(&file.path).unwrap().vouches_for(state_of(&file)));
    fs::write(&file.path, "the wrong file").unwrap();
    set_modified(&file, SystemTime::now() - Duration::from_secs(50));
    assert_eq!(file.look(), Ok(()), "nothing was read");
    refused(file.check(), &["is damaged"]);
    refused(file.look(), &["is damaged"]);
}

#[test]
fn a_generated_file_without_a_digest_stays_usable() {
    let (_dir, file) = generated();
    fs::remove_file(Note::path(&file.path)).unwrap();
    assert_eq!((file.look(), file.check(), file.compare()), (Ok(()), Ok(()), Ok(Compared::Unknown)));
    assert_eq!(Note::read(&file.path), None, "nothing vouches for it");
}

#[test]
fn a_key_is_always_read() {
    let dir = tempfile::tempdir().unwrap();
    let key = ParameterFile::new(Size::KiB2, "v28-x.vk".to_owned(), dir.path());
    fs::write(&key.path, RIGHT).unwrap();
    refused(key.compare(), &["v28-x.vk is damaged: it is not a verifying key"]);
    Note::right(state_of(&key), &digest_of(&key.path).unwrap()).write(&key.path).unwrap();
    assert_eq!(key.compare(), Ok(Compared::Right));
    rot(&key, b"the wrong file");
    refused(key.compare(), &["v28-x.vk is damaged: its BLAKE2b is "]);
    rot(&key, RIGHT);
    assert_eq!(key.compare(), Ok(Compared::Right));
}

#[test]
fn a_published_file_is_compared_with_the_list() {
    const KEY: &str = "v28-stacked-proof-of-replication-merkletree-poseidon_hasher-8-8-0-sha256_hasher-82a357d2f2ca81dc61bb45f4a762807aedee1b0a53fd6c4e77b46a01bfef7820";
    let dir = tempfile::tempdir().unwrap();
    for (kind, published) in
        [("vk", "0c7b4aac1c40fdb7eb82bc355b41addf"), ("params", "6a388072a518cf46ebd661f5cc46900a")]
    {
        let file = ParameterFile::new(Size::GiB32, format!("{KEY}.{kind}"), dir.path());
        fs::write(&file.path, RIGHT).unwrap();
        // A digest in the note is not that of the list.
        Note::right(state_of(&file), &digest_of(&file.path).unwrap()).write(&file.path).unwrap();
        refused(file.compare(), &[published, "`sealflow setup --parameters 32GiB` replaces it"]);
        assert_eq!(file.look().is_err(), kind == "params", "of a key nothing is recorded");
    }
}
