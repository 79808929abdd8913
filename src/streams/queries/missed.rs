//! What a device missed: always the newest, shared out fairly, by the same number of queries however many streams it is.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        Stream,
        rows::{entry, stream},
        rules::{Access, access},
    },
    entries::{EntryView, shown},
    list::{role_in, with_member},
};
use crate::{
    actor::Actor,
    app::App,
    error::{Checks, Result},
    ids::StreamId,
};

/// Streams asked about at once.
const STREAMS: usize = 500;
/// Entries of one answer, and their bytes.
const ENTRIES: i64 = 300;
const BYTES: usize = 256 * 1024;
/// What a stream takes without entries.
const A_STREAM: usize = 160;
/// What an entry takes beside its body: the quote above all.
const BESIDE: usize = 640;

/// What a device has: for each stream, its epoch and the seq up to which it has everything.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Have {
    /// By stream id, 500 at most.
    pub have: HashMap<StreamId, Position>,
}

/// A place in a stream.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// As given with the stream.
    pub epoch: String,
    /// The device has 1 up to this.
    pub seq: i64,
}

/// What a device missed, by stream id.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Missed {
    /// By stream id; what may not be read is left out.
    pub streams: HashMap<StreamId, MissedEntries>,
}

/// What a device missed in one stream.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MissedEntries {
    /// The stream's epoch.
    pub epoch: String,
    /// Its newest seq.
    pub last_seq: i64,
    /// Forget what you have: the epoch is another.
    pub reset: bool,
    /// More was missed than is handed over: forget what you have of this stream. These are the newest entries; what stands
    /// before them is read with `before`, when somebody looks.
    pub limited: bool,
    /// Up to the newest, oldest first.
    pub entries: Vec<EntryView>,
}

/// What is missing in one stream.
struct Gap {
    stream: Stream,
    reset: bool,
    /// The device has everything up to here.
    from: i64,
    rows: Vec<entry::Model>,
}

/// What the device missed in these streams: 300 entries and 256 KiB in all at most, of every stream the newest.
///
/// # Errors
/// `invalid_fields` for more than 500 streams.
pub async fn missed(app: &App, actor: &Actor, input: Have) -> Result<Missed> {
    let mut checks = Checks::default();
    checks.require(input.have.len() <= STREAMS, "have", "out_of_range");
    checks.done()?;
    let mut gaps = gaps(app, actor, input.have).await?;
    fill(app, &mut gaps).await?;
    cut(&mut gaps);
    let rows: Vec<entry::Model> = gaps.iter_mut().flat_map(|gap| std::mem::take(&mut gap.rows)).collect();
    let of: Vec<StreamId> = rows.iter().map(|row| row.stream_id).collect();
    let mut entries: HashMap<StreamId, Vec<EntryView>> = HashMap::new();
    for (id, entry) in of.into_iter().zip(shown(app, rows).await?) {
        entries.entry(id).or_default().push(entry);
    }
    let answer = |gap: Gap| {
        let entries = entries.remove(&gap.stream.id).unwrap_or_default();
        let begins = entries.first().map_or(gap.stream.last_seq + 1, |entry| entry.seq);
        let (epoch, last_seq) = (gap.stream.epoch.to_string(), gap.stream.last_seq);
        (gap.stream.id, MissedEntries { epoch, last_seq, reset: gap.reset, limited: begins > gap.from + 1, entries })
    };
    Ok(Missed { streams: gaps.into_iter().map(answer).collect() })
}

