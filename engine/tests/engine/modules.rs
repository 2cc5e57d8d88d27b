//! Modules must not import each other in cycles, so that each can be understood from the modules below it. All paths in
//! code count, also in unit tests; the declaration of a submodule does not.

use crate::common::built_path;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules that each module refers to, with full names such as `copy::schedule`.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The sources of all modules, by module.
pub fn all_sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    sources(&built_path!("CARGO_MANIFEST_DIR").join("src"), "", &mut found);
    assert!(found.len() > 40, "{:?}", found.keys());
    found
}

fn sources(dir: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.is_dir() {
            sources(&path, &format!("{prefix}{name}::"), found);
        } else {
            let module =
                if name == "mod" { prefix.trim_end_matches("::").to_owned() } else { format!("{prefix}{name}") };
            found.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

/// The innermost module that `path` begins with.
fn module_of(path: &str, modules: &BTreeMap<String, String>) -> Option<String> {
    let segments: Vec<&str> = path.split("::").collect();
    (1..=segments.len()).rev().map(|n| segments[..n].join("::")).find(|name| modules.contains_key(name))
}

/// The modules that `text` of `module` refers to: `crate::…`, `super::…`, and `child::…` of a module with submodules.
fn references(module: &str, text: &str, modules: &BTreeMap<String, String>) -> BTreeSet<String> {
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split(|c: char| !is_path(c)))
        .filter_map(|word| {
            let path = if let Some(path) = word.strip_prefix("crate::") {
                path.to_owned()
            } else if let Some(path) = word.strip_prefix("super::super::") {
                // Only `mod tests` uses `super::super`.
                format!("{parent}::{path}")
            } else if let Some(path) = word.strip_prefix("super::") {
                if path.is_empty() || path == "*" {
                    return None;
                }
                format!("{parent}::{path}")
            } else {
                format!("{module}::{word}")
            };
            module_of(path.trim_start_matches("::").trim_end_matches(':'), modules)
        })
        .filter(|found| found != module)
        .collect()
}

/// A cycle that can be reached from `module`, as `a → b → a`.
fn cycle_from(module: &str, imports: &Imports, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<String> {
    if let Some(start) = path.iter().position(|earlier| earlier == module) {
        return Some([&path[start..], &[module.to_owned()]].concat().join(" → "));
    }
    if !done.insert(module.to_owned()) {
        return None;
    }
    path.push(module.to_owned());
    let found = imports.get(module)?.iter().find_map(|next| cycle_from(next, imports, path, done));
    path.pop();
    found
}

fn cycle(sources: &BTreeMap<String, String>) -> Option<String> {
    let imports: Imports = sources.iter().map(|(name, text)| (name.clone(), references(name, text, sources))).collect();
    let mut done = BTreeSet::new();
    imports.keys().find_map(|module| cycle_from(module, &imports, &mut Vec::new(), &mut done))
}

#[test]
fn modules_have_no_import_cycle() {
    assert_eq!(cycle(&all_sources()), None);
}

#[test]
fn cycles_are_found() {
    let with = |files: &[(&str, &str)]| {
        cycle(&files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    };
    assert_eq!(with(&[("a", "use crate::b::X;"), ("b", "// crate::a"), ("c", "use crate::a;")]), None);
    let three = [("a", "use crate::b::X;"), ("b", "use crate::c::{Y};"), ("c", "fn f() { crate::a::g() }")];
    assert_eq!(with(&three).unwrap(), "a → b → c → a");
    let parent = [("a", "mod x;\nuse x::X;"), ("a::x", "use super::Y;")];
    assert_eq!(with(&parent).unwrap(), "a → a::x → a");
    let siblings = [("a", ""), ("a::x", "use super::y::Y;"), ("a::y", "use super::x::X;")];
    assert_eq!(with(&siblings).unwrap(), "a::x → a::y → a::x");
}
