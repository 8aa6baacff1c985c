//! What compiles, and where every mistake is found.

use super::*;
use hawser_abi::op::Opcode;
use hawser_abi::program::Space;

const SAXPY: &str = "in    x : f32[1048576]\ninout y : f32[1048576]\nconst a = 2.5\ny = fma(x, a, y)\n";

/// Declarations to try assignments with; they take three lines.
const ARRAYS: &str = "in x : i32[8]\nin f : f32[8]\ninout y : i32[8]\n";

#[track_caller]
fn refused(assignment: &str, expected: &str) {
    assert_eq!(
        mistakes(&format!("{ARRAYS}{assignment}\ny = x\n")),
        [expected],
        "{assignment}"
    );
}

#[test]
fn saxpy_is_one_step() {
    let compiled = compiled(SAXPY);
    let step = compiled.program.step(0).unwrap();
    assert_eq!(
        (step.opcode, step.element_type, step.count),
        (Opcode::Fma as u8, ElementType::F32 as u8, 1 << 20)
    );
    assert_eq!(
        step.spaces,
        [
            Space::Data as u8,
            Space::Data as u8,
            Space::Immediate as u8,
            Space::Data as u8
        ]
    );
    assert_eq!(step.offsets, [4 << 20, 0, 0, 4 << 20]);
    assert_eq!(step.immediate, u64::from(2.5_f32.to_bits()));
    assert_eq!(
        (compiled.program.step_count(), compiled.program.data_size()),
        (1, 8 << 20)
    );
    let Span { start, end, .. } = compiled.steps[0];
    assert_eq!(&SAXPY[start..end], "y = fma(x, a, y)");
}

#[test]
fn every_operation_has_a_form() {
    let text = "const n = 8\nin x : f64[n]\nout y : f64[n]\nout s : f64[1]\ntemp t : f64[n]\n\
        t = x\nt = 1\nt = copy(x)\nt = fill(-0.5)\nt = x + t\nt = x - 1\nt = 2 * t\nt = x / t # quotient\n\
        t = add(t, x)\nt = sub(t, x)\nt = mul(t, x)\nt = div(t, x)\nt = min(t, inf)\nt = max(-inf, t)\n\
        y = fma(t, t, nan)\ns = sum(y)";
    let compiled = compiled(text);
    let opcodes: Vec<u8> = (0..16)
        .map(|index| compiled.program.step(index).unwrap().opcode)
        .collect();
    use Opcode::{Add, Copy, Div, Fill, Fma, Max, Min, Mul, Sub, Sum};
    let expected = [
        Copy, Fill, Copy, Fill, Add, Sub, Mul, Div, Add, Sub, Mul, Div, Min, Max, Fma, Sum,
    ]
    .map(|opcode| opcode as u8);
    assert_eq!(opcodes, expected);
    assert_eq!(compiled.program.scratch_size(), 64);
    assert_eq!(
        compiled.array("s").map(|array| (array.offset, array.length())),
        Some((128, 8))
    );
    assert_eq!(compiled.data_arrays().count(), 3);
}

#[test]
fn every_type_can_be_moved() {
    for element in ElementType::ALL {
        let name = element.name();
        compiled(&format!(
            "in x : {name}[3]\nout y : {name}[3]\nout z : {name}[3]\ny = x\nz = 1"
        ));
    }
}

#[test]
fn syntax_errors_have_positions() {
    for (text, expected) in [
        ("in x ; f32[4]", "unknown-character 1:6"),
        ("in : f32[4]", "syntax 1:4"),
        ("in x f32[4]", "syntax 1:6"),
        ("in x : 32[4]", "syntax 1:8"),
        ("in x : f32", "unfinished 1:11"),
        ("in x : f32[", "unfinished 1:12"),
        ("in x : f32[]", "syntax 1:12"),
        ("in x : f32[4", "unfinished 1:13"),
        ("in x : f32[4] 5", "syntax 1:15"),
        ("const a", "unfinished 1:8"),
        ("const a = b", "unknown-name 1:11"),
        ("const a = -", "unfinished 1:12"),
        ("5 = a", "syntax 1:1"),
        ("a + b", "syntax 1:3"),
        ("a = ", "unfinished 1:4"),
        ("a = fma(b", "unfinished 1:10"),
        ("a = fma(b,", "unfinished 1:11"),
        ("a = fma(b c)", "syntax 1:11"),
        ("a = b c", "syntax 1:7"),
        ("a = b + ", "unfinished 1:8"),
    ] {
        assert_eq!(mistakes(text), [expected], "{text}");
    }
}

