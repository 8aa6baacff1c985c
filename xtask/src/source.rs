//! Reads structures, enumerations and documentation from the source of the `abi` crate, so that what is generated cannot differ from it.

use anyhow::{Context, Result, bail};
use syn::{Expr, Fields, Item, ItemStruct, Lit, Meta, Type};
use xshell::Shell;

/// A structure of the `abi` crate.
pub struct Structure {
    /// Its Rust name.
    pub name: String,
    /// Its documentation.
    pub doc: String,
    /// Its fields in order.
    pub fields: Vec<Field>,
}

/// A field of a structure.
pub struct Field {
    /// Its name, without the underscore that sets it apart from a Rust keyword.
    pub name: String,
    /// Its documentation.
    pub doc: String,
    /// Element type.
    pub base: String,
    /// Length, for an array.
    pub array: Option<usize>,
}

/// Structures with a C layout that a source file of the `abi` crate defines.
pub fn structures_of(shell: &Shell, source: &str) -> Result<Vec<Structure>> {
    let file = syn::parse_file(&shell.read_file(source)?).with_context(|| format!("{source} does not parse"))?;
    file.items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(structure) => Some(structure),
            _ => None,
        })
        .map(read_structure)
        .collect()
}

/// A variant of an enumeration whose values the contract states.
pub struct Variant {
    /// Its Rust name.
    pub name: String,
    /// Its documentation.
    pub doc: String,
    /// Its value.
    pub value: u32,
}

/// The variants of an enumeration that a source file of the `abi` crate defines.
pub fn variants_of(shell: &Shell, source: &str, name: &str) -> Result<Vec<Variant>> {
    let file = syn::parse_file(&shell.read_file(source)?).with_context(|| format!("{source} does not parse"))?;
    let found = file.items.into_iter().find_map(|item| match item {
        Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    let found = found.with_context(|| format!("no enumeration {name} in {source}"))?;
    found.variants.iter().map(read_variant).collect()
}

fn read_variant(variant: &syn::Variant) -> Result<Variant> {
    let Some((_, Expr::Lit(literal))) = &variant.discriminant else {
        bail!("{} has no stated value", variant.ident)
    };
    let Lit::Int(value) = &literal.lit else {
        bail!("the value of {} is no integer", variant.ident)
    };
    Ok(Variant {
        name: variant.ident.to_string(),
        doc: doc(&variant.attrs),
        value: value.base10_parse()?,
    })
}

fn read_structure(item: &ItemStruct) -> Result<Structure> {
    let Fields::Named(named) = &item.fields else {
        bail!("{} has no named fields", item.ident)
    };
    let mut fields = Vec::new();
    for field in &named.named {
        let name = field.ident.as_ref().context("a field has no name")?.to_string();
        let (base, array) = read_type(&field.ty)?;
        fields.push(Field {
            name: name.trim_end_matches('_').to_owned(),
            doc: doc(&field.attrs),
            base,
            array,
        });
    }
    Ok(Structure {
        name: item.ident.to_string(),
        doc: doc(&item.attrs),
        fields,
    })
}

fn read_type(ty: &Type) -> Result<(String, Option<usize>)> {
    match ty {
        Type::Path(path) => Ok((path.path.segments.last().context("empty type")?.ident.to_string(), None)),
        Type::Array(array) => {
            let (base, None) = read_type(&array.elem)? else {
                bail!("nested arrays are not part of the contract")
            };
            let Expr::Lit(length) = &array.len else {
                bail!("array lengths of the contract are literals")
            };
            let Lit::Int(length) = &length.lit else {
                bail!("array lengths of the contract are integers")
            };
            Ok((base, Some(length.base10_parse()?)))
        }
        _ => bail!("a type that the contract does not use"),
    }
}

/// The documentation comment, as one line without the brackets of intra-documentation links.
pub fn doc(attributes: &[syn::Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    without_links(&lines.collect::<Vec<_>>().join(" "))
}

/// `[name](target)` and `[name]` become `name`.
fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        out.push_str(before);
        let Some((name, tail)) = after.split_once("`]") else {
            break;
        };
        out.push('`');
        out.push_str(name);
        out.push('`');
        rest = tail
            .strip_prefix('(')
            .and_then(|tail| tail.split_once(')'))
            .map_or(tail, |(_, tail)| tail);
    }
    out.push_str(rest);
    out
}

/// Bytes of a field; the contract has no padding, so offsets are sums of sizes.
pub fn size_of_field(structures: &[Structure], field: &Field) -> Result<usize> {
    let base = match field.base.as_str() {
        "u8" | "i8" => 1,
        "u16" | "i16" => 2,
        "u32" | "i32" => 4,
        "u64" | "i64" => 8,
        other => {
            let inner = structures
                .iter()
                .find(|s| s.name == other)
                .with_context(|| format!("{other} is not known"))?;
            inner
                .fields
                .iter()
                .map(|field| size_of_field(structures, field))
                .sum::<Result<usize>>()?
        }
    };
    Ok(base * field.array.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_names() {
        assert_eq!(
            without_links("an [`Opcode`](crate::op::Opcode), or [`MAGIC`]."),
            "an `Opcode`, or `MAGIC`."
        );
    }

    #[test]
    fn a_variant_needs_a_value() -> Result<()> {
        let stated = read_variant(&syn::parse_str("/// The first.\nFirst = 7")?)?;
        assert_eq!(
            (stated.name.as_str(), stated.doc.as_str(), stated.value),
            ("First", "The first.", 7)
        );
        assert!(read_variant(&syn::parse_str("First")?).is_err());
        Ok(())
    }
}
