//! Only the module `diagnosis` makes damage, and so a step back, of an error: it lets a fault of the machine take
//! precedence.

use crate::modules::all_sources;

const MAKERS: [&str; 2] = ["Damage::found(", "Finding::bad("];

/// The calls in `code` that make damage, each up to its closing parenthesis.
fn calls(code: &str) -> Vec<&str> {
    let starts = MAKERS.iter().flat_map(|maker| code.match_indices(maker).map(|(at, _)| at + maker.len()));
    starts.map(|start| &code[start..start + argument_len(&code[start..])]).collect()
}

fn argument_len(text: &str) -> usize {
    let mut depth = 0;
    let end = text.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth < 0
    });
    end.unwrap_or(text.len())
}

fn names_an_error(call: &str) -> bool {
    call.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| matches!(word, "err" | "error" | "e" | "panic"))
}

#[test]
fn errors_are_not_taken_for_damage_directly() {
    let sources = all_sources();
    let found: usize = sources.values().map(|code| calls(code).len()).sum();
    assert!(found > 10, "{found}");
    for (module, code) in sources.iter().filter(|(module, _)| *module != "diagnosis") {
        let wrong: Vec<_> = calls(code).into_iter().filter(|call| names_an_error(call)).collect();
        assert!(wrong.is_empty(), "{module}: {wrong:?}");
    }
}

#[test]
fn such_calls_are_found() {
    let code = r#"x(Damage::found(format!("{}: {error}", f(x)))), Finding::bad(format!("{name} (errors)")), error"#;
    assert_eq!(calls(code).iter().map(|call| names_an_error(call)).collect::<Vec<_>>(), [true, false]);
}
