//! Liusheng.
fn main() {}
