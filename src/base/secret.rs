use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// A value that must never be seen: it cannot be printed, and its memory is zeroed when it is dropped.
///
/// It has no `Display` and no `Serialize`; `Debug` tells its kind and size only.
/// Whoever needs the value says so by calling [`expose`](Secret::expose).
///
/// # Examples
///
/// ```
/// use sfmint::base::Secret;
///
/// let token = Secret::new("access token", "00Dxx!abc".to_string());
/// assert_eq!(format!("{token:?}"), "<access token, 9 bytes>");
/// ```
#[derive(Clone)]
pub struct Secret<T: Zeroize> {
    kind: &'static str,
    value: Zeroizing<T>,
}

impl<T: Zeroize> Secret<T> {
    /// Takes `value` in; `kind` is what people call it ("access token", "passphrase").
    pub fn new(kind: &'static str, value: T) -> Self {
        Self { kind, value: Zeroizing::new(value) }
    }

    /// The value itself. Every call is a place to look at in a review.
    pub fn expose(&self) -> &T {
        &self.value
    }

    /// What this secret is called.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

impl<T: Zeroize + AsRef<[u8]>> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = (*self.value).as_ref().len();
        write!(f, "<{}, {bytes} bytes>", self.kind)
    }
}
