use super::{RecordsConfig, series::Series};
use crate::emulator::ids::{mix, record_id};
use crate::emulator::table::{Cell, Field, Kind, Table};

/// The object Account.
pub(in crate::emulator) struct Accounts(Series);

const FIELDS: &[Field] = &[
    Field::new("Id", Kind::Id),
    Field::new("IsDeleted", Kind::Bool),
    Field::new("Name", Kind::Text(255)).required(),
    Field::new("AccountNumber", Kind::Text(40)),
    Field::new("Industry", Kind::Picklist),
    Field::new("AnnualRevenue", Kind::Currency),
    Field::new("NumberOfEmployees", Kind::Int),
    Field::new("Website", Kind::Url),
    Field::new("Phone", Kind::Phone),
    Field::new("Description", Kind::LongText),
    Field::new("BillingCity", Kind::Text(40)).part_of("BillingAddress"),
    Field::new("BillingCountry", Kind::Text(80)).part_of("BillingAddress"),
    Field::new("BillingAddress", Kind::Address),
    Field::new("External_Id__c", Kind::Text(32)).external_id(),
    Field::new("Active__c", Kind::Bool),
    Field::new("OwnerId", Kind::Reference("User")),
    Field::new("CreatedDate", Kind::DateTime),
    Field::new("LastModifiedDate", Kind::DateTime),
    Field::new("SystemModstamp", Kind::DateTime),
];

const INDUSTRIES: [&str; 6] = ["Agriculture", "Banking", "Chemicals", "Energy", "Retail", "Shipping"];
const CITIES: [(&str, &str); 5] = [
    ("Zürich", "Switzerland"),
    ("São Paulo", "Brazil"),
    ("東京", "Japan"),
    ("Oslo", "Norway"),
    ("Austin", "USA"),
];

impl Accounts {
    pub fn new(config: &RecordsConfig) -> Self {
        Self(Series::new(config, config.accounts, mix(config.seed)))
    }

    pub fn id(row: u64) -> String {
        record_id("001", row + 1)
    }

    pub fn title(row: u64) -> String {
        match row % 10 {
            3 => format!("Account {row:07}, \"Holding\" & Co."),
            7 => format!("Account {row:07} – Größe\nNord"),
            _ => format!("Account {row:07}"),
        }
    }
}

impl Table for Accounts {
    fn name(&self) -> &'static str {
        "Account"
    }

    fn key_prefix(&self) -> Option<&'static str> {
        Some("001")
    }

    fn fields(&self) -> &[Field] {
        FIELDS
    }

    fn len(&self) -> u64 {
        self.0.rows
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
        let dice = mix(self.0.seed ^ row);
        let city = CITIES[(dice % 5) as usize];
        match FIELDS[field].name {
            "Id" => Cell::text(Self::id(row)),
            "IsDeleted" => Cell::Bool(Series::is_deleted(row)),
            "Name" => Cell::text(Self::title(row)),
            "AccountNumber" => Cell::text(format!("A-{row:08}")),
            "Industry" if dice % 7 == 6 => Cell::Null,
            "Industry" => Cell::text(INDUSTRIES[(dice % 6) as usize]),
            "AnnualRevenue" if dice.is_multiple_of(11) => Cell::Null,
            "AnnualRevenue" => Cell::Real((dice % 1_000_000_000) as f64 / 100.0),
            "NumberOfEmployees" => Cell::Int((dice % 20_000) as i64),
            "Website" => Cell::text(format!("https://account-{row}.example")),
            "Phone" => Cell::text(format!("+41 44 {:07}", dice % 10_000_000)),
            "Description" => super::nasty::long_text(row).map_or(Cell::Null, Cell::Text),
            "BillingCity" => Cell::text(city.0),
            "BillingCountry" => Cell::text(city.1),
            "BillingAddress" => {
                Cell::Json(serde_json::json!({ "city": city.0, "country": city.1 }).to_string())
            }
            "External_Id__c" => Cell::text(format!("EXT-{dice:016x}")),
            "Active__c" => Cell::Bool(!dice.is_multiple_of(3)),
            "OwnerId" => Cell::text(self.0.owner(row)),
            "CreatedDate" => Cell::Time(self.0.modified(0)),
            "LastModifiedDate" | "SystemModstamp" => Cell::Time(self.0.modified(row)),
            _ => Cell::Null,
        }
    }
}
