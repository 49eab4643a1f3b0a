// SPDX-License-Identifier: GPL-2.0

//! Functions: their role for an object, and what their contracts state about the result.

use super::clauses::argument;
use super::clauses::camel;
use super::clauses::first_name;
use super::clauses::Clauses;
use super::errno;
use super::errno::Errno;
use super::ops;
use super::param;
use super::param::Param;
use super::result;
use super::section::Protocol;
use super::section::Section;
use super::stage;
use super::stage::Stage;
use super::Api;
use super::LeftOut;
use super::ParamKind;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::ir;
use crate::read;
use crate::read::terms::Term;
use crate::read::terms::Value;
use crate::read::CType;
use crate::read::ClassKind;
use crate::read::Doc;
use crate::read::Headers;
use crate::read::Success;
use crate::source::Span;

/// The role of a function for the object that owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Makes an object.
    Constructor,
    /// Ends an object.
    Destructor,
    /// Takes a reference.
    Get,
    /// Drops a reference.
    Put,
    /// Takes a lock; the result is a guard of that name.
    Lock(String),
    /// Tries to take a lock.
    TryLock(String),
    /// Releases the lock of that guard.
    Unlock(String),
    /// Enters the next round of a section, with its guard held.
    Enter,
    /// Ends a section, inside a round or not.
    Leave,
    /// Returns how a section ended.
    Outcome,
    /// Returns the sequence number of a section of that name.
    Begin(String),
    /// Returns whether the sequence has changed since.
    Check(String),
    /// Steps through the items of a section.
    Iterator(Iteration),
    /// Anything else.
    Method,
}

/// A role with a name.
type Named = fn(String) -> Role;

/// How an iterator steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iteration {
    /// The name of the iterator.
    pub name: String,
    /// Members of the item that must be set before the first step, and the members of the state
    /// that they are set from.
    pub start: Vec<(String, String)>,
    /// `of("Name")`: the only section that has it, with the span.
    pub of: Option<(String, Span)>,
}

/// The meaning of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// A value, or nothing.
    Value,
    /// Zero or an error; for a pointer, the pointer or an error.
    Errno,
    /// A reference that the caller now owns.
    Owned,
    /// A reference that lives as long as the object that returned it.
    Borrowed,
}

/// Where a function may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Context {
    /// The contract does not state it.
    #[default]
    Unstated,
    /// It may sleep, so it must not be called where sleeping is forbidden.
    MaySleep,
    /// It never sleeps.
    Atomic,
}

/// A function under contract.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name in C.
    pub c: String,
    /// Its name on the typed side.
    pub name: String,
    /// The tag of the structure whose function it is.
    pub owner: Option<String>,
    /// Which parameter is that structure.
    pub this: Option<usize>,
    /// Its role for the owner.
    pub role: Role,
    /// Its parameters.
    pub params: Vec<Param>,
    /// The argument of the C function for each of them; set by the check phase.
    pub arguments: Vec<ir::Argument>,
    /// The structure of the object that a constructor gives out by a parameter.
    pub made: Option<String>,
    /// The type of its result.
    pub ret: CType,
    /// What that is on the typed side; set by the check phase.
    pub gives: ir::Gives,
    /// The meaning of the result.
    pub returns: Returns,
    /// `borrowed(param)`: the parameter; the result is valid as long as it is.
    pub lives: Option<String>,
    /// `nullable`: the result may be NULL.
    pub nullable: bool,
    /// `nonnull`, or an attribute with that meaning: the result is never NULL.
    pub never_null: bool,
    /// How it fails.
    pub errno: Option<Errno>,
    /// `plain`: its integer result is a number, not an error.
    pub plain: bool,
    /// `unsafe("...")`: what the caller must promise, as no type can express it.
    pub promise: Option<String>,
    /// `unbound`: on a lock, its guard belongs to no thread.
    pub unbound: bool,
    /// `scoped`: what the function takes or makes is there while a closure runs, and nobody owns it: on a lock its guard,
    /// on a constructor the object.
    pub scoped: bool,
    /// `deferred(function)`: on a destructor, the function that ends the object later and does not wait.
    pub deferred: Option<String>,
    /// Whether it drops one reference of several, and calls its second argument when that was the last.
    pub counts: bool,
    /// `waits`: on a destructor, it returns only when no callback of the object runs, not even one that called it.
    pub waits: bool,
    /// `leaked`: on what ends an object, whether it may run after a guard was leaked.
    pub leaked: Option<Stated>,
    /// `reaped`: on what ends an object with callbacks, whether C ends those that a module leaves behind.
    pub reaped: Option<Stated>,
    /// `constant`: the result is the same, and stays valid, as long as the object that it is `borrowed` from.
    pub constant: bool,
    /// The guard that must be held.
    pub requires: Option<(String, Span)>,
    /// Whether `__cond_acquires(false, ...)` states that the lock is held if it returns false.
    pub inverted: bool,
    /// Whether `__releases()` states that it releases a lock, and `__acquires()` that it takes it again.
    pub releases: Option<Again>,
    /// The stage of the object in which it may be called, and the next stage.
    pub stage: Option<Stage>,
    /// The lock that `__acquires` or `__releases` names.
    pub lock_name: Option<String>,
    /// Where it may run.
    pub context: Context,
    /// Whether C checks that the result is used.
    pub must_check: bool,
    /// Whether there is no symbol to link to: a static inline, or a macro.
    pub needs_helper: bool,
    /// The annotations in C that were read as contracts.
    pub from_c: Vec<String>,
    /// Whether the role comes from them, so that a contract may rename the guard.
    pub role_from_c: bool,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The contract.
    pub contract: Span,
    /// The name.
    pub span: Span,
}

