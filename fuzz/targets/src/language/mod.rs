//! Bytes are compiled as a program text with texts that it may include, formatted, and compiled again. What compiles, the checker
//! accepts; what does not is reported at places inside the texts; and the layout changes nothing.

mod mutate;

use hawser::language::{Compiled, Mistakes, NamedArray, Text, compile_with, format};
use hawser_abi::reason::Reason;
use hawser_core::Limits;

use crate::Difference;
use crate::check_plan::{self, CONTROL};
use crate::shown::can_be_shown;

pub use mutate::mutate;

/// Most steps of a program that is compared with the slow model as well.
const FEW_STEPS: usize = 64;

/// Ends each text of an input but the last.
pub const SEPARATOR: char = '\0';

/// What the texts of an input are called by those that include them. The first is the program.
pub const NAMES: [&str; 4] = ["main.hws", "lib.hws", "lib2.hws", "lib3.hws"];

/// Compiles and formats `bytes`, if they are text: a program and, behind each [`SEPARATOR`], a text that it may include, by [`NAMES`].
///
/// # Errors
/// The compiler made a program that a driver refuses, a mistake cannot be shown, or the formatter changed what a text means or what it
/// has formatted itself.
pub fn run(bytes: &[u8]) -> Result<(), Difference> {
    let Ok(input) = std::str::from_utf8(bytes) else {
        return Ok(());
    };
    let texts = Texts::of(input);
    let compiled = texts.compile();
    match &compiled {
        Ok(compiled) => is_accepted(compiled)?,
        Err(mistakes) => can_be_shown(mistakes)?,
    }
    let formatted = texts.formatted()?;
    agree(&meaning(&formatted.compile()), &meaning(&compiled))
}

