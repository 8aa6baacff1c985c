//! Random expressions: through the language and the reference interpreter, and computed directly. They agree bit for bit.

use half::f16;
use proptest::prelude::*;

use super::*;

/// Elements of the arrays.
const COUNT: usize = 5;

/// A type whose arithmetic Rust has.
trait Number: Copy + PartialEq + std::fmt::Debug {
    const NAME: &'static str;
    fn of(seed: i32) -> Self;
    fn from_bytes(bytes: &[u8]) -> Self;
    fn bytes(self) -> Vec<u8>;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
    fn neg(self) -> Self;
    fn less(self, other: Self) -> bool;
}

macro_rules! number {
    ($type:ty, $of:expr, $add:expr, $sub:expr, $mul:expr, $neg:expr, $min:expr) => {
        impl Number for $type {
            const NAME: &'static str = stringify!($type);
            fn of(seed: i32) -> Self {
                $of(seed)
            }
            fn from_bytes(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().unwrap())
            }
            fn bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }
            fn add(self, other: Self) -> Self {
                $add(self, other)
            }
            fn sub(self, other: Self) -> Self {
                $sub(self, other)
            }
            fn mul(self, other: Self) -> Self {
                $mul(self, other)
            }
            fn min(self, other: Self) -> Self {
                $min(self, other)
            }
            fn neg(self) -> Self {
                $neg(self)
            }
            fn less(self, other: Self) -> bool {
                self < other
            }
        }
    };
}

macro_rules! integer {
    ($type:ty) => {
        number!(
            $type,
            |seed: i32| (i64::from(seed) * 0x0123_4567_89AB) as $type,
            <$type>::wrapping_add,
            <$type>::wrapping_sub,
            <$type>::wrapping_mul,
            <$type>::wrapping_neg,
            Ord::min
        );
    };
}

macro_rules! float {
    ($type:ty, $of:expr) => {
        number!(
            $type,
            $of,
            |a: $type, b: $type| a + b,
            |a: $type, b: $type| a - b,
            |a: $type, b: $type| a * b,
            |a: $type| -a,
            // There are no NaNs, and of two zeros the negative one is the smaller.
            |a: $type, b: $type| if a < b || (a == b && a.is_sign_negative()) {
                a
            } else {
                b
            }
        );
    };
}

integer!(i8);
integer!(i32);
integer!(i64);
float!(f32, |seed: i32| seed as f32 / 7.0);
float!(f64, |seed: i32| f64::from(seed) / 7.0);
float!(f16, |seed: i32| f16::from_f64(f64::from(seed % 16) / 8.0));

/// An expression.
#[derive(Clone, Debug)]
enum Tree {
    /// An input.
    Input(usize),
    /// The row that stands for all, or the element that does.
    Row,
    Element,
    /// A number that every type has.
    Number(u8),
    Negative(Box<Tree>),
    /// `+`, `-`, `*` or `min`
    Pair(usize, Box<Tree>, Box<Tree>),
    /// `select(a < b, a, c)`
    Choice(Box<Tree>, Box<Tree>, Box<Tree>),
    /// A function that uses what it is given twice: `v - v * k`.
    Call(Box<Tree>, Box<Tree>),
}

/// The operators of a pair.
const SIGNS: [&str; 4] = ["+", "-", "*", "min"];

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        4 => (0..3_usize).prop_map(Tree::Input),
        1 => Just(Tree::Row),
        1 => Just(Tree::Element),
        1 => (0..9_u8).prop_map(Tree::Number),
    ];
    leaf.prop_recursive(5, 24, 3, |inner| {
        let boxed = inner.prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Tree::Negative),
            (0..4_usize, boxed.clone(), boxed.clone()).prop_map(|(sign, a, b)| Tree::Pair(sign, a, b)),
            (boxed.clone(), boxed.clone(), boxed.clone()).prop_map(|(a, b, c)| Tree::Choice(a, b, c)),
            (boxed.clone(), boxed).prop_map(|(v, k)| Tree::Call(v, k)),
        ]
    })
}

impl Tree {
    /// The expression in the language. Where nothing but numbers stands together, the first has a type.
    fn text(&self, element: &str) -> String {
        let text = |tree: &Self| tree.text(element);
        match self {
            Self::Input(which) => ["x", "y", "z"][*which].to_owned(),
            Self::Row => "row".into(),
            Self::Element => "one".into(),
            Self::Number(number) => format!("{element}({number})"),
            Self::Negative(a) => format!("-{}", text(a)),
            Self::Pair(3, a, b) => format!("min({}, {})", text(a), text(b)),
            Self::Pair(sign, a, b) => format!("({} {} {})", text(a), SIGNS[*sign], text(b)),
            Self::Choice(a, b, c) => {
                let (a, b, c) = (text(a), text(b), text(c));
                format!("select({a} < ({b}), {a}, {c})")
            }
            Self::Call(v, k) => format!("f({}, {})", text(v), text(k)),
        }
    }

