//! Salesforce over HTTP: what sfmint says to an org, and in which form.
//!
//! This room mints nothing (`token` does) and judges no setup (`health` does). Start at [`metadata`].

pub mod metadata;
