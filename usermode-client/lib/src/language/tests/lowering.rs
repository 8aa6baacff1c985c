//! What programs become, and what they compute.

use hawser_abi::op::Opcode;

use super::*;

/// The opcodes of a program.
fn opcodes(compiled: &Compiled) -> Vec<&'static str> {
    let steps = (0..compiled.program.step_count() as u32).filter_map(|index| compiled.program.step(index));
    steps
        .filter_map(|step| Opcode::from_byte(step.opcode).map(Opcode::name))
        .collect()
}

/// The elements of an `i32` array after a run in which `x` holds these.
#[track_caller]
fn integers(text: &str, x: &[i32], name: &str) -> Vec<i32> {
    let compiled = compiled(text);
    let bytes: Vec<u8> = x.iter().flat_map(|value| value.to_le_bytes()).collect();
    let data = run(&compiled, &[("x", &bytes)]);
    let elements = bytes_of(&compiled, &data, name).chunks_exact(4);
    elements
        .map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}

/// The elements of `y`, of this shape, after `y = expression` with `x : i32[2, 3]` from 1 to 6.
#[track_caller]
fn value(shape: &str, expression: &str) -> Vec<i32> {
    let text = format!(
        "const N = 3\ndef twice(v) = v + v\ndef mix(a, b) = a * b - (b - a)\nin x : i32[2, 3]\nout y : i32[{shape}]\ny = {expression}\n"
    );
    integers(&text, &[1, 2, 3, 4, 5, 6], "y")
}

#[test]
fn precedence_is_that_of_the_table() {
    for (expression, expected) in [
        ("x[0, 0] + 2 * 3", 7),
        ("(x[0, 0] + 2) * 3", 9),
        ("x[0, 0] - 2 - 3", -4),
        ("x[1, 0] - -2", 6),
        ("-x[1, 0] + 1", -3),
        ("x[0, 0] | 2 ^ 6 & 4 << 1", 3),
        ("x[0, 0] << 1 + 2", 8),
        ("~x[1, 2] % 4", -3),
        ("select(x[0, 0] + 1 == 2 & 3, 5, 7)", 5),
        ("x[1, 2] / 4 * 4", 4),
    ] {
        assert_eq!(value("1", expression), [expected], "{expression}");
    }
}

#[test]
fn parts_are_places_in_memory() {
    assert_eq!(value("3", "x[1]"), [4, 5, 6]);
    assert_eq!(value("1", "x[1, 2]"), [6]);
    assert_eq!(value("1", "x[1][N - 1]"), [6]);
    assert_eq!(value("2", "x[0, 1..]"), [2, 3]);
    assert_eq!(value("2", "x[1][..N - 1]"), [4, 5]);
    assert_eq!(value("2", "x[0..2][1][1..][0..2]"), [5, 6]);
    assert_eq!(value("2, 3", "x[..]"), [1, 2, 3, 4, 5, 6]);
    assert_eq!(value("1, 3", "x[1..2]"), [4, 5, 6]);
    assert_eq!(value("4", "(x as [6])[1..5]"), [2, 3, 4, 5]);
    assert_eq!(value("2", "(x * 10)[1, 1..]"), [50, 60]);
    assert_eq!(value("3, 2", "(x + 1) as [3, 2]"), [2, 3, 4, 5, 6, 7]);
    let compiled = compiled("in x : i32[4]\nout y : i32[2]\ny = x[1..3] as [1, 2]\n");
    assert_eq!(opcodes(&compiled), ["copy"]);
}

#[test]
fn rows_and_elements_stand_for_all() {
    assert_eq!(value("2, 3", "x + x[0]"), [2, 4, 6, 5, 7, 9]);
    assert_eq!(value("2, 3", "x[1] - x"), [3, 3, 3, 0, 0, 0]);
    assert_eq!(value("2, 3", "x * sum(x)"), [21, 42, 63, 84, 105, 126]);
    assert_eq!(value("3", "fma(x[0], x[0, 2], x[1])"), [7, 11, 15]);
    assert_eq!(value("2, 3", "select(x[0] > 1, x, 0)"), [0, 2, 3, 0, 5, 6]);
}

#[test]
fn a_row_that_is_written_over_is_read_before() {
    let text = "inout x : i32[3, 2]\nx = x + x[0]\n";
    assert_eq!(integers(text, &[1, 2, 3, 4, 5, 6], "x"), [2, 4, 4, 6, 6, 8]);
    let text = "inout x : i32[3, 2]\nx[1..3] = x[0..2]\n";
    assert_eq!(integers(text, &[1, 2, 3, 4, 5, 6], "x"), [1, 2, 1, 2, 3, 4]);
    let text = "inout x : i32[4]\nx[0] = sum(x)\nx[1..3] = prefix_sum(x[0..2])\n";
    assert_eq!(integers(text, &[1, 2, 3, 4], "x"), [10, 10, 12, 4]);
    let text = "inout x : i32[2, 2]\nx = matmul(x, x)\nx = transpose(x)\n";
    assert_eq!(integers(text, &[1, 2, 3, 4], "x"), [7, 15, 10, 22]);
}

