//! Formatting any layout of a program leaves its meaning, and then leaves the text.

use proptest::prelude::*;

use super::token::{Kind, tokens};
use super::*;

/// A program with every form of the language.
const PROGRAM: &str = "const N = 4 * (2 + 1)
const HALF = -1.0 / -2
def f(v, k) = min(v * k, -v) + HALF
in x : f32[N, 3] from \"x.npy\"
in as : f32[3]
inout y : f32[N, 3]
temp t : f32[3, N]
out s : f32[1]
out m : u8[3]
m = (as != 2) % 3 | 1
t = transpose(f(x, 2) + as[0])
y = (select(x < as, x, inf) as [3, 12]) as [N, 3]
repeat i in 0..N / 2 {
y[i, 1..] = y[i + 1][..2] - (t as [N, 3])[i, 1..]
repeat 2 {
y[i..] = f32(sat(i8(i16(y[i..]))) & ~3)
}
}
s = sum(y)
";

/// The text with this between its tokens, where anything may stand.
fn laid_out(text: &str, choices: &[usize]) -> String {
    let all: Vec<_> = tokens(text, SourceId::default()).map(Result::unwrap).collect();
    let (mut laid, mut depth, mut choice) = (String::new(), 0, choices.iter().cycle());
    for (index, token) in all.iter().enumerate() {
        laid.push_str(token.text);
        match token.kind {
            Kind::Open | Kind::OpenBracket => depth += 1,
            Kind::Close | Kind::CloseBracket => depth -= 1,
            _ => {}
        }
        let next = all.get(index + 1).map(|next| next.kind);
        let glued = |kind| {
            matches!(
                kind,
                Kind::Open | Kind::Close | Kind::OpenBracket | Kind::CloseBracket | Kind::Comma
            )
        };
        let between = match choice.next().copied().unwrap_or_default() {
            0 if glued(token.kind) || next.is_some_and(glued) => "",
            1 => "\t  ",
            2 if depth > 0 => "\n",
            3 if depth > 0 => " # why, (and [how\n\n",
            4 if token.kind == Kind::Newline => "\r\n\n  # alone\n\n\n",
            5 if next == Some(Kind::Newline) => "#at the end  ",
            _ => " ",
        };
        laid.push_str(between);
    }
    laid
}

#[test]
fn the_program_of_these_tests_is_one() {
    compiled(PROGRAM);
    assert_ne!(laid_out(PROGRAM, &[0, 1, 2, 3, 4, 5]), PROGRAM);
}

proptest! {
    #[test]
    fn every_layout_comes_to_a_canonical_one_of_the_same_meaning(choices in prop::collection::vec(0..8_usize, 1..200)) {
            let laid = laid_out(PROGRAM, &choices);
            let formatted = format("t.hws", &laid).map_err(|error| TestCaseError::fail(format!("{laid}\n{error:?}")))?;
            let words = |text: &str| {
                let all = tokens(text, SourceId::default()).flatten();
                let kept = all.filter(|token| token.kind != Kind::Newline);
                kept.map(|token| token.text.trim_end().to_owned()).collect::<Vec<_>>()
            };
            prop_assert_eq!(words(&laid), words(&formatted), "words and comments are kept");
            prop_assert_eq!(format("t.hws", &formatted).ok(), Some(formatted.clone()), "and so is the layout");
            let program = |text: &str| compiled(text).program;
            prop_assert_eq!(program(&laid), program(&formatted));
    }
}
