use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use super::manifest::{Manifest, PartKind};
use crate::base::UnixSeconds;
use crate::sync::destination::{DestinationError, Landing};

/// Rows that were delivered and that the overlap brings again, each by its Id with a hash of its text.
///
/// Text and not stamp tells them: a stamp has whole seconds, so a row that changes twice in one keeps its stamp. In memory
/// is what changed within the overlap, not what was ever delivered.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    rows: HashMap<Box<[u8]>, u64>,
}

impl Delivered {
    /// Reads back the parts that may hold rows of the overlap; of those that nobody looked at before, the manifest
    /// afterwards says how new their rows are.
    pub(super) fn read_back(
        folder: &Path,
        manifest: &mut Manifest,
        landing: &Landing,
        place: &str,
    ) -> Result<Self, DestinationError> {
        let low = landing.low.map(low_stamp);
        let mut rows = HashMap::new();
        let mut looked = Vec::new();
        for (at, part) in manifest.parts.iter().enumerate() {
            let readable = manifest.readable(part);
            if part.kind == PartKind::Deletes {
                readable.visit(folder, manifest.format, place, &mut |row| {
                    rows.remove(row.id.as_bytes());
                    Ok(())
                })?;
                continue;
            }
            if let (Some(newest), Some(low)) = (&part.newest, &low)
                && newest.as_str() < low.as_str()
            {
                continue;
            }
            let mut newest = String::new();
            readable.visit(folder, manifest.format, place, &mut |row| {
                let stamp = row.stamp.unwrap_or_default();
                if stamp > newest.as_str() {
                    newest = stamp.to_string();
                }
                if low.as_deref().is_none_or(|low| stamp >= low || stamp.is_empty()) {
                    rows.insert(row.id.as_bytes().into(), hash(row.line));
                } else {
                    rows.remove(row.id.as_bytes());
                }
                Ok(())
            })?;
            if part.newest.is_none() && !newest.is_empty() {
                looked.push((at, newest));
            }
        }
        let news = !looked.is_empty();
        for (at, newest) in looked {
            manifest.parts[at].newest = Some(newest);
        }
        if news {
            manifest.write(folder)?;
        }
        Ok(Self { rows })
    }

    /// Whether this row, as it is, is the newest that was delivered of its Id.
    pub(super) fn holds(&self, id: &[u8], text: &[u8]) -> bool {
        !self.rows.is_empty() && self.rows.get(id).is_some_and(|held| *held == hash(text))
    }
}

fn hash(text: &[u8]) -> u64 {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut hasher = DefaultHasher::new();
    text.strip_suffix(b"\r").unwrap_or(text).hash(&mut hasher);
    hasher.finish()
}

/// The beginning of the overlap, in the letters of a stamp: what sorts before it changed before it.
fn low_stamp(low: UnixSeconds) -> String {
    let text = low.to_string();
    text.trim_end_matches('Z').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overlap_begins_with_its_first_second() {
        let low = low_stamp("2026-01-02T03:04:05Z".parse().unwrap());
        assert!("2026-01-02T03:04:05.000Z" >= low.as_str());
        assert!("2026-01-02T03:04:04.999Z" < low.as_str());
    }
}
