// SPDX-License-Identifier: GPL-2.0

//! From tokens to text: prettyplease prints, then comments, which tokens cannot represent, are inserted.

use crate::check::reason;
use crate::check::reason::Reason;
use crate::emit::prose;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::BTreeMap;
use syn::parse::Parse;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::Token;

/// The macro that stands for a comment until the tokens are text.
const MARKER: &str = "__comment!";

/// A comment, as a statement or an item.
pub(super) fn comment(text: impl AsRef<str>) -> TokenStream {
    let text = text.as_ref();
    quote! { __comment!(#text); }
}

/// `// SAFETY: ...`, of reasons only.
pub(super) fn safety(reasons: &[Reason]) -> TokenStream {
    comment(format!("SAFETY: {}", reason::sentence(reasons)))
}

/// Doc comments.
pub(super) fn docs(text: &str, indent: usize) -> TokenStream {
    let lines = prose::fill(text, indent)
        .into_iter()
        .map(|line| match line.is_empty() {
            true => line,
            false => format!(" {line}"),
        });
    quote! { #(#[doc = #lines])* }
}

/// The text of a module: its head, its imports, its items.
pub(super) fn module(
    head: &str,
    imports: &[&str],
    items: &[TokenStream],
) -> Result<String, String> {
    let mut body = String::new();
    for item in items {
        let file: syn::File = syn::parse2(item.clone())
            .map_err(|error| format!("the generator wrote invalid Rust: {error}\n{item}"))?;
        body.push_str(&prettyplease::unparse(&file));
        body.push('\n');
    }
    let mut text = String::from("// SPDX-License-Identifier: GPL-2.0\n\n");
    for line in prose::fill(head, 0) {
        text.push_str(format!("//! {line}").trim_end());
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&uses(imports));
    text.push('\n');
    text.push_str(&initializers(&comments(&body)?)?);
    Ok(text)
}

/// The text as the kernel lays it out.
pub(super) fn formatted(text: &str) -> Result<String, String> {
    crate::emit::format::rust(text).map(|text| spaced(&text))
}

/// Puts an empty line between the items of an `impl` or a `trait`.
fn spaced(text: &str) -> String {
    let mut out = String::new();
    let mut before = "";
    for line in text.lines() {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let ends = before.trim() == "}"
            || before.trim_start().starts_with("fn ") && before.ends_with(';')
            || before.trim_start().starts_with("pub const ") && before.ends_with(';');
        let text = line.trim_start();
        let top = text == line
            && ["impl", "unsafe impl", "#[", "///", "// SAFETY"]
                .iter()
                .any(|s| text.starts_with(s));
        let documents = before.trim_start().starts_with("///");
        if top && (before == "}" || before.ends_with(';') && !documents) {
            out.push('\n');
        }
        let starts = [
            "///",
            "#[",
            "pub fn",
            "pub const fn",
            "unsafe ",
            "fn ",
            "impl",
            "const ",
        ]
        .iter()
        .any(|start| text.starts_with(start));
        if ends
            && starts
            && text != line
            && indent(before) == indent(line)
            && !text.starts_with("unsafe {")
        {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
        before = line;
    }
    out
}

/// Puts the comments where their markers are.
fn comments(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(MARKER) {
        let indent = rest[..at].rfind('\n').map_or(at, |line| at - line - 1);
        out.push_str(rest[..at].trim_end_matches(' '));
        let (text, length) = literal(&rest[at + MARKER.len()..]).ok_or_else(|| {
            format!(
                "the generator wrote a comment without a text: {}",
                &rest[at..]
            )
        })?;
        for line in prose::fill(&text, indent + 1) {
            out.push_str(&" ".repeat(indent));
            out.push_str(&format!("// {line}\n"));
        }
        rest = rest[at + MARKER.len() + length..].trim_start_matches([' ']);
        rest = rest.strip_prefix('\n').unwrap_or(rest);
        // No empty line between a comment and its code.
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    out.push_str(rest);
    Ok(out)
}

/// What `pin_init!` and its like are given.
struct Initializer {
    ty: syn::Type,
    fields: Punctuated<Field, Token![,]>,
    error: Option<syn::Type>,
}

/// A field, and how it is initialised; with a variable of its name if nothing else is stated.
struct Field {
    name: syn::Ident,
    value: Option<(&'static str, syn::Expr)>,
}

impl Parse for Initializer {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ty = input.parse()?;
        let body;
        syn::braced!(body in input);
        let fields = body.parse_terminated(Field::parse, Token![,])?;
        let error = match input.parse::<Option<Token![?]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Initializer { ty, fields, error })
    }
}

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        if input.parse::<Option<Token![:]>>()?.is_some() {
            return Ok(Field {
                name,
                value: Some((":", input.parse()?)),
            });
        }
        let value = match input.parse::<Option<Token![<-]>>()? {
            Some(_) => Some((" <-", input.parse()?)),
            None => None,
        };
        Ok(Field { name, value })
    }
}

/// Tokens as prettyplease prints them where a type, or a value, stands.
fn printed(item: syn::Item, head: &str) -> String {
    let text = prettyplease::unparse(&syn::File {
        shebang: None,
        attrs: Vec::new(),
        items: vec![item],
    });
    text.trim_end()
        .trim_end_matches(';')
        .strip_prefix(head)
        .map(str::to_owned)
        .unwrap_or(text)
}

impl Initializer {
    /// The text inside the parentheses, with the fields indented.
    fn text(&self, indent: usize) -> String {
        let ty = |ty: &syn::Type| printed(syn::parse_quote! { type Of = #ty; }, "type Of = ");
        let mut text = format!("{} {{", ty(&self.ty));
        for Field { name, value } in &self.fields {
            text.push_str(&format!("\n{}{name}", " ".repeat(indent + 4)));
            if let Some((mark, value)) = value {
                let value = printed(
                    syn::parse_quote! { const OF: () = #value; },
                    "const OF: () = ",
                );
                text.push_str(&format!("{mark} {value}"));
            }
            text.push(',');
        }
        text.push_str(&format!("\n{}}}", " ".repeat(indent)));
        text.push_str(
            &self
                .error
                .as_ref()
                .map_or(String::new(), |error| format!("? {}", ty(error))),
        );
        text
    }
}

/// Lay out the arguments of `pin_init!` and its like, which neither prettyplease nor rustfmt can parse.
fn initializers(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("_init!(") {
        let line = rest[..at].rfind('\n').map_or(0, |line| line + 1);
        let before = rest[line..at].trim_start();
        let open = at + "_init!(".len();
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        // An example in the documentation is printed as it is.
        if !before.starts_with("//") {
            let indent = at - line - before.len();
            let (text, length) = initializer(rest, indent)?;
            out.push_str(&text);
            rest = &rest[length..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The laid out arguments at the start of a text, and how long they are there.
fn initializer(text: &str, indent: usize) -> Result<(String, usize), String> {
    let mut depth = 1;
    let closes = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    };
    let end = text
        .find(closes)
        .ok_or_else(|| format!("the generator wrote an initializer without end: {text}"))?;
    let given: Initializer = syn::parse_str(&text[..end]).map_err(|error| {
        format!(
            "the generator wrote an invalid initializer: {error}\n{}",
            &text[..end]
        )
    })?;
    Ok((given.text(indent), end))
}

/// The string in `("...");` and the length of all of it.
fn literal(text: &str) -> Option<(String, usize)> {
    let open = text.find('"')?;
    let mut end = open + 1;
    let bytes = text.as_bytes();
    while bytes.get(end).is_some_and(|b| *b != b'"') {
        end += 1 + usize::from(bytes[end] == b'\\');
    }
    let string: syn::LitStr = syn::parse_str(text.get(open..=end)?).ok()?;
    let semicolon = text[end..].find(';')?;
    Some((string.value(), end + semicolon + 1))
}

/// A tree of paths.
#[derive(Default)]
struct Tree(BTreeMap<String, Tree>);

/// `use` declarations in the kernel's vertical layout.
fn uses(paths: &[&str]) -> String {
    let mut roots: BTreeMap<String, Tree> = BTreeMap::new();
    for path in paths {
        let (root, below) = path.split_once("::").unwrap_or((path, ""));
        let mut tree = roots.entry(root.to_owned()).or_default();
        for part in below.split("::").filter(|part| !part.is_empty()) {
            tree = tree.0.entry(part.to_owned()).or_default();
        }
    }
    let mut text = String::new();
    for root in ["core", "crate", "pin_init"] {
        if let Some(tree) = roots.get(root) {
            text.push_str(&format!("use {root}{};\n", branch(tree, 1)));
        }
    }
    text
}

fn branch(tree: &Tree, depth: usize) -> String {
    if tree.0.len() == 1 {
        let (name, below) = tree
            .0
            .iter()
            .next()
            .map_or(("", None), |(n, t)| (n.as_str(), Some(t)));
        return format!(
            "::{name}{}",
            below.map_or(String::new(), |tree| branch(tree, depth))
        );
    }
    if tree.0.is_empty() {
        return String::new();
    }
    let pad = "    ".repeat(depth);
    let mut text = String::from("::{\n");
    let last = tree.0.len() - 1;
    for (index, (name, below)) in tree.0.iter().enumerate() {
        let mark = if index == last { " //" } else { "" };
        text.push_str(&format!("{pad}{name}{},{mark}\n", branch(below, depth + 1)));
    }
    text.push_str(&format!("{}}}", "    ".repeat(depth - 1)));
    text
}
