//! Reads INF text: sections, entries, quoted strings, comments, continued lines, string tokens.

use std::fmt;

/// An INF, its string tokens replaced.
#[derive(Clone, Debug)]
pub struct Inf {
    /// Sections in the order in which they begin; parts of the same name are one section.
    pub sections: Vec<Section>,
    /// What the string sections define.
    pub strings: Vec<Entry>,
    /// The string tokens that entries use, with their lines.
    pub tokens: Vec<(String, usize)>,
}

/// A section.
#[derive(Clone, Debug)]
pub struct Section {
    /// The name between the brackets.
    pub name: String,
    /// The line of its first heading.
    pub line: usize,
    /// The lines below the heading.
    pub entries: Vec<Entry>,
}

/// A line of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, counted from 1.
    pub line: usize,
    /// What is left of the equals sign; empty where there is none.
    pub key: String,
    /// What is right of it, or the whole line: fields between commas.
    pub values: Vec<String>,
}

/// Text that is not an INF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for ReadError {}

impl Inf {
    /// Reads a whole file.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        let mut raw: Vec<Section> = Vec::new();
        let mut current = None;
        for (line, text) in logical_lines(text)? {
            if let Some(name) = heading(line, &text)? {
                current = Some(open(&mut raw, name, line));
            } else {
                let section = current.and_then(|index: usize| raw.get_mut(index));
                let section = section.ok_or(error(line, "an entry before the first section"))?;
                section.entries.push(entry(line, &text)?);
            }
        }
        Ok(Self::resolve(raw))
    }

    /// The section of a name, in any case of letters.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections
            .iter()
            .find(|section| section.name.eq_ignore_ascii_case(name))
    }

    /// Takes the string sections out and replaces the tokens everywhere else.
    fn resolve(raw: Vec<Section>) -> Self {
        let (strings, mut sections): (Vec<_>, Vec<_>) = raw.into_iter().partition(|section| is_strings(&section.name));
        let strings: Vec<Entry> = strings.into_iter().flat_map(|section| section.entries).collect();
        let mut tokens = Vec::new();
        for entry in sections.iter_mut().flat_map(|section| &mut section.entries) {
            let line = entry.line;
            let fields = std::iter::once(&mut entry.key).chain(&mut entry.values);
            fields.for_each(|field| *field = replace(field, line, &strings, &mut tokens));
        }
        Self {
            sections,
            strings,
            tokens,
        }
    }
}

impl Section {
    /// The entries with a key, in any case of letters.
    pub fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let key = key.to_owned();
        self.entries
            .iter()
            .filter(move |entry| entry.key.eq_ignore_ascii_case(&key))
    }

    /// The first value of a key; nothing where the key is absent or its value empty.
    pub fn value(&self, key: &str) -> Option<&str> {
        let value = self.all(key).find_map(|entry| entry.values.first())?;
        (!value.is_empty()).then_some(value)
    }
}

impl Entry {
    /// A field; empty where the line has fewer.
    pub fn field(&self, index: usize) -> &str {
        self.values.get(index).map_or("", String::as_str)
    }
}

fn error(line: usize, what: &'static str) -> ReadError {
    ReadError { line, what }
}

fn is_strings(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "strings" || name.starts_with("strings.")
}

/// Lines without comments and blanks, continued lines joined; each with the number of its first line.
fn logical_lines(text: &str) -> Result<Vec<(usize, String)>, ReadError> {
    let mut lines = Vec::new();
    let mut begun: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if !line.is_ascii() {
            return Err(error(number, "a character that is not ASCII"));
        }
        let code = without_comment(line)
            .ok_or(error(number, "a quote that is not closed"))?
            .trim();
        let (first, mut joined) = begun.take().unwrap_or((number, String::new()));
        if let Some(part) = code.strip_suffix('\\') {
            joined.push_str(part);
            begun = Some((first, joined));
            continue;
        }
        joined.push_str(code);
        if !joined.trim().is_empty() {
            lines.push((first, joined));
        }
    }
    begun.map_or(Ok(lines), |(line, _)| Err(error(line, "a continued line at the end")))
}

/// The line up to a semicolon outside quotes; nothing where a quote stays open.
fn without_comment(line: &str) -> Option<&str> {
    let mut quoted = false;
    for (index, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ';' if !quoted => return line.get(..index),
            _ => {}
        }
    }
    (!quoted).then_some(line)
}

fn heading(line: usize, text: &str) -> Result<Option<&str>, ReadError> {
    let Some(rest) = text.trim().strip_prefix('[') else {
        return Ok(None);
    };
    let name = rest.strip_suffix(']').map(str::trim);
    let name = name.filter(|name| !name.is_empty() && !name.contains(['[', ']', '"']));
    name.map(Some)
        .ok_or(error(line, "a heading that is not one name in brackets"))
}