impl Function {
    /// The parameter for the value that the lock returned.
    pub fn cookie(&self) -> Option<&Param> {
        self.params
            .iter()
            .find(|param| param.kind == ParamKind::Cookie)
    }

    /// Whether the result has more information than success or failure.
    pub fn returns_value(&self) -> bool {
        self.plain
            || !matches!(self.returns, Returns::Errno) && !matches!(self.ret.plain(), CType::Void)
    }
}

/// Make a function from what was read, or leave it out.
pub(super) fn lower(
    read: &read::Function,
    headers: &Headers,
    api: &mut Api,
    diagnostics: &mut Diagnostics,
) {
    let class = class_role(read, headers);
    if read.contract.is_empty() && class.is_none() {
        if headers.main.contains(&read.span.file) && !read.name.starts_with("class_") {
            let remedy = "add __contract(...) at the end of its prototype";
            api.left_out
                .push(left_out(read, "it has no contract", remedy));
        }
        return;
    }
    let mut clauses = Clauses::new('f', &read.contract, read.span);
    let (function, role_term) =
        function(read, class, headers, &api.name, &mut clauses, diagnostics);
    result::check(read, diagnostics);
    single_callbacks(read, &function, api, diagnostics);
    sequence(&function, role_term, api);
    clauses.finish(diagnostics);
    if read.variadic {
        let remedy = "put a static inline with a fixed signature under contract";
        api.left_out.push(left_out(
            read,
            "it takes a variable number of arguments",
            remedy,
        ));
        return;
    }
    api.functions.push(function);
}

/// Whether a trylock returns a number for whether the lock is held.
fn gives_number(read: &read::Function, role: &Role) -> bool {
    matches!((role, read.ret.plain()), (Role::TryLock(_), CType::Int(_)))
}

/// Whether C has the compiler warn when the result is not used.
fn must_check(read: &read::Function, from_c: &mut Vec<String>) -> bool {
    let must_check = read.attribute("__must_check").is_some();
    from_c.extend(
        must_check.then(|| "that its result must be used is read from `__must_check`".into()),
    );
    must_check
}

