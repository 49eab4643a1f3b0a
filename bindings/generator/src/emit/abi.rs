// SPDX-License-Identifier: GPL-2.0

//! The proof that Rust and C agree on shared structures and constants.
//!
//! bindgen's output is reduced to the structures under contract and the structures that they
//! contain by value; cbindgen writes these as C again, under other names, and static assertions
//! compare them with the headers. A mismatch does not compile.

use crate::plan::Module;
use crate::plan::Shared;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write;
use syn::visit_mut::VisitMut;

/// The prefix of every name from Rust's side.
const PREFIX: &str = "rust_";

/// Rust's `repr(align(n))` and `repr(packed)` in C, and the types of stdint.h, which not every header has.
const DEFINITIONS: &str = "\
#define rust_aligned(n) __attribute__((__aligned__(n)))
#define rust_packed __attribute__((__packed__))
#define uintptr_t unsigned long
#define intptr_t long
#define uint64_t unsigned long long
#define int64_t long long
#define uint32_t unsigned int
#define int32_t int
#define uint16_t unsigned short
#define int16_t short
#define uint8_t unsigned char
#define int8_t signed char
#define bool _Bool";

/// Static assertions that `bindings`, bindgen's output, and the headers agree.
pub fn write(module: &Module, bindings: &str) -> Result<String, String> {
    let file =
        syn::parse_file(bindings).map_err(|error| format!("the bindings are not Rust: {error}"))?;
    let items = Items::of(&file);
    let structs = structures(&module.shared, &items);
    let constants = constants(&module.shared, &items);
    if structs.is_empty() && constants.is_empty() {
        return Ok("/* Rust has only pointers to the structures of this API. */\n".into());
    }
    let header = through_cbindgen(&items, &structs, &constants)?;
    let mut text = String::from("// SPDX-License-Identifier: GPL-2.0\n");
    text.push_str(
        "/* Written by hmm-bindgen: the layout of shared structures in Rust; do not edit. */\n\n",
    );
    for include in &module.includes {
        let _ = writeln!(text, "#include <{include}>");
    }
    let _ = writeln!(text, "\n{}", header.trim());
    for name in &structs {
        text.push_str(&layout(name, &items));
    }
    text.push('\n');
    for constant in &constants {
        let c = &constant.c;
        let message = format!("the value of {c}");
        let _ = writeln!(
            text,
            "_Static_assert((unsigned long long)({c}) == {PREFIX}{}, \"{message}\");",
            constant.rust
        );
    }
    Ok(text)
}

/// The items of the bindings, by name.
struct Items<'a> {
    structs: BTreeMap<String, &'a syn::ItemStruct>,
    unions: BTreeMap<String, &'a syn::ItemUnion>,
    aliases: BTreeMap<String, &'a syn::ItemType>,
    constants: BTreeMap<String, u64>,
}

impl<'a> Items<'a> {
    fn of(file: &'a syn::File) -> Self {
        let mut items = Items {
            structs: BTreeMap::new(),
            unions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            constants: BTreeMap::new(),
        };
        for item in &file.items {
            match item {
                syn::Item::Struct(item) => drop(items.structs.insert(item.ident.to_string(), item)),
                syn::Item::Union(item) => drop(items.unions.insert(item.ident.to_string(), item)),
                syn::Item::Type(item) => drop(items.aliases.insert(item.ident.to_string(), item)),
                syn::Item::Const(item) => {
                    if let Some(value) = number(&item.expr) {
                        items.constants.insert(item.ident.to_string(), value);
                    }
                }
                _ => {}
            }
        }
        items
    }
}

fn number(expr: &syn::Expr) -> Option<u64> {
    match expr {
        syn::Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Int(int) => int.base10_parse().ok(),
            _ => None,
        },
        syn::Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
            number(&unary.expr).map(u64::wrapping_neg)
        }
        _ => None,
    }
}

