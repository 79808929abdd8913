//! How far a notice has come, as everybody may ask.
use super::board::{ReachView, begun, in_village};
use crate::{app::App, error::Result, ids::NoticeId};

/// Counts alone. Whom it reached in a village is read once for all who ask at the same moment.
///
/// # Errors
/// `not_found` when there is no such notice.
pub(super) async fn public_reach(app: &App, id: NoticeId) -> Result<ReachView> {
    let db = app.store.read();
    let (mut view, village) = begun(db, id).await?;
    if let Some((area, told)) = village {
        let of = format!("reach {id} {}", told.event_number);
        view.hold(app.counted.moment(of, || in_village(db, (&area, id), &told)).await?);
    }
    Ok(view)
}