/// The function, with the clause of its role.
fn function<'a>(
    read: &read::Function,
    class: Option<FromC>,
    headers: &Headers,
    module: &str,
    clauses: &mut Clauses<'a>,
    diagnostics: &mut Diagnostics,
) -> (Function, Option<&'a Term>) {
    let mut from_c = Vec::new();
    let params = params(read, &mut from_c, diagnostics);
    let class = class.or_else(|| locking(read));
    let success = class.as_ref().and_then(|class| class.success);
    let (role, role_term, role_from_c) = stated_role(clauses, class, &mut from_c, diagnostics);
    let this = this(read, &role, role_term, &params, headers, diagnostics);
    let owner = owner(read, &role, this.map(|index| &params[index]), &params);
    let makes = role == Role::Constructor && this.is_none();
    let result = Meaning::take(
        read,
        makes,
        success == Some(Success::Zero),
        clauses,
        diagnostics,
    );
    let nonzero =
        success == Some(Success::Nonzero) && result.errno.is_none() && gives_number(read, &role);
    let given = clauses.named("name", diagnostics).map(|(name, _)| name);
    let scoped = clauses.flag("scoped", diagnostics);
    let short = || short_name(&read.name, owner.as_deref(), module, &role, scoped);
    let mut function = Function {
        counts: false,
        made: made(&role, &params).filter(|_| this.is_none()),
        name: given.unwrap_or_else(short),
        c: read.name.clone(),
        owner,
        this,
        params,
        arguments: Vec::new(),
        ret: read.ret.clone(),
        gives: ir::Gives::default(),
        returns: result.returns,
        lives: result.lives,
        nullable: result.nullable,
        never_null: result.never_null,
        errno: result.errno,
        plain: clauses.flag("plain", diagnostics) || nonzero,
        promise: promise(clauses, diagnostics),
        unbound: clauses.flag("unbound", diagnostics),
        scoped,
        deferred: deferred(read, clauses, headers, diagnostics),
        waits: clauses.flag("waits", diagnostics),
        leaked: stated(
            "leaked",
            "whether it may run after a guard was leaked",
            clauses,
            diagnostics,
        ),
        reaped: stated(
            "reaped",
            "whether C ends what a module leaves behind",
            clauses,
            diagnostics,
        ),
        constant: clauses.flag("constant", diagnostics),
        requires: required(read, clauses, &mut from_c),
        inverted: cond_acquires(read) == Some("false"),
        releases: released(read),
        stage: stage::lower(clauses, diagnostics),
        lock_name: lock_name(read),
        context: context(clauses, diagnostics),
        must_check: must_check(read, &mut from_c),
        needs_helper: clauses.flag("macro", diagnostics) || read.inline,
        from_c,
        role_from_c,
        doc: read.doc.clone(),
        contract: clauses.span,
        span: read.span,
        role,
    };
    counted_in_place(&mut function);
    (function, role_term)
}

/// A `put` that calls back is, for each reference, what drops the object, whose storage is freed when C calls back.
fn counted_in_place(function: &mut Function) {
    let Some(release) = calls_back(function) else {
        return;
    };
    function.params[release].kind = ParamKind::Release;
    function.role = Role::Destructor;
    function.deferred = Some(function.c.clone());
    function.counts = true;
    function.plain = true;
}

/// The second parameter of a `put` that is given what to call for the last reference: `void (*release)(struct foo *)`.
fn calls_back(function: &Function) -> Option<usize> {
    let [object, release] = &function.params[..] else {
        return None;
    };
    let CType::Pointer { to, .. } = release.ty.plain() else {
        return None;
    };
    let fits = matches!(to.plain(), CType::Function { ret, params }
        if **ret == CType::Void && params.iter().map(CType::plain).eq([object.ty.plain()]));
    let plain = release.kind == ParamKind::Plain && function.this == Some(0);
    (function.role == Role::Put && fits && plain).then_some(1)
}

/// The meaning of a result, by the clauses on it.
struct Meaning {
    returns: Returns,
    lives: Option<String>,
    errno: Option<Errno>,
    nullable: bool,
    never_null: bool,
}

impl Meaning {
    fn take(
        read: &read::Function,
        makes: bool,
        zero_is_success: bool,
        clauses: &mut Clauses<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let owned = clauses.flag("owned", diagnostics) || makes;
        let borrowed = clauses.take("borrowed");
        let errno = errno::lower(clauses, diagnostics).or(zero_is_success.then(Errno::default));
        let returns = match (owned, borrowed, &errno) {
            (true, _, _) => Returns::Owned,
            (_, Some(_), _) => Returns::Borrowed,
            (_, _, Some(_)) => Returns::Errno,
            _ => Returns::Value,
        };
        let (nullable, never_null) = null(read, clauses, diagnostics);
        Meaning {
            returns,
            lives: borrowed.and_then(first_name),
            errno,
            nullable,
            never_null,
        }
    }
}

