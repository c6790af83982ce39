use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ip::IpRange;
use super::verify::{AppKey, CertificateMistake};

/// What kind of app holds the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// Answers at My Domain only.
    ExternalClientApp,
    /// Also answers at login.salesforce.com or test.salesforce.com.
    ConnectedApp,
}

/// Who may use an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PermittedUsers {
    /// "Admin approved users are pre-authorized": a permission set or profile of the user is attached to the app.
    AdminApproved,
    /// "All users may self-authorize": the user approved the app once before.
    SelfAuthorize,
}

/// An app as it is described; adding one with a known consumer key replaces it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppConfig {
    /// What Setup shows.
    pub name: String,
    /// External Client App (default) or connected app.
    pub kind: AppKind,
    /// The consumer key. Required.
    pub consumer_key: String,
    /// The X.509 certificate, PEM text or its base64 alone; at most 4 KB.
    pub certificate: Option<String>,
    /// Off: nobody gets a token through it.
    pub enabled: bool,
    /// Off: the app knows no JWT bearer flow (`unauthorized_client`).
    pub jwt_flow: bool,
    /// Who may use it.
    pub permitted_users: PermittedUsers,
    /// Permission sets attached, by API name.
    pub permission_sets: Vec<String>,
    /// Profiles attached, by name.
    pub profiles: Vec<String>,
    /// OAuth scopes: `api`, `refresh_token`, `id`, `full`, `web`, ...
    pub scopes: Vec<String>,
    /// Trusted addresses; none means any.
    pub ip_ranges: Vec<IpRange>,
    /// Session timeout of this app; the org's where none is set.
    pub session_timeout_seconds: Option<u64>,
    /// Issue JWT-based access tokens.
    pub jwt_tokens: bool,
    /// The session policy asks for high assurance, which a JWT login never has: REST refuses the token.
    pub require_high_assurance: bool,
}

impl Default for AppConfig {
    fn default() -> Self {
        Self {
            name: "app".into(),
            kind: AppKind::ExternalClientApp,
            consumer_key: String::new(),
            certificate: None,
            enabled: true,
            jwt_flow: true,
            permitted_users: PermittedUsers::AdminApproved,
            permission_sets: vec![],
            profiles: vec![],
            scopes: vec!["api".into(), "refresh_token".into(), "id".into()],
            ip_ranges: vec![],
            session_timeout_seconds: None,
            jwt_tokens: false,
            require_high_assurance: false,
        }
    }
}

/// An app in the running org: its description, and the certificate each of its servers knows.
#[derive(Debug)]
pub(super) struct App {
    pub config: AppConfig,
    pub serial: u64,
    current: Option<AppKey>,
    next: Option<Spreading>,
    turn: u64,
}

/// A certificate on its way through the org.
#[derive(Debug)]
struct Spreading {
    key: Option<AppKey>,
    everywhere_at: Duration,
}

impl App {
    pub fn new(config: AppConfig, serial: u64) -> Result<Self, CertificateMistake> {
        let current = config.certificate.as_deref().map(AppKey::read).transpose()?;
        Ok(Self { config, serial, current, next: None, turn: 0 })
    }

    /// Puts another certificate (or none) on the app. Until `everywhere_at` servers disagree about it.
    pub fn publish(
        &mut self,
        certificate: Option<String>,
        everywhere_at: Duration,
    ) -> Result<(), CertificateMistake> {
        let key = certificate.as_deref().map(AppKey::read).transpose()?;
        self.config.certificate = certificate;
        if let Some(Spreading { key, .. }) = self.next.take() {
            self.current = key;
        }
        self.turn = 0;
        self.next = Some(Spreading { key, everywhere_at });
        Ok(())
    }

    /// The key that the server asked this time goes by: while a change spreads, every second one is late.
    pub fn key(&mut self, elapsed: Duration) -> Option<&AppKey> {
        if let Some(next) = self.next.take_if(|next| next.everywhere_at <= elapsed) {
            self.current = next.key;
        }
        match &self.next {
            None => self.current.as_ref(),
            Some(next) => {
                self.turn += 1;
                if self.turn % 2 == 1 { self.current.as_ref() } else { next.key.as_ref() }
            }
        }
    }

    pub fn has_scope(&self, any_of: &[&str]) -> bool {
        self.config.scopes.iter().any(|scope| any_of.contains(&scope.as_str()))
    }
}