/// Rows that do not fit into device-local memory are combined one after the other.
#[test]
fn rows_too_large_to_spread_take_a_step_each() {
    let text = "in x : u8[9, 8000000]\nin b : u8[8000000]\nout y : u8[9, 8000000]\ny = x + b\n";
    let compiled = compiled(text);
    assert_eq!(opcodes(&compiled), ["add"; 9]);
    let step = compiled.program.step(2).unwrap();
    assert_eq!(
        (step.count, step.offsets[1], step.offsets[2]),
        (8_000_000, 16_000_000, 72_000_000)
    );
}

/// An element or a row that stands for more than there is room for is repeated as often as a block takes.
#[test]
fn small_rows_that_cannot_be_spread_are_combined_in_blocks() {
    let text = "in x : f32[100000000]\nin s : f32[1]\nout y : f32[100000000]\ny = x * s\n";
    let compiled = compiled(text);
    let names = opcodes(&compiled);
    let (spread, blocks) = names.split_at(names.iter().take_while(|name| **name == "copy").count());
    assert!(spread.len() <= 20, "{names:?}");
    assert_eq!(blocks, vec!["mul"; 100_000_000_usize.div_ceil(1 << 18)]);
    let step = |index: usize| compiled.program.step(index as u32).unwrap();
    let (second, last) = (step(spread.len() + 1), step(names.len() - 1));
    assert_eq!((second.count, second.offsets[1]), (1 << 18, 1 << 20));
    assert_eq!(last.count, 100_000_000 % (1 << 18));
    // Rows that do not divide each other, and a second constant.
    let text =
        "in x : u8[3, 8, 3000001]\nin r : u8[3000001]\nin s : u8[1]\nout y : u8[3, 8, 3000001]\ny = fma(x, s, r)\n";
    let program = super::compiled(text).program;
    assert!(program.step_count() < 120, "{}", program.step_count());
    let mut data: Vec<u8> = (0..program.data_size()).map(|at| (at % 251) as u8).collect();
    let array = |name: &str| super::compiled(text).array(name).unwrap().offset as usize;
    let [x, r, s, y] = ["x", "r", "s", "y"].map(array);
    reference::run(program.bytes(), &mut data).unwrap();
    for at in (0..24 * 3_000_001).step_by(997) {
        let expected = data[x + at]
            .wrapping_mul(data[s])
            .wrapping_add(data[r + at % 3_000_001]);
        assert_eq!(data[y + at], expected, "{at}");
    }
    let text = "in x : f32[100000000]\nout y : f32[100000000]\ny = fma(x, 2, 3)\n";
    assert_eq!(opcodes(&super::compiled(text))[..2], ["fill", "fma"]);
}

#[test]
fn functions_compute_what_they_are_given_once() {
    assert_eq!(value("2, 3", "twice(x)"), [2, 4, 6, 8, 10, 12]);
    assert_eq!(value("3", "mix(x[0] + 1, twice(x[1]))"), [10, 23, 40]);
    assert_eq!(value("3", "twice(twice(x[0] + 1))"), [8, 12, 16]);
    assert_eq!(value("1", "mix(2, 5) + x[0, 0]"), [8]);
    let text =
        "def square(v) = v * v\ndef unused(v) = 3\nin x : i32[4]\nout y : i32[4]\ny = square(x + 1) + unused(x * 7)\n";
    assert_eq!(opcodes(&compiled(text)), ["add", "mul", "add"]);
    // An argument stays what it is until it has been read for the last time.
    let text = "def f(v) = v + (v - neg(v))\nin x : i32[2]\nout y : i32[2]\ny = f(x * 2)\n";
    assert_eq!(integers(text, &[3, -4], "y"), [18, -24]);
    let text = "def g(v) = neg(v) + v\ndef f(v, w) = g(v) - g(w) + v * w\nin x : i32[2]\nout y : i32[2]\ny = f(x + 1, abs(x))\n";
    assert_eq!(integers(text, &[3, -4], "y"), [12, -12]);
}