/// The structures under contract whose members or size Rust uses.
fn structures(shared: &Shared, items: &Items<'_>) -> Vec<String> {
    let all = shared.structs.iter();
    let found: BTreeSet<String> = all
        .filter(|tag| items.structs.contains_key(*tag))
        .cloned()
        .collect();
    found.into_iter().collect()
}

/// A constant under contract.
struct Constant {
    c: String,
    rust: String,
    value: u64,
}

fn constants(shared: &Shared, items: &Items<'_>) -> Vec<Constant> {
    let of = |tag: &str, c: &str| {
        let rust = format!("{tag}_{c}");
        // The bindings may have only a part of the header's.
        let value = *items.constants.get(&rust)?;
        Some(Constant {
            c: c.to_owned(),
            rust,
            value,
        })
    };
    let all = shared
        .constants
        .iter()
        .flat_map(|(tag, variants)| variants.iter().map(move |variant| (tag, variant)));
    all.filter_map(|(tag, variant)| of(tag, &variant.c))
        .collect()
}

/// Write the structures as C, with those that they contain by value.
fn through_cbindgen(
    items: &Items<'_>,
    structs: &[String],
    constants: &[Constant],
) -> Result<String, String> {
    let mut cut = Cut {
        items,
        wanted: structs.to_vec(),
    };
    let mut done = BTreeSet::new();
    let mut rust = String::new();
    while let Some(name) = cut.wanted.pop() {
        if !done.insert(name.clone()) {
            continue;
        }
        rust.push_str(&cut.definition(&name));
        rust.push('\n');
    }
    for constant in constants {
        let _ = writeln!(
            rust,
            "pub const {}: u64 = {};",
            constant.rust, constant.value
        );
    }
    // A unique name: several threads write proofs at the same time.
    let folder = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
    let source = folder.path().join("shared.rs");
    std::fs::write(&source, rust).map_err(|error| format!("{}: {error}", source.display()))?;
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        style: cbindgen::Style::Tag,
        no_includes: true,
        after_includes: Some(DEFINITIONS.into()),
        ..cbindgen::Config::default()
    };
    config.export.prefix = Some(PREFIX.into());
    config.layout.aligned_n = Some("rust_aligned".into());
    config.layout.packed = Some("rust_packed".into());
    let mut builder = cbindgen::Builder::new()
        .with_config(config)
        .with_src(&source);
    for name in &done {
        builder = builder.include_item(name);
    }
    let generated = builder.generate();
    let mut header = Vec::new();
    generated
        .map_err(|error| format!("cbindgen: {error}"))?
        .write(&mut header);
    String::from_utf8(header).map_err(|_| "cbindgen wrote text that is not UTF-8".into())
}

/// Reduces definitions to their layout.
struct Cut<'a, 'b> {
    items: &'b Items<'a>,
    /// Structures that are contained by value and not yet written.
    wanted: Vec<String>,
}

