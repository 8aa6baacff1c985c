//! Tables of what the simulator implements and which rules it has, read from the macros of its source that define both.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Ident, Item, ItemFn, LitInt, LitStr, Token, Visibility};
use xshell::Shell;

use crate::source::doc;

const SOURCE: &str = "sim/ntsim/src";
const KERNEL: &str = "ntoskrnl.exe";

const RECORDINGS: &str = "sim/ntsim/data/kmdf-observed";
/// Areas of the recorded scenarios, by the first letter of their names.
const AREAS: [(char, &str); 7] = [
    ('A', "DMA"),
    ('B', "requests and queues"),
    ('C', "cancel, file cleanup"),
    ('D', "PnP and power"),
    ('E', "interrupts"),
    ('F', "objects, locks, timers"),
    ('G', "unload"),
];

/// A function that drivers or the framework can call.
struct Function {
    name: String,
    doc: String,
    irql: String,
    /// The image that exports it, for a kernel function.
    image: String,
}

/// A rule of the verifier.
pub struct Rule {
    /// The name of its constant.
    pub constant: String,
    /// The name that reports use.
    pub id: String,
    /// The bug check that stands for it.
    pub code: u64,
    /// Its first parameter.
    pub p1: u64,
    /// What is wrong.
    pub doc: String,
}

/// A source file that was parsed.
struct Source {
    /// The folder below `SOURCE`.
    folder: String,
    stem: String,
    /// The first sentence of its documentation.
    about: String,
    file: syn::File,
}

/// The kernel functions that drivers can import, by part of the kernel.
pub fn kernel_functions(shell: &Shell) -> Result<String> {
    let sources = sources(shell)?;
    let parts = by_folder(&sources, "nt_exports", exports)?;
    let mut out = String::new();
    for (folder, functions) in &parts {
        let about = sources
            .iter()
            .find(|source| source.folder == *folder && source.stem == "mod");
        let about = about.map_or("", |source| source.about.as_str());
        writeln!(out, "\n**`{SOURCE}/{folder}`** — {about}\n")?;
        out.push_str(&function_table(functions)?);
    }
    Ok(out)
}

/// The framework functions of the function table.
pub fn framework_functions(shell: &Shell) -> Result<String> {
    let parts = by_folder(&sources(shell)?, "wdf_exports", |tokens: ParseStream| {
        tokens.parse::<Visibility>()?;
        tokens.parse::<Token![const]>()?;
        tokens.parse::<Ident>()?;
        tokens.parse::<Token![;]>()?;
        functions(tokens, "")
    })?;
    function_table(&parts.into_values().flatten().collect::<Vec<_>>())
}

/// The members of `DMA_OPERATIONS` that do something.
pub fn dma_operations(shell: &Shell) -> Result<String> {
    let parts = by_folder(&sources(shell)?, "dma_operations", |tokens: ParseStream| {
        functions(tokens, "")
    })?;
    function_table(&parts.into_values().flatten().collect::<Vec<_>>())
}

/// The rules of the verifier, one table for each area.
pub fn rules(shell: &Shell) -> Result<String> {
    let mut out = String::new();
    for (about, rules) in rules_by_area(shell)? {
        writeln!(out, "\n{about}\n")?;
        out.push_str("| rule | bug check | what is wrong |\n|---|---|---|\n");
        for rule in rules {
            writeln!(
                out,
                "| `{}` | 0x{:X} / 0x{:X} | {} |",
                rule.id, rule.code, rule.p1, rule.doc
            )?;
        }
    }
    Ok(out)
}

/// How many recorded scenarios there are, and how many of them are replayed.
pub fn scenarios(shell: &Shell) -> Result<String> {
    let names = |files: &[PathBuf]| {
        let stems = files
            .iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "json"));
        stems
            .filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned()))
            .collect::<Vec<_>>()
    };
    let recorded = names(&shell.read_dir(RECORDINGS)?);
    let listed = shell.read_file(format!("{RECORDINGS}/not-covered.md"))?;
    let left_out = listed.lines().filter(|line| line.starts_with("- `")).count();
    let mut out = String::from("| area | scenarios |\n|---|---|\n");
    for (letter, area) in AREAS {
        let count = recorded.iter().filter(|name| name.starts_with(letter)).count();
        writeln!(out, "| {area} | {count} |")?;
    }
    writeln!(
        out,
        "| all | {}, of which {} are replayed |",
        recorded.len(),
        recorded.len() - left_out
    )?;
    Ok(out)
}

