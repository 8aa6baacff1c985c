//! Arrays that are pictures.

use std::fs::{self, File};
use std::io::BufReader;

use png::{BitDepth, ColorType, Decoder, Encoder};

use crate::support::{Place, SUCCESS, USAGE, contains};

/// A picture of 3 x 2 pixels.
fn picture(color: ColorType, depth: BitDepth, samples: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 3, 2);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ColorType::Indexed {
        encoder.set_palette([0, 0, 0, 255, 0, 0, 0, 0, 255].as_slice());
    }
    encoder.write_header().unwrap().write_image_data(samples).unwrap();
    bytes
}

fn samples(place: &Place, name: &str) -> (ColorType, u32, u32, Vec<u8>) {
    let file = BufReader::new(File::open(place.path(name)).unwrap());
    let mut reader = Decoder::new(file).read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    assert_eq!(info.bit_depth, BitDepth::Eight);
    (info.color_type, info.width, info.height, samples)
}

const INVERT: &str = "in a : u8[SHAPE]\nout b : u8[SHAPE]\nb = not(a)\n";

#[test]
fn pictures_of_every_kind_come_from_files_and_go_to_files() {
    let place = Place::new();
    for (shape, color, channels) in [
        ("2, 3", ColorType::Grayscale, 1),
        ("2, 3, 3", ColorType::Rgb, 3),
        ("2, 3, 4", ColorType::Rgba, 4),
    ] {
        let values: Vec<u8> = (1..=6 * channels).collect();
        place.file("a.png", picture(color, BitDepth::Eight, &values));
        place.file("p.hws", INVERT.replace("SHAPE", shape));
        let text = place.output(SUCCESS, &["run", "p.hws", "--bind", "a=a.png", "--out", "b=b.PNG"]);
        contains(&text, &["from a.png", "-> b.PNG", "\nverified "]);
        let inverted: Vec<u8> = values.iter().map(|value| !value).collect();
        assert_eq!(samples(&place, "b.PNG"), (color, 3, 2, inverted));
    }
}

#[test]
fn palettes_and_samples_of_few_bits_are_made_bytes() {
    let place = Place::new();
    let identity = |shape: &str| format!("in a : u8[{shape}]\nout b : u8[{shape}]\nb = a\n");
    // Two rows of three pixels of four bits each, and of two.
    place.file(
        "a.png",
        picture(ColorType::Grayscale, BitDepth::Four, &[0x0F, 0x30, 0xFF, 0x00]),
    );
    place.file("p.hws", identity("2, 3"));
    place.output(SUCCESS, &["run", "p.hws", "--bind", "a=a.png", "--out", "b=b.png"]);
    assert_eq!(samples(&place, "b.png").3, [0, 255, 51, 255, 255, 0]);
    place.file(
        "a.png",
        picture(ColorType::Indexed, BitDepth::Two, &[0b00_01_10_00, 0b10_10_00_00]),
    );
    place.file("p.hws", identity("2, 3, 3"));
    place.output(SUCCESS, &["run", "p.hws", "--bind", "a=a.png", "--out", "b=b.png"]);
    let expected = [[0, 0, 0], [255, 0, 0], [0, 0, 255], [0, 0, 255], [0, 0, 255], [0, 0, 0]];
    assert_eq!(samples(&place, "b.png").3, expected.concat());
}

#[test]
fn a_picture_may_be_read_and_written_in_its_place_and_a_program_may_name_it() {
    let place = Place::new();
    place.file(
        "a.png",
        picture(ColorType::Grayscale, BitDepth::Eight, &[1, 2, 3, 4, 5, 6]),
    );
    place.file("p.hws", "inout a : u8[2, 3] from \"a.png\"\na = a + 1\n");
    place.output(SUCCESS, &["run", "p.hws", "--out", "a=a.png"]);
    assert_eq!(samples(&place, "a.png").3, [2, 3, 4, 5, 6, 7]);
}

#[test]
fn what_is_no_picture_is_refused_before_anything_runs() {
    let place = Place::new();
    let grey = picture(ColorType::Grayscale, BitDepth::Eight, &[0; 6]);
    let mut broken = grey.clone();
    broken[40] ^= 1;
    place
        .file("grey.png", &grey)
        .file("text.png", "P5")
        .file("broken.png", &broken);
    place
        .file("cut.png", &grey[..grey.len() - 20])
        .file("head.png", &grey[..20]);
    place.file("deep.png", picture(ColorType::Grayscale, BitDepth::Sixteen, &[0; 12]));
    place.file(
        "faint.png",
        picture(ColorType::GrayscaleAlpha, BitDepth::Eight, &[0; 12]),
    );
    place.file(
        "p.hws",
        "in a : u8[2, 3]\nin f : f32[6]\nout b : u8[6]\nout g : f32[2, 3]\nb = a as [6]\ng = f as [2, 3]\n",
    );
    for (option, value, code) in [
        ("--bind", "a=text.png", "not-png"),
        ("--bind", "a=broken.png", "not-png"),
        ("--bind", "a=cut.png", "not-png"),
        ("--bind", "a=head.png", "not-png"),
        ("--bind", "a=deep.png", "wrong-samples"),
        ("--bind", "a=faint.png", "wrong-samples"),
        ("--bind", "f=grey.png", "wrong-type"),
        ("--out", "b=b.png", "not-a-picture"),
        ("--out", "g=g.png", "wrong-type"),
        ("--bind", "a=no.png", "array-unreadable"),
        ("--out", "b=no/b.png", "array-unwritable"),
    ] {
        let json = place.json(USAGE, &["run", "p.hws", option, value, "--json"]);
        assert_eq!(
            (&json["kind"], &json["code"]),
            (&"binding".into(), &code.into()),
            "{value}: {json:#}"
        );
    }
    assert!(!fs::exists(place.path("b.png")).unwrap());
}

#[test]
fn a_picture_that_is_too_large_is_told_and_not_read() {
    let place = Place::new();
    place.file("p.hws", INVERT.replace("SHAPE", "2, 3"));
    for (length, code, part) in [
        (
            65_535_u32,
            "wrong-shape",
            "65535 x 65535 pixels of 1 sample, which is 4294836225 elements, and 6 are needed",
        ),
        (0x7FFF_FFFF, "not-png", "limits are exceeded"),
    ] {
        let mut huge = picture(ColorType::Grayscale, BitDepth::Eight, &[0; 6]);
        huge[16..24].copy_from_slice(&[length.to_be_bytes(); 2].concat());
        let crc = crc(&huge[12..29]);
        huge[29..33].copy_from_slice(&crc.to_be_bytes());
        let json = place
            .file("a.png", &huge)
            .json(USAGE, &["run", "p.hws", "--bind", "a=a.png", "--json"]);
        assert_eq!(json["code"], code, "{json:#}");
        contains(json["message"].as_str().unwrap(), &[part]);
    }
}

/// The checksum of a chunk.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xEDB8_8320 ^ crc >> 1 } else { crc >> 1 };
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
