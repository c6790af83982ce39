/// A packet: its title, what it is about, and its sections in order.
#[derive(Clone, Debug)]
pub struct Packet {
    pub title: String,
    pub lead: Line,
    pub sections: Vec<Section>,
}

/// A headed part.
#[derive(Clone, Debug)]
pub struct Section {
    pub title: &'static str,
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// Prose.
    Says(Line),
    /// Things to do, in order.
    Steps(Vec<Line>),
    /// Facts: a name and what there is to say of it.
    Facts(Vec<(Line, Line)>),
    /// Something to copy.
    Copy(String),
    /// Lines to fill in, each with its name and an example.
    Blanks(Vec<(&'static str, Line)>),
}

/// A run of text.
#[derive(Clone, Debug)]
pub struct Line(pub Vec<Piece>);

/// Text of one kind.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Prose.
    Plain(String),
    /// What stands on the screen in Setup.
    Screen(String),
    /// What is typed or compared letter by letter.
    Exact(String),
}

/// Prose.
pub fn p(text: impl Into<String>) -> Piece {
    Piece::Plain(text.into())
}

/// What stands on the screen.
pub fn s(text: impl Into<String>) -> Piece {
    Piece::Screen(text.into())
}

/// What is typed or compared.
pub fn x(text: impl Into<String>) -> Piece {
    Piece::Exact(text.into())
}

/// Pieces as a line.
pub fn line<const N: usize>(pieces: [Piece; N]) -> Line {
    Line(pieces.into())
}

/// Prose as a line.
pub fn plain(text: &str) -> Line {
    line([p(text)])
}
