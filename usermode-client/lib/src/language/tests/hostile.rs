//! Texts that are made to take for ever, to fill memory, or to overflow the stack.

use proptest::prelude::*;

use super::*;

/// Declarations that the texts below use; they take three lines.
const ARRAYS: &str = "in x : f32[8]\nout y : f32[8]\ntemp t : f32[8]\n";

#[track_caller]
fn refused(text: &str, expected: &str) {
    assert_eq!(mistakes(&format!("{ARRAYS}{text}\n")), [expected]);
}

fn repeated(part: &str, times: usize) -> String {
    part.repeat(times)
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    for (open, close) in [
        ("(", ")"),
        ("neg(", ")"),
        ("-", ""),
        ("~", ""),
        ("x[", "]"),
        ("sat(", ")"),
    ] {
        let text = format!("y = {}x{}", repeated(open, 100_000), repeated(close, 100_000));
        let found = mistakes(&format!("{ARRAYS}{text}\n"));
        assert!(found[0].starts_with("too-deep 4:"), "{open}: {found:?}");
    }
    refused(&format!("y = x{}", repeated(" + x", 100_000)), "too-deep 4:515");
    refused(&format!("y = x{}", repeated(" as [8]", 1000)), "too-deep 4:5");
    // Neither the brackets nor the sums within them are deep, and the places of a part are as deep as both together.
    let mut part = "v[0]".to_owned();
    for _ in 0..120 {
        part = format!("v[{part}{}]", repeated(" + 1", 120));
    }
    for text in [
        format!("def f(v) = {part}\ny = x"),
        format!("y = {}", part.replace('v', "x")),
    ] {
        let found = mistakes(&format!("{ARRAYS}{text}\n"));
        assert!(found[0].starts_with("too-deep 4:"), "{found:?}");
    }
    let blocks = format!("{}y = x\n{}", repeated("repeat 1 {\n", 1000), repeated("}\n", 1000));
    let found = mistakes(&format!("{ARRAYS}{blocks}"));
    assert_eq!(found[0], "too-deep 132:10");
}

#[test]
fn what_is_nested_deeply_enough_compiles() {
    compiled(&format!("{ARRAYS}y = {}x{}", repeated("(", 120), repeated(")", 120)));
    compiled(&format!("{ARRAYS}y = x{}", repeated(" + x", 120)));
    compiled(&format!(
        "{ARRAYS}{}y = x\n{}",
        repeated("repeat 1 {\n", 120),
        repeated("}\n", 120)
    ));
}

/// The first thread of a Windows program has 1 MiB.
#[test]
fn the_deepest_nesting_takes_little_of_the_stack() {
    let mut functions = String::from("def g0(v) = v + 1\n");
    for level in 1..60 {
        functions += &format!("def g{level}(v) = g{}(v + 1) + 1\n", level - 1);
    }
    let blocks = format!("{}y = x\n{}", repeated("repeat 1 {\n", 127), repeated("}\n", 127));
    let parts = format!("def h(v) = {}0{}\n", repeated("v[", 126), repeated("]", 126));
    let texts = [
        format!("{ARRAYS}y = {}x{}", repeated("(x + ", 60), repeated(")", 60)),
        format!("{ARRAYS}y = {}x{}", repeated("max(x, ", 126), repeated(")", 126)),
        format!("{ARRAYS}y = {}x", repeated("-", 126)),
        format!("{ARRAYS}{functions}y = g59(x)"),
        format!("{ARRAYS}{parts}y = x"),
        format!("{ARRAYS}{blocks}"),
    ];
    let compile_all = move || texts.iter().map(|text| compiled(text).program.step_count()).max();
    let thread = std::thread::Builder::new().stack_size(768 << 10).spawn(compile_all);
    assert_eq!(thread.unwrap().join().unwrap(), Some(126));
}

#[test]
fn functions_within_functions_have_a_limit() {
    let mut chain = format!("{ARRAYS}def g0(v) = v + 1\n");
    for level in 1..200 {
        chain += &format!("def g{level}(v) = g{}(v) + 1\n", level - 1);
    }
    let found = mistakes(&format!("{chain}y = g199(x)\n"));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("too-deep"), "{found:?}");
}

