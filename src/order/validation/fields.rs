//! Reads an object member by member, and collects everything that is wrong with it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::advisories::Advice;
use super::{garbled, texts};
use crate::order::json::Json;
use crate::order::violation::{Code, MAX_ERRORS, Violation};

/// What is wrong with a value.
pub(super) struct FieldError(pub(super) Code, pub(super) Cow<'static, str>);

impl FieldError {
    pub(super) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(code, detail.into())
    }

    pub(super) fn wrong_type(expected: &str, found: &Json<'_>) -> Self {
        Self::new(Code::WrongType, texts::wrong_type(expected, found.kind()))
    }
}

/// Everything that is wrong with an order, each list in the sequence of the document.
#[derive(Default)]
pub(super) struct Findings {
    /// Mistakes that make the order invalid.
    pub(super) errors: Vec<Violation>,
    /// Reasons why a valid order may not be sent now, because of the day or the configuration.
    pub(super) fresh_only: Vec<Violation>,
    /// What looks wrong in an order that may be sent.
    pub(super) advisories: Vec<Violation>,
    /// Advisories that every line may have. They have their own list, so that many of them do not push out the others.
    pub(super) line_advisories: Vec<Violation>,
    /// Members that are not on the provider's page. They have their own list for the same reason.
    pub(super) unknown: Vec<Violation>,
}

impl Findings {
    pub(super) fn error(&mut self, pointer: String, FieldError(code, detail): FieldError) {
        note(&mut self.errors, pointer, code, detail);
    }

    pub(super) fn fresh_only(&mut self, pointer: impl Into<String>, code: Code, detail: impl Into<String>) {
        note(&mut self.fresh_only, pointer, code, detail);
    }

    pub(super) fn advise(&mut self, pointer: String, (code, detail): Advice) {
        note(&mut self.advisories, pointer, code, detail);
    }

    /// A text of a line goes into the lines' list, because every line may have one.
    fn advise_text(&mut self, pointer: String) {
        let list = if pointer.starts_with("/products/") { &mut self.line_advisories } else { &mut self.advisories };
        note(list, pointer, Code::UnlikelyFormat, texts::GARBLED);
    }

    fn unknown(&mut self, pointer: String, meant: Option<&str>) {
        note(&mut self.unknown, pointer, Code::UnknownField, texts::unknown_field(meant));
    }

    fn has_room_for_unknown(&self) -> bool {
        self.unknown.len() < MAX_ERRORS
    }
}

fn note(list: &mut Vec<Violation>, pointer: impl Into<String>, code: Code, detail: impl Into<String>) {
    if list.len() < MAX_ERRORS {
        list.push(Violation::new(pointer, code, detail));
    }
}

/// The most members that an object has on the provider's page.
const MOST_MEMBERS: usize = 16;

type Members<'d> = BTreeMap<Cow<'d, str>, Json<'d>>;

/// The members of an object. A missing required object counts as an empty one, so that each of its required members is
/// reported, too.
pub(super) struct Fields<'f, 'd> {
    at: String,
    members: Option<&'d Members<'d>>,
    known: Vec<&'static str>,
    /// How many of the known members are there.
    found: usize,
    pub(super) findings: &'f mut Findings,
}

impl<'f, 'd> Fields<'f, 'd> {
    /// `None`, with an error, if the value is not an object.
    pub(super) fn of(value: &'d Json<'d>, at: String, findings: &'f mut Findings) -> Option<Self> {
        if let Json::Object(members) = value {
            return Some(Self { at, members: Some(members), known: Vec::with_capacity(MOST_MEMBERS), found: 0, findings });
        }
        findings.error(at, FieldError::wrong_type("an object", value));
        None
    }

    /// The place of a member, or of a member's member: `orderSummary/subTotal`.
    pub(super) fn pointer(&self, name: &str) -> String {
        [self.at.as_str(), name].join("/")
    }

    pub(super) fn advise(&mut self, name: &str, advice: Option<Advice>) {
        if let Some(advice) = advice {
            self.findings.advise(self.pointer(name), advice);
        }
    }

