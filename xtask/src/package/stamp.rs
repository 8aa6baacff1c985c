//! Makes the INF of a package from its source, as `stampinf` does on Windows.

use anyhow::{Result, bail};

/// The framework's version, which the entry stub binds to.
pub const KMDF: &str = "1.31";
const CATALOG: &str = "hawser.cat";

/// What is written into an INF.
pub struct Stamp {
    /// Architecture, as models sections name it.
    pub architecture: &'static str,
    /// Date of the driver, month first.
    pub date: String,
    /// Version of the driver, in four parts.
    pub version: String,
}

impl Stamp {
    /// The value of `DriverVer`.
    pub fn driver_version(&self) -> String {
        format!("{},{}", self.date, self.version)
    }

    /// The INF for a source; fails where it leaves something to be stamped that is not known here.
    pub fn apply(&self, source: &str) -> Result<String> {
        let directives = [
            ("DriverVer", self.driver_version()),
            ("CatalogFile", CATALOG.to_owned()),
        ];
        let mut lines: Vec<_> = source.lines().map(str::to_owned).collect();
        for (name, value) in &directives {
            let Some(line) = lines.iter_mut().find(|line| is_directive(line, name)) else {
                bail!("no line sets {name}")
            };
            *line = set(line, value);
        }
        let inf = lines.join("\r\n") + "\r\n";
        let inf = inf.replace("$ARCH$", self.architecture).replace("$KMDFVERSION$", KMDF);
        match variable(&inf) {
            Some(unknown) => bail!("{unknown} is left over, and what it stands for is not known"),
            None => Ok(inf),
        }
    }
}

fn is_directive(line: &str, name: &str) -> bool {
    let key = line.split_once('=').map(|(key, _)| key.trim());
    key.is_some_and(|key| key.eq_ignore_ascii_case(name))
}

/// The line with another value.
fn set(line: &str, value: &str) -> String {
    let key = line.split_once('=').map_or(line, |(key, _)| key);
    format!("{key}= {value}")
}

/// The first `$NAME$` outside of comments.
fn variable(inf: &str) -> Option<String> {
    let code = inf.lines().map(|line| line.split(';').next().unwrap_or_default());
    code.flat_map(|line| line.split('$').skip(1).step_by(2))
        .find(|name| !name.is_empty() && name.chars().all(|letter| letter.is_ascii_uppercase()))
        .map(|name| format!("${name}$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "[Version]\nSignature = \"$WINDOWS NT$\"\nCatalogFile = x.cat\nDriverVer   =\n\
                          [Manufacturer]\n%M% = Models, NT$ARCH$.10.0...19041\n[Wdf]\nKmdfLibraryVersion = $KMDFVERSION$\n";

    fn stamp() -> Stamp {
        Stamp {
            architecture: "arm64",
            date: "11/28/2026".to_owned(),
            version: "0.1.0.0".to_owned(),
        }
    }

    #[test]
    fn everything_is_stamped() {
        let inf = stamp().apply(SOURCE).unwrap();
        let lines: Vec<_> = inf.split("\r\n").collect();
        assert_eq!(lines[1], "Signature = \"$WINDOWS NT$\"");
        assert_eq!(lines[2], "CatalogFile = hawser.cat");
        assert_eq!(lines[3], "DriverVer   = 11/28/2026,0.1.0.0");
        assert_eq!(lines[5], "%M% = Models, NTarm64.10.0...19041");
        assert_eq!(lines[7], "KmdfLibraryVersion = 1.31");
    }

    #[test]
    fn what_cannot_be_stamped_is_refused() {
        let missing = SOURCE.replace("DriverVer", "DriverDate");
        assert!(stamp().apply(&missing).unwrap_err().to_string().contains("DriverVer"));
        let unknown = format!("{SOURCE}Other = $UMDFVERSION$\n");
        assert!(
            stamp()
                .apply(&unknown)
                .unwrap_err()
                .to_string()
                .contains("$UMDFVERSION$")
        );
        let commented = format!("{SOURCE}; no $UMDFVERSION$ here\n");
        assert!(stamp().apply(&commented).is_ok());
    }
}