/// The rules, with what each area is about.
pub fn rules_by_area(shell: &Shell) -> Result<Vec<(String, Vec<Rule>)>> {
    let mut out = Vec::new();
    for source in sources(shell)? {
        let rules = in_macros(&source, "rules", rules_of)?;
        if !rules.is_empty() {
            out.push((source.about, rules));
        }
    }
    Ok(out)
}

fn function_table(functions: &[Function]) -> Result<String> {
    let mut rows: Vec<_> = functions.iter().collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = String::from("| function | IRQL | what it does |\n|---|---|---|\n");
    for function in rows {
        let image = match function.image.as_str() {
            "" | KERNEL => String::new(),
            image => format!(" ({image})"),
        };
        writeln!(
            out,
            "| `{}`{image} | {} | {} |",
            function.name, function.irql, function.doc
        )?;
    }
    Ok(out)
}

/// What `parse` finds in the uses of a macro, by the folder of the file.
fn by_folder<T>(
    sources: &[Source],
    name: &str,
    parse: impl Fn(ParseStream) -> syn::Result<Vec<T>> + Copy,
) -> Result<BTreeMap<String, Vec<T>>> {
    let mut out = BTreeMap::<String, Vec<T>>::new();
    for source in sources {
        let found = in_macros(source, name, parse)?;
        if !found.is_empty() {
            out.entry(source.folder.clone()).or_default().extend(found);
        }
    }
    Ok(out)
}

fn in_macros<T>(
    source: &Source,
    name: &str,
    parse: impl Fn(ParseStream) -> syn::Result<Vec<T>> + Copy,
) -> Result<Vec<T>> {
    let mut out = Vec::new();
    for item in &source.file.items {
        let Item::Macro(item) = item else { continue };
        if item
            .mac
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == name)
        {
            let found = parse.parse2(item.mac.tokens.clone());
            out.extend(found.with_context(|| format!("{name}! in {}/{}.rs", source.folder, source.stem))?);
        }
    }
    Ok(out)
}

/// `pub const LIST = "image", unchecked;` and functions.
fn exports(tokens: ParseStream) -> syn::Result<Vec<Function>> {
    tokens.parse::<Visibility>()?;
    tokens.parse::<Token![const]>()?;
    tokens.parse::<Ident>()?;
    tokens.parse::<Token![=]>()?;
    let image = tokens.parse::<LitStr>()?.value();
    if tokens.parse::<Option<Token![,]>>()?.is_some() {
        tokens.parse::<Ident>()?;
    }
    tokens.parse::<Token![;]>()?;
    functions(tokens, &image)
}

fn functions(tokens: ParseStream, image: &str) -> syn::Result<Vec<Function>> {
    let mut out = Vec::new();
    while !tokens.is_empty() {
        let function = tokens.parse::<ItemFn>()?;
        out.push(Function {
            name: function.sig.ident.to_string(),
            doc: first_sentence(&doc(&function.attrs)),
            irql: irql(&function.attrs)?,
            image: image.to_owned(),
        });
    }
    Ok(out)
}

/// The levels of an `#[irql(..)]` attribute, in words.
fn irql(attributes: &[syn::Attribute]) -> syn::Result<String> {
    let Some(attribute) = attributes.iter().find(|attribute| attribute.path().is_ident("irql")) else {
        return Ok(String::new());
    };
    let tokens = attribute.meta.require_list()?.tokens.to_string();
    let level = |text: &str| text.trim().trim_end_matches("_LEVEL").to_owned();
    Ok(match tokens.split_once("..") {
        None if tokens == "any" => tokens,
        None => level(&tokens),
        Some((minimum, maximum)) => match (level(minimum), level(maximum.trim_start_matches('='))) {
            (minimum, maximum) if minimum.is_empty() => format!("≤ {maximum}"),
            (minimum, maximum) if maximum.is_empty() => format!("≥ {minimum}"),
            (minimum, maximum) => format!("{minimum} to {maximum}"),
        },
    })
}