    /// The element at a place.
    fn value<T: Number>(&self, inputs: &Inputs<T>, at: usize) -> T {
        let value = |tree: &Self| tree.value(inputs, at);
        match self {
            Self::Input(which) => inputs.whole[*which][at],
            Self::Row => inputs.row[at % COUNT],
            Self::Element => inputs.one,
            Self::Number(number) => inputs.numbers[usize::from(*number)],
            Self::Negative(a) => value(a).neg(),
            Self::Pair(0, a, b) => value(a).add(value(b)),
            Self::Pair(1, a, b) => value(a).sub(value(b)),
            Self::Pair(2, a, b) => value(a).mul(value(b)),
            Self::Pair(_, a, b) => value(a).min(value(b)),
            Self::Choice(a, b, c) if value(a).less(value(b)) => {
                let _ = c;
                value(a)
            }
            Self::Choice(_, _, c) => value(c),
            Self::Call(v, k) => {
                let v = value(v);
                v.sub(v.mul(value(k)))
            }
        }
    }
}

/// What the arrays hold. The whole ones have two rows.
struct Inputs<T> {
    whole: [Vec<T>; 3],
    row: Vec<T>,
    one: T,
    numbers: Vec<T>,
}

fn check<T: Number>(tree: &Tree, seeds: &[i32], numbers: Vec<T>) -> Result<(), TestCaseError> {
    let seed = |index: usize| T::of(seeds[index % seeds.len()].wrapping_add(index as i32 * 13));
    let list = |from: usize, count: usize| (from..from + count).map(seed).collect::<Vec<_>>();
    let inputs = Inputs {
        whole: [list(0, 2 * COUNT), list(31, 2 * COUNT), list(57, 2 * COUNT)],
        row: list(83, COUNT),
        one: seed(97),
        numbers,
    };
    let element = T::NAME;
    let text = format!(
        "def f(v, k) = v - v * k\nin x : {element}[2, {COUNT}]\nin y : {element}[2, {COUNT}]\nin z : {element}[2, {COUNT}]\n\
         in row : {element}[{COUNT}]\nin one : {element}[1]\nout r : {element}[2, {COUNT}]\nr = x * {element}(0) + z\nr = {}\n",
        // The result has the shape of the whole arrays, whatever the expression's is.
        format_args!("select(x == x, {}, x)", tree.text(element)),
    );
    let compiled = compile("t.hws", &text).map_err(|mistakes| TestCaseError::fail(format!("{text}{mistakes:?}")))?;
    let bytes = |list: &[T]| list.iter().flat_map(|value| value.bytes()).collect::<Vec<u8>>();
    let [x, y, z] = &inputs.whole;
    let data = run(
        &compiled,
        &[
            ("x", &bytes(x)),
            ("y", &bytes(y)),
            ("z", &bytes(z)),
            ("row", &bytes(&inputs.row)),
            ("one", &bytes(&[inputs.one])),
        ],
    );
    let size = bytes(&[inputs.one]).len();
    let found: Vec<T> = bytes_of(&compiled, &data, "r")
        .chunks_exact(size)
        .map(T::from_bytes)
        .collect();
    let expected: Vec<T> = (0..2 * COUNT).map(|at| tree.value(&inputs, at)).collect();
    prop_assert_eq!(bytes(&found), bytes(&expected), "{}{:?} {:?}", text, found, expected);
    Ok(())
}

proptest! {
    #[test]
    fn expressions_are_computed_as_they_are_written(
        tree in trees(),
        seeds in prop::collection::vec(-100..100_i32, 1..9),
        which in 0..6,
    ) {
        match which {
            0 => check::<i8>(&tree, &seeds, (0..9).collect()),
            1 => check::<i32>(&tree, &seeds, (0..9).collect()),
            2 => check::<i64>(&tree, &seeds, (0..9).collect()),
            3 => check::<f32>(&tree, &seeds, (0..9_u8).map(f32::from).collect()),
            4 => check::<f64>(&tree, &seeds, (0..9_u8).map(f64::from).collect()),
            _ => check::<f16>(&tree, &seeds, (0..9_u8).map(f16::from).collect()),
        }?;
    }
}