#[test]
fn names_are_declared_once_and_before_use() {
    refused("z = x", "unknown-name 4:1");
    refused("y = z", "unknown-name 4:5");
    refused("in y : f32[4]", "redefined 4:4");
    refused("const x = 1", "redefined 4:7");
    refused("const sum = 1", "reserved 4:7");
    refused("temp f32 : f32[1]", "reserved 4:6");
    refused("temp inf : f32[1]", "reserved 4:6");
    refused("temp t : float[1]", "unknown-type 4:10");
    refused("y = sin(x)", "unknown-operation 4:5");
    refused("y = fma(x, y)", "wrong-arity 4:5");
    refused("y = copy()", "wrong-arity 4:5");
}

#[test]
fn operands_fit_the_destination() {
    refused("y = f", "type-mismatch 4:5");
    refused("y = x + f", "type-mismatch 4:9");
    refused("y = copy(3)", "array-needed 4:10");
    refused("y = fill(x)", "not-a-number 4:10");
    refused("temp t : i32[x]", "not-a-number 4:14");
    refused("y = sum(x)", "length-mismatch 4:5");
    refused("x = y", "write-to-input 4:1");
    let with_constant = |assignment: &str| format!("const a = 1\n{ARRAYS}{assignment}\ny = x");
    assert_eq!(mistakes(&with_constant("a = x")), ["not-an-array 5:1"]);
    let with_short = |assignment: &str| format!("in s : i32[7]\n{ARRAYS}{assignment}\ny = x");
    assert_eq!(mistakes(&with_short("y = min(x, s)")), ["length-mismatch 5:12"]);
    compiled("in a : u8[4]\nout b : u8[4]\nb = a + a");
}

#[test]
fn numbers_fit_their_type() {
    refused("y = 2147483648", "out-of-range 4:5");
    refused("y = 2.5", "not-an-integer 4:5");
    refused("y = x + 0xXY", "bad-number 4:9");
    refused("const c = 0xXY", "bad-number 4:11");
    for text in ["const c = u8(300)", "const c = i32(2.5)"] {
        refused(text, "typed-constant 4:11");
    }
    refused("temp t : i32[u8(4)]", "typed-constant 4:14");
    refused("y = x[u8(4)]", "typed-constant 4:7");
    refused("repeat u8(4) { y = x }", "typed-constant 4:8");
    assert_eq!(
        mistakes("const c = -0x\nout y : i32[c]\ny = c"),
        ["bad-number 1:12"],
        "its uses are not reported as well"
    );
    refused("y = x / 0", "division-by-zero 4:9");
    refused("temp t : i32[0]", "bad-count 4:14");
    refused("temp t : i32[-4]", "bad-count 4:14");
    refused("temp t : i32[1.5]", "bad-count 4:14");
    let big = "const a = 1e40\nout z : f32[4]\nz = a";
    assert_eq!(mistakes(big), ["out-of-range 3:5"]);
    compiled("in x : i32[8]\nout y : i32[8]\ny = fma(x, 2, 2)\n");
    compiled("in x : f32[8]\nout y : f32[8]\ny = x / 0\n");
}

#[test]
fn arrays_fit_their_space() {
    assert_eq!(
        mistakes("in x : f32[268435457]\nout y : f32[1]\ny = 1"),
        ["data-too-large 1:11"]
    );
    assert_eq!(
        mistakes("in x : f32[268435456]\nout y : f32[1]\ny = 1"),
        ["data-too-large 2:12"]
    );
    assert_eq!(
        mistakes("in x : f64[18446744073709551615]\nout y : f32[1]\ny = 1"),
        ["data-too-large 1:11"]
    );
    assert_eq!(
        mistakes("temp t : f32[16777217]\nout y : f32[1]\ny = 1"),
        ["scratch-too-large 1:13"]
    );
    compiled("temp t : f32[16777216]\nout y : f32[268435456]\ny = 1");
}

