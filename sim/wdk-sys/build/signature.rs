//! Splits the text of a Rust function type into parameters and return type.

/// A function signature; parameters keep their `name: type` text.
pub struct Signature<'a> {
    pub parameters: Vec<(&'a str, &'a str)>,
    pub returns: &'a str,
    pub variadic: bool,
}

impl<'a> Signature<'a> {
    /// Reads `fn(A: T, B: U) -> R`, or the same inside `Option<unsafe extern "C" ..>`.
    pub fn parse(text: &'a str) -> Self {
        let text = text
            .strip_prefix("Option<")
            .map_or(text, |inner| inner.strip_suffix('>').expect("Option is closed"));
        let start = text.find("fn(").expect("a function type") + 3;
        let end = start + closing(&text[start..]);
        let returns = text[end + 1..].trim().strip_prefix("->").map_or("()", str::trim);
        let mut parameters: Vec<_> = split(&text[start..end]);
        let variadic = parameters.last() == Some(&"...");
        if variadic {
            parameters.pop();
        }
        Self {
            parameters: parameters.into_iter().map(named).collect(),
            returns,
            variadic,
        }
    }

    /// `A: T, B: U`
    pub fn declaration(&self) -> String {
        let all: Vec<_> = self
            .parameters
            .iter()
            .map(|(name, of)| format!("{name}: {of}"))
            .collect();
        all.join(", ")
    }
}

fn named(parameter: &str) -> (&str, &str) {
    let (name, of) = parameter
        .split_once(':')
        .unwrap_or_else(|| panic!("unnamed parameter: {parameter}"));
    (name.trim(), of.trim())
}

/// The index of the parenthesis that closes the list which `text` starts in.
fn closing(text: &str) -> usize {
    let mut depth = 0usize;
    let found = text.char_indices().find(|(_, c)| match c {
        ')' if depth == 0 => true,
        ')' => {
            depth -= 1;
            false
        }
        '(' => {
            depth += 1;
            false
        }
        _ => false,
    });
    found.expect("the parameter list is closed").0
}

/// Splits at the commas that are not inside brackets of any kind.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0i32;
    let parts = text.split(|c| {
        match c {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' | '>' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}
