use serde::Serialize;

/// How much of the org's calls of the last 24 hours is used, as its answers say in `Sforce-Limit-Info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Calls in the last 24 hours, of all programs together.
    pub used: u64,
    /// Calls that are allowed.
    pub max: u64,
    /// The app's own share, where it has a limit of its own.
    pub per_app: Option<AppUsage>,
}

/// One app's share of the calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppUsage {
    /// Its calls.
    pub used: u64,
    /// How many it may make.
    pub max: u64,
    /// What the org calls it.
    pub app: Option<String>,
}

impl Usage {
    /// Reads a `Sforce-Limit-Info` header; `None` where its first clause is not there.
    ///
    /// # Examples
    ///
    /// ```
    /// use sfmint::api::Usage;
    ///
    /// let usage = Usage::parse("api-usage=18/15000; per-app-api-usage=17/250(appName=sfmint)").unwrap();
    /// assert_eq!((usage.used, usage.max), (18, 15_000));
    /// assert_eq!(usage.per_app.unwrap().app.as_deref(), Some("sfmint"));
    /// ```
    ///
    /// # Source
    ///
    /// REST API guide, "Limit Info Header".
    pub fn parse(header: &str) -> Option<Self> {
        let (mut whole, mut per_app) = (None, None);
        for clause in header.split([';', ',']) {
            let Some((name, value)) = clause.trim().split_once('=') else { continue };
            match name.trim().to_ascii_lowercase().as_str() {
                "api-usage" => whole = share(value).map(|(used, max, _)| (used, max)),
                "per-app-api-usage" => {
                    per_app = share(value).map(|(used, max, app)| AppUsage { used, max, app });
                }
                _ => {}
            }
        }
        let (used, max) = whole?;
        Some(Self { used, max, per_app })
    }

    /// How much is used, in percent; 100 where nothing is allowed.
    pub fn percent(&self) -> u64 {
        self.used.saturating_mul(100).checked_div(self.max).unwrap_or(100)
    }
}

/// `17/250(appName=x)`.
fn share(value: &str) -> Option<(u64, u64, Option<String>)> {
    let (numbers, rest) =
        value.split_once('(').map_or((value, None), |(numbers, rest)| (numbers, Some(rest)));
    let (used, max) = numbers.split_once('/')?;
    let app = rest.and_then(|rest| rest.trim_end().trim_end_matches(')').split_once('='));
    let app = app.map(|(_, name)| crate::base::printable(name.trim(), 80));
    Some((used.trim().parse().ok()?, max.trim().parse().ok()?, app))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Protocol reference, trap 27.
    #[test]
    fn both_clauses_are_read_and_nonsense_is_none() {
        let plain = Usage::parse("api-usage=14999/15000").unwrap();
        assert_eq!(
            (plain.used, plain.max, plain.per_app.clone(), plain.percent()),
            (14_999, 15_000, None, 99)
        );
        let both = Usage::parse("api-usage=1/2, per-app-api-usage=17/250(appName=my app)").unwrap();
        assert_eq!(both.per_app.unwrap().app.as_deref(), Some("my app"));
        for nonsense in
            ["", "api-usage", "api-usage=x/y", "api-usage=1", "per-app-api-usage=1/2", "api-usage=-1/5"]
        {
            assert_eq!(Usage::parse(nonsense), None, "{nonsense}");
        }
        assert_eq!(Usage::parse("api-usage=0/0").unwrap().percent(), 100);
    }
}