/// A program, and what it may include: each text with its name.
struct Texts(Vec<(&'static str, String)>);

impl Texts {
    fn of(input: &str) -> Self {
        let texts = input.splitn(NAMES.len(), SEPARATOR).map(str::to_owned);
        Self(NAMES.into_iter().zip(texts).collect())
    }

    fn named(&self, wanted: &str) -> Option<Text> {
        let (name, text) = self.0.iter().find(|(name, _)| *name == wanted)?;
        Some(Text::named(*name, text.as_str()))
    }

    fn compile(&self) -> Result<Compiled, Mistakes> {
        let main = self.named(NAMES[0]).unwrap_or_else(|| Text::named(NAMES[0], ""));
        compile_with(main, &mut |_: &str, path: &str| {
            self.named(path).ok_or_else(|| "there is no such text".to_owned())
        })
    }

    /// The texts as the formatter lays them out. Those with mistakes of syntax stay as they are.
    fn formatted(&self) -> Result<Self, Difference> {
        let formatted = self.0.iter().map(|(name, text)| match format(name, text) {
            Err(mistakes) => can_be_shown(&mistakes).map(|()| (*name, text.clone())),
            Ok(once) => {
                let twice = format(name, &once).map_err(|mistakes| mistakes.to_string());
                stays(&twice, &once).map(|()| (*name, once))
            }
        });
        formatted.collect::<Result<_, _>>().map(Self)
    }
}

/// Nothing if the formatter leaves alone what it has formatted.
fn stays(twice: &Result<String, String>, once: &str) -> Result<(), Difference> {
    Difference::unless_equal("formatted twice", twice, &Ok(once.to_owned()))
}

/// What texts mean: the bytes and the arrays of a program, or the codes of what is wrong, in the order of the texts:
/// their messages quote expressions, with the layout that these have.
type Meaning = Result<(Vec<u8>, Vec<NamedArray>), Vec<&'static str>>;

fn meaning(compiled: &Result<Compiled, Mistakes>) -> Meaning {
    match compiled {
        Ok(compiled) => Ok((compiled.program.bytes().to_vec(), compiled.arrays.clone())),
        Err(mistakes) => Err(mistakes.list().iter().map(|mistake| mistake.problem.code()).collect()),
    }
}

/// Nothing if formatted texts mean what they did before.
fn agree(formatted: &Meaning, before: &Meaning) -> Result<(), Difference> {
    Difference::unless_equal("the meaning of the formatted texts", formatted, before)
}

fn is_accepted(compiled: &Compiled) -> Result<(), Difference> {
    let program = &compiled.program;
    let limits = Limits::default();
    let verdict = program.check(&limits);
    Difference::unless_equal("the checker on what was compiled", &verdict, &Ok(()))?;
    // Whether the arena is large enough is not known before a device is.
    let planned = program.inspect(&limits).map(drop);
    let is_planned = planned.is_ok() || planned.is_err_and(|refusal| refusal.reason == Reason::ArenaTooSmall);
    Difference::unless(is_planned, || format!("what was compiled is not planned: {planned:?}"))?;
    Difference::unless_equal("places of steps", &compiled.steps.len(), &program.step_count())?;
    if program.step_count() <= FEW_STEPS {
        check_plan::run(&[&[0; CONTROL], program.bytes()].concat())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser::assembly::assemble;

    const INPUT: &str =
        "include \"lib.hws\"\nout y:f32[4]\ny=HALF\0include \"lib2.hws\"\nconst HALF=1/TWO\0const TWO=2.0";

    #[test]
    fn texts_include_each_other() {
        let compiled = Texts::of(INPUT).compile().expect("it is a program");
        assert_eq!(compiled.sources.iter().count(), 3);
        assert_eq!(run(INPUT.as_bytes()), Ok(()));
        // A text may also ask for itself, or for one that the input does not have.
        assert_eq!(run(b"include \"main.hws\"\ninclude \"lib3.hws\"\n"), Ok(()));
        assert!(Texts::of("include \"lib.hws\"\n").compile().is_err());
    }

    #[test]
    fn all_texts_are_formatted() {
        let formatted = Texts::of(INPUT).formatted().expect("the layout is stable");
        assert_eq!(formatted.0[0].1, "include \"lib.hws\"\nout   y : f32[4]\ny = HALF\n");
        assert_eq!(formatted.0[2].1, "const TWO = 2.0\n");
    }

    #[test]
    fn a_layout_that_does_not_stay_is_a_difference() {
        assert_eq!(stays(&Ok("y = 1\n".to_owned()), "y = 1\n"), Ok(()));
        assert!(stays(&Ok("y =  1\n".to_owned()), "y = 1\n").is_err());
        assert!(stays(&Err("1 error".to_owned()), "y = 1\n").is_err());
    }

    #[test]
    fn each_part_of_another_meaning_is_a_difference() {
        let of = |text: &str| meaning(&Texts::of(text).compile());
        let right = of("out y : f32[4]\ny = 1\n");
        assert_eq!(agree(&right, &right), Ok(()));
        for wrong in [
            "out y : f32[4]\ny = 2\n",
            "out z : f32[4]\nz = 1\n",
            "inout y : f32[4]\ny = 1\n",
            "out y : f32[4]\ny = x\n",
        ] {
            assert!(agree(&of(wrong), &right).is_err(), "{wrong}");
            assert!(agree(&right, &of(wrong)).is_err(), "{wrong}");
        }
        assert!(agree(&of("a = 1\n"), &of("in a : f32[0]\n")).is_err(), "other mistakes");
        assert!(agree(&of("a = 1\n"), &of("a = 1\nb = 1\n")).is_err(), "fewer mistakes");
    }

    #[test]
    fn a_program_that_the_checker_refuses_is_a_difference() {
        let compiled =
            |data| assemble("t", &format!(".data_size {data}\nfill.u8 data[0], 7 count 64\n")).expect("it is one");
        assert_eq!(is_accepted(&compiled(64)), Ok(()));
        assert!(is_accepted(&compiled(63)).is_err());
        let without_place = Compiled {
            steps: Vec::new(),
            ..compiled(64)
        };
        assert!(is_accepted(&without_place).is_err());
    }
}
