//! Writing by Bulk.
