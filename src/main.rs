//! The `sfmint` binary.

fn main() {}