#[test]
fn nothing_is_read_before_it_is_written() {
    assert_eq!(
        mistakes("temp t : i32[4]\nout y : i32[4]\ny = t\n"),
        ["read-before-write 3:5"]
    );
    assert_eq!(mistakes("out y : i32[4]\ny = y + 1"), ["read-before-write 2:5"]);
    compiled("out y : i32[4]\ny = 1\ny = y + 1");
}

#[test]
fn a_program_does_something_that_can_be_seen() {
    assert_eq!(mistakes(""), ["no-steps 1:1"]);
    assert_eq!(mistakes("# only a comment\n"), ["no-steps 1:1"]);
    assert_eq!(mistakes("temp t : i32[4]\nt = 1"), ["no-data 1:1"]);
    assert_eq!(
        mistakes("in x : i32[4]\nout y : i32[4]\nout z : i32[4]\ny = x"),
        ["never-written 3:5"]
    );
    assert_eq!(
        mistakes("inout x : i32[4]\nout y : i32[4]\ny = x"),
        ["never-written 1:7"]
    );
}

#[test]
fn a_program_has_no_more_steps_than_the_contract_allows() {
    let text = |steps| format!("out y : i32[1]\n{}", "y = 1\n".repeat(steps));
    assert_eq!(compiled(&text(65_536)).program.step_count(), 65_536);
    assert_eq!(mistakes(&text(65_539)), ["too-many-steps 65538:1"]);
}

#[test]
fn one_run_reports_all_mistakes_and_no_consequences() {
    let text = "in x : f33[4]\nout y : f32[4\nout z : f32[4]\ny = x\nz = x + y\nz = w\nz = 1 +\n";
    assert_eq!(
        mistakes(text),
        [
            "unknown-type 1:8",
            "unfinished 2:14",
            "unknown-name 6:5",
            "unfinished 7:8"
        ]
    );
}

#[test]
fn what_follows_from_a_mistake_is_none() {
    let after = |lines: &str, expected: &[&str]| {
        let text = format!("in x : i32[4]\nout y : i32[4]\nout z : i32[4]\n{lines}\nz = y\n");
        assert_eq!(mistakes(&text), expected, "{lines}");
    };
    after("y = 1 +", &["unfinished 4:8"]);
    after("y[0..2 = x", &["syntax 4:8"]);
    after("y[4] = 1", &["outside-array 4:3"]);
    after("y = x + 1;", &["unknown-character 4:10"]);
    after("const a = 3;\ny = a", &["unknown-character 4:12"]);
    after("def f(v) = v $ v\ny = f(x)", &["unknown-character 4:14"]);
    after("temp t : i32[4];\nt = x\ny = t + 1", &["unknown-character 4:16"]);
    // Lines that begin blocks, and their braces.
    let block = "{\n y[i] = x[i]\n repeat 2 { y = x }\n}";
    after(&format!("repeat i in 0..4; {block}"), &["unknown-character 4:17"]);
    after(&format!("repeat i in 0..4\n{block}"), &["unfinished 4:17"]);
    after(&format!("repeat i in 0..4;\n\n{block}"), &["unknown-character 4:17"]);
    after(&format!("repeat i in 0..x {block}"), &["not-a-number 4:16"]);
    after(&format!("for i in 0..4 {block}"), &["syntax 4:1"]);
    after("repeat 2 {\n y = x +\n}", &["unfinished 5:9"]);
    after("repeat 2 {\n y = x $ 2 }", &["unknown-character 5:8"]);
    after("repeat 2 {\n const a = 1\n y = a\n}", &["declaration-in-block 5:2"]);
    after("repeat i in 0..4 {\n y[i] = x[i + 1]\n}", &["outside-array 5:11"]);
    // What is in such a block is looked at all the same.
    after("repeat 2 3 {\n y = 1 +\n}", &["syntax 4:10", "unfinished 5:9"]);
}

