//! The External Client App as metadata: what an administrator deploys so that a certificate can mint.
//!
//! Text only: nothing here reads a file, reaches a network or knows a private key. An app is described once, and laid
//! out as a source folder or as a package for the Metadata API. Start at [`AppPackage::new`].

#[cfg(feature = "cli")]
mod archive;
mod developer_name;
mod external_client_app;
mod layout;
mod mistake;
mod permission_set;
#[cfg(test)]
mod tests;
mod xml;

#[cfg(feature = "cli")]
pub use archive::{ArchiveError, archive};
pub use developer_name::DeveloperName;
pub use external_client_app::{AppPackage, Component, LARGEST_CERTIFICATE, SESSION_TIMEOUT_MINUTES};
pub use layout::File;
pub use mistake::AppMistake;
