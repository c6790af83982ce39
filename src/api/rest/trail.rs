use std::collections::HashSet;

use crate::api::ApiError;

/// The pages that a result has led to: one that comes again leads round in a circle, for ever.
#[derive(Debug, Default)]
pub(crate) struct Trail(HashSet<String>);

impl Trail {
    /// Goes on to the page at `next`.
    ///
    /// # Errors
    ///
    /// [`ApiError::PagesRepeat`]: it was there already. *Data*.
    pub(crate) fn on(&mut self, next: String) -> Result<String, ApiError> {
        if self.0.insert(next.clone()) { Ok(next) } else { Err(ApiError::PagesRepeat) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_read_is_no_next_page() {
        let mut trail = Trail::default();
        for next in ["/query/01g-2000", "/query/01g-4000"] {
            assert_eq!(trail.on(next.into()).unwrap(), next);
        }
        assert!(matches!(trail.on("/query/01g-2000".into()), Err(ApiError::PagesRepeat)));
    }
}
