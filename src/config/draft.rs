use std::path::PathBuf;

use crate::base::{
    ApiVersion, Audience, ConsumerKey, InstanceHosts, KeySource, LoginUrl, Secret, TokenCacheKind, Username,
};

use super::origin::Sourced;

macro_rules! draft {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(in crate::config) struct $name {
            $(pub $field: Option<Sourced<$type>>,)*
        }

        impl $name {
            /// What this layer says, and where it is silent, what the layer below says.
            pub fn or(self, below: &Self) -> Self {
                Self { $($field: self.$field.or_else(|| below.$field.clone()),)* }
            }
        }
    };
}

#[cfg(feature = "sync")]
pub(super) use draft;

draft! {
    /// A connection on its way: what one layer says about it, each value already parsed.
    Draft {
    login_url: LoginUrl,
    audience: Audience,
    client_id: ConsumerKey,
    username: Username,
    key: KeySource,
    certificate: PathBuf,
    apps: Vec<App>,
    auth: String,
    api_version: ApiVersion,
    session_timeout: u64,
    refresh_buffer: u64,
    mint_attempts: u64,
    mint_budget: u64,
    token_cache: TokenCacheKind,
    instance_hosts: InstanceHosts,
    ca_file: PathBuf,
    proxy: Proxy,
    }
}

/// One of two apps.
#[derive(Clone, Debug)]
pub(super) struct App {
    pub name: String,
    pub client_id: ConsumerKey,
    pub key: KeySource,
    pub certificate: Option<PathBuf>,
}

/// One of two apps on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct AppDraft {
    pub name: Option<Sourced<String>>,
    pub client_id: Option<Sourced<ConsumerKey>>,
    pub key: Option<Sourced<KeySource>>,
    pub certificate: Option<Sourced<PathBuf>>,
}

/// A proxy's address. From the environment it may hold a password.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub url: Secret<String>,
    /// The variable it came from; `None` where it stands in the file, without a password.
    pub variable: Option<String>,
}

/// What `[defaults]` alone may say.
#[derive(Clone, Debug, Default)]
pub(super) struct General {
    pub store: Option<Sourced<PathBuf>>,
    pub keep_history_days: Option<Sourced<u64>>,
}
