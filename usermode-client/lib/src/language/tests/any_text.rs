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

/// An expression of whatever is there, often one that makes sense.
fn expressions() -> impl Strategy<Value = String> {
    let names = vec![
        "a",
        "b",
        "c",
        "d",
        "e",
        "s",
        "t",
        "K",
        "2",
        "-1.5",
        "0",
        "f32(3)",
        "a[1]",
        "a[0..2]",
        "b[1..]",
        "c[2, 1..3]",
        "e as [3, 4]",
    ];
    let functions = vec![
        "neg",
        "abs",
        "sqrt",
        "relu",
        "not",
        "sum",
        "argmin",
        "argmax",
        "prefix_sum",
        "transpose",
        "copy",
        "f32",
        "i32",
        "u8",
        "i64",
        "bf16",
        "sat",
        "f",
        "-",
        "~",
    ];
    let pairs = vec![
        "add", "div", "rem", "min", "max", "and", "shl", "dot", "matmul", "lt", "g", "eq",
    ];
    let infix = vec!["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "<"];
    prop::sample::select(names)
        .prop_map(str::to_owned)
        .prop_recursive(4, 20, 3, move |inner| {
            prop_oneof![
                (prop::sample::select(functions.clone()), inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
                (prop::sample::select(pairs.clone()), inner.clone(), inner.clone())
                    .prop_map(|(name, a, b)| format!("{name}({a}, {b})")),
                (prop::sample::select(infix.clone()), inner.clone(), inner.clone())
                    .prop_map(|(sign, a, b)| format!("({a} {sign} {b})")),
                (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("fma({a}, {b}, {c})")),
                (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(a, b, c)| format!("select({a} < {b}, {b}, {c})")),
                (inner, 0..3_usize).prop_map(|(a, index)| format!("({a})[{index}]")),
            ]
        })
}

proptest! {
    #[test]
    fn any_expression_compiles_to_what_runs_or_is_told(expression in expressions(), form in 0..4_usize) {
        let statement = match form {
            0 => format!("t = {expression}"),
            1 => format!("t[1..] = {expression}"),
            2 => format!("t = a + f32({expression})"),
            _ => format!("s = sum(f32({expression}))"),
        };
        let text = format!(
            "const K = 7\ndef f(v) = v * v - v\ndef g(v, w) = f(v) + w\nin a : f32[3, 4]\nin b : f32[4]\nin c : i32[3, 4]\n\
             in d : u8[3, 4]\nin e : f32[4, 3]\ninout s : f32[1]\ninout t : f32[3, 4]\ns = 0\nt = 1\n{statement}\n"
        );
        match compile("t.hws", &text) {
            Err(mistakes) => {
                let refused = mistakes.list().iter().any(|mistake| mistake.problem.code() == "refused");
                prop_assert!(!refused, "{}{:?}", text, mistakes);
            }
            Ok(compiled) => {
                let mut data = vec![1; compiled.program.data_size() as usize];
                match reference::run(compiled.program.bytes(), &mut data) {
                    Ok(()) | Err(reference::ReferenceFault::DivideByZero { .. }) => {}
                    Err(fault) => prop_assert!(false, "{}{}", text, fault),
                }
            }
        }
    }

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
