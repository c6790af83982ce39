use serde::{Deserialize, Serialize};

/// Something that is not so, to be told about query jobs that are made from now on. Pages count from 1.
///
/// # Examples
///
/// ```
/// use sfmint::emulator::{Lie, LieKind};
///
/// let lie: Lie = serde_json::from_str(
///     r#"{"object": "Account", "next": 1, "kind": {"kind": "header_count", "page": 2, "by": -1}}"#,
/// )?;
/// assert_eq!(lie.kind, LieKind::HeaderCount { page: 2, by: -1 });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lie {
    /// Jobs on this object only.
    #[serde(default)]
    pub object: Option<String>,
    /// So many jobs, then no more; without it all of them.
    #[serde(default)]
    pub next: Option<u64>,
    /// What is not so.
    pub kind: LieKind,
}

/// What is not so about a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LieKind {
    /// `Sforce-NumberOfRecords` of a page is off by so many.
    HeaderCount {
        /// The page.
        page: u64,
        /// Added to the right number.
        by: i64,
    },
    /// `numberRecordsProcessed` is off by so many.
    JobCount {
        /// Added to the right number.
        by: i64,
    },
    /// A row is left out; every number stays as if it were there.
    DroppedRow {
        /// Which row of the job, from 1.
        row: u64,
    },
    /// A page has no `Sforce-Locator`.
    NoLocator {
        /// The page.
        page: u64,
    },
    /// A page gives back the locator by which it was read.
    SameLocator {
        /// The page.
        page: u64,
    },
    /// A page shows the rows of the page before it, under its own headers.
    RepeatedPage {
        /// The page, 2 or later.
        page: u64,
    },
    /// A page has no rows and says so, and has a locator that leads on.
    EmptyPage {
        /// The page.
        page: u64,
    },
    /// The first two columns of a page have changed places, names and values.
    ColumnOrder {
        /// The page.
        page: u64,
    },
    /// A page's locator leads back to page 2.
    LocatorLoop {
        /// The page, 2 or later.
        page: u64,
    },
    /// The job ends as Failed.
    Fails {
        /// Its `errorMessage`.
        message: String,
    },
    /// Once a page was read, somebody aborts the job.
    AbortedAfter {
        /// The page.
        page: u64,
    },
}

impl Lie {
    /// A lie about the next job alone.
    pub fn next(kind: LieKind) -> Self {
        Self { object: None, next: Some(1), kind }
    }

    /// A lie about every job from now on.
    pub fn always(kind: LieKind) -> Self {
        Self { object: None, next: None, kind }
    }
}

/// The lies for a new job on `object`. Those that are used up are taken away.
pub(super) fn told_about(lies: &mut Vec<Lie>, object: &str) -> Vec<LieKind> {
    let mut told = vec![];
    lies.retain_mut(|lie| {
        let other = lie.object.as_deref().is_some_and(|only| !only.eq_ignore_ascii_case(object));
        if other || lie.next == Some(0) {
            return !matches!(lie.next, Some(0));
        }
        told.push(lie.kind.clone());
        lie.next = lie.next.map(|left| left - 1);
        lie.next != Some(0)
    });
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lie_is_told_as_often_as_was_said_about_the_object_it_names() {
        let one = Lie { object: Some("Contact".into()), ..Lie::next(LieKind::JobCount { by: 1 }) };
        let mut lies = vec![one, Lie::always(LieKind::NoLocator { page: 1 })];
        assert_eq!(told_about(&mut lies, "Account").len(), 1);
        assert_eq!(told_about(&mut lies, "contact").len(), 2);
        assert_eq!(told_about(&mut lies, "Contact"), [LieKind::NoLocator { page: 1 }]);
    }
}
