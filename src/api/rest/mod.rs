//! The parts of the REST API that sfmint itself uses: versions, limits, describe, query.
//!
//! Each is one call of [`Client`](super::Client); nothing here knows of tokens or retries. Everything else of the
//! API is reached by path. Start at [`query()`].

mod children;
mod count;
mod describe;
mod field_type;
mod follow;
mod limits;
mod query;
mod record;
mod trail;
mod versions;

pub use count::count;
pub use describe::{Description, FieldDescription, describe, describe_raw};
pub use field_type::FieldType;
pub use limits::{Limit, Limits, limits, limits_raw};
pub use query::{Page, Pages, is_count, query};
pub use record::Record;
#[cfg(feature = "cli")]
pub(crate) use trail::Trail;
pub use versions::versions;
