use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Accounts, Attachments, Contacts, ObjectView, Overlay, Schema, Viewpoint};
use crate::emulator::state::{OrgState, Shared};
use crate::emulator::table::Table;
use crate::emulator::user::User;

/// Objects with records, which can be changed.
pub(in crate::emulator) const OBJECTS: [&str; 3] = ["Account", "Attachment", "Contact"];

/// What became of the records since the org began.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Records {
    objects: BTreeMap<&'static str, Kept>,
    /// Counts up with every change.
    pub version: u64,
}

/// What became of one object. Both are shared with the snapshots that were taken.
#[derive(Clone, Debug, Default)]
pub(in crate::emulator) struct Kept {
    pub overlay: Arc<Overlay>,
    pub schema: Arc<Schema>,
}

impl Records {
    /// The object's own name, where it has records.
    pub fn name(object: &str) -> Option<&'static str> {
        OBJECTS.into_iter().find(|name| name.eq_ignore_ascii_case(object))
    }

    fn kept(&self, name: &str) -> Kept {
        self.objects.get(name).cloned().unwrap_or_default()
    }

    /// Everything as it is now, to come back to.
    pub fn snapshot(&self) -> Records {
        Records { objects: self.objects.clone(), version: self.version }
    }

    pub fn restore(&mut self, before: Records) {
        *self = Records { version: self.version + 1, ..before };
    }

    /// The changes of an object, to be changed further. Snapshots keep what they saw.
    pub fn overlay(&mut self, name: &'static str) -> &mut Overlay {
        self.version += 1;
        Arc::make_mut(&mut self.objects.entry(name).or_default().overlay)
    }

    /// The fields of an object, to be changed.
    pub fn schema(&mut self, name: &'static str) -> &mut Schema {
        self.version += 1;
        Arc::make_mut(&mut self.objects.entry(name).or_default().schema)
    }
}

/// An object as a user sees it now, or as it is where no user is named. None where it has no records.
pub(in crate::emulator) fn view(
    org: &Shared,
    state: &OrgState,
    viewer: Option<&User>,
    object: &str,
) -> Option<ObjectView> {
    let name = Records::name(object)?;
    let first: Arc<dyn Table> = match name {
        "Account" => Arc::new(Accounts::new(&org.records)),
        "Contact" => Arc::new(Contacts::new(&org.records)),
        _ => Arc::new(Attachments::new(&org.records)),
    };
    let bin_seconds = i64::from(state.rules.facts.recycle_bin_days) * 86_400;
    let since_start = org.clock.elapsed().saturating_sub(org.began).as_secs();
    let view = Viewpoint {
        owner: viewer.filter(|user| !state.sees_all(user, name)).map(|user| user.id.clone()),
        hidden: viewer.map(|user| user.config.hidden_fields.clone()).unwrap_or_default(),
        bin_until: org.clock.now().get() - bin_seconds,
        first_bin_emptied: since_start >= bin_seconds.unsigned_abs(),
    };
    let parents: Option<Arc<dyn Table>> = match name {
        "Contact" => view_of_parents(org, state),
        _ => None,
    };
    let kept = state.records.kept(name);
    Some(ObjectView::new(first, kept.overlay, &kept.schema, view, parents))
}

fn view_of_parents(org: &Shared, state: &OrgState) -> Option<Arc<dyn Table>> {
    view(org, state, None, "Account").map(|view| Arc::new(view) as Arc<dyn Table>)
}
