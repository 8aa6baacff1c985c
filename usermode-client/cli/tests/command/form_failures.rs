//! Calls that cannot work, of programs in assembly or bytes, of their data, and of pictures; `failures` calls them.

use crate::failures::{Case, case};
use crate::support::Place;

pub const CASES: [Case; 19] = [
    case(
        &["run", "cut.hwp"],
        "file",
        "not-whole",
        "`cut.hwp` is no program: step 0 is cut off: it has 36 of 64 bytes",
    ),
    case(
        &["disasm", "text.hwp"],
        "file",
        "not-whole",
        "`text.hwp` is no program: 5 bytes are too few for a program, which begins with a header of 64",
    ),
    case(
        &["asm", "copy.hwa", "-o", "folder"],
        "file",
        "program-unwritable",
        "cannot write `folder`: Is a directory (os error 21)",
    ),
    case(
        &["asm", "copy.hwa", "-o", "./copy.hwa"],
        "file",
        "program-unwritable",
        "cannot write `./copy.hwa`: it is the program that is read",
    ),
    case(
        &["asm", "copy.hwa", "-o", "no/such.hwp"],
        "file",
        "program-unwritable",
        "cannot write `no/such.hwp`: No such file or directory (os error 2)",
    ),
    case(
        &["compile", "copy.hwa", "-o", "./copy.hwa"],
        "file",
        "program-unwritable",
        "cannot write `./copy.hwa`: it is the program that is read",
    ),
    case(
        &["asm", "wrong.hwa", "-o", "w.hwp"],
        "program",
        "mistakes",
        "1 error in `wrong.hwa`",
    ),
    case(
        &["run", "huge.hwa"],
        "plan",
        "plan-refused",
        "a driver would refuse the program: the data buffer is longer than the driver accepts (length 18446744073709551615, limit 1073741824)",
    ),
    case(
        &["explain", "none.hwa"],
        "plan",
        "plan-refused",
        "a driver would refuse the program: there is no data buffer (limit 1)",
    ),
    case(
        &["run", "copy.hwa", "--bind", "x=x.npy"],
        "binding",
        "no-such-array",
        "the program has no array `x`; its arrays have no names, and `--data` and `--data-out` take all of its data buffer",
    ),
    case(
        &["run", "copy.hwa", "--data", "x.npy"],
        "binding",
        "wrong-length",
        "`x.npy` has 4,071 B, and the data buffer 64 B",
    ),
    case(
        &["run", "copy.hwa", "--data", "no.bin"],
        "binding",
        "array-unreadable",
        "the data buffer: cannot read `no.bin`: No such file or directory (os error 2)",
    ),
    case(
        &["run", "copy.hwa", "--data-out", "folder"],
        "binding",
        "array-unwritable",
        "the data buffer: cannot write `folder`: is a directory",
    ),
    case(
        &["run", "p.hws", "--data", "x.npy"],
        "binding",
        "has-arrays",
        "`--data` is for programs in assembly or bytes; the arrays of this one have names, for `--bind` and `--out`",
    ),
    case(
        &["run", "p.hws", "--data-out", "x.bin"],
        "binding",
        "has-arrays",
        "`--data-out` is for programs in assembly or bytes; the arrays of this one have names, for `--bind` and `--out`",
    ),
    case(
        &["run", "picture.hws", "--bind", "a=text.png"],
        "binding",
        "not-png",
        "array `a`: `text.png` is not a PNG file: Invalid PNG signature.",
    ),
    case(
        &["run", "picture.hws", "--bind", "a=deep.png"],
        "binding",
        "wrong-samples",
        "array `a`: `deep.png` has samples of 16 bits, and a picture of samples of 8 bits is needed",
    ),
    case(
        &["run", "picture.hws", "--bind", "a=small.png"],
        "binding",
        "wrong-shape",
        "array `a`: `small.png` has 1 x 1 pixels of 1 sample, which is 1 elements, and 6 are needed",
    ),
    case(
        &["run", "picture.hws", "--out", "b=b.png"],
        "binding",
        "not-a-picture",
        "array `b`: `b.png` would be a picture, and an array of shape [6] is none: [height, width], with 3 or 4 behind it for colour, is \
            needed",
    ),
];

/// A picture of one pixel.
fn grey(depth: png::BitDepth) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    encoder.set_depth(depth);
    let samples = vec![0; depth as usize / 8];
    encoder.write_header().unwrap().write_image_data(&samples).unwrap();
    bytes
}

/// The files that the calls name.
pub fn files(place: &Place) {
    place.file("cut.hwp", [0; 100]).file("text.hwp", "HWSR!");
    place.file("copy.hwa", ".data_size 64\nnot.u8 data[0], data[0] count 64\n");
    place.file("wrong.hwa", "not.f32 data[0], data[0] count 64\n");
    place.file(
        "huge.hwa",
        ".data_size 0xFFFFFFFFFFFFFFFF\nnot.u8 data[0], data[0] count 64\n",
    );
    place.file("none.hwa", "not.u8 data[0], data[0] count 64\n");
    place.file("picture.hws", "in a : u8[2, 3]\nout b : u8[6]\nb = a as [6]\n");
    place.file("text.png", "1,2,3,4,5,6");
    place
        .file("deep.png", grey(png::BitDepth::Sixteen))
        .file("small.png", grey(png::BitDepth::Eight));
}