/// The streams that may be read, newest first.
async fn gaps(app: &App, actor: &Actor, mut have: HashMap<StreamId, Position>) -> Result<Vec<Gap>> {
    if have.is_empty() {
        return Ok(Vec::new());
    }
    let rows = with_member(actor.person)
        .filter(stream::Column::Id.is_in(have.keys().copied().collect::<Vec<_>>()))
        .order_by_desc(stream::Column::LastAt)
        .all(app.store.read())
        .await?;
    let readable =
        rows.into_iter().filter(|(row, member)| access(row, actor, role_in(member.as_ref())) != Access::None);
    let gap = |(stream, _): (Stream, _)| {
        let position = have.remove(&stream.id)?;
        let reset = position.epoch != stream.epoch.to_string();
        let from = if reset { 0 } else { position.seq.clamp(0, stream.last_seq) };
        Some(Gap { stream, reset, from, rows: Vec::new() })
    };
    Ok(readable.filter_map(gap).collect())
}

/// Reads the newest entries of each, up to where the stream stood when it was read.
async fn fill(app: &App, gaps: &mut [Gap]) -> Result<()> {
    let missing: Vec<i64> = gaps.iter().map(|gap| gap.stream.last_seq - gap.from).collect();
    let mut wanted = Condition::any();
    for (gap, share) in gaps.iter().zip(shares(&missing, ENTRIES)).filter(|(_, share)| *share > 0) {
        let newest = Condition::all()
            .add(entry::Column::StreamId.eq(gap.stream.id))
            .add(entry::Column::Seq.gt(gap.stream.last_seq - share))
            .add(entry::Column::Seq.lte(gap.stream.last_seq));
        wanted = wanted.add(newest);
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let rows = entry::Entity::find()
        .filter(wanted)
        .order_by_asc(entry::Column::StreamId)
        .order_by_asc(entry::Column::Seq)
        .all(app.store.read())
        .await?;
    let mut by_stream: HashMap<StreamId, Vec<entry::Model>> = HashMap::new();
    for row in rows {
        by_stream.entry(row.stream_id).or_default().push(row);
    }
    for gap in gaps {
        gap.rows = by_stream.remove(&gap.stream.id).unwrap_or_default();
    }
    Ok(())
}

/// What each gets of the whole: nobody more than is missing there, nobody less than another who wants as much.
fn shares(missing: &[i64], all: i64) -> Vec<i64> {
    let mut order: Vec<usize> = (0..missing.len()).collect();
    order.sort_by_key(|place| missing.get(*place));
    let (mut shares, mut left) = (vec![0; missing.len()], all);
    for (done, place) in order.iter().enumerate() {
        let others = i64::try_from(missing.len() - done).unwrap_or(i64::MAX);
        let (Some(wanted), Some(share)) = (missing.get(*place), shares.get_mut(*place)) else { continue };
        // what does not divide goes to the last ones, who want the most
        *share = (*wanted).min(left / others);
        left -= *share;
    }
    shares
}

/// Keeps of each the newest, in turns, until the bytes are spent.
fn cut(gaps: &mut [Gap]) {
    let mut left = BYTES.saturating_sub(gaps.len() * A_STREAM);
    let mut kept = vec![0; gaps.len()];
    let mut is_open = vec![true; gaps.len()];
    while is_open.contains(&true) {
        for ((gap, kept), is_open) in gaps.iter().zip(&mut kept).zip(&mut is_open).filter(|(_, is_open)| **is_open) {
            let next = gap.rows.iter().rev().nth(*kept).map(|row| row.body.len() + BESIDE);
            match next.filter(|bytes| *bytes <= left) {
                Some(bytes) => (left, *kept) = (left - bytes, *kept + 1),
                None => *is_open = false,
            }
        }
    }
    for (gap, kept) in gaps.iter_mut().zip(kept) {
        gap.rows.drain(..gap.rows.len() - kept);
    }
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn nobody_starves_and_nothing_is_left_lying() {
        assert_eq!(shares(&[1000, 1, 0, 1000], 300), [149, 1, 0, 150]);
        assert_eq!(shares(&[5, 6], 300), [5, 6]);
        assert_eq!(shares(&[], 300), Vec::<i64>::new());
        let many = shares(&[10; 400], 300);
        assert_eq!(many.iter().sum::<i64>(), 300);
        assert!(many.iter().all(|share| *share <= 1));
    }
}
