//! A full disk is reported as `NoSpace`, also if a child process runs into it.

use crate::common::*;

#[test]
fn no_space_for_the_parent_cache() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P1-1", |_| ());
    let parents = sector.path("parents");
    // A file system with one page, for the cache but not for its record, in a new mount namespace.
    let script = r#"mount -t tmpfs -o size=4k none "$1" && shift && exec "$@""#;
    let command = sector.command(&[]);
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(&parents);
    unshare.arg(engine()).arg("run").arg(&attempt);
    unshare.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    unshare.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let exited = match unshare.spawn() {
        Ok(child) => wait_for_exit(child),
        Err(error) => return println!("SKIPPED: unshare: {error}"),
    };
    if !attempt.join("progress.json").exists() {
        return println!("SKIPPED: no mount namespace: {}", exited.stderr);
    }
    assert_eq!(exited.code, Some(3), "{}", exited.stderr);
    let error = read(&attempt.join("error.json"));
    assert_eq!(error["type"], "NoSpace", "{error}");
}