    /// For advice that every line may get.
    pub(super) fn advise_line(&mut self, name: &str, advice: Option<Advice>) {
        if let Some((code, detail)) = advice {
            let pointer = self.pointer(name);
            note(&mut self.findings.line_advisories, pointer, code, detail);
        }
    }

    /// Whether a member is missing, `null` or blank.
    pub(super) fn is_missing(&self, name: &str) -> bool {
        let value = self.members.and_then(|members| members.get(name));
        value.is_none_or(|value| *value == Json::Null || is_text(value, is_blank))
    }

    /// The value of a member; `null` counts as absent.
    fn value(&mut self, name: &'static str) -> Option<&'d Json<'d>> {
        debug_assert!(!self.known.contains(&name), "{name} would count twice");
        self.known.push(name);
        let value = self.members?.get(name)?;
        self.found += 1;
        if *value == Json::Null {
            return None;
        }
        if is_text(value, garbled::is_garbled) {
            self.findings.advise_text(self.pointer(name));
        }
        Some(value)
    }

    /// The value of an optional member; `""` counts as absent, too.
    fn given(&mut self, name: &'static str) -> Option<&'d Json<'d>> {
        self.value(name).filter(|value| !is_text(value, str::is_empty))
    }

    fn check<T>(&mut self, name: &str, result: Result<T, FieldError>) -> Option<T> {
        result.map_err(|fault| self.findings.error(self.pointer(name), fault)).ok()
    }

    /// A member that must be there, must not be blank, and must pass the check. `None` if an error was added.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        check: impl FnOnce(&'d Json<'d>) -> Result<T, FieldError>,
    ) -> Option<T> {
        let result = match self.value(name) {
            None => Err(FieldError::new(Code::Required, texts::REQUIRED)),
            Some(value) => match check(value) {
                Err(fault @ FieldError(Code::WrongType, _)) => Err(fault),
                _ if is_text(value, is_blank) => Err(FieldError::new(Code::Required, texts::BLANK)),
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

    /// Required if `rule` holds, otherwise optional.
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

    /// The members of a required object.
    pub(super) fn object(&mut self, name: &'static str) -> Option<Fields<'_, 'd>> {
        let at = self.pointer(name);
        match self.value(name) {
            Some(value) => Fields::of(value, at, self.findings),
            None => {
                self.findings.error(at.clone(), FieldError::new(Code::Required, texts::REQUIRED));
                Some(Fields { at, members: None, known: Vec::new(), found: 0, findings: self.findings })
            }
        }
    }

    /// The members of an optional object. `[]` counts as absent, because PHP writes an empty object like this.
    pub(super) fn optional_object(&mut self, name: &'static str) -> Option<Fields<'_, 'd>> {
        let at = self.pointer(name);
        let value = self.given(name).filter(|value| **value != Json::Array(Vec::new()))?;
        Fields::of(value, at, self.findings)
    }

    /// Adds the members that no rule has asked for. Must be called last.
    pub(super) fn finish(self) {
        let Some(members) = self.members.filter(|members| members.len() > self.found) else { return };
        for name in members.keys() {
            if !self.known.contains(&name.as_ref()) && self.findings.has_room_for_unknown() {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                self.findings.unknown(self.pointer(&escaped), meant(name, &self.known));
            }
        }
    }
}

fn is_text(value: &Json<'_>, test: impl FnOnce(&str) -> bool) -> bool {
    matches!(value, Json::String(text) if test(text))
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Longer names are not compared with others.
const MAX_COMPARED_BYTES: usize = 40;

/// The known member whose name is most like an unknown one. Capitals, `_` and `-` make no difference, and one letter in four
/// may be wrong.
fn meant(unknown: &str, known: &[&'static str]) -> Option<&'static str> {
    if unknown.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let letters = |name: &str| name.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_lowercase();
    let unknown = letters(unknown);
    let distances = known.iter().map(|&name| {
        let name_letters = letters(name);
        let longer = unknown.chars().count().max(name_letters.len());
        (strsim::osa_distance(&unknown, &name_letters), longer, name)
    });
    distances.filter(|(distance, longer, _)| distance * 4 <= *longer).min().map(|(_, _, name)| name)
}
