//! Signs an image with a test certificate that is made for this one signature.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// The certificate: self-signed, for code only.
const REQUEST: &str = "\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = Hawser test signing
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
subjectKeyIdentifier = hash
";

/// What became of the signature.
pub enum Signing {
    /// The image is signed, and the signature has been verified with this certificate.
    Verified(PathBuf),
    /// This program, which it takes, is not there.
    Without(&'static str),
}

impl fmt::Display for Signing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified(certificate) => {
                let name = certificate.file_name().unwrap_or_default().to_string_lossy();
                write!(
                    out,
                    "signed with a test certificate made for it ({name}, its key is gone), signature verified"
                )
            }
            Self::Without(program) => {
                write!(
                    out,
                    "NOT SIGNED: {program} is not installed; Windows loads no image without a signature"
                )
            }
        }
    }
}

/// Signs an image, if that can be done here, and puts the certificate beside it.
pub fn sign(shell: &Shell, image: &Path) -> Result<Signing> {
    for (program, question) in [("osslsigncode", "--version"), ("openssl", "version")] {
        if cmd!(shell, "{program} {question}")
            .quiet()
            .ignore_stdout()
            .ignore_stderr()
            .run()
            .is_err()
        {
            return Ok(Signing::Without(program));
        }
    }
    let secrets = tempfile::tempdir().context("no place for the key")?;
    let identity = Identity::make(shell, secrets.path())?;
    let signed = secrets.path().join("signed.sys");
    identity.sign(shell, image, &signed)?;
    identity.verify(shell, &signed)?;
    shell.copy_file(&signed, image)?;
    let (certificate, exported) = (&identity.certificate, image.with_extension("cer"));
    cmd!(shell, "openssl x509 -in {certificate} -outform DER -out {exported}")
        .quiet()
        .run()?;
    Ok(Signing::Verified(exported))
}

/// A key and its certificate.
struct Identity {
    key: PathBuf,
    certificate: PathBuf,
}

impl Identity {
    fn make(shell: &Shell, folder: &Path) -> Result<Self> {
        let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
        let request = folder.join("request.cnf");
        shell.write_file(&request, REQUEST)?;
        cmd!(
            shell,
            "openssl req -x509 -newkey rsa:3072 -sha256 -nodes -days 365 -config {request} -keyout {key} -out {certificate}"
        )
        .quiet()
        .ignore_stderr()
        .run()
        .context("the test certificate could not be made")?;
        Ok(Self { key, certificate })
    }

    /// Signs with hashes of pages, which an image with forced integrity is checked by when it is paged in.
    fn sign(&self, shell: &Shell, image: &Path, signed: &Path) -> Result<()> {
        let Self { key, certificate } = self;
        cmd!(
            shell,
            "osslsigncode sign -certs {certificate} -key {key} -h sha256 -ph -n Hawser -in {image} -out {signed}"
        )
        .quiet()
        .ignore_stdout()
        .run()
        .context("the image could not be signed")
    }

    fn verify(&self, shell: &Shell, image: &Path) -> Result<()> {
        let certificate = &self.certificate;
        cmd!(shell, "osslsigncode verify -CAfile {certificate} -in {image}")
            .quiet()
            .ignore_stdout()
            .run()
            .context("the signature does not verify")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image to sign: the driver's, where it has been built.
    fn image(folder: &Path) -> Option<PathBuf> {
        let built = crate::root().join("target/hawser/x64/release/hawser.sys");
        let copy = folder.join("hawser.sys");
        std::fs::copy(built, &copy).ok().map(|_| copy)
    }

    #[test]
    fn a_tampered_image_fails() {
        let shell = Shell::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let Some(image) = image(folder.path()) else {
            return eprintln!("SKIPPED: no image to sign; `cargo xtask sys` makes one");
        };
        if let Signing::Without(program) = sign(&shell, &image).unwrap() {
            return eprintln!("SKIPPED: {program} is not installed");
        }
        let identity = Identity::make(&shell, folder.path()).unwrap();
        let signed = folder.path().join("signed.sys");
        identity.sign(&shell, &image, &signed).unwrap();
        identity.verify(&shell, &signed).unwrap();
        let mut bytes = std::fs::read(&signed).unwrap();
        bytes[0x1000] ^= 1;
        std::fs::write(&signed, bytes).unwrap();
        assert!(identity.verify(&shell, &signed).is_err());
    }
}
