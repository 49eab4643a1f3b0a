// SPDX-License-Identifier: GPL-2.0

//! C types, as far as contracts distinguish them.

use clang::Type;
use clang::TypeKind;

/// A C type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CType {
    /// `void`
    Void,
    /// `bool`
    Bool,
    /// `char`, unsigned in the kernel. Unlike a pointer to `u8`, a pointer to it is a string.
    Char,
    /// An integer, by the name of its Rust type in the kernel's bindings.
    Int(&'static str),
    /// A pointer.
    Pointer {
        /// The type of the pointee.
        to: Box<CType>,
        /// Whether the pointee is const.
        constant: bool,
    },
    /// A structure, by tag.
    Record(String),
    /// An enumeration, by tag.
    Enum(String),
    /// A typedef and its type.
    Named(String, Box<CType>),
    /// A function.
    Function {
        /// The type of the result.
        ret: Box<CType>,
        /// The types of the parameters.
        params: Vec<CType>,
    },
    /// An array whose length is not part of its type.
    Flexible(Box<CType>),
    /// An array whose length is part of its type, and how clang spells it.
    Array(Box<CType>, String),
    /// A bit-field, as C declares it: it has no address, and Rust reads it by a function.
    Bits(String),
    /// What a pointer leads to that is not ordinary memory of the kernel: the macro that states where it is, and its type.
    Space(&'static str, Box<CType>),
    /// Something else, as clang spells it.
    Other(String),
}

impl CType {
    /// The type without its typedefs.
    pub fn plain(&self) -> &CType {
        match self {
            CType::Named(_, is) => is.plain(),
            _ => self,
        }
    }

    /// The tag of the structure it points to.
    pub fn pointee_record(&self) -> Option<&str> {
        match self.plain() {
            CType::Pointer { to, .. } => match to.plain() {
                CType::Record(tag) => Some(tag),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is a pointer to const.
    pub fn is_const_pointer(&self) -> bool {
        matches!(self.plain(), CType::Pointer { constant: true, .. })
    }

    /// The type if that macro is in its declaration: what the pointer leads to is in another address space.
    pub(super) fn in_space(self, space: Option<&'static str>) -> CType {
        match (self, space) {
            (CType::Pointer { to, constant }, Some(space))
                if !matches!(to.plain(), CType::Function { .. }) =>
            {
                CType::Pointer {
                    to: Box::new(CType::Space(space, to)),
                    constant,
                }
            }
            (CType::Named(_, is), Some(_)) if matches!(is.plain(), CType::Pointer { .. }) => {
                is.in_space(space)
            }
            (other, _) => other,
        }
    }

    /// How C writes it, with no declarator.
    pub fn spell(&self) -> String {
        match self {
            CType::Void => "void".into(),
            CType::Bool => "bool".into(),
            CType::Char => "char".into(),
            CType::Int(name) => spell_int(name).into(),
            CType::Pointer { to, constant } => {
                let inner = to.spell();
                let star = if inner.ends_with('*') { "" } else { " " };
                let qualifier = if *constant { "const " } else { "" };
                format!("{qualifier}{inner}{star}*")
            }
            CType::Record(tag) => format!("struct {tag}"),
            CType::Enum(tag) => format!("enum {tag}"),
            CType::Named(name, _) => name.clone(),
            CType::Function { .. } => "void".into(),
            CType::Flexible(of) => format!("{} []", of.spell()),
            CType::Space(space, of) => format!("{} {space}", of.spell()),
            CType::Array(_, text) | CType::Bits(text) | CType::Other(text) => text.clone(),
        }
    }
}

fn spell_int(name: &str) -> &'static str {
    match name {
        "u8" => "unsigned char",
        "i8" => "signed char",
        "u16" => "unsigned short",
        "i16" => "short",
        "u32" => "unsigned int",
        "i32" => "int",
        "usize" => "unsigned long",
        "isize" => "long",
        "u64" => "unsigned long long",
        _ => "long long",
    }
}

/// The type that clang reports.
pub(super) fn of(ty: Type<'_>) -> CType {
    match ty.get_kind() {
        TypeKind::Void => CType::Void,
        TypeKind::Bool => CType::Bool,
        TypeKind::CharS | TypeKind::CharU => CType::Char,
        TypeKind::UChar => CType::Int("u8"),
        TypeKind::SChar => CType::Int("i8"),
        TypeKind::UShort => CType::Int("u16"),
        TypeKind::Short => CType::Int("i16"),
        TypeKind::UInt => CType::Int("u32"),
        TypeKind::Int => CType::Int("i32"),
        TypeKind::ULong => CType::Int("usize"),
        TypeKind::Long => CType::Int("isize"),
        TypeKind::ULongLong => CType::Int("u64"),
        TypeKind::LongLong => CType::Int("i64"),
        TypeKind::Pointer => pointer(ty),
        TypeKind::Elaborated => ty.get_elaborated_type().map_or_else(|| other(ty), of),
        TypeKind::Typedef => typedef(ty),
        TypeKind::Record => record(ty),
        TypeKind::Enum => tag(ty).map_or_else(|| other(ty), CType::Enum),
        TypeKind::FunctionPrototype if ty.is_variadic() => CType::Other(ty.get_display_name()),
        TypeKind::FunctionPrototype => function(ty),
        TypeKind::IncompleteArray => match ty.get_element_type() {
            Some(element) => CType::Flexible(Box::new(of(element))),
            None => other(ty),
        },
        // An array of no elements is how flexible arrays were written before C99.
        TypeKind::ConstantArray if ty.get_size() == Some(0) => match ty.get_element_type() {
            Some(element) => CType::Flexible(Box::new(of(element))),
            None => other(ty),
        },
        TypeKind::ConstantArray => match ty.get_element_type() {
            Some(element) => CType::Array(Box::new(of(element)), ty.get_display_name()),
            None => other(ty),
        },
        _ => other(ty),
    }
}

/// A function, with the names that its typedefs have in its declaration.
fn function(ty: Type<'_>) -> CType {
    CType::Function {
        ret: Box::new(ty.get_result_type().map_or(CType::Void, of)),
        params: ty
            .get_argument_types()
            .unwrap_or_default()
            .into_iter()
            .map(of)
            .collect(),
    }
}

/// The result of the function that a pointer of this type points to.
pub(super) fn result(ty: Type<'_>) -> Option<CType> {
    match of(ty).plain() {
        CType::Pointer { to, .. } => match to.plain() {
            CType::Function { ret, .. } => Some((**ret).clone()),
            _ => None,
        },
        _ => None,
    }
}

fn other(ty: Type<'_>) -> CType {
    let canonical = ty.get_canonical_type();
    // In parentheses, as behind a pointer.
    if canonical.get_kind() == TypeKind::FunctionPrototype && canonical != ty {
        return function(ty);
    }
    if canonical != ty {
        return of(canonical);
    }
    CType::Other(ty.get_display_name())
}

fn pointer(ty: Type<'_>) -> CType {
    match ty.get_pointee_type() {
        Some(to) => CType::Pointer {
            constant: to.is_const_qualified(),
            to: Box::new(of(to)),
        },
        None => other(ty),
    }
}

fn typedef(ty: Type<'_>) -> CType {
    let name = ty.get_typedef_name().unwrap_or_default();
    let is = ty
        .get_declaration()
        .and_then(|declaration| declaration.get_typedef_underlying_type())
        .map_or(CType::Void, of);
    match (name.as_str(), &is) {
        ("bool", _) => CType::Bool,
        ("size_t" | "__kernel_size_t", _) => CType::Int("usize"),
        ("ssize_t" | "__kernel_ssize_t", _) => CType::Int("isize"),
        _ => CType::Named(name, Box::new(is)),
    }
}

/// A structure without a tag, of which clang has the name of its typedef, cannot be declared again for a contract.
fn record(ty: Type<'_>) -> CType {
    let spelled = ty.get_canonical_type().get_display_name();
    match tag(ty).filter(|_| spelled.contains("struct ")) {
        Some(tag) => CType::Record(tag),
        // What clang writes has the path of the header.
        None if spelled.contains("(unnamed") || spelled.contains("(anonymous") => {
            let kind = match spelled.contains("union ") {
                true => "union",
                false => "struct",
            };
            CType::Other(format!("{kind} without a tag"))
        }
        None => CType::Other(spelled),
    }
}

fn tag(ty: Type<'_>) -> Option<String> {
    let declaration = ty.get_declaration()?;
    if declaration.is_anonymous() {
        return None;
    }
    declaration.get_name()
}
