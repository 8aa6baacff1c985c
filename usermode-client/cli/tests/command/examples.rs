//! The programs in `examples/`, run as their descriptions say, against results that were found in other ways.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Place, SUCCESS, contains, npy, repository};

const MODELS: [&str; 4] = ["flat", "scrambled", "iommu", "bounce"];

/// A file of the examples.
fn example(name: &str) -> PathBuf {
    repository().join("examples").join(name)
}

/// The elements of a `.npy` file of version 1.0.
fn elements(path: PathBuf) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let header = u16::from_le_bytes([bytes[8], bytes[9]]);
    bytes[10 + usize::from(header)..].to_vec()
}

fn words(path: PathBuf) -> Vec<u64> {
    let bytes = elements(path);
    let (words, rest) = bytes.as_chunks();
    assert!(rest.is_empty());
    words.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

/// The first elements of an array, as a run in JSON tells them.
fn head<'v>(run: &'v Value, name: &str) -> &'v Value {
    let arrays = run["arrays"].as_array().unwrap();
    let array = arrays.iter().find(|array| array["name"] == name).expect(name);
    &array["head"]
}

#[test]
fn digits_predicts_what_numpy_predicts_in_every_memory_model() {
    let place = Place::new();
    let program = example("digits/digits.hws");
    let (expected, labels) = (
        words(example("digits/predictions.npy")),
        elements(example("digits/labels.npy")),
    );
    let right: Vec<bool> = expected
        .iter()
        .zip(&labels)
        .map(|(class, label)| *class == u64::from(*label))
        .collect();
    let share = |right: &[bool]| right.iter().filter(|right| **right).count() as f32 / right.len() as f32;
    let (accuracy, unseen) = (share(&right), share(&right[1347..]));
    for memory in MODELS {
        let arguments = [
            "run",
            program.to_str().unwrap(),
            "--memory",
            memory,
            "--out",
            "predictions=p.npy",
        ];
        let text = place.output(SUCCESS, &arguments);
        assert_eq!(words(place.path("p.npy")), expected, "{memory}");
        let figures = [format!("accuracy = {accuracy}"), format!("unseen = {unseen}")];
        contains(&text, &[&figures[0], &figures[1], "\nverified "]);
        let description = fs::read_to_string(example("digits/README.md")).unwrap();
        contains(&description, &[&figures[0], &figures[1]]);
    }
    assert!(accuracy > 0.95 && unseen > 0.9, "{accuracy} {unseen}");
}

#[test]
fn digits_predicts_something_else_with_other_weights() {
    let place = Place::new();
    place.file("b2.npy", npy("<f4", "(10,)", &[0; 40]));
    let program = example("digits/digits.hws");
    let arguments = [
        "run",
        program.to_str().unwrap(),
        "--bind",
        "b2=b2.npy",
        "--out",
        "predictions=p.npy",
    ];
    place.output(SUCCESS, &arguments);
    let (found, expected) = (words(place.path("p.npy")), words(example("digits/predictions.npy")));
    assert_ne!(found, expected);
}

/// State after `count` numbers of `x -> a x + c`, by squaring the map instead of repeating it.
fn jumped(seed: u64, count: u32) -> u64 {
    let (mut factor, mut term) = (6_364_136_223_846_793_005_u64, 1_442_695_040_888_963_407_u64);
    let (mut state, mut left) = (seed, count);
    while left > 0 {
        if left % 2 == 1 {
            state = state.wrapping_mul(factor).wrapping_add(term);
        }
        term = term.wrapping_mul(factor.wrapping_add(1));
        factor = factor.wrapping_mul(factor);
        left /= 2;
    }
    state
}

#[test]
fn thousand_steps_end_where_a_jump_ends_in_every_memory_model() {
    let place = Place::new();
    let program = example("thousand-steps/thousand-steps.hws");
    for memory in MODELS {
        let arguments = [
            "run",
            program.to_str().unwrap(),
            "--json",
            "--memory",
            memory,
            "--out",
            "moved=m.npy",
        ];
        let run = place.json(SUCCESS, &arguments);
        assert_eq!(
            (&run["program"]["steps"], &run["verification"]["state"]),
            (&5000.into(), &"verified".into())
        );
        // What is not bound holds the pattern of the documentation.
        let expected: Vec<u64> = (0..4096).map(|i| jumped((7 * i + 3) % 64 + 1, 2499)).collect();
        assert_eq!(words(place.path("m.npy")), expected, "{memory}");
        assert_eq!(head(&run, "moved")[0], expected[0]);
        let timeline = &run["result"]["record"]["timeline"];
        let time = |stage: &str| timeline[stage].as_u64().unwrap();
        assert!(
            time("started") < time("interrupt") && time("interrupt") <= time("let_go"),
            "{timeline}"
        );
    }
}

/// What sharpening makes of a picture of these many rows of red, green and blue bytes, in whole numbers.
fn sharpened(photo: &[u8], height: usize) -> Vec<u8> {
    let pitch = photo.len() / height;
    let width = pitch / 3;
    let at = |y: usize, x: usize, colour: usize| i32::from(photo[y * pitch + 3 * x + colour]);
    let near = |place: usize, step: usize, size: usize| (place + step).saturating_sub(1).min(size - 1);
    let byte = |y: usize, x: usize, colour: usize| {
        let mut blurred = 0;
        for (dy, down) in [1, 2, 1].into_iter().enumerate() {
            for (dx, right) in [1, 2, 1].into_iter().enumerate() {
                blurred += down * right * at(near(y, dy, height), near(x, dx, width), colour);
            }
        }
        // photo + 3/2 (photo - blurred/16), in parts of 32, rounded to the nearest.
        (80 * at(y, x, colour) - 3 * blurred + 16).div_euclid(32).clamp(0, 255) as u8
    };
    let places = (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..3).map(move |colour| (y, x, colour))));
    places.map(|(y, x, colour)| byte(y, x, colour)).collect()
}

/// Width, height and bytes of a picture.
fn picture(path: PathBuf) -> (u32, u32, Vec<u8>) {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(
        (info.color_type, info.bit_depth),
        (png::ColorType::Rgb, png::BitDepth::Eight)
    );
    (info.width, info.height, bytes)
}

#[test]
fn sharpen_makes_of_the_photograph_what_whole_numbers_make_of_it() {
    let place = Place::new();
    let program = example("sharpen/sharpen.hws");
    let (width, height, photo) = picture(example("sharpen/chelsea.png"));
    let expected = sharpened(&photo, height as usize);
    assert!(
        expected.contains(&0) && expected.contains(&255),
        "both ends are clamped"
    );
    for memory in MODELS {
        let arguments = [
            "run",
            program.to_str().unwrap(),
            "--memory",
            memory,
            "--out",
            "sharp=sharp.png",
        ];
        let text = place.output(SUCCESS, &arguments);
        contains(&text, &["\nverified ", "-> sharp.png"]);
        let (found_width, found_height, found) = picture(place.path("sharp.png"));
        assert_eq!((found_width, found_height), (width, height));
        let different = found
            .iter()
            .zip(&expected)
            .filter(|(found, expected)| found != expected)
            .count();
        assert_eq!(different, 0, "bytes that differ, {memory}");
    }
}