#[test]
fn functions_that_multiply_have_a_limit() {
    let bomb = |body: &str, last: &str| {
        let mut text = format!("{ARRAYS}def g0(v) = v\n");
        for level in 1..60 {
            text += &format!("def g{level}(v) = {}\n", body.replace('g', &format!("g{}", level - 1)));
        }
        mistakes(&format!("{text}y = {last}\n"))
    };
    // One way through steps, another without any.
    let found = bomb("g(v) + g(v)", "g59(x)");
    assert!(found[0].starts_with("too-much"), "{found:?}");
    let found = bomb("g(v) + g(v)", "g59(1)");
    assert!(found[0].starts_with("too-much"), "{found:?}");
    // A value that is given on is computed once, however often it is used.
    let mut text = format!("{ARRAYS}def g0(v) = v + v\n");
    for level in 1..60 {
        text += &format!("def g{level}(v) = g{}(v + v)\n", level - 1);
    }
    assert_eq!(compiled(&format!("{text}y = g59(x)\n")).program.step_count(), 60);
}

#[test]
fn blocks_that_run_for_ever_are_refused_at_once() {
    refused("repeat 1000000000 {\ny = x\n}", "too-many-steps 4:1");
    refused(
        "repeat 0xFFFF_FFFF_FFFF_FFFF_FFFF_FFFF {\ny = x\n}",
        "too-many-steps 4:1",
    );
    refused("repeat i in 1..65_538 {\ny = x\n}", "too-many-steps 4:1");
    refused("repeat 300 {\nrepeat 300 {\ny = x\n}\n}", "too-many-steps 6:1");
    refused("repeat 0x1_0000_0000 {\nrepeat 1 {\ny = x\n}\n}", "too-many-steps 4:1");
    refused("repeat 40000 {\ny = x\ny = x\n}", "too-many-steps 4:1");
    let empty = "repeat 60000 {\nrepeat 1000000 {\n}\n}\ny = x\n";
    assert_eq!(compiled(&format!("{ARRAYS}{empty}")).program.step_count(), 1);
    compiled(&format!("{ARRAYS}repeat 65_536 {{\ny = x\n}}"));
    compiled(&format!(
        "{ARRAYS}repeat 65_536 {{\nrepeat 1 {{\nrepeat 1 {{\ny = x\n}}\n}}\n}}"
    ));
    compiled(&format!("{ARRAYS}repeat 0 {{\ny = x + t\n}}\ny = x"));
}

#[test]
fn of_very_many_mistakes_the_first_are_kept() {
    let text = "$\n".repeat(20_000);
    let mistakes = compile("t.hws", &text).unwrap_err();
    assert_eq!((mistakes.list().len(), mistakes.list()[99].at.start), (100, 198));
    assert_eq!(mistakes.to_string(), "20000 errors in `t.hws`");
    let mut shown = String::new();
    miette::NarratableReportHandler::new()
        .render_report(&mut shown, &mistakes)
        .unwrap();
    assert!(shown.contains("... and 19900 more"), "{shown}");
}

#[test]
fn memory_has_a_limit() {
    refused(
        "y = x + sum(x) as [1, 1, 1, 1, 1, 1, 1, 1, 1]",
        "too-many-dimensions 4:19",
    );
    let text =
        "inout x : f32[5, 4000000]\nx[0] = (x[0] + 1) * ((x[1] + 1) * ((x[2] + 1) * ((x[3] + 1) * (x[4] + 1))))\n";
    assert_eq!(mistakes(text), ["scratch-too-large 2:63"]);
}

proptest! {
    #[test]
    fn any_nesting_ends(text in "[xy(\\[{}\\]),+*~ =\n-]{0,400}") {
        let text = format!("{ARRAYS}{text}");
        if let Err(mistakes) = compile("test.hws", &text) {
            prop_assert!(!mistakes.list().is_empty());
        }
        if let Ok(formatted) = format("test.hws", &text) {
            prop_assert_eq!(format("test.hws", &formatted).ok(), Some(formatted));
        }
    }
}
