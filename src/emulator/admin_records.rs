use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::admin::Admin;
use super::ids::record_id;
use super::records::{Deed, Mutated, Mutation, ObjectView, Records, Stamp, Which, change, view};
use super::soql::{SoqlRefusal, bind, parse};
use super::state::{AdminMistake, OrgState, Shared};
use super::table::Table;
use crate::base::UnixSeconds;

/// Records, changed while the org runs as somebody else would change them.
///
/// | path | POST takes | GET shows |
/// |---|---|---|
/// | `records` | a [`Mutation`] | |
/// | `records/OBJECT` | | every record there is, deleted ones included |
impl Admin {
    /// Changes records. Queries and jobs that began before keep what they saw.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the object, a record or a field, [`AdminMistake::Value`] for a value that does not
    /// fit its field, [`AdminMistake::Missing`] where no rows are named, [`AdminMistake::Condition`] for one that is none.
    pub fn change_records(&self, mutation: &Mutation) -> Result<Mutated, AdminMistake> {
        let name = known(&mutation.object)?;
        let state = &mut *self.0.state();
        let whole = whole(&self.0, state, name)?;
        let rows = match mutation.deed {
            Deed::Insert => vec![],
            _ => rows(&self.0, state, &whole, mutation)?,
        };
        let owner = record_id("005", 1);
        change(state.records.overlay(name), &whole, mutation, &rows, &owner, self.now().get())
    }

    /// Adds a record; its id.
    ///
    /// # Errors
    ///
    /// Those of [`change_records`](Self::change_records).
    pub fn insert(&self, object: &str, values: Value) -> Result<String, AdminMistake> {
        Ok(self.insert_many(object, 1, values)?.pop().unwrap_or_default())
    }

    /// Adds records that are alike; their ids, the first 1,000 of them.
    ///
    /// # Errors
    ///
    /// Those of [`change_records`](Self::change_records).
    pub fn insert_many(&self, object: &str, count: u64, values: Value) -> Result<Vec<String>, AdminMistake> {
        let mutation = Mutation::new(object, Deed::Insert, Which::Ids(vec![])).with(values);
        Ok(self.change_records(&Mutation { count: Some(count), ..mutation })?.ids)
    }

    /// Changes a record that is not deleted.
    ///
    /// # Errors
    ///
    /// Those of [`change_records`](Self::change_records), and [`AdminMistake::Unknown`] where no such record is there.
    pub fn update(&self, object: &str, id: &str, values: Value) -> Result<(), AdminMistake> {
        self.one(Mutation::new(object, Deed::Update, Which::Ids(vec![id.into()])).with(values))
    }

    /// Changes a record without a trace in its time stamps, as a formula field does.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update).
    pub fn update_silently(&self, object: &str, id: &str, values: Value) -> Result<(), AdminMistake> {
        let mutation = Mutation::new(object, Deed::Update, Which::Ids(vec![id.into()])).with(values);
        self.one(mutation.stamped(Stamp::Keep))
    }

    /// Changes a record under another time than now: one that was committed late bears one that is past.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update).
    pub fn update_at(
        &self,
        object: &str,
        id: &str,
        values: Value,
        at: UnixSeconds,
    ) -> Result<(), AdminMistake> {
        let mutation = Mutation::new(object, Deed::Update, Which::Ids(vec![id.into()])).with(values);
        self.one(mutation.stamped(Stamp::At(at)))
    }

    /// Stamps the first `count` records that are not deleted, all alike; how many there were.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the object.
    pub fn touch(&self, object: &str, count: u64, stamp: Stamp) -> Result<u64, AdminMistake> {
        let mutation = Mutation::new(object, Deed::Update, Which::First(count)).stamped(stamp);
        Ok(self.change_records(&mutation)?.count)
    }

    /// Puts a record into the recycle bin.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update).
    pub fn delete_record(&self, object: &str, id: &str) -> Result<(), AdminMistake> {
        self.one(Mutation::new(object, Deed::Delete, Which::Ids(vec![id.into()])))
    }

