//! A small, strict part of SOQL: enough for syncs, doctors and real clients, refused in Salesforce's words beyond that.
//!
//! It knows SELECT of fields, `FIELDS(ALL)`, `COUNT()`; WHERE with comparisons, IN (also of a query), LIKE, AND, OR, NOT;
//! ORDER BY, LIMIT, OFFSET. No GROUP BY and no child queries. Start at [`parse`], then [`Plan`].

mod ast;
mod bind;
mod bound;
mod bulk;
mod conditions;
mod lexer;
mod like;
mod literals;
mod paging;
mod parser;
mod plan;
mod refusal;
mod row_json;
mod seek;
mod sorting;

pub(super) use bind::bind;
pub(super) use bulk::refused_by_bulk;
pub(super) use paging::Mark;
pub(super) use parser::parse;
pub(super) use plan::{Answer, Plan};
pub(super) use refusal::SoqlRefusal;
pub(super) use row_json::{related_object, write_row};
