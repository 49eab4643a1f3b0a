// SPDX-License-Identifier: GPL-2.0

//! Walks libclang's tree and collects the declarations under contract.

use super::attributes;
use super::ctype;
use super::lexer;
use super::lexer::Kind;
use super::terms;
use super::CType;
use super::Constant;
use super::Contract;
use super::Enumeration;
use super::Field;
use super::Function;
use super::Headers;
use super::Input;
use super::Parameter;
use super::Record;
use super::Typedef;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::source::FileId;
use crate::source::Sources;
use crate::source::Span;
use clang::diagnostic::Severity;
use clang::Clang;
use clang::Entity;
use clang::EntityKind;
use clang::Index;
use clang::Linkage;
use clang::TranslationUnit;
use clang::TypeKind;
use clang::Unsaved;
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

/// libclang can be loaded only once at a time.
static LIBCLANG: Mutex<()> = Mutex::new(());

/// The annotation that `__contract()` expands to begins with this.
const PREFIX: &str = "contract:";

/// Reads the declarations.
pub(super) fn read(
    input: &Input,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
    headers: &mut Headers,
) {
    let _lock = LIBCLANG
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    find_libclang();
    let clang = match Clang::new() {
        Ok(clang) => clang,
        Err(error) => {
            diagnostics.push(
                Diagnostic::plain(format!("libclang cannot be loaded: {error}")).help(
                    "install libclang-19-dev, or set LIBCLANG_PATH to the folder of libclang.so",
                ),
            );
            return;
        }
    };
    let index = Index::new(&clang, false, false);
    let mut unit = String::new();
    for header in input.headers.iter().chain(&input.contracts) {
        if !header.is_file() {
            let title = format!("{}: there is no such header", header.display());
            diagnostics.push(Diagnostic::plain(title));
            return;
        }
        unit.push_str(&format!("#include \"{}\"\n", absolute(header).display()));
    }
    let mut flags = vec!["-D__CONTRACT_READER__".to_owned()];
    flags.extend(input.flags.iter().cloned());
    flags.extend(["-Wno-everything", "-fsyntax-only", "-ferror-limit=20"].map(str::to_owned));
    let parsed = index
        .parser("contracts.c")
        .unsaved(&[Unsaved::new("contracts.c", unit)])
        .arguments(&flags)
        .skip_function_bodies(true)
        .keep_going(true)
        .parse();
    match parsed {
        Ok(unit) => {
            let mut reader = Reader {
                sources,
                diagnostics,
                seen: HashSet::new(),
                relevant: BTreeMap::new(),
                main: input
                    .headers
                    .iter()
                    .map(|header| absolute(header))
                    .collect(),
            };
            reader.complaints(&unit);
            reader.unit(unit.get_entity(), headers);
        }
        Err(error) => {
            diagnostics.push(Diagnostic::plain(format!(
                "libclang cannot parse the headers: {error}"
            )));
        }
    }
}

/// Whether a structure or an enumeration has no tag. Of a structure, clang takes the name of its typedef for one.
fn no_tag(entity: Entity<'_>) -> bool {
    let spelled = entity
        .get_type()
        .map(|ty| ty.get_canonical_type().get_display_name())
        .unwrap_or_default();
    entity.is_anonymous()
        || entity.get_kind() == EntityKind::StructDecl && !spelled.contains("struct ")
}

/// The names of the fields of an anonymous structure or union, and of those in it.
fn inner_fields(entity: Entity<'_>, names: &mut Vec<String>) {
    for child in entity.get_children() {
        if child.get_kind() == EntityKind::FieldDecl {
            names.extend(child.get_name());
        } else if child.is_anonymous() {
            inner_fields(child, names);
        }
    }
}

