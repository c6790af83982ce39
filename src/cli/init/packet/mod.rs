//! What the Salesforce administrator reads: one content, laid out as a page and as plain text.
//!
//! Says what to do, why each permission is asked for, how to undo it, and what to send back. Public, all of it. Start at
//! [`packet`].

mod content;
mod html;
mod text;
mod words;

pub use content::packet;
pub use html::html;
pub use text::text;
