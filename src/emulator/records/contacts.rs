use super::{Accounts, RecordsConfig, nasty, series::Series};
use crate::emulator::ids::{mix, record_id};
use crate::emulator::table::{Cell, Field, Kind, Table};

/// The object Contact, which holds the nastiest texts.
pub(in crate::emulator) struct Contacts {
    series: Series,
    accounts: u64,
}

const FIELDS: &[Field] = &[
    Field::new("Id", Kind::Id),
    Field::new("IsDeleted", Kind::Bool),
    Field::new("AccountId", Kind::Reference("Account")),
    Field::new("Account.Id", Kind::Id),
    Field::new("Account.Name", Kind::Text(255)),
    Field::new("LastName", Kind::Text(80)).required(),
    Field::new("FirstName", Kind::Text(40)),
    Field::new("Name", Kind::Text(121)),
    Field::new("Title", Kind::Text(128)),
    Field::new("Email", Kind::Email),
    Field::new("Phone", Kind::Phone),
    Field::new("MailingCity", Kind::Text(40)),
    Field::new("Description", Kind::LongText),
    Field::new("Birthdate", Kind::Date),
    Field::new("HasOptedOutOfEmail", Kind::Bool),
    Field::new("Score__c", Kind::Double),
    Field::new("OwnerId", Kind::Reference("User")),
    Field::new("CreatedDate", Kind::DateTime),
    Field::new("LastModifiedDate", Kind::DateTime),
    Field::new("SystemModstamp", Kind::DateTime),
];

const FIRST_NAMES: [&str; 6] = ["Ada", "Bjørn", "Chloé", "محمد", "Nguyễn", "Ola"];

impl Contacts {
    pub fn new(config: &RecordsConfig) -> Self {
        let series = Series::new(config, config.contacts, mix(config.seed ^ 0xc0));
        Self { series, accounts: Series::new(config, config.accounts, 0).rows }
    }

    fn id(row: u64) -> String {
        record_id("003", row + 1)
    }
}

impl Table for Contacts {
    fn name(&self) -> &'static str {
        "Contact"
    }

    fn key_prefix(&self) -> Option<&'static str> {
        Some("003")
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
        let dice = mix(self.series.seed ^ row);
        let account = (self.accounts > 0 && !dice.is_multiple_of(13)).then(|| dice % self.accounts.max(1));
        match FIELDS[field].name {
            "Id" => Cell::text(Self::id(row)),
            "IsDeleted" => Cell::Bool(Series::is_deleted(row)),
            "AccountId" | "Account.Id" => account.map_or(Cell::Null, |row| Cell::text(Accounts::id(row))),
            "Account.Name" => account.map_or(Cell::Null, |row| Cell::text(Accounts::title(row))),
            "LastName" => Cell::text(format!("Contact {row:07}")),
            "FirstName" => Cell::text(FIRST_NAMES[(dice % 6) as usize]),
            "Name" => Cell::text(format!("{} Contact {row:07}", FIRST_NAMES[(dice % 6) as usize])),
            "Title" => nasty::text(row).map_or(Cell::Null, Cell::text),
            "Email" if dice.is_multiple_of(5) => Cell::Null,
            "Email" => Cell::text(format!("contact{row}@account.example")),
            "Phone" => Cell::text(format!("+47 {:08}", dice % 100_000_000)),
            "MailingCity" => nasty::text(dice % 1000).map_or(Cell::Null, Cell::text),
            "Description" => nasty::long_text(row).map_or(Cell::Null, Cell::Text),
            "Birthdate" if dice.is_multiple_of(4) => Cell::Null,
            "Birthdate" => Cell::Date((dice % 20_000) as i64 - 5000),
            "HasOptedOutOfEmail" => Cell::Bool(dice.is_multiple_of(2)),
            "Score__c" if dice.is_multiple_of(6) => Cell::Null,
            "Score__c" => Cell::Real(((dice % 2_000_000) as i64 - 1_000_000) as f64 / 1000.0),
            "OwnerId" => Cell::text(self.series.owner(row)),
            "CreatedDate" => Cell::Time(self.series.modified(0)),
            "LastModifiedDate" | "SystemModstamp" => Cell::Time(self.series.modified(row)),
            _ => Cell::Null,
        }
    }
}