#[test]
fn what_is_wrong_in_a_block_or_a_function_is_reported_once() {
    let text =
        "in x : f32[4]\nout y : i32[4]\ndef f(v) = v + y\nrepeat i in 0..4 {\n y[i] = x[i]\n y = f(x)\n}\ny = f(x)\n";
    // The function is used in two ways, and there is a mistake in both of them.
    assert_eq!(
        mistakes(text),
        ["type-mismatch 3:12", "type-mismatch 3:12", "type-mismatch 5:9"]
    );
    let text = "out y : i32[4]\nrepeat i in 0..9 {\n y[i] = i\n}\n";
    assert_eq!(mistakes(text), ["outside-array 3:4"]);
}

#[test]
fn mistakes_are_told_in_the_words_of_what_they_are_about() {
    let told = |lines: &str| {
        let mistakes = compile(
            "t.hws",
            &format!("def f(v) = v\nin x : f32[4]\nout y : f32[4]\n{lines}\n"),
        )
        .unwrap_err();
        let mistake = &mistakes.list()[0];
        let help = mistake.problem.help().unwrap_or_default();
        format!("{} {mistake} / {help}", mistakes.position(mistake))
    };
    assert_eq!(
        told("f = x"),
        "4:1 `f` is a function, not an array / only arrays can be assigned to"
    );
    assert_eq!(
        told("repeat 2.5 { y = x }"),
        "4:8 `2.5` is not how often a block runs, which is an integer from 0 on / "
    );
    assert_eq!(
        told("temp t : f32[1099511627776,1099511627776]"),
        "4:13 an array of shape [1099511627776, 1099511627776] has more elements than can be counted / "
    );
    assert!(told("y = x as [4294967296, 4294967296]").starts_with("4:10 an array of shape"));
    assert!(told("y = x as [0]").starts_with("4:11 `0` is not a number of elements"));
    for number in ["x * .5", "x * 2."] {
        assert!(told(&format!("y = {number}")).ends_with("digits on both sides of its point, as in `0.5` and `2.0`"));
    }
    let text = "out y : f32[4]\nrepeat i in 0..4 { y[i] = 1 }\nconst i = 2\n";
    assert_eq!(mistakes(text), ["redefined 3:7"]);
    assert_eq!(others(text), [["2:8 first here"]]);
}

/// The other places of every mistake, and what they are.
#[track_caller]
fn others(text: &str) -> Vec<Vec<String>> {
    let mistakes = compile("t.hws", text).expect_err(text);
    let describe = |(at, label): (Span, &str)| format!("{} {label}", Lines::of(text).position(text, at.start));
    let list = mistakes.list().iter();
    list.map(|mistake| mistake.other_places().map(describe).collect())
        .collect()
}

#[test]
fn a_mistake_in_a_function_says_which_call_leads_there() {
    let text = "inout y : i32[4]\ndef f(v) = v * 3000000000\nrepeat 2 { y = f(y) }\ny = f(y)\n";
    assert_eq!(mistakes(text), ["out-of-range 2:16", "out-of-range 2:16"]);
    assert_eq!(others(text), [["3:16 used here"], ["4:5 used here"]]);
    // Also where there is another place that matters.
    let text = "in x : i32[4]\nout y : i32[4]\nconst k = 2.5\ndef f(v) = v + k\ndef g(v) = v[k]\ndef h(v) = v + f32(v)\n\
        y = f(x)\ny = g(x)\ny = h(x)\n";
    assert_eq!(
        others(text),
        [
            ["3:7 declared here", "7:5 used here"],
            ["3:7 declared here", "8:5 used here"],
            ["2:5 destination declared here", "9:5 used here"]
        ]
    );
    let text = "in x : i32[4]\nout y : i32[4]\ndef f(v) = v + y\ny = f(x)\n";
    assert_eq!(mistakes(text), ["read-before-write 3:16"]);
    assert_eq!(others(text), [["2:5 declared here", "4:5 used here"]]);
}

#[test]
fn a_mistake_in_a_block_says_in_which_round() {
    let text = "out y : i32[4]\nrepeat i in 0..3 {\n repeat j in 2..9 {\n  y[i + j] = i\n }\n}\n";
    assert_eq!(mistakes(text), ["outside-array 4:5"]);
    assert_eq!(others(text), [["2:8 `i` is 0", "3:9 `j` is 4"]]);
}

