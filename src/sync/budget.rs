use crate::api::Usage;

/// The org's daily calls are used up as far as the job may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{used} of the {what} {most} calls of these 24 hours are used, and the job stops at {percent} percent"
)]
pub struct Spent {
    /// Calls used.
    pub used: u64,
    /// Calls there are.
    pub most: u64,
    /// Whose they are: `org's`, or `app's`.
    pub what: &'static str,
    /// `api_budget_percent`.
    pub percent: u8,
}

/// Whether another call may be made: neither the org's calls nor this app's own share are used beyond `percent`.
///
/// `Sforce-Limit-Info: api-usage=18/15000; per-app-api-usage=17/250(appName=x)`. Without the header nothing is known, and
/// the org itself says no when there is nothing left.
///
/// # Errors
///
/// [`Spent`], with whose calls they are.
pub fn may_go_on(usage: Option<&Usage>, percent: u8) -> Result<(), Spent> {
    let Some(usage) = usage else { return Ok(()) };
    let spent =
        |used: u64, most: u64| most > 0 && u128::from(used) * 100 >= u128::from(most) * u128::from(percent);
    if spent(usage.used, usage.max) {
        return Err(Spent { used: usage.used, most: usage.max, what: "org's", percent });
    }
    match &usage.per_app {
        Some(app) if spent(app.used, app.max) => {
            Err(Spent { used: app.used, most: app.max, what: "app's", percent })
        }
        _ => Ok(()),
    }
}
