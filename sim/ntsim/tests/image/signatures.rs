//! Signatures: missing where one is demanded, holding, and no longer holding.

use crate::{files::idle, pe::fix_checksum};
use ntsim::image::{Image, ImageError, Signing};
use std::{fs, path::Path, process::Command};

#[test]
fn a_machine_can_demand_a_signature() {
    let error = Image::from_bytes("mini.sys", &idle().file(), Signing::Required).expect_err("it has none");
    assert!(matches!(error, ImageError::Unsigned { .. }), "{error}");
}

#[test]
fn a_signature_is_over_the_bytes_of_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(signed) = sign(folder.path()) else {
        println!("SKIPPED: openssl or osslsigncode is not installed, so no image could be signed");
        return;
    };
    Image::from_bytes("mini.sys", &signed, Signing::Required).expect("it is signed");

    let mut changed = signed;
    changed[0x240] ^= 1;
    fix_checksum(&mut changed);
    for signing in [Signing::Required, Signing::Optional] {
        let error = Image::from_bytes("mini.sys", &changed, signing).expect_err("it was changed");
        assert!(error.to_string().contains("changed after they were signed"), "{error}");
    }
}

/// An image with a signature by a certificate that signed itself.
fn sign(folder: &Path) -> Option<Vec<u8>> {
    fs::write(folder.join("mini.sys"), idle().file()).ok()?;
    let run = |program: &str, arguments: &str| {
        let output = Command::new(program)
            .args(arguments.split(' '))
            .current_dir(folder)
            .output()
            .ok()?;
        assert!(
            output.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Some(())
    };
    run(
        "openssl",
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=mini -addext extendedKeyUsage=codeSigning",
    )?;
    run(
        "osslsigncode",
        "sign -certs cert.pem -key key.pem -h sha256 -in mini.sys -out signed.sys",
    )?;
    fs::read(folder.join("signed.sys")).ok()
}
