use tracing::{info, warn};

use crate::api::{ApiError, Client, Request, Response};
use crate::base::InstanceUrl;

/// Where a result is kept: a cursor is known to the host that gave it, and to no other.
#[derive(Clone, Debug)]
pub(super) struct Home(InstanceUrl);

impl Home {
    /// The host that calls go to now.
    pub async fn now(client: &Client) -> Result<Self, ApiError> {
        Ok(Self(client.token().await?.instance_url.clone()))
    }

    /// Gets what follows in a result.
    ///
    /// # Errors
    ///
    /// [`ApiError::CursorGone`]: Salesforce says so, or the org has moved to another host since: where the one that knew
    /// the cursor does not answer, a new token says where the org is now. Else those of [`Client::send`].
    pub async fn follow(&self, client: &Client, request: Request) -> Result<Response, ApiError> {
        let error = match client.whole(request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let is_lost = matches!(
            error,
            ApiError::NoAnswer { .. }
                | ApiError::WrongHost { .. }
                | ApiError::Redirected { .. }
                | ApiError::NotFound { .. }
                | ApiError::NotJson { .. }
        );
        if !is_lost {
            return Err(error);
        }
        let mut now = client.token().await.map(|token| token.instance_url.clone());
        if now.as_ref().is_ok_and(|now| *now == self.0) {
            now = client.learn_host().await;
        }
        if let Err(unknown) = &now {
            warn!("whether the org has moved cannot be learned: {unknown}");
        }
        match now.is_ok_and(|now| now != self.0) {
            true => {
                info!("the org has moved away from {}: the rest of the result is gone with it", self.0);
                Err(ApiError::CursorGone { reason: None })
            }
            false => Err(error),
        }
    }
}