#[test]
fn functions_have_names_of_their_own() {
    let defined = |function: &str, expected: &str| {
        let text = format!("{ARRAYS}{function}\ny = g(x)\n");
        assert_eq!(mistakes(&text), [expected], "{function}");
    };
    defined("def g(v, v) = v", "redefined 4:10");
    defined("def g(sum) = sum", "reserved 4:7");
    defined("def g(v) = v + i", "unknown-name 4:16");
    defined("def g(v) = v[i]", "unknown-name 4:14");
    defined("def g(v) = v as [n]", "unknown-name 4:18");
    defined("def g(v) = g(v)", "unknown-operation 4:12");
    defined("def g(v) = h(v)", "unknown-operation 4:12");
    defined("def g(v) = sqrt(v)", "type-not-computed 4:12");
    defined("def g(v) = v + f32(v)", "type-mismatch 4:16");
    defined("def g(v, w) = v", "wrong-arity 5:5");
    defined("def x(v) = v\ndef g(v) = v", "redefined 4:5");
    for name in super::operations::NAMES.into_iter().chain(["compare", "u8"]) {
        refused(&format!("def {name}(v) = v"), "reserved 4:5");
    }
    refused("y = h(x)\ndef h(v) = v", "unknown-operation 4:5");
    // The variable of a block is not seen by what is called there.
    let text = "out y : i32[4]\ndef g(v) = v + k\nrepeat k in 0..4 { y[k] = g(k) }\n";
    assert_eq!(mistakes(text), ["unknown-name 2:16"]);
    refused("repeat x in 0..2 {\n y = x\n}", "redefined 4:8");
    refused(
        "repeat i in 0..2 {\n repeat i in 0..2 {\n  y = x\n }\n}",
        "redefined 5:9",
    );
    refused("repeat f32 in 0..2 {\n y = x\n}", "reserved 4:8");
    refused("repeat i in 2..1 {\n y = x\n}", "bad-range 4:13");
    refused("repeat i in -1..1 {\n y = x\n}", "bad-index 4:13");
    refused("repeat y {\n y = x\n}", "not-a-number 4:8");
}

#[test]
fn shapes_and_parts_fit() {
    refused("y = matmul(x, x)", "shape-mismatch 4:12");
    refused("y = matmul(x as [2, 4], x)", "shape-mismatch 4:25");
    refused("y = matmul(x as [2, 4], (x as [2, 4]))", "shape-mismatch 4:25");
    refused("y = transpose(x)", "shape-mismatch 4:15");
    refused("y = x as [3, 3]", "shape-mismatch 4:5");
    refused("y = x as [7]", "length-mismatch 4:5");
    refused("y = 2 as [1]", "array-needed 4:5");
    refused("y = (2)[0]", "array-needed 4:5");
    refused("y = x[8]", "outside-array 4:7");
    refused("y = x[2..9]", "outside-array 4:7");
    refused("y = x[-1]", "bad-index 4:7");
    refused("y[8] = 1", "outside-array 4:3");
    refused("y = sum(x, y)", "wrong-arity 4:5");
    refused("y = dot(x, x[1..])", "length-mismatch 4:12");
    refused("y = relu(x, 1)", "wrong-arity 4:5");
    refused("y = i32(x, 1)", "wrong-arity 4:5");
    refused("y = sat(x)", "not-saturating 4:9");
    refused("y = sat(x & 1)", "not-saturating 4:9");
    refused("y = sum(1)", "array-needed 4:9");
    refused("y = sum(sqrt(1))", "array-needed 4:9");
    refused("y = compare(x, 1)", "unknown-operation 4:5");
    refused("y = -f + x", "type-mismatch 4:6");
    refused("y = select(x, x, x)", "type-mismatch 4:12");
    refused("y = x / (2 - 2)", "division-by-zero 4:9");
    refused("y = x % 0", "division-by-zero 4:9");
    refused("y = x + 1 / 0", "division-by-zero 4:11");
    refused("temp t : i32[8] from \"t.npy\"", "not-an-input 4:22");
}

