use std::sync::Arc;
use std::time::Duration;

use super::app::AppConfig;
use super::injection::Injection;
use super::log::{Counters, LogEntry, LoginRow};
use super::mint;
use super::permission::Grants;
use super::rules::Rules;
use super::session::{Session, SessionInfo};
use super::state::{AdminMistake, Shared};
use super::user::UserConfig;
use crate::base::{TokenId, UnixSeconds};

/// The hand that changes a running org.
///
/// The same deeds are there over HTTP, for programs in other languages: below `/_emulator/`, on loopback, JSON in and out.
/// Requests with an `Origin` (web pages) are refused. A mistake answers 400 and `{"error", "cause"}`.
///
/// | path | POST takes | GET shows |
/// |---|---|---|
/// | `apps` | `consumer_key` and keys of [`AppConfig`] | |
/// | `apps/remove` | `consumer_key` | |
/// | `apps/certificate` | `consumer_key`, `certificate` (PEM or null), `spreads_for_seconds` | |
/// | `users` | `username` and keys of [`UserConfig`] | |
/// | `permission-sets`, `profiles` | a [`Grants`] | |
/// | `rules` | keys of [`Rules`] | all of them |
/// | `clock` | `advance_seconds`, `skew_seconds` | `now`, `skew_seconds` |
/// | `sessions/open` | `username`, `consumer_key`; answers `access_token` | |
/// | `sessions/expire` | `all: true`, `token_id` or `username` | |
/// | `sessions`, `log`, `counters`, `login-history` | | as named |
/// | `faults` | an [`Injection`] | |
/// | `faults/clear`, `forget` | anything | |
#[derive(Clone, Debug)]
pub struct Admin(pub(super) Arc<Shared>);

impl Admin {
    /// Adds an app, or replaces the one with its consumer key. Its certificate counts at once.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Certificate`] for a certificate that no app takes, [`AdminMistake::Missing`] without a consumer key.
    pub fn put_app(&self, app: AppConfig) -> Result<(), AdminMistake> {
        self.0.state().put_app(app, self.now())
    }

    /// Takes an app out of the org, as a sandbox refresh does: its consumer key means nothing here any more.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] where no app has that consumer key.
    pub fn remove_app(&self, consumer_key: &str) -> Result<(), AdminMistake> {
        let state = &mut *self.0.state();
        let app = state
            .apps
            .remove(consumer_key)
            .ok_or_else(|| AdminMistake::Unknown("app", consumer_key.into()))?;
        state.audited(self.now(), "deletedConnectedApplication", format!("Deleted app {}", app.config.name));
        Ok(())
    }

    /// Changes an app in place. A changed certificate counts at once.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`], and those of [`put_app`](Self::put_app).
    pub fn change_app(
        &self,
        consumer_key: &str,
        change: impl FnOnce(&mut AppConfig),
    ) -> Result<(), AdminMistake> {
        let state = &mut *self.0.state();
        let app = state
            .apps
            .get_mut(consumer_key)
            .ok_or_else(|| AdminMistake::Unknown("app", consumer_key.into()))?;
        let mut config = app.config.clone();
        change(&mut config);
        config.consumer_key = consumer_key.into();
        if config.certificate != app.config.certificate {
            return state.put_app(config, self.now());
        }
        let name = config.name.clone();
        app.config = config;
        state.audited(self.now(), "changedConnectedApplication", format!("Changed app {name}"));
        Ok(())
    }

    /// Uploads a certificate (PEM), or clears it. For `spreads_for_seconds` of the org's time, every second request
    /// meets a server that still knows the one before; 0 is at once.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the app, [`AdminMistake::Certificate`] for the certificate.
    pub fn set_certificate(
        &self,
        consumer_key: &str,
        certificate: Option<&str>,
        spreads_for_seconds: u64,
    ) -> Result<(), AdminMistake> {
        let everywhere_at = self.0.clock.elapsed() + Duration::from_secs(spreads_for_seconds);
        let state = &mut *self.0.state();
        let app = state
            .apps
            .get_mut(consumer_key)
            .ok_or_else(|| AdminMistake::Unknown("app", consumer_key.into()))?;
        app.publish(certificate.map(str::to_string), everywhere_at)
            .map_err(|why| AdminMistake::Certificate(consumer_key.into(), why))?;
        let verb = if certificate.is_some() { "Uploaded" } else { "Deleted" };
        let display = format!("{verb} certificate of app {}", app.config.name);
        state.audited(self.now(), "changedConnectedApplication", display);
        Ok(())
    }

    /// The fingerprint of the key that the newest certificate of an app holds (`base::KeyId`).
    pub fn certificate_key(&self, consumer_key: &str) -> Option<crate::base::KeyId> {
        let state = self.0.state();
        let certificate = state.apps.get(consumer_key)?.config.certificate.clone()?;
        super::verify::AppKey::read(&certificate).ok().map(|key| key.id)
    }

