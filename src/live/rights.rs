//! Rights that went without a bell: by the calendar at midnight, or by a bell that the broker lost.
//!
//! # Why
//! A seat counts by the day, so at a new day everybody's seats are looked at again. What changed in between stands in the
//! log, whose numbers have no gap: a server that reads on from the number it has seen misses no change of a seat, no term
//! that was ended early and no end of a log-in, whatever became of the bell.
use std::sync::Arc;

use chrono::NaiveDate;

use super::{connection::Connection, hub::Hub, session::Work};
use crate::{
    app::App,
    broker::Bell,
    clock,
    error::Result,
    events::{self, Kind},
    people,
};

const CHANGES: [Kind; 4] = [Kind::SeatTaken, Kind::SeatEnded, Kind::TermEnded, Kind::SessionEnded];

/// How far this server has looked.
#[derive(Default)]
pub(super) struct Watch {
    seen: Option<(NaiveDate, i64)>,
}

impl Watch {
    /// Looks at what changed since the last time, and has the connections concerned look at themselves.
    pub(super) async fn look(&mut self, app: &App, hub: &Hub) -> Result<()> {
        let today = clock::local_date(app.now());
        let newest = events::newest(&app.store).await?;
        let Some((day, number)) = self.seen else {
            self.seen = Some((today, newest));
            return Ok(());
        };
        if day != today {
            app.actors.invalidate_all();
            look_again(hub.everybody());
            self.seen = Some((today, number));
        }
        // where nobody is connected, too: who comes in is let in by what is kept of them
        if newest <= number {
            self.seen = Some((today, newest));
            return Ok(());
        }
        for change in events::between(&app.store, (number, newest), &CHANGES).await? {
            match (change.kind, change.get("person")) {
                (Kind::SessionEnded, _) => {
                    let Ok(session) = change.subject_id() else { continue };
                    people::heard(app, &Bell::SessionEnded { session });
                    look_again(hub.of_session(session));
                }
                // it names nobody: whoever sat by it
                (Kind::TermEnded, _) => {
                    app.actors.invalidate_all();
                    look_again(hub.everybody());
                }
                (_, Some(person)) => {
                    people::heard(app, &Bell::RightsChanged { person });
                    look_again(hub.of_person(person));
                }
                _ => {}
            }
        }
        // only now: what could not be read is read the next time
        self.seen = Some((today, newest));
        Ok(())
    }
}

fn look_again(connections: Vec<Arc<Connection>>) {
    for connection in connections {
        connection.work(Work::Look);
    }
}
