//! The requests and replies of the load, as the Lua script has written them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use uuid::Uuid;

/// The parts of a reply that the audit needs.
#[derive(Clone)]
pub struct Reply {
    pub code: u16,
    /// The last part of a problem's `type`.
    pub slug: Option<String>,
    pub replayed: bool,
    pub order_id: Option<Uuid>,
    pub order_uuid: Option<String>,
    pub status: Option<String>,
}

#[derive(Default)]
pub struct Transcript {
    /// The number of requests of each kind.
    pub sent: BTreeMap<String, usize>,
    pub replies: Vec<Reply>,
}

impl Transcript {
    /// Reads the files of all threads.
    pub fn read(directory: &Path) -> Self {
        let mut transcript = Self::default();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with("transcript-") {
                fs::read_to_string(path).unwrap().lines().for_each(|line| transcript.take(line));
            }
        }
        transcript
    }

    fn take(&mut self, line: &str) {
        match line.split_once(' ').unwrap_or_else(|| panic!("{line}")) {
            (">", kind) => *self.sent.entry(kind.to_owned()).or_default() += 1,
            ("<", reply) => self.replies.push(read(reply).unwrap_or_else(|| panic!("{line}"))),
            _ => panic!("{line}"),
        }
    }

    /// How many replies there were of each code and problem.
    pub fn by_code(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for Reply { code, slug, replayed, .. } in &self.replies {
            let what = slug.as_deref().unwrap_or(if *replayed { "replayed" } else { "" });
            *counted.entry(format!("{code} {what}")).or_default() += 1;
        }
        counted
    }
}

fn read(line: &str) -> Option<Reply> {
    let mut fields = line.split(' ').map(|field| Some(field.to_owned()).filter(|field| field != "-"));
    let mut next = || fields.next()?;
    Some(Reply {
        code: next()?.parse().ok()?,
        slug: next(),
        replayed: next().is_some(),
        order_id: next().map(|id| id.parse().unwrap()),
        order_uuid: next(),
        status: next(),
    })
}
