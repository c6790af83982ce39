use crate::base::FieldName;

use super::super::at::At;
use super::super::origin::Sourced;
use super::super::show::Printed;

/// Reads a list of fields, none of them twice.
pub(super) fn fields(at: &mut At<'_, '_>) -> Option<Sourced<Vec<FieldName>>> {
    let said = at.texts()?;
    let mut names: Vec<FieldName> = Vec::new();
    for text in &said.value {
        match text.parse::<FieldName>() {
            Ok(name) if names.iter().any(|known| known.as_str().eq_ignore_ascii_case(name.as_str())) => {
                return at.mistake(format!("names `{name}` twice"));
            }
            Ok(name) => names.push(name),
            Err(error) => return at.refused(text, error),
        }
    }
    Some(Sourced { value: names, origin: said.origin })
}

impl Printed for Vec<FieldName> {
    fn printed(&self) -> String {
        self.iter().map(FieldName::as_str).collect::<Vec<_>>().join(", ")
    }
}
