//! Any text compiles or has mistakes, and what compiles is accepted.

use proptest::prelude::*;

use super::*;

/// A text made of the words of the language, often nearly right.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "in",
        "out",
        "inout",
        "temp",
        "const",
        "x",
        "y",
        "a",
        ":",
        "=",
        "f32",
        "i32",
        "[",
        "]",
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "/",
        "4",
        "2.5",
        "0x1F",
        "fma",
        "sum",
        "fill",
        "inf",
        "nan",
        "\n",
        "\n",
        "# c",
        "€",
        "1e400",
        "repeat",
        "i",
        "in",
        "..",
        "{",
        "}",
        "def",
        "f",
        "as",
        "sat",
        "select",
        "==",
        "~",
        "&",
        "\"a\"",
        "from",
        "include",
        "x [ 1 ]",
        "y = x",
        "[ 2 , 3 ]",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

/// A program whose arrays all have the same length and type, and whose steps are chosen at random.
fn programs() -> impl Strategy<Value = String> {
    let types = prop::sample::select(vec!["i32", "u32", "i64", "f32", "f64"]);
    let steps = prop::collection::vec(
        (
            prop::sample::select(vec!["y", "z", "t"]),
            0..10_usize,
            prop::array::uniform3(0..5_usize),
        ),
        1..20,
    );
    (types, 1..100_u32, steps).prop_map(|(element, count, steps)| {
        let mut text = format!("in x : {element}[{count}]\n");
        for (role, name) in [("inout", "y"), ("inout", "z"), ("temp", "t")] {
            text += &format!("{role} {name} : {element}[{count}]\n");
        }
        text += "y = x\nz = x\nt = x\n";
        for (target, operation, sources) in steps {
            let [a, b, c] = sources.map(|source| ["x", "y", "z", "t", "3"][source]);
            text += &match operation {
                0 => format!("{target} = {a}\n"),
                1 => format!("{target} = fma({a}, {b}, {c})\n"),
                2 => format!("{target} = max({a}, {b})\n"),
                other => format!("{target} = {a} {} {b}\n", ["+", "-", "*", "/"][other % 4]),
            };
        }
        text
    })
}

proptest! {
    #[test]
    fn any_text_compiles_or_has_mistakes_within_it(text in prop_oneof![any::<String>(), words()]) {
        if let Err(mistakes) = compile("test.hws", &text) {
            prop_assert!(!mistakes.list().is_empty());
            for mistake in mistakes.list() {
                prop_assert!(mistake.at.start <= mistake.at.end && mistake.at.end <= text.len());
                prop_assert!(text.is_char_boundary(mistake.at.start) && text.is_char_boundary(mistake.at.end));
                prop_assert!(mistake.problem.code() != "refused", "{:?}", mistake);
            }
            let mut shown = String::new();
            miette::NarratableReportHandler::new().render_report(&mut shown, &mistakes).unwrap();
        }
    }

    #[test]
    fn programs_that_compile_are_accepted_and_planned(text in programs()) {
        let compiled = compile("test.hws", &text);
        let compiled = compiled.map_err(|mistakes| TestCaseError::fail(format!("{:?}", mistakes.list())))?;
        prop_assert!(compiled.program.inspect(&hawser_core::Limits::default()).is_ok());
        prop_assert_eq!(compiled.steps.len(), compiled.program.step_count());
    }
}
