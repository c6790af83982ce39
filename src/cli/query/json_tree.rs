use std::collections::HashMap;
use std::io::{self, Write};

use crate::api::rest::{Description, FieldType, describe};
use crate::api::{ApiError, Client};

/// How rows of CSV become the JSON that REST answers with: parents nested, each value by its field's type.
#[derive(Debug, Default)]
pub struct JsonTree(Vec<Node>);

#[derive(Debug)]
struct Node {
    /// The key, as JSON.
    key: String,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Column { at: usize, shape: Shape },
    Parent(Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    /// A number or a boolean: as it stands.
    Bare,
    /// Bulk ends in `Z`, REST in `+0000`.
    DateTime,
}

impl JsonTree {
    /// Learns the types of columns such as `Name` and `Owner.Profile.Name` of an object.
    ///
    /// Where a parent may be of several objects, the first one that has the field tells its type.
    pub async fn describe(client: &Client, object: &str, columns: &[String]) -> Result<Self, ApiError> {
        let mut known: HashMap<String, Description> = HashMap::new();
        let mut tree = Vec::new();
        for (at, path) in columns.iter().enumerate() {
            let mut objects = vec![object.to_string()];
            let (parents, name) = path.rsplit_once('.').map_or((None, path.as_str()), |(a, b)| (Some(a), b));
            for parent in parents.into_iter().flat_map(|parents| parents.split('.')) {
                let mut next = Vec::new();
                for object in &objects {
                    let object = learn(client, &mut known, object).await?;
                    let field = object.fields.iter().find(|field| {
                        field
                            .relationship_name
                            .as_deref()
                            .is_some_and(|name| name.eq_ignore_ascii_case(parent))
                    });
                    next.extend(field.into_iter().flat_map(|field| field.reference_to.clone()));
                }
                objects = next;
            }
            let mut shape = Shape::Text;
            for object in &objects {
                if let Some(field) = learn(client, &mut known, object).await?.field(name) {
                    shape = Shape::of(&field.kind);
                    break;
                }
            }
            plant(&mut tree, parents, name, at, shape);
        }
        Ok(Self(tree))
    }

    /// Writes a row as an object.
    pub fn write(&self, record: &csv::ByteRecord, out: &mut dyn Write) -> io::Result<()> {
        object(&self.0, record, out)
    }
}

async fn learn<'a>(
    client: &Client,
    known: &'a mut HashMap<String, Description>,
    object: &str,
) -> Result<&'a Description, ApiError> {
    if !known.contains_key(object) {
        known.insert(object.to_string(), describe(client, object).await?);
    }
    Ok(&known[object])
}

impl Shape {
    fn of(kind: &FieldType) -> Self {
        match kind {
            FieldType::Boolean
            | FieldType::Integer
            | FieldType::Long
            | FieldType::Decimal
            | FieldType::Currency
            | FieldType::Percent => Shape::Bare,
            FieldType::DateTime => Shape::DateTime,
            _ => Shape::Text,
        }
    }
}

fn key(name: &str) -> String {
    format!("{}:", serde_json::Value::from(name))
}

/// Puts a column where its path says; a parent that is there already takes it in.
fn plant(nodes: &mut Vec<Node>, parents: Option<&str>, name: &str, at: usize, shape: Shape) {
    let Some(parents) = parents else {
        nodes.push(Node { key: key(name), value: Value::Column { at, shape } });
        return;
    };
    let (parent, rest) = parents.split_once('.').map_or((parents, None), |(a, b)| (a, Some(b)));
    let wanted = key(parent);
    let is_it =
        |node: &Node| node.key.eq_ignore_ascii_case(&wanted) && matches!(node.value, Value::Parent(_));
    let place = nodes.iter().position(is_it).unwrap_or_else(|| {
        nodes.push(Node { key: wanted.clone(), value: Value::Parent(Vec::new()) });
        nodes.len() - 1
    });
    if let Value::Parent(below) = &mut nodes[place].value {
        plant(below, rest, name, at, shape);
    }
}

fn object(nodes: &[Node], record: &csv::ByteRecord, out: &mut dyn Write) -> io::Result<()> {
    for (place, node) in nodes.iter().enumerate() {
        out.write_all(if place == 0 { b"{" } else { b"," })?;
        out.write_all(node.key.as_bytes())?;
        match &node.value {
            Value::Column { at, shape } => value(record.get(*at).unwrap_or_default(), *shape, out)?,
            // A parent without any value is one that is not there.
            Value::Parent(below) if is_empty(below, record) => out.write_all(b"null")?,
            Value::Parent(below) => object(below, record, out)?,
        }
    }
    out.write_all(if nodes.is_empty() { b"{}" } else { b"}" })
}

fn is_empty(nodes: &[Node], record: &csv::ByteRecord) -> bool {
    nodes.iter().all(|node| match &node.value {
        Value::Column { at, .. } => record.get(*at).is_none_or(<[u8]>::is_empty),
        Value::Parent(below) => is_empty(below, record),
    })
}

fn value(cell: &[u8], shape: Shape, out: &mut dyn Write) -> io::Result<()> {
    if cell.is_empty() {
        return out.write_all(b"null");
    }
    let text = String::from_utf8_lossy(cell);
    match shape {
        Shape::Bare if serde_json::from_slice::<&serde_json::value::RawValue>(cell).is_ok() => {
            out.write_all(cell)
        }
        Shape::DateTime if text.ends_with('Z') => {
            Ok(serde_json::to_writer(out, &format!("{}+0000", &text[..text.len() - 1]))?)
        }
        _ => Ok(serde_json::to_writer(out, &*text)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(tree: &JsonTree, cells: &[&str]) -> String {
        let mut out = Vec::new();
        tree.write(&csv::ByteRecord::from(cells.to_vec()), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_becomes_what_rest_would_have_answered() {
        let mut nodes = Vec::new();
        let columns = [
            (None, "Id", Shape::Text),
            (Some("Owner"), "Name", Shape::Text),
            (None, "Amount", Shape::Bare),
            (Some("Owner.Profile"), "Name", Shape::Text),
            (None, "CreatedDate", Shape::DateTime),
        ];
        for (at, (parents, name, shape)) in columns.into_iter().enumerate() {
            plant(&mut nodes, parents, name, at, shape);
        }
        let tree = JsonTree(nodes);
        assert_eq!(
            written(&tree, &["1", "A \"q\"\n", "1234567890123456.78", "P", "2026-01-02T03:04:05.000Z"]),
            r#"{"Id":"1","Owner":{"Name":"A \"q\"\n","Profile":{"Name":"P"}},"Amount":1234567890123456.78,"CreatedDate":"2026-01-02T03:04:05.000+0000"}"#
        );
        assert_eq!(
            written(&tree, &["2", "", "about 7", "", ""]),
            r#"{"Id":"2","Owner":null,"Amount":"about 7","CreatedDate":null}"#
        );
    }
}
