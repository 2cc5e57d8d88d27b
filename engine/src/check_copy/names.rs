//! Names of a stored sector's files, relative to its storage node: the layout that lotus, curio and venus read.

use crate::receipt::Receipt;
use crate::sector::Sector;
use crate::sizes::REPLICA;

/// The stored name of a kept file.
pub fn of(sector: &Sector, kept: &str) -> String {
    let sector = sector.file_name();
    match kept {
        REPLICA => format!("sealed/{sector}"),
        name => format!("cache/{sector}/{name}"),
    }
}

/// Each name must be one of the sector's own, so that a receipt reaches nothing else, and all that is kept must be there: a
/// receipt that leaves a file out says nothing of it.
pub fn check(receipt: &Receipt) -> Result<(), String> {
    let Receipt { sector, size, files, .. } = receipt;
    let (replica, cache) = (of(sector, REPLICA), of(sector, ""));
    if let Some(file) =
        files.iter().find(|file| file.name != replica && !file.name.strip_prefix(&cache).is_some_and(is_plain))
    {
        return Err(format!("files: {:?} is not a file of {}: {replica} or {cache}…", file.name, sector.name));
    }
    let missing =
        size.kept().into_iter().map(|name| of(sector, &name)).find(|name| !files.iter().any(|file| file.name == *name));
    missing.map_or(Ok(()), |name| Err(format!("files: {name} is not named")))
}

fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_sector() {
        let sector: Sector = "f01000/7".parse().unwrap();
        assert_eq!(of(&sector, "sealed"), "sealed/s-t01000-7");
        assert_eq!(of(&sector, "p_aux"), "cache/s-t01000-7/p_aux");
        assert!(is_plain("..p_aux"));
        for name in ["", ".", "..", "a/b", "/", "../x", "a\0"] {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