fn left_out(read: &read::Function, reason: &str, remedy: &str) -> LeftOut {
    LeftOut {
        name: read.name.clone(),
        reason: reason.into(),
        remedy: remedy.into(),
        span: read.span,
    }
}

/// The role, its clause, and whether it comes from C's annotations.
fn stated_role<'a>(
    clauses: &mut Clauses<'a>,
    class: Option<FromC>,
    from_c: &mut Vec<String>,
    diagnostics: &mut Diagnostics,
) -> (Role, Option<&'a Term>, bool) {
    if let Some((role, term)) = role(clauses, diagnostics) {
        return (role, Some(term), false);
    }
    match (clauses.take("method"), class) {
        (None, Some(found)) => {
            from_c.push(format!("its role is read from {}", found.by));
            (found.role, None, true)
        }
        (term, _) => (Role::Method, term, false),
    }
}

/// The structure whose function it is.
fn owner(
    read: &read::Function,
    role: &Role,
    this: Option<&Param>,
    params: &[Param],
) -> Option<String> {
    match this {
        Some(this) => pointee(&this.ty)
            .or_else(|| this.int_type.clone())
            .or_else(|| by_value(&this.ty)),
        None => pointee(&read.ret).or_else(|| made(role, params)),
    }
}

/// The guard that must be held, by the contract or by C's annotation.
fn required(
    read: &read::Function,
    clauses: &mut Clauses<'_>,
    from_c: &mut Vec<String>,
) -> Option<(String, Span)> {
    let stated = clauses
        .take("requires")
        .and_then(|term| Some((first_name(term)?, term.span)));
    stated.or_else(|| {
        let held = must_hold(read);
        from_c.extend(
            held.is_some()
                .then(|| "`requires` is read from `__must_hold`".into()),
        );
        held
    })
}

/// Whether the result may be NULL, and whether it never is.
fn null(
    read: &read::Function,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> (bool, bool) {
    let nullable = clauses.flag("nullable", diagnostics);
    let attribute = read.attribute_of(RETURNS_NONNULL);
    let never = clauses
        .take("nonnull")
        .map(|term| term.span)
        .or(attribute.map(|never| never.span));
    if let Some(never) = never.filter(|_| nullable) {
        diagnostics.push(contradicted(
            clauses.span,
            format!("the result of `{}`", read.name),
            never,
        ));
    }
    (nullable, never.is_some())
}

/// How it is that a leak does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stated {
    /// `leaked`, `reaped`: by C.
    Harmless,
    /// `leaked(unsafe)`, `reaped(unsafe)`: it must not happen, which the caller of each constructor promises.
    Promised,
}

/// Take `clause` or `clause(unsafe)`.
fn stated(
    clause: &str,
    what: &str,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Stated> {
    let term = clauses.take(clause)?;
    match term.args.iter().map(|arg| arg.name()).collect::<Vec<_>>()[..] {
        [] => Some(Stated::Harmless),
        [Some("unsafe")] => Some(Stated::Promised),
        _ => {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    format!("`{clause}` does not state {what}"),
                    format!("expected `{clause}` or `{clause}(unsafe)`"),
                )
                .help(format!(
                    "write `{clause}` if so, or `{clause}(unsafe)` with `unsafe(\"...\")` on the constructor"
                )),
            );
            None
        }
    }
}

/// Take `unsafe("...")`.
fn promise(clauses: &mut Clauses<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let term = clauses.take("unsafe")?;
    match term.args.first().map(|arg| &arg.value) {
        Some(Value::Text(text)) if !text.trim().is_empty() => {
            Some(text.trim().trim_end_matches('.').to_owned())
        }
        _ => {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    "`unsafe` does not state what the caller must promise",
                    "expected `unsafe(\"...\")`",
                )
                .help("complete the sentence `The caller must promise that ...`"),
            );
            None
        }
    }
}

