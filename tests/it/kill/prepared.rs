//! What there is before the first kill: a village, its electors, and who sends what.
use std::net::{Ipv4Addr, SocketAddr};

use chrono::TimeDelta;
use liusheng::clock::Clock;

use super::{SENDERS, Sender};
use crate::support::{House, Somebody, TestApp, Village, import, person_of};

const ELECTORS: usize = 400;

/// A village with a vote that is open and a discussion, prepared past the process that is going to be killed.
pub(crate) struct Prepared {
    pub(crate) data_dir: House,
    pub(crate) senders: Vec<Sender>,
    pub(crate) vote: String,
}

pub(crate) async fn prepare(port: u16) -> Prepared {
    // the notice before the vote hangs some days, so everything begins two weeks ago
    let app = TestApp::start_at(Clock::system().now() - TimeDelta::days(14)).await;
    let village = Village::found(&app).await;
    assert_eq!(import(&app.app, electors()).await, ELECTORS);
    app.settle().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let discussion = village.discussion(&app, &matter).await;
    let missing = Clock::system().now() - app.app.now();
    app.pass(missing).await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let mut people = Vec::new();
    for number in 0..ELECTORS {
        people
            .push(Somebody::signed_in(&app, person_of(&app.app, &village.area, &format!("E{number:04}")).await).await);
    }
    app.settle().await;
    // the process lives by the machine's clock, and so do the tokens shown to it
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let people: Vec<Somebody> = people.iter().map(|who| who.at(address)).collect();
    let senders = (0..SENDERS).map(|number| Sender {
        number,
        who: people[number].clone(),
        electors: people.iter().skip(number).step_by(SENDERS).cloned().collect(),
        cast: 0,
        vote: vote.clone(),
        discussion,
        thread: None,
        count: 0,
        open: None,
        clip: None,
    });
    let senders = senders.collect();
    Prepared { data_dir: app.close().await, senders, vote }
}

/// The village's roster with as many people more as there are ballots to cast.
fn electors() -> String {
    let mut roster = include_str!("../../data/roster_small.csv").to_owned();
    for number in 0..ELECTORS {
        let sex = if number % 2 == 0 { "女" } else { "男" };
        roster +=
            &format!("E{number:04},E{:03},330521103202,1,选民{number},{sex},1980-01-01,,,户主,1,1\n", number + 1000);
    }
    roster
}