#[test]
fn a_mistake_says_where_a_type_comes_from() {
    let place = |assignment: &str| {
        let text = format!("in f : f32[2]\nin i : i32[2]\nout y : u8[2]\n{assignment}\n");
        let mistakes = compile("t.hws", &text).unwrap_err();
        let (at, label) = mistakes.list()[0].other_places().next().unwrap();
        format!("{} {label}", Lines::of(&text).position(&text, at.start))
    };
    assert_eq!(place("y = f"), "3:5 destination declared here");
    assert_eq!(place("y = f < i"), "4:5 has this type");
    assert_eq!(place("y = select(f, 1, 2)"), "4:5 takes truth values");
    assert_eq!(place("y = f < i[0..1] as [1]"), "4:5 has this type");
}

#[test]
fn parts_are_written_and_read_exactly() {
    let text = |lines: &str| format!("in x : i32[4, 2]\nout y : i32[4, 2]\ntemp t : i32[4, 2]\n{lines}\n");
    assert_eq!(mistakes(&text("t[0..2] = x[0..2]\ny = t")), ["read-before-write 5:5"]);
    assert_eq!(
        mistakes(&text("t[1] = x[1]\ny[0] = t[0]\ny[1..] = x[1..]")),
        ["read-before-write 5:8"]
    );
    assert_eq!(mistakes(&text("y[0..3] = x[0..3]")), ["never-written 2:5"]);
    let missing = compile("t.hws", &text("y[0..3] = x[0..3]\ny[3, 1] = 2")).unwrap_err();
    assert!(
        missing.list()[0].to_string().ends_with("never writes element 6 of it"),
        "{missing:?}"
    );
    compiled(&text(
        "t[0] = x[0]\nt[3] = x[3]\ny[1] = t[0]\ny[0] = t[3, 1..] + t[0]\ny[2..] = x[0..2]",
    ));
}

#[test]
fn mistakes_are_shown_with_the_text_and_both_places() {
    let mistakes = compile("test.hws", "in x : i32[4]\nin x : i32[4]").unwrap_err();
    assert_eq!(mistakes.to_string(), "1 error in `test.hws`");
    let handler = miette::NarratableReportHandler::new();
    let mut shown = String::new();
    handler.render_report(&mut shown, &mistakes).unwrap();
    for part in [
        "`x` is declared twice",
        "in x : i32[4]",
        "again",
        "first here",
        "hws::redefined",
        "test.hws",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn advice_about_a_shape_is_what_would_help() {
    let arrays = "in m : f32[4, 5]\nin n : f32[4, 3]\nin v : f32[4]\nin q : f32[20]\ninout y : f32[4, 5]\ninout z : f32[5, 3]\ny = y\nz = z\n";
    let help = |assignment: &str| {
        let mistakes = compile("p.hws", &format!("{arrays}{assignment}\n")).unwrap_err();
        let [mistake] = mistakes.list() else {
            panic!("{assignment}: {mistakes}")
        };
        assert_eq!(mistake.problem.code(), "shape-mismatch", "{assignment}");
        mistake.problem.help().unwrap_or_default()
    };
    for (assignment, advice) in [
        ("z = matmul(m, n)", ""),
        ("y = matmul(n, z)", "`transpose`"),
        ("y = m + v", "the shape of the last ones"),
        ("y = m + q", "`as [...]`"),
        ("y = m + (q as [5, 4])", "`as [...]`"),
    ] {
        let found = help(assignment);
        assert!(
            found.contains(advice) && found.is_empty() == advice.is_empty(),
            "{assignment}: {found}"
        );
    }
}

#[test]
fn habits_of_other_languages_are_answered() {
    for (text, expected) in [
        ("y = x;", "ends with its line"),
        ("for i in 0..4 {\n}", "`repeat i in 0..10 {`"),
    ] {
        let mistakes = compile("p.hws", &format!("{ARRAYS}{text}\ny = x\n")).unwrap_err();
        let help: Vec<_> = mistakes
            .list()
            .iter()
            .filter_map(|mistake| mistake.problem.help())
            .collect();
        assert!(help.iter().any(|help| help.contains(expected)), "{text}: {help:?}");
    }
}