/// Take `deferred(function)`: a function with the object and a callback that is given the object.
fn deferred(
    read: &read::Function,
    clauses: &mut Clauses<'_>,
    headers: &Headers,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let term = clauses.take("deferred")?;
    let name = first_name(term);
    let object = read.params.first().map(|param| param.ty.plain());
    let fits = |found: &&read::Function| {
        let [first, CType::Pointer { to, .. }] = found
            .params
            .iter()
            .map(|param| param.ty.plain())
            .collect::<Vec<_>>()[..]
        else {
            return false;
        };
        let done = matches!(to.plain(), CType::Function { ret, params }
            if **ret == CType::Void && params.iter().map(CType::plain).eq(object));
        Some(first) == object && done && *found.ret.plain() == CType::Void
    };
    if name
        .as_ref()
        .and_then(|name| headers.functions.get(name))
        .filter(fits)
        .is_none()
    {
        let tag = object.and_then(CType::pointee_record).unwrap_or("foo");
        diagnostics.push(
            Diagnostic::error(
                term.span,
                "`deferred` does not name a function that ends the object and then calls back",
                "expected `deferred(function)`",
            )
            .help(format!(
                "declare `void function(struct {tag} *, void (*done)(struct {tag} *))`"
            )),
        );
        return None;
    }
    name
}

/// Take `may_sleep` or `atomic`.
pub(super) fn context(clauses: &mut Clauses<'_>, diagnostics: &mut Diagnostics) -> Context {
    let sleeps = clauses.flag("may_sleep", diagnostics);
    match clauses.take("atomic") {
        Some(term) if sleeps => {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    "a function cannot be both `may_sleep` and `atomic`",
                    "expected one of the two",
                )
                .help("`atomic` means that it never sleeps; remove it"),
            );
            Context::MaySleep
        }
        Some(_) => Context::Atomic,
        None if sleeps => Context::MaySleep,
        None => Context::Unstated,
    }
}

fn role<'a>(clauses: &mut Clauses<'a>, diagnostics: &mut Diagnostics) -> Option<(Role, &'a Term)> {
    let plain: [(&str, Role); 7] = [
        ("constructor", Role::Constructor),
        ("destructor", Role::Destructor),
        ("get", Role::Get),
        ("put", Role::Put),
        ("enter", Role::Enter),
        ("leave", Role::Leave),
        ("outcome", Role::Outcome),
    ];
    let mut found: Option<(Role, &Term)> = None;
    let mut add = |role: Role, term: &'a Term, diagnostics: &mut Diagnostics| match &found {
        Some((_, first)) => diagnostics.push(
            Diagnostic::error(
                term.span,
                "a function has one role",
                "expected no second role",
            )
            .note(first.span, "the first is here")
            .help("remove one of the two"),
        ),
        None => found = Some((role, term)),
    };
    for (clause, role) in plain {
        if let Some(term) = clauses.take(clause) {
            add(role, term, diagnostics);
        }
    }
    let named: [(&str, Named); 5] = [
        ("lock", Role::Lock),
        ("trylock", Role::TryLock),
        ("unlock", Role::Unlock),
        ("begin", Role::Begin),
        ("check", Role::Check),
    ];
    for (clause, role) in named {
        if let Some((name, term)) = clauses.named(clause, diagnostics) {
            add(role(name), term, diagnostics);
        }
    }
    if let Some((name, term)) = clauses.named("iterator", diagnostics) {
        let start = argument(term, "start").map(|start| pairs(start, diagnostics));
        let of = argument(term, "of").and_then(|arg| Some((first_name(arg)?, arg.span)));
        let iteration = Iteration {
            name,
            start: start.unwrap_or_default(),
            of,
        };
        add(Role::Iterator(iteration), term, diagnostics);
    }
    found
}

fn pairs(term: &Term, diagnostics: &mut Diagnostics) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for arg in &term.args {
        let right = arg.equals.as_deref().and_then(|right| right.name());
        match (arg.name(), right) {
            (Some(left), Some(right)) => pairs.push((left.to_owned(), right.to_owned())),
            _ => diagnostics.push(
                Diagnostic::error(
                    arg.span,
                    "this does not name the field that a member starts from",
                    "expected `member = member.of.the.state`",
                )
                .help("write `start(pos = now.start)`"),
            ),
        }
    }
    pairs
}

/// A role from C's own annotations.
struct FromC {
    role: Role,
    /// The annotation.
    by: String,
    /// Which result means that the lock is held.
    success: Option<Success>,
}

