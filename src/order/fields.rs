//! Reading an object member by member, noting everything that is wrong with it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::json::Json;
use super::violation::{Code, MAX_ERRORS, MAX_WARNINGS, Violation};

/// What a check says against a value.
pub(super) struct Fault(pub(super) Code, pub(super) Cow<'static, str>);

impl Fault {
    pub(super) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(code, detail.into())
    }

    pub(super) fn wrong_type(expected: &str, found: &Json<'_>) -> Self {
        Self::new(Code::WrongType, format!("must be {expected}, not {}", found.kind()))
    }
}

/// Everything that was found against an order, in the order of the document.
#[derive(Default)]
pub(super) struct Findings {
    /// The document is no valid order.
    pub(super) errors: Vec<Violation>,
    /// It is, but today, or under this configuration, it may not be sent.
    pub(super) against_fresh: Vec<Violation>,
    /// It may be sent, but something looks wrong.
    pub(super) advisories: Vec<Violation>,
}

impl Findings {
    pub(super) fn error(&mut self, pointer: String, Fault(code, detail): Fault) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(Violation { pointer, code, detail: detail.into() });
        }
    }

    pub(super) fn against_fresh(&mut self, pointer: impl Into<String>, code: Code, detail: impl Into<String>) {
        if self.against_fresh.len() < MAX_ERRORS {
            self.against_fresh.push(Violation::new(pointer, code, detail));
        }
    }

    pub(super) fn advise(&mut self, pointer: impl Into<String>, code: Code, detail: impl Into<String>) {
        if self.advisories.len() < MAX_WARNINGS {
            self.advisories.push(Violation::new(pointer, code, detail));
        }
    }
}

type Members<'d> = BTreeMap<Cow<'d, str>, Json<'d>>;

/// An object's members, or those of one that is missing though it must not be: then every
/// required member is missing too, and is said to be.
pub(super) struct Fields<'f, 'd> {
    at: String,
    members: Option<&'d Members<'d>>,
    known: Vec<&'static str>,
    pub(super) findings: &'f mut Findings,
}

impl<'f, 'd> Fields<'f, 'd> {
    /// The members of the object that stands at a pointer; `None`, and an error, if it is no object.
    pub(super) fn of(value: &'d Json<'d>, at: String, findings: &'f mut Findings) -> Option<Self> {
        if let Json::Object(members) = value {
            return Some(Self { at, members: Some(members), known: Vec::new(), findings });
        }
        findings.error(at, Fault::wrong_type("an object", value));
        None
    }

    pub(super) fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.at, name.replace('~', "~0").replace('/', "~1"))
    }

    fn present(&mut self, name: &'static str) -> Option<&'d Json<'d>> {
        self.known.push(name);
        self.members?.get(name).filter(|value| match value {
            Json::Null => false,
            Json::String(text) => !text.is_empty(),
            _ => true,
        })
    }

    fn check<T>(&mut self, name: &str, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.findings.error(self.pointer(name), fault)).ok()
    }

    fn missing(&mut self, name: &str) {
        self.findings.error(self.pointer(name), Fault::new(Code::Required, "is required"));
    }

    /// A member that must be there and pass the check. `None`: it did not, and an error is noted.
    pub(super) fn required<T>(&mut self, name: &'static str, check: impl FnOnce(&'d Json<'d>) -> Result<T, Fault>) -> Option<T> {
        match self.present(name) {
            Some(Json::String(text)) if text.trim().is_empty() => {
                self.findings.error(self.pointer(name), Fault::new(Code::Required, "is required and must not be blank"));
                None
            }
            Some(value) => self.check(name, check(value)),
            None => {
                self.missing(name);
                None
            }
        }
    }

    /// A member that may be missing, `null` or `""`.
    pub(super) fn optional<T>(&mut self, name: &'static str, check: impl FnOnce(&'d Json<'d>) -> Result<T, Fault>) -> Option<T> {
        let value = self.present(name)?;
        self.check(name, check(value))
    }

    /// A member that may be there only if a rule says so.
    pub(super) fn required_if<T>(
        &mut self,
        rule: bool,
        name: &'static str,
        check: impl FnOnce(&'d Json<'d>) -> Result<T, Fault>,
    ) -> Option<T> {
        if rule { self.required(name, check) } else { self.optional(name, check) }
    }

    /// A member that a shop may not send.
    pub(super) fn refused(&mut self, name: &'static str, why: &'static str) {
        if self.present(name).is_some() {
            self.findings.error(self.pointer(name), Fault::new(Code::NotAllowed, why));
        }
    }

    /// The members of an object that must be there.
    pub(super) fn object(&mut self, name: &'static str) -> Option<Fields<'_, 'd>> {
        let at = self.pointer(name);
        match self.present(name) {
            Some(value) => Fields::of(value, at, self.findings),
            None => {
                self.missing(name);
                Some(Fields { at, members: None, known: Vec::new(), findings: self.findings })
            }
        }
    }

    /// The members of an object that may be missing.
    pub(super) fn optional_object(&mut self, name: &'static str) -> Option<Fields<'_, 'd>> {
        let at = self.pointer(name);
        let value = self.present(name)?;
        Fields::of(value, at, self.findings)
    }

    /// The last word: members that were never asked for are unknown.
    pub(super) fn finish(self) {
        for name in self.members.into_iter().flat_map(BTreeMap::keys) {
            if !self.known.contains(&name.as_ref()) {
                let pointer = self.pointer(name);
                self.findings.advise(pointer, Code::UnknownField, "is no member of Front Payment's page, and is not forwarded");
            }
        }
    }
}
