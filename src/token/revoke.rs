use crate::base::{AccessToken, OAuthError};

use super::endpoint::{ANSWER_TIMEOUT, body};
use super::http::{http_client, unreachable};
use super::{MintError, Minter};

/// What became of a session that was to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Salesforce has ended it.
    Ended,
    /// Salesforce does not know it: it was over already.
    WasOver(OAuthError),
}

impl Minter {
    /// Ends a token's session at Salesforce, for everybody who holds the token.
    ///
    /// # Shape
    ///
    /// `POST /services/oauth2/revoke`, form field `token`, at the token's own instance: the one host it may be sent to.
    /// 200 with an empty body, or an error in urlencoded form (RFC 7009; the form is jsforce's observation).
    ///
    /// # Errors
    ///
    /// - [`MintError::Unreachable`], [`MintError::Tls`]: nobody answered; the session may live. *Transient* or *misuse*.
    /// - [`MintError::NotOAuth`]: a gateway answered; [`MintError::TooLarge`]: it went on for more than 64 KiB.
    pub async fn revoke(&self, token: &AccessToken) -> Result<Revoked, MintError> {
        let url = token.instance_url.at("/services/oauth2/revoke").map_err(MintError::InstanceUrl)?;
        let http = http_client(&self.connection().network, &url)?;
        let host = token.instance_url.host();
        let lost = |error| unreachable(error, host, self.now());
        let request = http.post(url.clone()).timeout(ANSWER_TIMEOUT).form(&[("token", token.expose())]);
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(Revoked::Ended);
        }
        if !(400..500).contains(&status) || matches!(status, 406 | 408 | 420 | 429) {
            return Err(MintError::NotOAuth { status });
        }
        let body = body(&mut response, host, self.now()).await?;
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let error = field("error").ok_or(MintError::NotOAuth { status })?;
        Ok(Revoked::WasOver(OAuthError::new(error, field("error_description"))))
    }
}