/// The role that a guard or a cleanup class of the kernel's cleanup.h idiom gives a function.
fn class_role(read: &read::Function, headers: &Headers) -> Option<FromC> {
    let name = read.name.as_str();
    headers.classes.iter().find_map(|class| {
        let guard = format!("{}Guard", camel(&class.name));
        let enters = class.enter.as_deref() == Some(name);
        let leaves = class.leave == name;
        let role = match class.kind {
            ClassKind::Guard if enters => Role::Lock(guard),
            ClassKind::Guard if leaves => Role::Unlock(guard),
            ClassKind::Conditional if enters => Role::TryLock(guard),
            ClassKind::Free if leaves => ended_by(&class.record, headers)?,
            _ => return None,
        };
        let kind = match class.kind {
            ClassKind::Free => "cleanup class",
            _ => "guard",
        };
        let by = format!("the {kind} `{}`", class.name);
        Some(FromC {
            role,
            by,
            success: class.success,
        })
    })
}

/// The role of the function in a `DEFINE_FREE`: it drops a reference if the object has a `get`, ends the
/// object if it has a constructor, and is unknown otherwise.
fn ended_by(record: &str, headers: &Headers) -> Option<Role> {
    let has = |clause: &str| {
        headers.functions.values().any(|f| {
            let about = |ty: &CType| ty.pointee_record() == Some(record);
            f.contract
                .terms
                .iter()
                .any(|term| term.name() == Some(clause))
                && (about(&f.ret) || f.params.iter().any(|param| about(&param.ty)))
        })
    };
    match (has("get"), has("constructor")) {
        (true, _) => Some(Role::Put),
        (_, true) => Some(Role::Destructor),
        _ => None,
    }
}

/// The attributes for taking and releasing locks, and the roles of their functions.
const LOCKING: &[(&str, Named)] = &[
    ("__acquires", Role::Lock),
    ("__acquires_shared", Role::Lock),
    ("__releases", Role::Unlock),
    ("__releases_shared", Role::Unlock),
    ("__cond_acquires", Role::TryLock),
    ("__cond_acquires_shared", Role::TryLock),
];

/// Whether a function that releases a lock holds it again when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It does.
    Held,
    /// It does not.
    Released,
}

/// What C states about a lock that is held when the function is called.
fn released(read: &read::Function) -> Option<Again> {
    read.attribute_of(&["__releases", "__releases_shared"])?;
    match read.attribute_of(&["__acquires", "__acquires_shared"]) {
        Some(_) => Some(Again::Held),
        None => Some(Again::Released),
    }
}

/// The role that `__acquires(&foo->lock)` and its like give a function. One that releases a lock and takes it again has none.
fn locking(read: &read::Function) -> Option<FromC> {
    if released(read) == Some(Again::Held) {
        return None;
    }
    LOCKING.iter().find_map(|(name, role)| {
        let lock = read.attribute(name)?.args.last()?;
        let member = lock.rsplit(['>', '.', '&']).next().unwrap_or(lock);
        let shared = if name.ends_with("_shared") {
            "Shared"
        } else {
            ""
        };
        let guard = format!("{}{shared}Guard", camel(member.trim()));
        Some(FromC {
            role: role(guard),
            by: format!("`{name}`"),
            success: success(read),
        })
    })
}

/// The first argument of `__cond_acquires()`.
fn cond_acquires(read: &read::Function) -> Option<&str> {
    match &read
        .attribute_of(&["__cond_acquires", "__cond_acquires_shared"])?
        .args[..]
    {
        [result, _] => Some(result.as_str()),
        _ => None,
    }
}

/// The result by which `__cond_acquires()` has a lock held.
fn success(read: &read::Function) -> Option<Success> {
    match cond_acquires(read)? {
        "0" => Some(Success::Zero),
        "true" | "nonzero" => Some(Success::Nonzero),
        _ => None,
    }
}

/// The lock that an attribute names; a shared lock has another name.
fn lock_key(attribute: &str, lock: &str) -> String {
    match attribute.ends_with("_shared") {
        true => format!("{lock} shared"),
        false => lock.to_owned(),
    }
}