/// What it is that cannot be under contract, and what to do instead.
fn unreadable(entity: Entity<'_>) -> (&'static str, &'static str) {
    match entity.get_kind() {
        EntityKind::UnionDecl => (
            "a union",
            "put the structure that has the union as a `hidden` member under contract",
        ),
        EntityKind::StructDecl | EntityKind::EnumDecl if no_tag(entity) => (
            "a type without a tag",
            "give it a tag: a contract is found by that",
        ),
        EntityKind::StructDecl | EntityKind::EnumDecl => (
            "a type that another declaration contains",
            "declare it before that",
        ),
        EntityKind::FieldDecl => (
            "a member of a union, or of a structure without a tag or inside of another",
            "declare the structure by itself, with a tag",
        ),
        EntityKind::VarDecl => (
            "a variable",
            "put a function under contract that returns what is in it",
        ),
        EntityKind::ParmDecl => (
            "a parameter of this callback",
            "write `param(1, ...)` in the clauses of the callback",
        ),
        _ => ("this declaration", "remove the contract"),
    }
}

/// Set the path of libclang 19 for clang-sys, unless LIBCLANG_PATH is set.
fn find_libclang() {
    if std::env::var_os("LIBCLANG_PATH").is_some() {
        return;
    }
    for tool in ["llvm-config-19", "llvm-config"] {
        let Ok(output) = Command::new(tool).arg("--libdir").output() else {
            continue;
        };
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && Path::new(&folder).is_dir() {
            std::env::set_var("LIBCLANG_PATH", folder);
            return;
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

struct Reader<'a> {
    sources: &'a mut Sources,
    diagnostics: &'a mut Diagnostics,
    /// Contracts that were taken, by place: clang repeats them at every redeclaration.
    seen: HashSet<Span>,
    /// Whether a file is of interest, by clang's path of it.
    relevant: BTreeMap<PathBuf, bool>,
    main: Vec<PathBuf>,
}

impl Reader<'_> {
    fn complaints(&mut self, unit: &TranslationUnit<'_>) {
        for complaint in unit.get_diagnostics() {
            if complaint.get_severity() < Severity::Error {
                continue;
            }
            let text = complaint.get_text();
            let location = complaint.get_location().get_file_location();
            let diagnostic = match location.file {
                Some(file) if file.get_path() != Path::new("contracts.c") => {
                    let file = self.file(&file.get_path());
                    let start = location.offset as usize;
                    let span = self.token_at(file, start);
                    Diagnostic::error(span, format!("the header does not compile: {text}"), "")
                }
                _ => Diagnostic::plain(format!("the headers do not compile: {text}")),
            };
            self.diagnostics.push(diagnostic.help(
                "the generator needs what the compiler needs: give the kernel's flags \
                 with --kernel OUT, or include folders with -I",
            ));
        }
    }

    fn unit(&mut self, unit: Entity<'_>, headers: &mut Headers) {
        for path in self.main.clone() {
            let file = self.file(&path);
            headers.main.push(file);
        }
        let mut relevant = Vec::new();
        for entity in unit.get_children() {
            let Some(location) = entity.get_location() else {
                continue;
            };
            let Some(file) = location.get_file_location().file else {
                continue;
            };
            if self.is_relevant(&file.get_path()) {
                self.declaration(entity, headers);
                relevant.push(entity);
            }
        }
        for entity in relevant {
            self.unread(entity);
        }
    }

    /// Report the contracts on a declaration, and inside of it, that nothing has taken.
    fn unread(&mut self, entity: Entity<'_>) {
        for child in entity.get_children() {
            let text = child
                .get_display_name()
                .filter(|_| child.get_kind() == EntityKind::AnnotateAttr);
            let text = text.as_deref().and_then(|text| text.strip_prefix(PREFIX));
            let found = text.and_then(|text| self.contract_text(child, text));
            if let Some((span, _)) = found.filter(|(span, _)| self.seen.insert(*span)) {
                let (on, help) = unreadable(entity);
                self.diagnostics.push(
                    Diagnostic::error(
                        span,
                        format!("{on} cannot be under contract"),
                        "expected on another declaration",
                    )
                    .help(help),
                );
            }
            self.unread(child);
        }
    }

    fn declaration(&mut self, entity: Entity<'_>, headers: &mut Headers) {
        match entity.get_kind() {
            EntityKind::FunctionDecl => {
                let Some(function) = self.function(entity) else {
                    return;
                };
                match headers.functions.get_mut(&function.name) {
                    Some(known) => known.merge(function),
                    None => drop(headers.functions.insert(function.name.clone(), function)),
                }
            }
            EntityKind::StructDecl => {
                let Some(record) = self.record(entity) else {
                    return;
                };
                match headers.records.get_mut(&record.name) {
                    Some(known) => known.merge(record),
                    None => drop(headers.records.insert(record.name.clone(), record)),
                }
            }
            EntityKind::EnumDecl => {
                let Some(found) = self.enumeration(entity) else {
                    return;
                };
                match headers.enums.get_mut(&found.name) {
                    Some(known) => known.contract.merge(found.contract),
                    None => drop(headers.enums.insert(found.name.clone(), found)),
                }
            }
            EntityKind::TypedefDecl => {
                let Some(found) = self.typedef(entity) else {
                    return;
                };
                match headers.typedefs.get_mut(&found.name) {
                    Some(known) => known.contract.merge(found.contract),
                    None => drop(headers.typedefs.insert(found.name.clone(), found)),
                }
            }
            _ => {}
        }
    }

    fn function(&mut self, entity: Entity<'_>) -> Option<Function> {
        let name = entity.get_name()?;
        let span = self.name_span(entity, &name)?;
        let arguments = entity.get_arguments().unwrap_or_default();
        let params = self.params(&arguments);
        let space = attributes::space(attributes::before(self.sources, span));
        let ret = entity
            .get_result_type()
            .map_or(CType::Void, ctype::of)
            .in_space(space);
        Some(Function {
            // Of a function that was defined as `static inline` before, a declaration without `static` is one, too.
            inline: entity.get_linkage() == Some(Linkage::Internal),
            variadic: entity.is_variadic(),
            contract: self.function_contract(entity, span),
            attributes: attributes::around(self.sources, span),
            doc: None,
            name,
            params,
            ret,
            span,
        })
    }

    fn params(&mut self, entities: &[Entity<'_>]) -> Vec<Parameter> {
        let mut params = Vec::new();
        for (index, entity) in entities.iter().enumerate() {
            let name = entity.get_name().unwrap_or_else(|| format!("arg{index}"));
            let Some(span) = self.span(*entity) else {
                continue;
            };
            let space = attributes::space(self.sources.slice(span));
            params.push(Parameter {
                ty: entity
                    .get_type()
                    .map_or(CType::Void, ctype::of)
                    .in_space(space),
                contract: self.contract(*entity),
                name,
                span,
            });
        }
        params
    }

    fn record(&mut self, entity: Entity<'_>) -> Option<Record> {
        if no_tag(entity) {
            return None;
        }
        let name = entity.get_name()?;
        let span = self.name_span(entity, &name)?;
        let contract = self.tag_contract(entity, span);
        // A record of another header is looked up by its definition.
        let definition = match entity.is_definition() {
            true => Some(entity),
            false if contract.is_empty() => None,
            false => entity.get_definition(),
        };
        let mut fields = Vec::new();
        let mut inner = Vec::new();
        for child in definition.map(|d| d.get_children()).unwrap_or_default() {
            if child.get_kind() == EntityKind::FieldDecl {
                fields.extend(self.field(child));
            } else if child.is_anonymous() {
                inner_fields(child, &mut inner);
            }
        }
        Some(Record {
            inner,
            complete: definition.is_some(),
            body: definition.and_then(|d| self.span(d)),
            doc: None,
            name,
            fields,
            contract,
            span,
        })
    }

    fn field(&mut self, entity: Entity<'_>) -> Option<Field> {
        let name = entity.get_name()?;
        let span = self.name_span(entity, &name)?;
        let ty = entity.get_type()?;
        let contract = self.contract(entity);
        let attributes = attributes::around(self.sources, span);
        let pointee = ty.get_canonical_type().get_pointee_type();
        let prototype = pointee.filter(|to| to.get_kind() == TypeKind::FunctionPrototype);
        let callback = prototype.map(|prototype| {
            let children = entity.get_children();
            let named: Vec<_> = children
                .into_iter()
                .filter(|child| child.get_kind() == EntityKind::ParmDecl)
                .collect();
            let mut params = self.params(&named);
            for (index, ty) in prototype
                .get_argument_types()
                .unwrap_or_default()
                .iter()
                .enumerate()
            {
                if params.len() <= index {
                    params.push(Parameter {
                        name: format!("arg{index}"),
                        ty: ctype::of(*ty),
                        contract: Contract::default(),
                        span,
                    });
                }
            }
            Function {
                name: name.clone(),
                params,
                ret: ctype::result(ty).unwrap_or(CType::Void),
                inline: false,
                variadic: prototype.is_variadic(),
                contract: contract.clone(),
                attributes: attributes.clone(),
                doc: None,
                span,
            }
        });
        let ty = match entity.get_bit_field_width() {
            Some(width) => CType::Bits(format!("{} : {width}", ctype::of(ty).spell())),
            None => {
                ctype::of(ty).in_space(attributes::space(attributes::before(self.sources, span)))
            }
        };
        Some(Field {
            ty,
            name,
            callback,
            contract,
            attributes,
            span,
        })
    }

    fn enumeration(&mut self, entity: Entity<'_>) -> Option<Enumeration> {
        let name = entity.get_name().filter(|_| !entity.is_anonymous())?;
        let span = self.name_span(entity, &name)?;
        let contract = self.tag_contract(entity, span);
        let definition = entity.get_definition().unwrap_or(entity);
        let int = match definition.get_enum_underlying_type().map(ctype::of) {
            Some(CType::Int(int)) => int,
            _ => "u32",
        };
        let mut constants = Vec::new();
        for child in definition.get_children() {
            let Some((_, value)) = child.get_enum_constant_value() else {
                continue;
            };
            let Some(name) = child.get_name() else {
                continue;
            };
            let Some(span) = self.name_span(child, &name) else {
                continue;
            };
            constants.push(Constant {
                contract: self.contract(child),
                name,
                value,
                span,
            });
        }
        Some(Enumeration {
            name,
            constants,
            int,
            contract,
            doc: None,
            span,
        })
    }

    fn typedef(&mut self, entity: Entity<'_>) -> Option<Typedef> {
        let contract = self.contract(entity);
        if contract.is_empty() {
            return None;
        }
        let name = entity.get_name()?;
        let span = self.name_span(entity, &name)?;
        Some(Typedef {
            is: entity
                .get_typedef_underlying_type()
                .map_or(CType::Void, ctype::of),
            name,
            contract,
            doc: None,
            span,
        })
    }

    /// The contract that stands on a declaration itself.
    fn contract(&mut self, entity: Entity<'_>) -> Contract {
        let mut contract = Contract::default();
        for child in entity.get_children() {
            if child.get_kind() != EntityKind::AnnotateAttr {
                continue;
            }
            let Some(text) = child.get_display_name() else {
                continue;
            };
            let Some(text) = text.strip_prefix(PREFIX) else {
                continue;
            };
            let Some((span, text)) = self.contract_text(child, text) else {
                continue;
            };
            contract.merge(self.parsed(span, &text));
        }
        contract
    }

    /// The contract of a structure or enumeration. After the definition clang drops the attributes
    /// of a forward declaration, so these are found in the text.
    fn tag_contract(&mut self, entity: Entity<'_>, name: Span) -> Contract {
        let contract = self.contract(entity);
        if !contract.is_empty() || entity.is_definition() {
            return contract;
        }
        let before = &self.sources.text(name.file)[..name.start];
        let start = before.rfind([';', '}']).map_or(0, |at| at + 1);
        let Some(at) = before[start..].find("__contract(") else {
            return contract;
        };
        let from = start + at;
        let tokens = lexer::lex(&before[from..]);
        let Some(close) = lexer::closing(&tokens, 1) else {
            return contract;
        };
        let inner = tokens[1].range.end..tokens[close].range.start;
        let text = before[from..][inner.clone()].to_owned();
        let span = Span {
            file: name.file,
            start: from + inner.start,
            end: from + inner.end,
        };
        self.parsed(span, &text)
    }

    /// The contract of a function; after a definition clang drops the attributes of a redeclaration.
    fn function_contract(&mut self, entity: Entity<'_>, name: Span) -> Contract {
        let contract = self.contract(entity);
        if !contract.is_empty() || entity.is_definition() {
            return contract;
        }
        let text = self.sources.text(name.file);
        let ends = |kind: &Kind, depth| depth == 0 && matches!(kind, Kind::Mark(';' | '{'));
        let tokens = lexer::lex_until(&text[name.end..], ends);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token.text.as_str() {
                ";" | "{" => break,
                "(" => at = lexer::closing(&tokens, at).unwrap_or(tokens.len()),
                "__contract" => {
                    let Some(close) = lexer::closing(&tokens, at + 1) else {
                        break;
                    };
                    let span = Span {
                        file: name.file,
                        start: name.end + tokens[at + 1].range.end,
                        end: name.end + tokens[close].range.start,
                    };
                    let text = self.sources.slice(span).to_owned();
                    return self.parsed(span, &text);
                }
                _ => {}
            }
            at += 1;
        }
        contract
    }

    fn parsed(&mut self, span: Span, text: &str) -> Contract {
        if !self.seen.insert(span) {
            return Contract::default();
        }
        match terms::parse(span.file, span.start, text) {
            Ok(terms) => Contract {
                terms,
                span: Some(span),
            },
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                Contract::default()
            }
        }
    }

    /// The text between the parentheses of `__contract(...)`, and its position.
    fn contract_text(&mut self, attribute: Entity<'_>, expanded: &str) -> Option<(Span, String)> {
        let location = attribute.get_location()?.get_file_location();
        let file = self.file(&location.file?.get_path());
        let start = location.offset as usize;
        let text = self.sources.text(file);
        let rest = text.get(start..)?;
        if rest.starts_with("__contract") {
            let tokens =
                lexer::lex_until(rest, |kind, depth| depth == 1 && *kind == Kind::Mark(')'));
            let close = lexer::closing(&tokens, 1)?;
            let inner = tokens[1].range.end..tokens[close].range.start;
            let span = Span {
                file,
                start: start + inner.start,
                end: start + inner.end,
            };
            return Some((span, rest[inner].to_owned()));
        }
        // The contract is the result of another macro: its text is a file of its own.
        let name = PathBuf::from(format!("<contract expanded at byte {start}>"));
        let file = self.sources.add(&name, || expanded.to_owned());
        let span = Span {
            file,
            start: 0,
            end: expanded.len(),
        };
        Some((span, expanded.to_owned()))
    }

    fn is_relevant(&mut self, path: &Path) -> bool {
        if let Some(known) = self.relevant.get(path) {
            return *known;
        }
        let is_main = self.main.contains(&absolute(path));
        let relevant = is_main || {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.contains("__contract(") && !text.contains("#define __contract(")
        };
        self.relevant.insert(path.to_owned(), relevant);
        relevant
    }

    fn file(&mut self, path: &Path) -> FileId {
        let path = absolute(path);
        self.sources.add(&path, || {
            let bytes = std::fs::read(&path).unwrap_or_default();
            String::from_utf8(bytes).unwrap_or_else(|bad| {
                // Byte offsets must stay valid.
                let bytes = bad.into_bytes();
                bytes
                    .iter()
                    .map(|b| if b.is_ascii() { *b as char } else { '?' })
                    .collect()
            })
        })
    }

    fn name_span(&mut self, entity: Entity<'_>, name: &str) -> Option<Span> {
        let location = entity.get_location()?.get_file_location();
        let file = self.file(&location.file?.get_path());
        let start = location.offset as usize;
        let span = Span {
            file,
            start,
            end: start + name.len(),
        };
        match self.sources.slice(span) == name {
            true => Some(span),
            false => Some(self.token_at(file, start)),
        }
    }

    fn span(&mut self, entity: Entity<'_>) -> Option<Span> {
        let range = entity.get_range()?;
        let start = range.get_start().get_file_location();
        let end = range.get_end().get_file_location();
        let file = self.file(&start.file?.get_path());
        Some(Span {
            file,
            start: start.offset as usize,
            end: (end.offset as usize).max(start.offset as usize),
        })
    }

    fn token_at(&self, file: FileId, start: usize) -> Span {
        let text = self.sources.text(file);
        let start = start.min(text.len());
        let rest = text.get(start..).unwrap_or("");
        let length = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        Span {
            file,
            start,
            end: start + length,
        }
    }
}
