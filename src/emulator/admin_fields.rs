use super::admin::Admin;
use super::admin_records::known;
use super::records::{FieldConfig, Schema, from_json, kind_named, lasting};
use super::state::AdminMistake;
use super::table::Field;

/// Fields and View All, changed while the org runs.
///
/// | path | POST takes |
/// |---|---|
/// | `fields` | `object` and a [`FieldConfig`]; with `retype: true` its type alone counts; or `object`, `name`, `remove: true` |
/// | `users/view-all` | `username`, `view_all` |
impl Admin {
    /// Adds a field to an object, or one that every row holds `value` in.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the object or the type, [`AdminMistake::Value`] for the value.
    pub fn add_field(&self, object: &str, field: &FieldConfig) -> Result<(), AdminMistake> {
        let kind =
            kind_named(&field.kind).ok_or_else(|| AdminMistake::Unknown("type", field.kind.clone()))?;
        let value = from_json(kind, &field.value).ok_or_else(|| AdminMistake::Value(field.name.clone()))?;
        self.change_fields(object, |schema, name| schema.add(Field::new(name, kind), value), &field.name)
    }

    /// Removes a field from an object.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the object.
    pub fn remove_field(&self, object: &str, name: &str) -> Result<(), AdminMistake> {
        self.change_fields(object, |schema, name| schema.remove(name), name)
    }

    /// Gives a field another type. Values that do not fit it are null from then on.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the object or the type.
    pub fn retype_field(&self, object: &str, name: &str, kind: &str) -> Result<(), AdminMistake> {
        let kind = kind_named(kind).ok_or_else(|| AdminMistake::Unknown("type", kind.into()))?;
        self.change_fields(object, |schema, name| schema.retype(name, kind), name)
    }

    fn change_fields(
        &self,
        object: &str,
        deed: impl FnOnce(&mut Schema, &'static str),
        name: &str,
    ) -> Result<(), AdminMistake> {
        let object = known(object)?;
        if name.is_empty() {
            return Err(AdminMistake::Missing("name"));
        }
        let state = &mut *self.0.state();
        deed(state.records.schema(object), lasting(name));
        state.reshaped(self.now());
        Ok(())
    }

    /// Grants View All Data to a user, or withdraws it. Withdrawing also makes records private, so that the user
    /// sees those alone that it owns.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] where nobody has that user name.
    pub fn set_view_all(&self, username: &str, view_all: bool) -> Result<(), AdminMistake> {
        self.change_user(username, |user| {
            user.permissions
                .retain(|held| !(held == "ViewAllData" || (!view_all && held == "ModifyAllData")));
            if view_all {
                user.permissions.push("ViewAllData".into());
            }
        })?;
        if !view_all {
            self.change_rules(|rules| rules.private_sharing = true);
        }
        Ok(())
    }
}
