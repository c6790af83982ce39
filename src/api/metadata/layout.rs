use std::collections::BTreeMap;

use super::external_client_app::VERSION;
use super::xml::escape;
use super::{AppPackage, Component};

/// A file of a layout: where it lies, with `/` between folders, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Relative to the layout's own folder.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl File {
    /// A file.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

impl AppPackage {
    /// The files of a source project: `sf project deploy start` works in its folder.
    pub fn source_project(&self) -> Vec<File> {
        let project = format!(
            "{{\n  \"packageDirectories\": [{{ \"path\": \"force-app\", \"default\": true }}],\n  \"sourceApiVersion\": \"{VERSION}\"\n}}\n"
        );
        let source = |part: Component| {
            let path =
                format!("force-app/main/default/{}/{}.{}-meta.xml", part.folder, part.name, part.suffix);
            File::new(path, part.xml)
        };
        std::iter::once(File::new("sfdx-project.json", project))
            .chain(self.components().into_iter().map(source))
            .collect()
    }

    /// The files of a package as the Metadata API takes them, `package.xml` first.
    pub fn metadata_package(&self) -> Vec<File> {
        let packaged =
            |part: Component| File::new(format!("{}/{}.{}", part.folder, part.name, part.suffix), part.xml);
        std::iter::once(File::new("package.xml", self.manifest()))
            .chain(self.components().into_iter().map(packaged))
            .collect()
    }

    fn manifest(&self) -> String {
        let mut kinds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for part in self.components() {
            kinds.entry(part.kind).or_default().push(part.name);
        }
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n",
        );
        for (kind, names) in kinds {
            out.push_str("    <types>\n");
            for name in names {
                out.push_str(&format!("        <members>{}</members>\n", escape(&name)));
            }
            out.push_str(&format!("        <name>{kind}</name>\n    </types>\n"));
        }
        out.push_str(&format!("    <version>{VERSION}</version>\n</Package>\n"));
        out
    }
}
