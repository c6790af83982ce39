use std::error::Error;
use std::fmt;

use super::Place;
use crate::base::{Explain, Fault, Hint};

/// Something that cannot be used: where it is, and what is wrong with it.
///
/// Names the file, environment variable or command; holds nothing of what was read from there.
#[derive(Debug)]
pub struct Located<M> {
    place: Place,
    mistake: Box<M>,
}

/// What can be wrong with a thing at a place. Reads on after the place: "file a.pem *holds a CERTIFICATE, not a private key*".
pub trait Mistake: Error + Sized + 'static {
    /// What the thing is called where nobody has said where it is.
    const UNNAMED: &'static str;

    /// Who must act.
    fn fault(&self) -> Fault;

    /// The stable code.
    fn code(&self) -> &'static str;

    /// What to do about it at that place.
    fn hints(&self, place: &Place) -> Vec<Hint>;

    /// The error: this mistake, at `place`.
    fn at(self, place: Place) -> Located<Self> {
        Located { place, mistake: Box::new(self) }
    }
}

impl<M> Located<M> {
    /// What is wrong.
    pub fn mistake(&self) -> &M {
        &self.mistake
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The same mistake, at the place the caller knows.
    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }
}

impl<M: Mistake> From<M> for Located<M> {
    fn from(mistake: M) -> Self {
        mistake.at(Place::unnamed(M::UNNAMED))
    }
}

impl<M: Mistake> fmt::Display for Located<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.mistake)
    }
}

impl<M: Mistake> Error for Located<M> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.mistake.source()
    }
}

impl<M: Mistake> Explain for Located<M> {
    fn fault(&self) -> Fault {
        self.mistake.fault()
    }

    fn code(&self) -> &'static str {
        self.mistake.code()
    }

    fn hints(&self) -> Vec<Hint> {
        self.mistake.hints(&self.place)
    }
}
