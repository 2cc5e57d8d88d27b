//! `<file>.checked`: what is known of a parameter file without reading it.

use crate::durable;
use crate::failure::Outcome;
use serde::{Deserialize, Serialize};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells that a file is still the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    pub size: u64,
    modified_seconds: i64,
    modified_nanoseconds: i64,
}

impl State {
    pub fn of(meta: &Metadata) -> State {
        State { size: meta.len(), modified_seconds: meta.mtime(), modified_nanoseconds: meta.mtime_nsec() }
    }
}

/// Of a file that was right when it was last read, its state then. Of one that was found damaged, the state and the
/// digest of the damaged file: then there is no time of a right one, so that no reader takes the file for it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    v: u64,
    /// Bytes of the right file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_nanoseconds: Option<i64>,
    /// Of the right file. Notes of earlier versions, and those of others, do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<Damaged>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Damaged {
    #[serde(flatten)]
    state: State,
    digest: String,
}

impl Note {
    /// Of a file that is right.
    pub fn right(state: State, digest: &str) -> Note {
        Note {
            v: 1,
            size: Some(state.size),
            modified_seconds: Some(state.modified_seconds),
            modified_nanoseconds: Some(state.modified_nanoseconds),
            digest: Some(digest.to_owned()),
            damaged: None,
        }
    }

    /// Of a file in which `found` was read in place of the right digest. What `before` knows of the right file stays.
    pub fn damaged(before: Option<Note>, state: State, found: &str) -> Note {
        let (size, digest) = before.map_or((None, None), |note| (note.size, note.digest));
        let damaged = Some(Damaged { state, digest: found.to_owned() });
        Note { v: 1, size, modified_seconds: None, modified_nanoseconds: None, digest, damaged }
    }

    /// The note of a parameter file; `None` if there is none, or it cannot be read.
    pub fn read(file: &Path) -> Option<Note> {
        let text = fs::read(Note::path(file)).ok()?;
        serde_json::from_slice(&text).ok().filter(|note: &Note| note.v == 1)
    }

    pub fn path(file: &Path) -> PathBuf {
        let mut path = file.as_os_str().to_owned();
        path.push(".checked");
        path.into()
    }

    pub fn write(&self, file: &Path) -> Outcome<()> {
        durable::write_json(&Note::path(file), self)
    }

    /// Whether the file was right when it had this state.
    pub fn vouches_for(&self, state: State) -> bool {
        let State { size, modified_seconds, modified_nanoseconds } = state;
        (self.size, self.modified_seconds, self.modified_nanoseconds)
            == (Some(size), Some(modified_seconds), Some(modified_nanoseconds))
    }

    /// The wrong digest that was read when the file had this state.
    pub fn damage_of(&self, state: State) -> Option<&str> {
        self.damaged.as_ref().filter(|damaged| damaged.state == state).map(|damaged| damaged.digest.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: State = State { size: 3, modified_seconds: 7, modified_nanoseconds: 9 };

    #[test]
    fn a_note_vouches_for_one_state_only() {
        let note = Note::right(STATE, "d1");
        assert!(note.vouches_for(STATE));
        for other in [
            State { size: 4, ..STATE },
            State { modified_seconds: 8, ..STATE },
            State { modified_nanoseconds: 8, ..STATE },
        ] {
            assert!(!note.vouches_for(other));
        }
        assert_eq!(note.damage_of(STATE), None);
    }

    #[test]
    fn damage_is_of_one_state_and_keeps_what_is_known_of_the_right_file() {
        let note = Note::damaged(Some(Note::right(STATE, "d1")), STATE, "d2");
        assert!(!note.vouches_for(STATE));
        assert_eq!((note.damage_of(STATE), note.size, note.digest.as_deref()), (Some("d2"), Some(3), Some("d1")));
        assert_eq!(note.damage_of(State { modified_seconds: 8, ..STATE }), None);
    }

    #[test]
    fn notes_are_as_the_protocol_says() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.params");
        let text = |note: Note| {
            note.write(&file).unwrap();
            assert_eq!(Note::read(&file), Some(note));
            fs::read_to_string(dir.path().join("x.params.checked")).unwrap()
        };
        let right = r#"{"v":1,"size":3,"modifiedSeconds":7,"modifiedNanoseconds":9,"digest":"d1"}"#;
        assert_eq!(text(Note::right(STATE, "d1")), right);
        let of_state = r#"{"size":3,"modifiedSeconds":7,"modifiedNanoseconds":9,"digest":"d2"}"#;
        let before = Some(Note::right(STATE, "d1"));
        assert_eq!(
            text(Note::damaged(before, STATE, "d2")),
            format!(r#"{{"v":1,"size":3,"digest":"d1","damaged":{of_state}}}"#)
        );
        assert_eq!(text(Note::damaged(None, STATE, "d2")), format!(r#"{{"v":1,"damaged":{of_state}}}"#));
    }

    #[test]
    fn notes_without_digest_count_and_unreadable_ones_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.params");
        assert_eq!(Note::read(&file), None);
        let read = |text: &str| {
            fs::write(Note::path(&file), text).unwrap();
            Note::read(&file)
        };
        let old = read(r#"{"v":1,"size":3,"modifiedSeconds":7,"modifiedNanoseconds":9}"#).unwrap();
        assert!(old.vouches_for(STATE) && old.digest.is_none());
        for text in ["", "[]", r#"{"v":2,"size":3,"modifiedSeconds":7,"modifiedNanoseconds":9}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
