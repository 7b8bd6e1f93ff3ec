//! Reading an object member by member, noting everything that is wrong with it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::json::Json;
use super::violation::{Code, MAX_ERRORS, Violation};

/// What a check says against a value.
pub(super) struct FieldError(pub(super) Code, pub(super) Cow<'static, str>);

impl FieldError {
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
    pub(super) fresh_only: Vec<Violation>,
    /// It may be sent, but something looks wrong.
    pub(super) advisories: Vec<Violation>,
    /// Members that the page does not have; apart from the rest, so that they crowd nothing out.
    pub(super) unknown: Vec<Violation>,
}

impl Findings {
    pub(super) fn error(&mut self, pointer: String, FieldError(code, detail): FieldError) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(Violation { pointer, code, detail: detail.into() });
        }
    }

    pub(super) fn fresh_only(&mut self, pointer: impl Into<String>, code: Code, detail: impl Into<String>) {
        if self.fresh_only.len() < MAX_ERRORS {
            self.fresh_only.push(Violation::new(pointer, code, detail));
        }
    }

    pub(super) fn advise(&mut self, pointer: impl Into<String>, code: Code, detail: impl Into<String>) {
        self.advisories.push(Violation::new(pointer, code, detail));
    }

    fn unknown(&mut self, pointer: String) {
        if self.unknown.len() < MAX_ERRORS {
            let detail = "is no member of Front Payment's page, and is not forwarded";
            self.unknown.push(Violation::new(pointer, Code::UnknownField, detail));
        }
    }
}

/// As many as any object of the page has.
const MOST_MEMBERS: usize = 16;

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
            return Some(Self { at, members: Some(members), known: Vec::with_capacity(MOST_MEMBERS), findings });
        }
        findings.error(at, FieldError::wrong_type("an object", value));
        None
    }

    pub(super) fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.at, name.replace('~', "~0").replace('/', "~1"))
    }

    /// A member's value; `null` is none.
    fn value(&mut self, name: &'static str) -> Option<&'d Json<'d>> {
        self.known.push(name);
        self.members?.get(name).filter(|value| **value != Json::Null)
    }

    /// An optional member's value; `""` is none either.
    fn given(&mut self, name: &'static str) -> Option<&'d Json<'d>> {
        self.value(name).filter(|value| !is_text(value, str::is_empty))
    }

    fn check<T>(&mut self, name: &str, result: Result<T, FieldError>) -> Option<T> {
        result.map_err(|fault| self.findings.error(self.pointer(name), fault)).ok()
    }

    /// A member that must be there, must not be blank, and must pass the check. `None`: an error is noted.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        check: impl FnOnce(&'d Json<'d>) -> Result<T, FieldError>,
    ) -> Option<T> {
        let result = match self.value(name) {
            None => Err(FieldError::new(Code::Required, "is required")),
            Some(value) => match check(value) {
                Err(fault @ FieldError(Code::WrongType, _)) => Err(fault),
                _ if is_text(value, |text| text.trim().is_empty()) => {
                    Err(FieldError::new(Code::Required, "is required and must not be blank"))
                }
                result => result,
            },
        };
        self.check(name, result)
    }

    /// A member that may be missing, `null` or `""`.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        check: impl FnOnce(&'d Json<'d>) -> Result<T, FieldError>,
    ) -> Option<T> {
        let value = self.given(name)?;
        self.check(name, check(value))
    }

    /// A member that may be there only if a rule says so.
    pub(super) fn required_if<T>(
        &mut self,
        rule: bool,
        name: &'static str,
        check: impl FnOnce(&'d Json<'d>) -> Result<T, FieldError>,
    ) -> Option<T> {
        if rule { self.required(name, check) } else { self.optional(name, check) }
    }

    /// A member that a shop may not send.
    pub(super) fn refused(&mut self, name: &'static str, why: &'static str) {
        if self.given(name).is_some() {
            self.findings.error(self.pointer(name), FieldError::new(Code::NotAllowed, why));
        }
    }

    /// The members of an object that must be there.
    pub(super) fn object(&mut self, name: &'static str) -> Option<Fields<'_, 'd>> {
        let at = self.pointer(name);
        match self.value(name) {
            Some(value) => Fields::of(value, at, self.findings),
            None => {
                self.findings.error(at.clone(), FieldError::new(Code::Required, "is required"));
                Some(Fields { at, members: None, known: Vec::with_capacity(MOST_MEMBERS), findings: self.findings })
            }
        }
    }

    /// The members of an object that may be missing.
    pub(super) fn optional_object(&mut self, name: &'static str) -> Option<Fields<'_, 'd>> {
        let at = self.pointer(name);
        let value = self.given(name)?;
        Fields::of(value, at, self.findings)
    }

    /// The last word: members that were never asked for are unknown.
    pub(super) fn finish(self) {
        for name in self.members.into_iter().flat_map(BTreeMap::keys) {
            if !self.known.contains(&name.as_ref()) {
                self.findings.unknown(self.pointer(name));
            }
        }
    }
}

fn is_text(value: &Json<'_>, test: impl FnOnce(&str) -> bool) -> bool {
    matches!(value, Json::String(text) if test(text))
}
