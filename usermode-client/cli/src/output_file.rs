//! Files that the command writes in the place of others: a file is whole, as it was before or as it is afterwards.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::failure::Failure;

/// Writes a file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = match fs::metadata(path) {
        Ok(found) if found.is_file() => replace(&fs::canonicalize(path).unwrap_or(path.into()), bytes),
        // What is no file, like a device or a pipe, has nothing that could be lost.
        Ok(_) => fs::write(path, bytes),
        Err(_) => replace(path, bytes),
    };
    written.map_err(|cause| unwritable(path, cause))
}

/// Refuses to write to the file that is read.
pub fn check_other(input: &Path, output: &Path) -> Result<(), Failure> {
    let place = |path: &Path| fs::canonicalize(path).ok();
    match (place(input), place(output)) {
        (Some(from), Some(to)) if from == to && from.is_file() => {
            let cause = io::Error::new(io::ErrorKind::InvalidInput, "it is the program that is read");
            Err(unwritable(output, cause))
        }
        _ => Ok(()),
    }
}

/// Puts a whole file in the place of another, or of none.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // Before a file is made there, whose name would be told.
    fs::metadata(directory)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hawser-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(directory).map_err(|error| error.kind())?;
    file.write_all(bytes)?;
    if let Ok(before) = fs::metadata(path) {
        fs::set_permissions(file.path(), before.permissions())?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn unwritable(path: &Path, cause: io::Error) -> Failure {
    Failure::Unwritable {
        path: path.into(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_alone_in_its_folder() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.hws");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_its_permissions_and_the_links_to_it() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let [path, link] = ["p.hws", "link.hws"].map(|name| directory.path().join(name));
        fs::write(&path, "first").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        symlink("p.hws", &link).unwrap();
        let before = fs::metadata(&path).unwrap().ino();
        write(&link, b"second").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"second");
        let after = fs::metadata(&path).unwrap();
        assert_eq!(after.mode() & 0o777, 0o640);
        assert_ne!(after.ino(), before, "the file of before was never half written");
    }
}