    /// Adds a user, or replaces the one with that user name. Deactivating ends the user's sessions.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Missing`] without a user name.
    pub fn put_user(&self, user: UserConfig) -> Result<(), AdminMistake> {
        self.0.state().put_user(user, self.now())
    }

    /// Changes a user in place.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] where nobody has that user name.
    pub fn change_user(
        &self,
        username: &str,
        change: impl FnOnce(&mut UserConfig),
    ) -> Result<(), AdminMistake> {
        let state = &mut *self.0.state();
        let user = state.user(username).ok_or_else(|| AdminMistake::Unknown("user", username.into()))?;
        let mut config = user.config.clone();
        change(&mut config);
        config.username = user.config.username.clone();
        state.put_user(config, self.now())
    }

    /// Adds or replaces a permission set.
    pub fn put_permission_set(&self, grants: Grants) {
        put(&mut self.0.state().permission_sets, grants);
    }

    /// Adds or replaces a profile.
    pub fn put_profile(&self, grants: Grants) {
        put(&mut self.0.state().profiles, grants);
    }

    /// The rules as they are.
    pub fn rules(&self) -> Rules {
        self.0.state().rules.clone()
    }

    /// Changes how the org behaves.
    pub fn change_rules(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.0.state().rules);
    }

    /// What the org's clock shows.
    pub fn now(&self) -> UnixSeconds {
        self.0.clock.now()
    }

    /// Lets the org's time pass: sessions, rates, locators and certificates age. Whole seconds.
    pub fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    /// Sets how far the org's clock is ahead of the machine's, seconds; negative for behind. Nothing ages by it.
    pub fn set_clock_skew(&self, seconds: i64) {
        self.0.clock.set_skew(seconds);
    }

    /// How far the org's clock is ahead of the machine's, seconds.
    pub fn clock_skew(&self) -> i64 {
        self.0.clock.skew()
    }

    /// Opens a session without an assertion and returns its access token, for tests that are not about minting.
    /// No login is counted.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] for the app or the user.
    pub fn open_session(&self, username: &str, consumer_key: &str) -> Result<String, AdminMistake> {
        let state = &mut *self.0.state();
        let user = state.user(username).ok_or_else(|| AdminMistake::Unknown("user", username.into()))?;
        let username = user.config.username.clone();
        mint::open_session(&self.0, state, &username, consumer_key)
            .ok_or_else(|| AdminMistake::Unknown("app", consumer_key.into()))
    }

    /// Ends every session; how many lived.
    pub fn expire_all_sessions(&self) -> usize {
        self.expire(|_| true)
    }

    /// Ends the session of one token; how many lived.
    pub fn expire_session(&self, token: &TokenId) -> usize {
        self.expire(|session| &session.id == token)
    }

    /// Ends the sessions of one user; how many lived.
    pub fn expire_sessions_of(&self, username: &str) -> usize {
        self.expire(|session| session.username.eq_ignore_ascii_case(username))
    }

    fn expire(&self, is_meant: impl Fn(&Session) -> bool) -> usize {
        let (now, elapsed) = (self.now(), self.0.clock.elapsed());
        let state = &mut *self.0.state();
        let meant = state.sessions.values_mut().filter(|one| is_meant(one) && one.is_alive(now, elapsed));
        meant.map(|session| session.killed = true).count()
    }

    /// Every session there was, by fingerprint.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let (now, elapsed) = (self.now(), self.0.clock.elapsed());
        let show = |session: &Session| SessionInfo {
            token_id: session.id.clone(),
            username: session.username.clone(),
            consumer_key: session.consumer_key.clone(),
            alive: session.is_alive(now, elapsed),
        };
        self.0.state().sessions.values().map(show).collect()
    }

    /// Adds a fault, behind those that are there.
    pub fn inject(&self, injection: Injection) {
        self.0.state().injections.push(injection);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.0.state().injections.clear();
    }

    /// The requests so far, oldest first; at most 100,000.
    pub fn log(&self) -> Vec<LogEntry> {
        self.0.state().log.iter().cloned().collect()
    }

    /// What happened how often.
    pub fn counters(&self) -> Counters {
        self.0.state().counters.clone()
    }

    /// Sets counters, log and login history back to nothing.
    pub fn forget(&self) {
        let state = &mut *self.0.state();
        state.counters = Counters::default();
        state.log.clear();
        state.login_history.clear();
    }

    /// Login attempts of known users, oldest first.
    pub fn login_history(&self) -> Vec<LoginRow> {
        self.0.state().login_history.iter().cloned().collect()
    }
}

fn put(list: &mut Vec<Grants>, grants: Grants) {
    match list.iter_mut().find(|known| known.name == grants.name) {
        Some(known) => *known = grants,
        None => list.push(grants),
    }
}
