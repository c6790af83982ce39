use crate::base::job::{CatchUp, Deletes, Mode, Nul, SchemaPolicy, Transport};

use super::super::Origin;
use super::super::origin::Sourced;

pub(super) const MODE: &[(&str, Mode)] = &[("incremental", Mode::Incremental), ("full", Mode::Full)];
pub(super) const CATCH_UP: &[(&str, CatchUp)] = &[("once", CatchUp::Once), ("skip", CatchUp::Skip)];
pub(super) const DELETES: &[(&str, Deletes)] =
    &[("mark", Deletes::Mark), ("remove", Deletes::Remove), ("ignore", Deletes::Ignore)];
pub(super) const ON_SCHEMA_CHANGE: &[(&str, SchemaPolicy)] =
    &[("evolve", SchemaPolicy::Evolve), ("warn", SchemaPolicy::Warn), ("fail", SchemaPolicy::Fail)];
pub(super) const TRANSPORT: &[(&str, Transport)] =
    &[("auto", Transport::Auto), ("bulk", Transport::Bulk), ("rest", Transport::Rest)];
pub(super) const NUL: &[(&str, Nul)] =
    &[("replace", Nul::Replace), ("remove", Nul::Remove), ("keep", Nul::Keep), ("fail", Nul::Fail)];

/// The word that stands for a value, and who said it.
pub(super) fn shown<T: PartialEq>(
    words: &[(&str, T)],
    value: &Option<Sourced<T>>,
) -> Option<(String, Origin)> {
    let said = value.as_ref()?;
    let (word, _) = words.iter().find(|(_, meaning)| *meaning == said.value)?;
    Some(((*word).to_string(), said.origin.clone()))
}
