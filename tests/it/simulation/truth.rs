//! What the server has acknowledged in one stream, as somebody with a pencil would keep it.
use std::collections::{BTreeMap, BTreeSet};

/// By the number of each person in the conversation.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    /// By text: who said it, and where it stands.
    pub(crate) said: BTreeMap<String, (usize, i64)>,
    pub(crate) recalled: BTreeSet<String>,
    /// Read up to.
    pub(crate) read: Vec<i64>,
    pub(crate) is_member: Vec<bool>,
    pub(crate) last_seq: i64,
    /// A list that is open.
    pub(super) chain: Option<i64>,
}

impl Truth {
    /// Everybody is a member and has read so far.
    pub(crate) fn of(read: Vec<i64>, last_seq: i64) -> Self {
        let is_member = vec![true; read.len()];
        Self { said: BTreeMap::new(), recalled: BTreeSet::new(), read, is_member, last_seq, chain: None }
    }
}
