/// The namespace of everything that is deployed.
const METADATA: &str = "http://soap.sforce.com/2006/04/metadata";

/// `text` as the content of an element: the three characters that would end it are written as entities.
///
/// Characters that XML 1.0 (§2.2) has no way to write are left out; names and labels were checked before.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// One metadata file: a root element and its children, one a line, sorted by name.
///
/// The Metadata API reads children in the order of its schema, which is the alphabet's.
pub(super) struct Document {
    root: &'static str,
    comment: Option<&'static str>,
    children: Vec<(&'static str, String)>,
}

impl Document {
    pub fn new(root: &'static str) -> Self {
        Self { root, comment: None, children: Vec::new() }
    }

    /// Adds a child that holds text.
    pub fn text(self, name: &'static str, text: &str) -> Self {
        let content = escape(text);
        self.raw(name, content)
    }

    /// Adds a child that holds `true` or `false`.
    pub fn flag(self, name: &'static str, value: bool) -> Self {
        self.raw(name, value.to_string())
    }

    /// Adds a child that holds children of its own.
    pub fn group(self, name: &'static str, children: &[(&'static str, &str)]) -> Self {
        let lines: String = children
            .iter()
            .map(|(name, text)| format!("        <{name}>{}</{name}>\n", escape(text)))
            .collect();
        self.raw(name, format!("\n{lines}    "))
    }

    /// Explains the file to whoever opens it. Without `--`, which would end the comment.
    pub fn comment(mut self, comment: &'static str) -> Self {
        self.comment = Some(comment);
        self
    }

    fn raw(mut self, name: &'static str, content: String) -> Self {
        self.children.push((name, content));
        self
    }

    /// The file's text.
    pub fn write(mut self) -> String {
        self.children.sort_by_key(|(name, _)| *name);
        let mut out =
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{} xmlns=\"{METADATA}\">\n", self.root);
        if let Some(comment) = self.comment {
            out.push_str(&format!("    <!--\n{comment}\n    -->\n"));
        }
        for (name, content) in &self.children {
            out.push_str(&format!("    <{name}>{content}</{name}>\n"));
        }
        out.push_str(&format!("</{}>\n", self.root));
        out
    }
}
