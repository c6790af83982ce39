use super::{Accounts, RecordsConfig, series::Series};
use crate::emulator::ids::{mix, record_id};
use crate::emulator::table::{Cell, Field, Kind, Table};

/// The object Attachment: a few files on accounts, whose content no Bulk query may ask for.
pub(in crate::emulator) struct Attachments {
    series: Series,
    accounts: u64,
}

/// Attachments that are not deleted.
const LIVE: u64 = 20;

const FIELDS: &[Field] = &[
    Field::new("Id", Kind::Id),
    Field::new("IsDeleted", Kind::Bool),
    Field::new("ParentId", Kind::Reference("Account")),
    Field::new("Name", Kind::Text(255)).required(),
    Field::new("ContentType", Kind::Text(120)),
    Field::new("BodyLength", Kind::Int),
    Field::new("Body", Kind::Base64),
    Field::new("OwnerId", Kind::Reference("User")),
    Field::new("CreatedDate", Kind::DateTime),
    Field::new("LastModifiedDate", Kind::DateTime),
    Field::new("SystemModstamp", Kind::DateTime),
];

impl Attachments {
    pub fn new(config: &RecordsConfig) -> Self {
        let series = Series::new(config, LIVE, mix(config.seed ^ 0x0f));
        Self { series, accounts: Series::new(config, config.accounts, 0).rows }
    }

    fn id(row: u64) -> String {
        record_id("00P", row + 1)
    }
}

impl Table for Attachments {
    fn name(&self) -> &'static str {
        "Attachment"
    }

    fn key_prefix(&self) -> Option<&'static str> {
        Some("00P")
    }

    fn fields(&self) -> &[Field] {
        FIELDS
    }

    fn len(&self) -> u64 {
        self.series.rows
    }

    fn is_deleted(&self, row: u64) -> bool {
        Series::is_deleted(row)
    }

    fn live_before(&self, row: u64) -> Option<u64> {
        Some(Series::live_before(row))
    }

    fn rising(&self) -> &[&'static str] {
        &["Id", "CreatedDate", "LastModifiedDate", "SystemModstamp"]
    }

    fn cell(&self, row: u64, field: usize) -> Cell {
        match FIELDS[field].name {
            "Id" => Cell::text(Self::id(row)),
            "IsDeleted" => Cell::Bool(Series::is_deleted(row)),
            "ParentId" if self.accounts == 0 => Cell::Null,
            "ParentId" => Cell::text(Accounts::id(mix(self.series.seed ^ row) % self.accounts)),
            "Name" => Cell::text(format!("file {row}.txt")),
            "ContentType" => Cell::text("text/plain"),
            "BodyLength" => Cell::Int(row as i64),
            "Body" => Cell::text(format!("/services/data/v67.0/sobjects/Attachment/{}/Body", Self::id(row))),
            "OwnerId" => Cell::text(self.series.owner(row)),
            "CreatedDate" => Cell::Time(self.series.modified(0)),
            "LastModifiedDate" | "SystemModstamp" => Cell::Time(self.series.modified(row)),
            _ => Cell::Null,
        }
    }
}