/// `NAME = "id", code, p1;` with documentation, any number of times.
fn rules_of(tokens: ParseStream) -> syn::Result<Vec<Rule>> {
    let mut out = Vec::new();
    while !tokens.is_empty() {
        let doc = doc(&tokens.call(syn::Attribute::parse_outer)?);
        let constant = tokens.parse::<Ident>()?.to_string();
        tokens.parse::<Token![=]>()?;
        let id = tokens.parse::<LitStr>()?.value();
        tokens.parse::<Token![,]>()?;
        let code = number(tokens)?;
        tokens.parse::<Token![,]>()?;
        let p1 = number(tokens)?;
        tokens.parse::<Token![;]>()?;
        out.push(Rule {
            constant,
            id,
            code,
            p1,
            doc,
        });
    }
    Ok(out)
}

fn number(tokens: ParseStream) -> syn::Result<u64> {
    LitInt::parse(tokens)?.base10_parse()
}

fn first_sentence(text: &str) -> String {
    text.split_once(". ")
        .map_or_else(|| text.to_owned(), |(first, _)| format!("{first}."))
}

/// Every file of the simulator, in the order of their paths.
fn sources(shell: &Shell) -> Result<Vec<Source>> {
    let mut paths = Vec::new();
    collect(shell, &shell.current_dir().join(SOURCE), &mut paths)?;
    paths.sort();
    paths.iter().map(|path| read(shell, path)).collect()
}

fn collect(shell: &Shell, folder: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    for path in shell.read_dir(folder)? {
        if path.is_dir() {
            collect(shell, &path, out)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
    Ok(())
}

fn read(shell: &Shell, path: &Path) -> Result<Source> {
    let file =
        syn::parse_file(&shell.read_file(path)?).with_context(|| format!("{} does not parse", path.display()))?;
    let root = shell.current_dir().join(SOURCE);
    let folder = path
        .parent()
        .and_then(|folder| folder.strip_prefix(&root).ok())
        .unwrap_or(Path::new(""));
    Ok(Source {
        folder: folder.to_string_lossy().replace('\\', "/"),
        stem: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        about: first_sentence(&doc(&file.attrs)),
        file,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_read_with_their_irql() -> Result<()> {
        let tokens = "pub const EXPORTS = \"HAL.dll\", unchecked;
            /// Does this. And that.
            #[irql(APC_LEVEL ..= DISPATCH_LEVEL)]
            #[trace(\"{a}\")]
            fn KeThis(a: ULONG) -> NTSTATUS { 0 }
            /// Does more.
            #[irql(any)]
            fn KeMore() {}";
        let found = exports.parse_str(tokens)?;
        let table = function_table(&found)?;
        assert!(
            table.contains("| `KeThis` (HAL.dll) | APC to DISPATCH | Does this. |"),
            "{table}"
        );
        assert!(table.contains("| `KeMore` (HAL.dll) | any | Does more. |"), "{table}");
        Ok(())
    }

    #[test]
    fn every_form_of_a_level_is_told_apart() -> Result<()> {
        for (form, words) in [
            ("..= DISPATCH_LEVEL", "≤ DISPATCH"),
            ("PASSIVE_LEVEL", "PASSIVE"),
            ("DISPATCH_LEVEL ..", "≥ DISPATCH"),
        ] {
            let attributes = syn::Attribute::parse_outer.parse_str(&format!("#[irql({form})]"))?;
            assert_eq!(irql(&attributes)?, words);
        }
        Ok(())
    }

    #[test]
    fn rules_are_read() -> Result<()> {
        let found = rules_of.parse_str("/// Wrong.\nTHIS = \"this-rule\", 0xE6, 0x26;")?;
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].id.as_str(), found[0].code, found[0].p1, found[0].doc.as_str()),
            ("this-rule", 0xE6, 0x26, "Wrong.")
        );
        assert!(rules_of.parse_str("THIS = \"this-rule\", 0xE6;").is_err());
        Ok(())
    }
}