/// The lock that `__acquires` or `__releases` names.
fn lock_name(read: &read::Function) -> Option<String> {
    LOCKING
        .iter()
        .find_map(|(name, _)| Some(lock_key(name, read.attribute(name)?.args.last()?)))
}

/// The lock that `__must_hold` names. The check phase finds its guard.
pub(super) fn must_hold(read: &read::Function) -> Option<(String, Span)> {
    let held = read.attribute_of(&["__must_hold", "__must_hold_shared"])?;
    Some((lock_key(&held.name, held.args.first()?), held.span))
}

/// Attributes by which a result is not NULL.
const RETURNS_NONNULL: &[&str] = &[
    "__returns_nonnull",
    "__returns_nonnull__",
    "returns_nonnull",
];

fn contradicted(span: Span, what: String, by: Span) -> Diagnostic {
    Diagnostic::error(
        span,
        format!("{what} cannot be `nullable`"),
        "expected no `nullable`",
    )
    .note(by, "this makes it non-NULL")
    .help("remove one of the two")
}

fn params(
    read: &read::Function,
    from_c: &mut Vec<String>,
    diagnostics: &mut Diagnostics,
) -> Vec<Param> {
    let params = read
        .params
        .iter()
        .map(|param| param::lower(param, diagnostics))
        .collect();
    let mut params = lengths(params, diagnostics);
    not_null(read, &mut params, from_c, diagnostics);
    params
}

/// Take from C's attributes which pointers are never NULL.
fn not_null(
    read: &read::Function,
    params: &mut [Param],
    from_c: &mut Vec<String>,
    diagnostics: &mut Diagnostics,
) {
    for (index, param) in params.iter_mut().enumerate() {
        let Some(never) = read.nonnull(index) else {
            continue;
        };
        if param.nullable {
            diagnostics.push(contradicted(
                param.span,
                format!("`{}`", param.name),
                never.span,
            ));
        }
        if matches!(param.ty.plain(), CType::Pointer { .. }) {
            param.nonnull = true;
            from_c.push(format!(
                "that `{}` is never NULL is read from `{}`",
                param.name, never.name
            ));
        }
    }
}

