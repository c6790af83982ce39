use crate::base::job::{CatchUp, Deletes, DestinationPlace, Mode, Nul, SchemaPolicy, Soql, Transport};
use crate::base::{ConnectionName, FieldName, ObjectName};

use super::super::draft::draft;
use super::super::origin::Sourced;
use super::schedule::When;

draft! {
    /// A job on its way: what one layer says about it, each value already parsed.
    JobDraft {
        connection: ConnectionName,
        object: ObjectName,
        soql: Soql,
        fields: Vec<FieldName>,
        exclude: Vec<FieldName>,
        filter: String,
        mode: Mode,
        schedule: When,
        timezone: String,
        jitter: u64,
        catch_up: CatchUp,
        destination: DestinationPlace,
        overlap: u64,
        settle: u64,
        deletes: Deletes,
        reconcile: When,
        verify: When,
        full_refresh: When,
        max_delete_percent: u64,
        on_schema_change: SchemaPolicy,
        transport: Transport,
        api_budget_percent: u64,
        nul: Nul,
    }
}
