//! Paths of a stored sector's files, relative to its storage node. lotus, curio and venus read the same layout.

use crate::receipt::Receipt;
use crate::sector::Sector;
use crate::sizes::REPLICA;

/// The path of a retained file on the storage node.
pub fn relative_path(sector: &Sector, file: &str) -> String {
    let sector = sector.file_name();
    match file {
        REPLICA => format!("sealed/{sector}"),
        name => format!("cache/{sector}/{name}"),
    }
}

/// Checks that the receipt names only files of its own sector, so that it cannot make us read others, and all retained
/// files: a file without a record could not be checked.
pub fn check(receipt: &Receipt) -> Result<(), String> {
    let Receipt { sector, size, files, .. } = receipt;
    let (replica, cache) = (relative_path(sector, REPLICA), relative_path(sector, ""));
    if let Some(file) =
        files.iter().find(|file| file.name != replica && !file.name.strip_prefix(&cache).is_some_and(is_plain_name))
    {
        return Err(format!("files: {:?} is not a file of {}: {replica} or {cache}…", file.name, sector.name));
    }
    let missing = size
        .retained_files()
        .into_iter()
        .map(|name| relative_path(sector, &name))
        .find(|name| !files.iter().any(|file| file.name == *name));
    missing.map_or(Ok(()), |name| Err(format!("files: {name} is missing")))
}

fn is_plain_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_plain_names() {
        let sector: Sector = "f01000/7".parse().unwrap();
        assert_eq!(relative_path(&sector, "sealed"), "sealed/s-t01000-7");
        assert_eq!(relative_path(&sector, "p_aux"), "cache/s-t01000-7/p_aux");
        assert!(is_plain_name("..p_aux"));
        for name in ["", ".", "..", "a/b", "/", "../x", "a\0"] {
            assert!(!is_plain_name(name), "{name:?}");
        }
    }
}
