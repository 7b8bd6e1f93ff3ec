//! A second JSON parser, written by hand. It gives the document, or where the text stops being JSON.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::tree::Tree;

/// How deep arrays and objects may be nested.
const MAX_DEPTH: usize = 64;

/// Why a text is not JSON.
#[derive(Debug)]
pub struct Fault {
    /// The byte offsets that the bridge may report as the place of the fault.
    pub behind: RangeInclusive<usize>,
    /// The member name that is there twice.
    pub repeated: Option<String>,
}

impl Fault {
    /// Whether the line and the column, counted in characters, are one of the permitted places.
    pub fn is_at(&self, text: &str, line: usize, column: usize) -> bool {
        self.behind.clone().any(|behind| {
            let before = &text.as_bytes()[..behind.min(text.len())];
            let in_line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let characters = in_line.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
            let lines = before.iter().filter(|byte| **byte == b'\n').count();
            (line, column) == (lines + 1, characters.max(1))
        })
    }
}

/// Reads a document without a byte order mark.
pub fn read(text: &str) -> Result<Tree, Fault> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let value = reader.value(MAX_DEPTH)?;
    reader.skip_space();
    if reader.peek().is_some() { Err(reader.fault()) } else { Ok(value) }
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, expected: u8) -> Result<(), Fault> {
        if self.peek() != Some(expected) {
            return Err(self.fault());
        }
        self.at += 1;
        Ok(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// A fault at the next byte: the bridge may report the place before it or after it.
    fn fault(&self) -> Fault {
        Fault { behind: self.at..=self.at + 1, repeated: None }
    }

    /// A fault that is noticed only after a value has been read: the bridge may report any place up to the next value.
    fn fault_since(&self, start: usize, repeated: Option<String>) -> Fault {
        let rest = self.bytes[self.at..].iter().take_while(|byte| b" \t\r\n,".contains(byte)).count();
        Fault { behind: start..=self.at + rest + 1, repeated }
    }

    fn value(&mut self, levels: usize) -> Result<Tree, Fault> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => self.text().map(Tree::Text),
            Some(b'[') => self.array(levels).map(Tree::Array),
            Some(b'{') => self.object(levels).map(Tree::Object),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str) -> Result<Tree, Fault> {
        word.bytes().try_for_each(|byte| self.take(byte))?;
        Ok(Tree::Bare(word.to_owned()))
    }

    fn number(&mut self) -> Result<Tree, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(self.fault());
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Tree::Bare(String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned()))
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.fault()) } else { Ok(()) }
    }

    fn array(&mut self, levels: usize) -> Result<Vec<Tree>, Fault> {
        let start = self.at;
        self.at += 1;
        let levels = levels.checked_sub(1).ok_or_else(|| self.fault_since(start, None))?;
        let mut items = Vec::new();
        self.skip_space();
        while self.peek() != Some(b']') {
            if !items.is_empty() {
                self.take(b',')?;
            }
            items.push(self.value(levels)?);
            self.skip_space();
        }
        self.at += 1;
        Ok(items)
    }

    fn object(&mut self, levels: usize) -> Result<BTreeMap<String, Tree>, Fault> {
        let start = self.at;
        self.at += 1;
        let mut members = BTreeMap::new();
        self.skip_space();
        while self.peek() != Some(b'}') {
            if !members.is_empty() {
                self.take(b',')?;
                self.skip_space();
            }
            let name_start = self.at;
            let name = self.text()?;
            if members.contains_key(&name) {
                return Err(self.fault_since(name_start, Some(name)));
            }
            let inside = levels.checked_sub(1).ok_or_else(|| self.fault_since(start, None))?;
            self.skip_space();
            self.take(b':')?;
            members.insert(name, self.value(inside)?);
            self.skip_space();
        }
        self.at += 1;
        levels.checked_sub(1).ok_or_else(|| self.fault_since(start, None))?;
        Ok(members)
    }

    fn text(&mut self) -> Result<String, Fault> {
        self.take(b'"')?;
        let mut text = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let c = self.escape()?;
                    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                None | Some(0..0x20) => return Err(self.fault()),
                Some(byte) => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(b'u') => {
                // Both halves of a surrogate pair.
                let fault = || Fault { behind: start..=start + 12, repeated: None };
                let unit = |at: usize| {
                    let digits = self.bytes.get(at..at + 6).filter(|part| part.starts_with(b"\\u"))?;
                    digits[2..].iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
                };
                let first = unit(start).ok_or_else(fault)?;
                let second = || unit(start + 6).filter(|second| (0xDC00..0xE000).contains(second));
                let (code, length) = match first {
                    0xD800..0xDC00 => (0x10000 + ((first - 0xD800) << 10) + second().ok_or_else(fault)? - 0xDC00, 12),
                    _ => (first, 6),
                };
                self.at = start + length;
                return char::from_u32(code).ok_or_else(fault);
            }
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.fault()),
        };
        self.at += 1;
        Ok(c)
    }
}
