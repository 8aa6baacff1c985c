//! `--image`: the command with `hawser.sys` itself, and with files that are none.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Names the image of the driver with which the tests run.
const IMAGE_VARIABLE: &str = "HAWSER_DRIVER_IMAGE";

fn hawser(arguments: &[&str]) -> Output {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hawser"));
    command
        .args(arguments)
        .current_dir(root)
        .output()
        .expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The image, or nothing with a loud line.
fn image() -> Option<String> {
    let image = std::env::var(IMAGE_VARIABLE).ok();
    if image.is_none() {
        println!("SKIPPED: no image of the driver was given");
    }
    image
}

#[test]
fn a_program_runs_on_the_image() {
    let Some(image) = image() else { return };
    for memory in ["flat", "scrambled", "iommu", "bounce"] {
        let output = hawser(&["run", "examples/saxpy.hws", "--image", &image, "--memory", memory]);
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(out.contains(&format!("driver: image {image}")), "{out}");
        assert!(out.contains("verified"), "{out}");
    }
}

#[test]
fn information_says_which_form_serves() {
    let form = |arguments: &[&str]| {
        let output = hawser(&[&["info", "--json"], arguments].concat());
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        json["machine"]["driver"].clone()
    };
    let host = form(&[]);
    assert_eq!((host["form"].as_str(), host["file"].as_str()), (Some("host"), None));
    assert!(text(&hawser(&["info"]).stdout).contains("compiled into this command"));
    if let Some(image) = image() {
        let loaded = form(&["--image", &image]);
        assert_eq!(loaded["form"], "image");
        assert_eq!(loaded["file"], image.as_str());
    }
}

#[test]
fn files_that_are_no_driver_are_refused_with_file_and_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let garbage = folder.path().join("garbage.sys");
    std::fs::write(&garbage, b"MZ, but nothing else").expect("a file");
    let missing = folder.path().join("missing.sys");
    for (file, reason) in [(&garbage, "not a whole PE image"), (&missing, "cannot be read")] {
        let file = file.display().to_string();
        let output = hawser(&["run", "examples/saxpy.hws", "--image", &file, "--json"]);
        assert_eq!(output.status.code(), Some(2));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(json["kind"], "image");
        let message = json["message"].as_str().expect("a message");
        assert!(message.starts_with(&file) && message.contains(reason), "{message}");
    }
}

#[test]
fn an_image_without_signature_is_refused_where_one_is_demanded() {
    let Some(image) = image() else { return };
    let output = hawser(&["info", "--image", &image, "--signed", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let message = json["message"].as_str().expect("a message");
    assert!(
        message.starts_with(&image) && message.contains("carries no signature"),
        "{message}"
    );
}

/// The packaged image, which is signed where the tools for that were there.
#[test]
fn a_signed_image_runs_where_a_signature_is_demanded() {
    let Some(image) = image() else { return };
    let package = std::path::Path::new(&image).with_file_name("package");
    if !package.join("hawser.cer").exists() {
        println!("SKIPPED: there is no signed package beside the image");
        return;
    }
    let signed = package.join("hawser.sys").display().to_string();
    let output = hawser(&["run", "examples/saxpy.hws", "--image", &signed, "--signed"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("verified"));
}