#[test]
fn what_a_function_ignores_keeps_no_memory() {
    let scratch = |expression: &str| {
        let text = format!(
            "def three(v) = 3\ndef f(v) = -v + three(v * 2)\ndef g(v) = -v + 3\ndef h(v) = f(v) + three(f(v) + v)\n\
             in x : i32[1024]\nout y : i32[1024]\ny = {expression}\n"
        );
        compiled(&text).program.scratch_size()
    };
    let needed = scratch("(x + 1) * 5 + 3 - x");
    for expression in ["f(x + 1)", "h(x + 1)", "f(f(x + 1))"] {
        assert_eq!(scratch(expression), needed, "{expression}");
    }
    let text =
        "def three(v) = 3\ndef f(v) = three(v * 2 + neg(v)) + v\nin x : i32[2]\nout y : i32[2]\ny = f(x + 1) * f(x)\n";
    assert_eq!(integers(text, &[3, -4], "y"), [42, 0]);
}

#[test]
fn blocks_are_unrolled() {
    let text = "in x : i32[2, 3]\nout y : i32[6]\nrepeat i in 0..2 {\n repeat j in 0..3 {\n  y[i * 3 + j] = x[1 - i, j] * i\n }\n}\n";
    assert_eq!(integers(text, &[1, 2, 3, 4, 5, 6], "y"), [0, 0, 0, 1, 2, 3]);
    let text = "inout x : i32[1]\nrepeat 10 { x = x * 2 }\n";
    assert_eq!(integers(text, &[1], "x"), [1024]);
    let text = "out y : i32[6]\nin x : i32[1]\nrepeat i in 0..4 {\n repeat j in 0..i { y[i + j] = i }\n y[0] = x\n}\n";
    assert_eq!(integers(text, &[9], "y"), [9, 1, 2, 3, 3, 3]);
}

#[test]
fn two_constants_take_memory_for_one() {
    assert_eq!(value("3", "fma(x[0], 2, 3)"), [5, 7, 9]);
    let text = "in x : i32[3]\nout y : i32[3]\ny = select(x > 1, 5, 7)\n";
    assert_eq!(opcodes(&compiled(text)), ["compare", "fill", "select"]);
    assert_eq!(integers(text, &[1, 2, 3], "y"), [7, 5, 5]);
}

#[test]
fn constants_are_computed_before() {
    let text = "const A = 7\nconst B = A / 2 * -1\nconst C = (A % 4 + 0x10) * 2\nin x : i32[1]\nout y : i32[C - 37]\ny = x + B * (C - A)\n";
    let compiled = compiled(text);
    assert_eq!(opcodes(&compiled), ["add"]);
    assert_eq!(integers(text, &[1], "y"), [1 - 3 * 31]);
    let text = "in x : f32[2]\nout y : f32[2]\nconst THIRD = 1.0 / 3\ny = x * (THIRD - 0.25)\n";
    let step = super::compiled(text).program.step(0).unwrap();
    assert_eq!(step.immediate, u64::from(((1.0_f64 / 3.0 - 0.25) as f32).to_bits()));
}

#[test]
fn operations_of_constants_are_steps() {
    let text = "out y : f32[2]\ny = sqrt(2) * max(3, 4)\n";
    let compiled = compiled(text);
    assert_eq!(opcodes(&compiled), ["sqrt", "fill", "max", "mul"]);
}

#[test]
fn conversions_and_comparisons_have_types_of_their_own() {
    let text = "in x : i32[3]\nout y : i32[3]\nout s : f64[1]\ny = i32(u8(x)) * i32(x > 250) + i32(argmax(x))\n\
        s = f64(sum(f32(x) / f32(2)))\n";
    assert_eq!(integers(text, &[1, 257, 300], "y"), [2, 3, 46]);
    let text = "in x : i32[3]\nout y : i32[3]\ny = i32(sat(u8(x))) + i32(sat(i8(x) + i8(100)))\n";
    assert_eq!(integers(text, &[300, -5, 27], "y"), [255 + 127, 95, 27 + 127]);
}

#[test]
fn steps_know_where_they_come_from() {
    let text = "def double(v) = v + v\nin x : f32[4]\nout y : f32[4]\ny = relu(x - 1) * double(x * 3)\n";
    let compiled = compiled(text);
    let origins: Vec<_> = compiled
        .steps
        .iter()
        .map(|span| compiled.sources.slice(*span))
        .collect();
    assert_eq!(
        origins,
        [
            "x - 1",
            "relu(x - 1)",
            "x * 3",
            "double(x * 3)",
            "y = relu(x - 1) * double(x * 3)"
        ]
    );
}

#[test]
fn words_of_the_language_that_are_no_reserved_ones_are_names() {
    let text = "in as : f32[2]\nin from : f32[2]\nout repeat : f32[2]\nout def : f32[2]\nout include : f32[2]\nout relu : f32[2]\n\
        repeat = as + from\ndef = as as [2]\ninclude[0] = as[1]\ninclude[1] = repeat[0]\nrelu = relu(from)\n";
    compiled(text);
}
