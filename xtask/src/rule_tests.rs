//! Every rule of the simulator's verifier is raised by its code, and named by a test that breaks it.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use crate::simulator::{Rule, rules_by_area};

/// Fails where a rule is never raised, or no test names it.
pub fn run(shell: &Shell) -> Result<()> {
    let (code, tests) = texts(shell)?;
    let mut wrong = Vec::new();
    for rule in rules_by_area(shell)?.into_iter().flat_map(|(_, rules)| rules) {
        if !names(&code, &rule) {
            wrong.push(format!("{}: nothing raises it", rule.id));
        }
        if !names(&tests, &rule) {
            wrong.push(format!("{}: no test names it", rule.id));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("rules without effect or without a test:\n{}", wrong.join("\n"))
}

/// The text of the simulator outside the rules' own definitions, and that of all tests on it.
fn texts(shell: &Shell) -> Result<(String, String)> {
    let files = cmd!(shell, "git ls-files --cached --others --exclude-standard -- sim")
        .quiet()
        .read()?;
    let (mut code, mut tests) = (String::new(), String::new());
    for file in files
        .lines()
        .filter(|file| file.ends_with(".rs") && shell.path_exists(file))
    {
        let text = shell.read_file(file)?;
        let (before, after) = match text.split_once("#[cfg(test)]") {
            _ if file.contains("/tests/") || file.ends_with("/tests.rs") => ("", text.as_str()),
            Some(halves) => halves,
            None => (text.as_str(), ""),
        };
        if !before.contains("rules! {") {
            code.push_str(before);
        }
        tests.push_str(after);
    }
    Ok((code, tests))
}

/// Whether a text has the constant of a rule as a word, or its name in quotes.
fn names(text: &str, rule: &Rule) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let whole = |index: usize| {
        let after = &text[index + rule.constant.len()..];
        !text[..index].ends_with(word) && !after.starts_with(word)
    };
    text.contains(&format!("\"{}\"", rule.id)) || text.match_indices(&rule.constant).any(|(index, _)| whole(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_as_a_whole_only() {
        let rule = Rule {
            constant: "LEAK".to_owned(),
            id: "pool-leak".to_owned(),
            code: 0,
            p1: 0,
            doc: String::new(),
        };
        for text in ["memory::LEAK,", "LEAK", "assert_eq!(id, \"pool-leak\")"] {
            assert!(names(text, &rule), "{text}");
        }
        for text in ["POOL_LEAK", "LEAKED", "pool-leak", ""] {
            assert!(!names(text, &rule), "{text}");
        }
    }
}