/// Which parameter is the object: the one that the role names, else the first that points to a
/// structure under contract.
fn this(
    read: &read::Function,
    role: &Role,
    term: Option<&Term>,
    params: &[Param],
    headers: &Headers,
    diagnostics: &mut Diagnostics,
) -> Option<usize> {
    let named_role = matches!(
        role,
        Role::Constructor | Role::Destructor | Role::Get | Role::Put | Role::Method
    );
    if let Some(arg) = term
        .filter(|_| named_role)
        .and_then(|term| term.args.first())
    {
        let wanted = arg.name().unwrap_or_default();
        let found = params.iter().position(|param| param.name == wanted);
        if found.is_none() {
            let names = params
                .iter()
                .map(|p| p.name.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            diagnostics.push(
                Diagnostic::error(
                    arg.span,
                    format!("`{}` has no parameter `{wanted}`", read.name),
                    format!("expected one of: {names}"),
                )
                .help("name the parameter that is the object"),
            );
        }
        return found;
    }
    let known = |tag: &str| {
        headers
            .records
            .get(tag)
            .is_some_and(|r| !r.contract.is_empty())
    };
    let pointer = |p: &Param| p.ty.pointee_record().is_some_and(known);
    let makes = *role == Role::Constructor
        && pointee(&read.ret)
            .or_else(|| made(role, params))
            .is_some_and(|tag| known(&tag));
    if makes {
        return None;
    }
    let value = |p: &Param| p.int_type.is_some() || by_value(&p.ty).is_some_and(|tag| known(&tag));
    params
        .iter()
        .position(|p| pointer(p) && matches!(p.kind, ParamKind::Plain | ParamKind::Borrows))
        .or_else(|| params.first().filter(|p| value(p)).map(|_| 0))
}

/// The structure of the object that a constructor gives out by a parameter.
fn made(role: &Role, params: &[Param]) -> Option<String> {
    let made = params
        .iter()
        .find_map(Param::made)
        .filter(|_| *role == Role::Constructor);
    made.map(str::to_owned)
}

fn pointee(ty: &CType) -> Option<String> {
    ty.pointee_record().map(str::to_owned)
}

fn by_value(ty: &CType) -> Option<String> {
    match ty.plain() {
        CType::Record(tag) | CType::Enum(tag) => Some(tag.clone()),
        _ => None,
    }
}

/// Marks the parameters that are lengths of slices.
fn lengths(mut params: Vec<Param>, diagnostics: &mut Diagnostics) -> Vec<Param> {
    let slices: Vec<(String, String, Span)> = params
        .iter()
        .filter_map(|p| match &p.kind {
            ParamKind::Slice(length) => Some((p.name.clone(), length.clone(), p.span)),
            _ => None,
        })
        .collect();
    for (name, length, span) in slices {
        match params.iter_mut().find(|p| p.name == length) {
            Some(param) if matches!(param.kind, ParamKind::LengthOf(_)) => diagnostics.push(
                Diagnostic::error(
                    span,
                    format!("`{length}` is the length of another slice"),
                    "expected a parameter that is the length of this one only",
                )
                .help("put a static inline that takes two lengths under contract"),
            ),
            Some(param) if matches!(param.ty.plain(), CType::Int(_)) => {
                param.kind = ParamKind::LengthOf(name);
            }
            Some(param) => diagnostics.push(
                Diagnostic::error(
                    param.span,
                    format!("`{length}` is not an integer"),
                    format!("expected the number of elements of `{name}`"),
                )
                .help("name an integer parameter"),
            ),
            None => diagnostics.push(
                Diagnostic::error(
                    span,
                    format!("there is no parameter `{length}`"),
                    "expected the name of the parameter that holds the length",
                )
                .help("name another parameter of the same function"),
            ),
        }
    }
    params
}

/// The name without the prefix that the owner or the module has already.
fn short_name(c: &str, owner: Option<&str>, module: &str, role: &Role, scoped: bool) -> String {
    if *role == Role::Constructor {
        // What calls a closure is no `new`, which returns the object.
        return if scoped { "with" } else { "new" }.to_owned();
    }
    let prefixes = [owner.unwrap_or_default(), module];
    let stripped = prefixes
        .iter()
        .filter(|p| !p.is_empty())
        .find_map(|prefix| {
            c.strip_prefix(prefix)?
                .strip_prefix('_')
                .filter(|rest| !rest.is_empty())
        });
    let name = stripped.unwrap_or(c).trim_start_matches('_').to_lowercase();
    match syn::parse_str::<syn::Ident>(&name) {
        Ok(_) => name,
        // A keyword of Rust.
        Err(_) => format!("{name}_"),
    }
}

/// A callback that is a parameter becomes a table with one entry.
fn single_callbacks(
    read: &read::Function,
    function: &Function,
    api: &mut Api,
    diagnostics: &mut Diagnostics,
) {
    for (param, lowered) in read.params.iter().zip(&function.params) {
        if lowered.kind != ParamKind::Callback {
            continue;
        }
        let Some(term) = param
            .contract
            .terms
            .iter()
            .find(|t| t.name() == Some("callback"))
        else {
            continue;
        };
        let found = ops::Single {
            tag: read.name.clone(),
            name: &param.name,
            ty: &param.ty,
            signature: None,
            term,
            doc: read
                .doc
                .as_ref()
                .and_then(|doc| doc.members.get(&param.name)),
            span: param.span,
        };
        api.tables.extend(found.lower(diagnostics));
    }
}

/// `begin("Name")` declares a section whose protocol the caller runs.
fn sequence(function: &Function, term: Option<&Term>, api: &mut Api) {
    let (Role::Begin(name), Some(term), Some(of)) = (&function.role, term, &function.owner) else {
        return;
    };
    api.sections.push(Section {
        tag: format!("{of}#{name}"),
        name: name.clone(),
        of: of.clone(),
        holds: argument(term, "holds").and_then(|arg| Some((first_name(arg)?, arg.span))),
        method: argument(term, "method")
            .and_then(first_name)
            .unwrap_or_else(|| "section".into()),
        given: Vec::new(),
        set: Vec::new(),
        room: None,
        protocol: Protocol::Sequence,
        doc: None,
        text: None,
        span: function.span,
    });
}