    /// Takes a record out of the recycle bin.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update).
    pub fn undelete_record(&self, object: &str, id: &str) -> Result<(), AdminMistake> {
        self.one(Mutation::new(object, Deed::Undelete, Which::Ids(vec![id.into()])))
    }

    /// Removes a record for good, as hardDelete does.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update).
    pub fn purge_record(&self, object: &str, id: &str) -> Result<(), AdminMistake> {
        self.one(Mutation::new(object, Deed::Purge, Which::Ids(vec![id.into()])))
    }

    /// Empties the recycle bin of an object; how many records that ended.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the object.
    pub fn purge_deleted(&self, object: &str) -> Result<u64, AdminMistake> {
        let which = Which::Where("IsDeleted = true".into());
        Ok(self.change_records(&Mutation::new(object, Deed::Purge, which))?.count)
    }

    /// Puts the records with these row numbers into the recycle bin; how many were not there yet.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the object.
    pub fn delete_rows(&self, object: &str, rows: Range<u64>) -> Result<u64, AdminMistake> {
        let mutation = Mutation::new(object, Deed::Delete, Which::Rows(rows.start, rows.end));
        Ok(self.change_records(&mutation)?.count)
    }

    fn one(&self, mutation: Mutation) -> Result<(), AdminMistake> {
        match self.change_records(&mutation)?.count {
            0 => Err(AdminMistake::Unknown("record", mutation.ids.concat())),
            _ => Ok(()),
        }
    }

    /// Every record there is, deleted ones included, with all its fields: what a complete copy holds.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the object.
    pub fn records(&self, object: &str) -> Result<Vec<Value>, AdminMistake> {
        let whole = whole(&self.0, &self.0.state(), known(object)?)?;
        let show = |row: u64| {
            let fields = whole.fields().iter().enumerate().filter(|(_, field)| !field.name.contains('.'));
            let cells = fields.map(|(at, field)| {
                let mut text = String::new();
                whole.cell(row, at).write_json(&mut text);
                (field.name.to_string(), serde_json::from_str(&text).unwrap_or(Value::Null))
            });
            Value::Object(cells.collect::<Map<String, Value>>())
        };
        Ok((0..whole.len()).filter(|row| whole.exists(*row)).map(show).collect())
    }
}

pub(super) fn known(object: &str) -> Result<&'static str, AdminMistake> {
    Records::name(object).ok_or_else(|| AdminMistake::Unknown("object with records", object.into()))
}

fn whole(org: &Shared, state: &OrgState, name: &str) -> Result<ObjectView, AdminMistake> {
    view(org, state, None, name).ok_or_else(|| AdminMistake::Unknown("object with records", name.into()))
}

fn rows(
    org: &Shared,
    state: &OrgState,
    whole: &ObjectView,
    mutation: &Mutation,
) -> Result<Vec<u64>, AdminMistake> {
    if let Some((from, to)) = mutation.rows {
        return Ok((from..to.min(whole.len())).collect());
    }
    if let Some(first) = mutation.first {
        let live = (0..whole.len()).filter(|row| whole.exists(*row) && !whole.is_deleted(*row));
        return Ok(live.take(first as usize).collect());
    }
    if let Some(condition) = &mutation.condition {
        let text = format!("SELECT Id FROM {} WHERE {condition}", whole.name());
        let refused = |refusal: SoqlRefusal| AdminMistake::Condition(refusal.message);
        let objects = |name: &str| view(org, state, None, name).map(|view| Arc::new(view) as Arc<dyn Table>);
        let query = parse(&text).map_err(refused)?;
        let plan = bind(&text, &query, &objects, true, org.clock.now()).map_err(refused)?;
        return Ok(plan.page(plan.start(), plan.total).0);
    }
    if mutation.ids.is_empty() {
        return Err(AdminMistake::Missing("one of `ids`, `rows`, `first`, `where`"));
    }
    let find = |id: &String| whole.find(id).ok_or_else(|| AdminMistake::Unknown("record", id.clone()));
    mutation.ids.iter().map(find).collect()
}
