//! Whether the digest that was signed is that of these bytes. The signature over the digest is not computed, and who signed is not looked at: that is a matter of the certificates that a machine
//! trusts, and of Windows.

use super::{ImageError, Signing};
use authenticode::{AttributeCertificateIterator, AuthenticodeSignature, authenticode_digest};
use object::read::pe::PeFile64;
use sha2::{Digest as _, Sha256};

/// Checks the signatures of an image, of which there must be one if `signing` says so.
pub(super) fn check(file: &str, bytes: &[u8], signing: Signing) -> Result<(), ImageError> {
    let failed = |reason: String| ImageError::Signature {
        file: file.to_owned(),
        reason,
    };
    let image = PeFile64::parse(bytes).map_err(|error| failed(error.to_string()))?;
    let signatures = signatures(&image).map_err(failed)?;
    if signatures.is_empty() && signing == Signing::Required {
        return Err(ImageError::Unsigned { file: file.to_owned() });
    }
    if signatures.is_empty() {
        return Ok(());
    }
    let mut digest = Sha256::new();
    authenticode_digest(&image, &mut digest).map_err(|error| failed(error.to_string()))?;
    let digest = digest.finalize();
    if signatures
        .iter()
        .all(|signature| signature.digest() == digest.as_slice())
    {
        return Ok(());
    }
    Err(failed(
        "the bytes were changed after they were signed, or the hash is not SHA-256".to_owned(),
    ))
}

fn signatures(image: &PeFile64<'_>) -> Result<Vec<AuthenticodeSignature>, String> {
    let Some(certificates) = AttributeCertificateIterator::new(image).map_err(|error| error.to_string())? else {
        return Ok(Vec::new());
    };
    certificates
        .map(|certificate| {
            let certificate = certificate.map_err(|error| error.to_string())?;
            certificate
                .get_authenticode_signature()
                .map_err(|error| error.to_string())
        })
        .collect()
}
