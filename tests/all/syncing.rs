//! Syncs against the built-in org, which changes meanwhile, breaks off and lies: what lands is what the org has, or the run
//! says that it is not.

mod bench;
mod deletes;
mod doubt;
mod everyday;
mod faults;
