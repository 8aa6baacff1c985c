//! The grammar for editors names the words of the language, all of them and no others.

use std::collections::BTreeSet;

use hawser_abi::op::ElementType;
use serde_json::Value;

use super::operations::NAMES;
use super::syntax::is_leading_word;

/// A pattern.
fn pattern(name: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../editors/hawser.tmLanguage.json");
    let grammar: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    grammar["repository"][name]["match"].as_str().unwrap().to_owned()
}

/// The words in the first parentheses of a pattern.
fn words(name: &str) -> BTreeSet<String> {
    let pattern = pattern(name);
    let (_, rest) = pattern.split_once('(').unwrap();
    let (alternatives, _) = rest.split_once(')').unwrap();
    alternatives.split('|').map(str::to_owned).collect()
}

fn set<'w>(words: impl IntoIterator<Item = &'w str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn types_and_operations_are_those_of_the_language() {
    assert_eq!(words("type"), set(ElementType::ALL.map(ElementType::name)));
    assert_eq!(words("operation"), set(NAMES));
}

#[test]
fn what_stands_around_a_word_tells_it_from_a_name() {
    assert!(pattern("operation").ends_with(r"\b(?=\s*\()"), "a space may follow");
    assert!(
        pattern("keyword").ends_with(r"\b(?!\s*[=\[])"),
        "an array may be called so"
    );
    assert_eq!(pattern("reshape"), r"[A-Za-z0-9_)\]]\s+(as)\s*\[");
    assert_eq!(pattern("file"), r#"\]\s*(from)\s*("[^"\n]*")"#);
}

#[test]
fn words_that_begin_a_line_are_those_of_the_language() {
    let known: Vec<_> = ["declaration", "function", "keyword", "file", "reshape"]
        .into_iter()
        .flat_map(words)
        .collect();
    // `from` and `as` stand within a line, `in` in both places.
    let leading = known.iter().filter(|word| !matches!(word.as_str(), "from" | "as"));
    assert!(leading.clone().all(|word| is_leading_word(word)), "{known:?}");
    let all = [
        "in", "out", "inout", "temp", "const", "def", "include", "repeat", "from", "as",
    ];
    assert_eq!(known.iter().cloned().collect::<BTreeSet<_>>(), set(all));
}