/// The index of a section, which begins here unless it has begun before.
fn open(sections: &mut Vec<Section>, name: &str, line: usize) -> usize {
    let known = sections
        .iter()
        .position(|section| section.name.eq_ignore_ascii_case(name));
    known.unwrap_or_else(|| {
        sections.push(Section {
            name: name.to_owned(),
            line,
            entries: Vec::new(),
        });
        sections.len() - 1
    })
}

fn entry(line: usize, text: &str) -> Result<Entry, ReadError> {
    let mut sides = split(text, '=', 2).into_iter();
    let left = sides.next().unwrap_or_default();
    let (key, values) = match sides.next() {
        Some(right) => (unquoted(left), right),
        None => (String::new(), left),
    };
    if key.is_empty() && text.trim_start().starts_with('=') {
        return Err(error(line, "an entry without a key"));
    }
    let values = split(values, ',', usize::MAX).into_iter().map(unquoted).collect();
    Ok(Entry { line, key, values })
}

/// Splits at a separator outside quotes, into at most so many parts.
fn split(text: &str, separator: char, most: usize) -> Vec<&str> {
    let (mut parts, mut quoted, mut begin) = (Vec::new(), false, 0);
    for (index, character) in text.char_indices() {
        if character == '"' {
            quoted = !quoted;
        }
        if character == separator && !quoted && parts.len() + 1 < most {
            parts.push(&text[begin..index]);
            begin = index + 1;
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// A field without its quotes; a doubled quote inside stands for one.
fn unquoted(field: &str) -> String {
    let field = field.trim();
    let inner = field.strip_prefix('"').and_then(|field| field.strip_suffix('"'));
    inner.map_or_else(|| field.to_owned(), |inner| inner.replace("\"\"", "\""))
}

/// A field with its string tokens replaced. Numbers between percent signs are directory ids and stay; so does a token that nothing defines.
fn replace(field: &str, line: usize, strings: &[Entry], tokens: &mut Vec<(String, usize)>) -> String {
    let mut result = String::new();
    let mut parts = field.split('%');
    result.push_str(parts.next().unwrap_or_default());
    while let Some(token) = parts.next() {
        let Some(after) = parts.next() else {
            result.push('%');
            result.push_str(token);
            break;
        };
        if token.is_empty() {
            result.push('%');
        } else if token.bytes().all(|byte| byte.is_ascii_digit()) {
            result.push_str(&format!("%{token}%"));
        } else {
            tokens.push((token.to_owned(), line));
            let defined = strings.iter().find(|entry| entry.key.eq_ignore_ascii_case(token));
            result.push_str(&defined.map_or_else(|| format!("%{token}%"), |entry| entry.field(0).to_owned()));
        }
        result.push_str(after);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        let inf = Inf::read(&format!("[A]\n{text}\n[Strings]\nToken = \"one, two\"\n")).expect("an INF");
        inf.sections[0].entries[0].values.clone()
    }

    #[test]
    fn commas_and_semicolons_in_quotes_belong_to_the_field() {
        assert_eq!(
            values("HKR,, Security,, \"D:P(A;;GA;;;SY)\" ; comment"),
            ["HKR", "", "Security", "", "D:P(A;;GA;;;SY)"]
        );
        assert_eq!(values("\"a, b\", \"say \"\"no\"\"\""), ["a, b", "say \"no\""]);
    }

    #[test]
    fn tokens_are_replaced_and_directory_ids_are_not() {
        assert_eq!(
            values("%token%, %13%\\x.sys, 100%%, %unknown%"),
            ["one, two", "%13%\\x.sys", "100%", "%unknown%"]
        );
    }

    #[test]
    fn a_line_goes_on_after_a_backslash() {
        assert_eq!(values("a, \\ ; the rest follows\n  b"), ["a", "b"]);
    }

    #[test]
    fn parts_of_a_section_are_one_whatever_the_case() {
        let inf = Inf::read("[One]\na = 1\n[Two]\n[ONE]\nb = 2, 3\n").expect("an INF");
        assert_eq!(inf.sections.len(), 2);
        let one = inf.section("one").expect("the section");
        assert_eq!((one.line, one.value("B")), (1, Some("2")));
    }

    #[test]
    fn what_is_no_inf_is_refused_with_its_line() {
        for (text, line) in [
            ("a = 1\n", 1),
            ("[A]\nb = \"c\n", 2),
            ("[A\n", 1),
            ("[A]\n[]\n", 2),
            ("[A]\n= 1\n", 2),
            ("[A]\nb = 1, \\\n", 2),
            ("[A]\n; \u{e4}\n", 2),
        ] {
            assert_eq!(Inf::read(text).expect_err(text).line, line, "{text:?}");
        }
    }
}