impl Cut<'_, '_> {
    fn definition(&mut self, name: &str) -> String {
        if let Some(found) = self.items.structs.get(name) {
            let mut item = (*found).clone();
            item.attrs
                .retain(|attribute| attribute.path().is_ident("repr"));
            item.generics = syn::Generics::default();
            self.visit_fields_mut(&mut item.fields);
            return quote::quote! { #item }.to_string();
        }
        if let Some(found) = self.items.unions.get(name) {
            let mut item = (*found).clone();
            item.attrs
                .retain(|attribute| attribute.path().is_ident("repr"));
            item.generics = syn::Generics::default();
            self.visit_fields_named_mut(&mut item.fields);
            return quote::quote! { #item }.to_string();
        }
        String::new()
    }

    /// The primitive type of a path; a structure is queued to be written, too.
    fn resolve(&mut self, path: &syn::TypePath) -> Option<syn::Type> {
        let last = path.path.segments.last()?;
        let name = last.ident.to_string();
        let primitive = match name.as_str() {
            "c_ulong" | "usize" => "usize",
            "c_long" | "isize" => "isize",
            "c_uint" | "u32" => "u32",
            "c_int" | "i32" => "i32",
            "c_ushort" | "u16" => "u16",
            "c_short" | "i16" => "i16",
            "c_uchar" | "c_char" | "u8" => "u8",
            "c_schar" | "i8" => "i8",
            "c_ulonglong" | "u64" => "u64",
            "c_longlong" | "i64" => "i64",
            "bool" | "bool_" => "bool",
            "c_void" | "Option" => "usize",
            "__BindgenBitfieldUnit" | "ManuallyDrop" => return inner(last),
            name if name.starts_with("__BindgenOpaqueArray") => return inner(last),
            "__IncompleteArrayField" | "__BindgenUnionField" | "PhantomData" | "PhantomPinned" => {
                "[u8; 0]"
            }
            _ => {
                if let Some(alias) = self.items.aliases.get(&name) {
                    return Some((*alias.ty).clone());
                }
                if self
                    .items
                    .structs
                    .get(&name)
                    .is_some_and(|item| item.fields.is_empty())
                {
                    return syn::parse_str("[u8; 0]").ok();
                }
                self.wanted.push(name);
                return None;
            }
        };
        syn::parse_str(primitive).ok()
    }
}

fn inner(segment: &syn::PathSegment) -> Option<syn::Type> {
    let syn::PathArguments::AngleBracketed(args) = &segment.arguments else {
        return None;
    };
    args.args.iter().find_map(|arg| match arg {
        syn::GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}

impl VisitMut for Cut<'_, '_> {
    fn visit_type_mut(&mut self, ty: &mut syn::Type) {
        // An alias may name another alias.
        for _ in 0..32 {
            let next = match ty {
                // All pointers have the same size.
                syn::Type::Ptr(_) | syn::Type::BareFn(_) => syn::parse_str("usize").ok(),
                syn::Type::Path(path) => self.resolve(path),
                _ => None,
            };
            match next {
                Some(next) if next != *ty => *ty = next,
                _ => break,
            }
        }
        if let syn::Type::Array(array) = ty {
            self.visit_type_mut(&mut array.elem);
        }
    }

    fn visit_field_mut(&mut self, field: &mut syn::Field) {
        field.attrs.clear();
        self.visit_type_mut(&mut field.ty);
    }
}

/// The assertions about one structure.
fn layout(name: &str, items: &Items<'_>) -> String {
    let (rust, c) = (format!("struct {PREFIX}{name}"), format!("struct {name}"));
    let mut text = String::from("\n");
    let _ = writeln!(
        text,
        "_Static_assert(sizeof({rust}) == sizeof({c}), \"the size of {c}\");"
    );
    let _ = writeln!(
        text,
        "_Static_assert(_Alignof({rust}) == _Alignof({c}), \"the alignment of {c}\");"
    );
    let Some(item) = items.structs.get(name) else {
        return text;
    };
    for member in &item.fields {
        let Some(field) = member.ident.as_ref().map(|ident| ident.to_string()) else {
            continue;
        };
        if field.starts_with('_') {
            // Bit fields, padding, and members without a name in C.
            continue;
        }
        let c_field = field
            .strip_prefix("r#")
            .unwrap_or(&field)
            .trim_end_matches('_');
        let _ = writeln!(
            text,
            "_Static_assert(__builtin_offsetof({rust}, {field}) == __builtin_offsetof({c}, {c_field}), \
             \"the offset of {c_field} in {c}\");"
        );
        let ty = &member.ty;
        if quote::quote! { #ty }
            .to_string()
            .contains("__IncompleteArrayField")
        {
            // A flexible array has no size in C.
            continue;
        }
        let _ = writeln!(
            text,
            "_Static_assert(sizeof((({rust} *)0)->{field}) == sizeof((({c} *)0)->{c_field}), \
             \"the size of {c_field} in {c}\");"
        );
    }
    text
}
