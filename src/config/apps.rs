use toml::de::{DeTable, DeValue};

use super::at::At;
use super::draft::{App, AppDraft};
use super::keys::{self, Key};
use super::origin::Sourced;
use super::reader::Reader;

/// Reads `apps = [{ name, client_id, key, certificate }, { ... }]`: exactly two, told apart by name and consumer key.
pub(super) fn apps(at: &mut At<'_, '_>) -> Option<Sourced<Vec<App>>> {
    let DeValue::Array(items) = at.value.get_ref() else { return at.wrong_shape() };
    let before = at.reader.mistakes.len();
    let mut apps = Vec::new();
    for item in items {
        let DeValue::Table(table) = item.get_ref() else { return at.wrong_shape() };
        let mut draft = AppDraft::default();
        let said = read_table(at.reader, table, "`apps`", keys::APP, &mut draft);
        for name in ["name", "client_id", "key"].iter().filter(|name| !said.contains(name)) {
            at.reader.mistake(item.span(), format!("this app lacks `{name}`"));
        }
        if let AppDraft { name: Some(name), client_id: Some(client_id), key: Some(key), certificate } = draft
        {
            apps.push(App {
                name: name.value,
                client_id: client_id.value,
                key: key.value,
                certificate: certificate.map(|path| path.value),
            });
        }
    }
    if items.len() != 2 {
        return at.mistake(format!("holds {}; accepted is {}", items.len(), at.kind.accepts()));
    }
    if let [a, b] = apps.as_slice() {
        if a.name == b.name {
            return at.mistake(format!("holds two apps called `{}`; their names must differ", a.name));
        }
        if a.client_id == b.client_id {
            return at.mistake("holds two apps with one `client_id`; two apps have a consumer key each");
        }
    }
    (at.reader.mistakes.len() == before).then(|| at.sourced(apps))
}

/// Takes every key of `table` that is in `keys` into `draft`; each other one is a mistake.
/// Gives the names that were there, rightly or wrongly filled.
fn read_table<D>(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    within: &str,
    keys: &'static [Key<D>],
    draft: &mut D,
) -> Vec<&'static str> {
    let mut said = Vec::new();
    for (key, value) in table {
        match keys.iter().find(|known| known.name == key.get_ref().as_ref()) {
            Some(known) => {
                said.push(known.name);
                (known.take)(draft, &mut At { reader, name: known.name, kind: &known.kind, value });
            }
            None => {
                let accepted: Vec<&str> = keys.iter().map(|key| key.name).collect();
                reader.unknown_key(key, within, &accepted);
            }
        }
    }
    said
}
