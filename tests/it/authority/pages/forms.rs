//! What is filled into the form of each page.
use chrono::TimeDelta;
use liusheng::clock;
use uuid::Uuid;

use super::bodies::of_bodies;
use crate::authority::{
    matrix::{self, At, Row},
    requests::{blank_envelope, fresh_phone},
    world::{World, roster},
};

pub(super) async fn fields(
    world: &mut World,
    row: &Row,
    (role, at): (&'static str, At),
    object: &str,
) -> Vec<(&'static str, String)> {
    let place = World::place(at, role);
    let code = place.code().to_owned();
    let picked = |days: i64| clock::local(world.app.app.now() + TimeDelta::days(days));
    let soon = picked(1).format("%Y-%m-%dT%H:%M").to_string();
    let text = || ("text", "各位好，请看一看这件事。".to_owned());
    let survey = vec![
        ("title", "问卷".to_owned()),
        ("questions[0].title", "修吗？".to_owned()),
        ("questions[0].kind", "scale".to_owned()),
    ];
    let own_body = |world: &World| world.own_bodies.get(role).copied().unwrap_or(world.committees[&place]);
    let caller = format!("{}/members", own_body(world));
    let call = vec![
        ("area", code.clone()),
        ("caller", caller),
        ("title", "会议".to_owned()),
        ("agenda", "修桥".to_owned()),
        ("place", "礼堂".to_owned()),
        ("starts_at", soon.clone()),
    ];
    let notice = vec![("area", code.clone()), ("title", "公示".to_owned()), text(), ("period_days", "5".to_owned())];
    let reason = ("reason", "不办了".to_owned());
    let mut fields = match row.operation.split_once(' ').unwrap().1 {
        "/login" => vec![("phone", "19999999999".to_owned()), ("code", "123456".to_owned())],
        "/login/code" => vec![("phone", format!("188777766{:02}", place_of(role)))],
        "/speak" => {
            vec![("kind", "praise".to_owned()), ("visibility", row.object.clone()), text(), ("anyway", "1".to_owned())]
        }
        "/suggestions/{id}/rating" => vec![("rating", "5".to_owned())],
        "/suggestions/{id}/hiding" => vec![("text", "说的是事实".to_owned())],
        "/suggestions/{id}/cosign" => vec![("is_on", "1".to_owned())],
        "/forms/{id}" => vec![("q-a", "修".to_owned())],
        "/votes/{id}/envelopes" => {
            let (cast_id, sealed) = blank_envelope();
            vec![("cast_id", cast_id.to_string()), ("sealed", sealed)]
        }
        "/desk/votes/{id}/key" => vec![("trustee", "committee".to_owned()), ("public_key", "A".repeat(87))],
        "/desk/votes/{id}/opening" => Vec::new(),
        // it does not rest
        "/desk/votes/{id}/restored" => vec![("fingerprint", "0".repeat(32))],
        // there is no tie
        "/desk/votes/{id}/again" => vec![("closes_at", soon)],
        // refused in the end: the one vote is asked about by everybody
        "/desk/votes/{id}/annul" => vec![("authority", "镇政府".to_owned()), ("reason", "不".to_owned())],
        "/votes/{id}/challenges" => vec![("reason", "数错了".to_owned())],
        "/desk/votes/{id}/answer" => vec![
            ("challenge_id", Uuid::now_v7().to_string()),
            ("answer", "没有数错".to_owned()),
            ("upholds", "no".to_owned()),
        ],
        "/desk/votes/{id}/paper/issue" => vec![("number", "1".to_owned())],
        "/desk/votes/{id}/paper/end" => vec![("serial", "1".to_owned()), ("outcome", "returned".to_owned())],
        "/desk/votes/{id}/paper/sign" => Vec::new(),
        "/desk/votes/{id}/paper/replace" | "/desk/votes/{id}/paper/replaced" => {
            vec![("box", "1".to_owned()), ("counter_id", Uuid::now_v7().to_string()), ("reason", "不来了".to_owned())]
        }
        // the meeting is about a matter, or another's: refused whoever may ask
        "/desk/meetings/{id}/vote" => vec![
            ("question", "同意吗？".to_owned()),
            ("preset", "committee_election_round1".to_owned()),
            ("secrecy", "paper".to_owned()),
            ("closes_at", soon),
        ],
        "/desk/votes/{id}/paper/count" => vec![("box", "1".to_owned()), ("abstain", "1".to_owned())],
        "/votes/{id}/roll" => vec![("kind", "missing".to_owned()), ("reason", "不".to_owned())],
        "/desk/votes/{id}/roll/object" => {
            vec![("kind", "wrong".to_owned()), ("about.name", "某".to_owned()), ("reason", "不".to_owned())]
        }
        "/desk/votes/{id}/roll/decide" | "/desk/votes/{id}/roll/confirm" => vec![
            ("objection_id", Uuid::now_v7().to_string()),
            ("upholds", "no".to_owned()),
            ("reason", "名册上有他".to_owned()),
        ],
        "/votes/{id}/proxies" => vec![("agent.name", "某".to_owned()), ("relation", "other".to_owned())],
        "/desk/votes/{id}/proxies" => {
            vec![("elector.name", "某".to_owned()), ("agent.name", "某".to_owned()), ("relation", "other".to_owned())]
        }
        "/votes/{id}/proxies/revoke" | "/desk/votes/{id}/check" | "/desk/votes/{id}/revoke" => {
            vec![("number", "1".to_owned())]
        }
        "/desk/households" => {
            let person = world.person(place, World::at_home(place)).await.to_string();
            vec![("area", code), ("household_id", object.to_owned()), ("person_0", person)]
        }
        "/votes/{id}/confirm" | "/votes/{id}/ballots" => {
            vec![("choice", "for".to_owned()), ("cast_id", Uuid::new_v4().to_string())]
        }
        "/desk/suggestions/{id}/assign" => vec![("person_id", world.chairs[&place].person.to_string())],
        "/desk/suggestions/{id}/refer" => {
            vec![("body_id", world.office_above(place).await.to_string()), ("reason", "该由镇里办".to_owned())]
        }
        "/desk/suggestions/{id}/involve" => {
            vec![("body_id", world.office_above(place).await.to_string()), ("task", "请派人来看".to_owned())]
        }
        "/desk/referrals/assist" => vec![("assist_id", object.to_owned()), ("text", "看过了".to_owned())],
        "/desk/suggestions/{id}/call-back" => vec![("rating", "4".to_owned())],
        "/desk/suggestions/{id}/extend" | "/desk/suggestions/{id}/ordinary" => vec![("reason", "要等材料".to_owned())],
        "/desk/suggestions/{id}/hide" => vec![("reason", "写了别人的住址".to_owned())],
        "/desk/referrals/hiding" => vec![
            ("suggestion_id", object.to_owned()),
            ("restore", "true".to_owned()),
            ("reason", "应当公开".to_owned()),
        ],
        "/desk/referrals/extension" => {
            let yes = ("approve", "true".to_owned());
            vec![("extension_id", object.to_owned()), yes, ("reason", "同意".to_owned())]
        }
        "/desk/referrals/accept" => vec![("referral_id", object.to_owned())],
        "/desk/referrals/refuse" => {
            let next = world.committees[&place].to_string();
            vec![("referral_id", object.to_owned()), ("next_body_id", next), ("reason", "该由村里办".to_owned())]
        }
        "/desk/county/routes/set" | "/desk/county/routes/unset" => {
            let body = world.committees[&place].to_string();
            vec![("area", code), ("category", "road".to_owned()), ("body_id", body)]
        }
        "/desk/suggestions/{id}/join" => {
            let matter = world.object("matter", at, if at == At::Own { "neighbour" } else { role }).await;
            vec![("matter_id", matter)]
        }
        "/desk/suggestions/{id}/raise" | "/desk/matters/new" => {
            vec![("area_code", code), ("title", "种树".to_owned()), ("summary", "溪边种树。".to_owned())]
        }
        "/desk/matters/{id}/survey"
        | "/desk/matters/{id}/visit"
        | "/desk/matters/{id}/rating"
        | "/desk/meetings/{id}/survey" => survey,
        "/desk/matters/{id}/call" | "/desk/meetings" => call,
        "/desk/matters/{id}/publish" | "/desk/notices" => notice,
        "/desk/matters/{id}/opinion" => vec![("agree", "yes".to_owned()), text()],
        "/desk/matters/{id}/vote" => vec![
            ("question", "同意吗？".to_owned()),
            ("preset", "village_assembly_person".to_owned()),
            ("closes_at", soon),
        ],
        "/desk/matters/{id}/task" => {
            let owner = world.chair_s_clerk(place).await.person;
            let due = clock::local(world.app.app.now() + TimeDelta::days(9)).format("%Y-%m-%d").to_string();
            vec![("owner_id", owner.to_string()), ("title", "修桥".to_owned()), ("due_on", due)]
        }
        "/desk/matters/{id}/return" => vec![("to", "raise".to_owned()), reason],
        "/desk/matters/{id}/skip" => vec![("stage", "raise".to_owned()), ("authority", "镇政府".to_owned()), reason],
        "/desk/notices/{id}/revise" => {
            vec![("version", "1".to_owned()), ("title", "公示".to_owned()), text(), ("reason", "改字".to_owned())]
        }
        "/desk/notices/{id}/answer" => {
            let objection = world.object("objection", at, role).await;
            vec![("objection_id", objection), ("answer", "已降价。".to_owned())]
        }
        "/notices/{id}/objections/take-back" | "/desk/notices/{id}/take-back" => {
            vec![("objection_id", world.fresh("written_objection", at, role).await), reason]
        }
        "/desk/meetings/{id}/present" => {
            vec![("person_id", world.authors[&place].person.to_string()), ("via", "paper".to_owned())]
        }
        "/desk/meetings/{id}/minutes" => vec![("minutes", "说了。".to_owned())],
        "/desk/forms/{id}/visit" => {
            vec![("person_id", world.authors[&place].person.to_string()), ("answers.a", "修".to_owned())]
        }
        "/notices/{id}/doors" | "/meetings/{id}/doors" | "/votes/{id}/doors" => {
            vec![("person_id", world.authors[&place].person.to_string())]
        }
        "/notices/{id}/household" => vec![("person_id", world.authors[&place].person.to_string())],
        "/settings" => vec![("from", "22:00".to_owned()), ("to", "06:30".to_owned())],
        "/desk/letters/duty" => vec![("body_id", object.to_owned()), ("off", "1".to_owned())],
        "/desk/suggestions/{id}/cosigns" => {
            vec![("roster_numbers", "00021".to_owned()), ("source", "签名册".to_owned())]
        }
        "/desk/bodies/service-group" => {
            vec![("area", code), ("seat_id", object.to_owned()), ("service_group", "公益事业组".to_owned())]
        }
        "/desk/bodies/groups" => vec![("area", code), ("seat_id", object.to_owned()), ("groups", "1 2".to_owned())],
        "/desk/tasks/{id}/delay" => {
            let due = clock::local(world.app.app.now() + TimeDelta::days(40)).format("%Y-%m-%d").to_string();
            vec![("due_on", due), ("reason", "等材料".to_owned())]
        }
        "/desk/tasks/{id}/money" => {
            vec![("kind", "spent".to_owned()), ("fen", "12.50".to_owned()), ("label", "水泥".to_owned())]
        }
        "/desk/tasks/{id}/reverse" => {
            vec![("line_id", Uuid::now_v7().to_string()), ("reason", "记错了".to_owned())]
        }
        "/desk/meetings/{id}/list" => {
            vec![("change", format!("in/{}", world.authors[&place].person)), ("reason", "新来的".to_owned())]
        }
        "/desk/tasks/{id}/finish" => vec![("proof", "好了".to_owned())],
        "/desk/roster" => {
            vec![("area", code), ("file", roster(place))]
        }
        "/desk/bodies/seat" => {
            let person = world.fresh_person(place).await.to_string();
            vec![("area", code), ("body_id", object.to_owned()), ("person_id", person), ("role", "member".to_owned())]
        }
        "/desk/bodies/registration" => {
            vec![("area", code), ("body_id", object.to_owned()), ("registration", "浙德社备第12号".to_owned())]
        }
        "/desk/joint/{id}/rotation" => vec![("rotation", "month".to_owned())],
        "/desk/joint/{id}/turn" => vec![reason],
        "/desk/joint/{id}/item" => {
            let matter = world.object("matter", at, role).await;
            vec![("matter_id", matter), ("villages", code)]
        }
        "/desk/joint/{id}/withdraw" => vec![("item_id", world.fresh("joint_item", at, role).await)],
        "/desk/joint/{id}/tasks" => {
            let due_on = picked(30).format("%Y-%m-%d").to_string();
            let meeting = world.object("meeting", at, role).await;
            vec![("resolution", format!("{meeting}/1")), ("villages", code), ("due_on", due_on)]
        }
        "/desk/bodies/election" => {
            let day = picked(9).format("%Y-%m-%d").to_string();
            let days = ["day.nominations", "day.check", "day.publicity", "day.election", "day.first_meeting"];
            let days = days.into_iter().map(|name| (name, day.clone()));
            let version = ("version", "1".to_owned());
            days.chain([("area", code), ("term_id", object.to_owned()), version, reason]).collect()
        }
        "/desk/bodies/room" => vec![
            ("area", code),
            ("body_id", object.to_owned()),
            ("place", "村委会一楼".to_owned()),
            ("hours", "每天 8:30–17:00".to_owned()),
        ],
        "/desk/legal/contracts" => {
            world.lawyer(place).await;
            let body = own_body(world).to_string();
            vec![("area", code), ("body_id", body), ("title", "承包合同".to_owned()), text()]
        }
        "/skills" => vec![("tags", "水电".to_owned()), ("uses", "town".to_owned())],
        "/needs/{id}/take" => vec![("contact", "晚上在家".to_owned())],
        "/needs/{id}/end" => vec![("outcome", "withdrawn".to_owned()), text()],
        "/desk/needs" => vec![
            ("area", code),
            ("body_id", own_body(world).to_string()),
            ("title", "要懂水电的人".to_owned()),
            text(),
            ("contact", "村委会".to_owned()),
            ("until_on", picked(30).format("%Y-%m-%d").to_string()),
        ],
        "/desk/legal/hours" => vec![
            ("area_code", code),
            ("day", clock::local_date(world.app.app.now()).to_string()),
            ("work", "duty".to_owned()),
            ("minutes", "90".to_owned()),
        ],
        "/desk/legal/mediations" => vec![
            ("area_code", code),
            ("about", "宅基地界线".to_owned()),
            ("name.0", "甲".to_owned()),
            ("name.1", "乙".to_owned()),
        ],
        "/desk/legal/mediations/{id}/end" => vec![("state", "failed".to_owned())],
        "/desk/legal/contracts/{id}/opinion" => vec![("outcome", "sound".to_owned()), text()],
        "/desk/legal/desk" => vec![
            ("area", code),
            ("seat_id", object.to_owned()),
            ("place", "村委会二楼".to_owned()),
            ("hours", "每周三 9:00–11:30".to_owned()),
        ],
        "/desk/bodies/end" => vec![("area", code), ("seat_id", object.to_owned())],
        "/desk/bodies/found" => {
            vec![("area", code), ("kind", "federation".to_owned()), ("name", "联谊会".to_owned())]
        }
        "/desk/bodies/term" => vec![
            ("area", code),
            ("body_id", object.to_owned()),
            // of one term alone, because the others have days in common with it
            ("number", (1 + Uuid::now_v7().as_u128() % 1000).to_string()),
            ("starts_on", "2026-01-01".to_owned()),
            ("ends_on", "2026-01-01".to_owned()),
        ],
        "/desk/bodies/mandate" => vec![
            ("area", code),
            ("scope", "publish_notice".to_owned()),
            ("from_body_id", world.committees[&place].to_string()),
            ("to_body_id", world.councils[&place].to_string()),
            ("source", "会议".to_owned()),
            // over before anybody is asked whether a council may publish
            ("ends_on", "2026-01-01".to_owned()),
        ],
        "/desk/bodies/mandate-end" => vec![("area", code), ("mandate_id", object.to_owned()), reason],
        "/desk/webhooks/add" => {
            vec![("area", code), ("url", format!("http://127.0.0.1:9/{}", Uuid::now_v7()))]
        }
        "/desk/webhooks/remove" | "/desk/webhooks/test" => vec![("area", code), ("webhook_id", object.to_owned())],
        "/desk/suspensions/suspend" => {
            // somebody of whom nothing else is asked
            let person = world.person(place, 16).await.to_string();
            vec![("area", code), ("person_id", person), reason, ("days", "3".to_owned())]
        }
        // of nobody: refused in the end, for the thing is asked about by everybody
        "/desk/aloud/{about}/{id}" | "/desk/suggestions/{id}/answer-clip" => {
            vec![("media", Uuid::now_v7().to_string())]
        }
        "/desk/matters/{id}/alternative" => {
            vec![("seq", "1".to_owned()), ("taken", "yes".to_owned()), text()]
        }
        "/desk/matters/{id}/legality" => vec![("lawful", "yes".to_owned()), ("text", "合法。".to_owned())],
        "/desk/charters/adopt" => vec![
            ("area", code),
            ("source", "村民会议通过的《小事简办章程》".to_owned()),
            ("adopted_on", "2026-01-05".to_owned()),
        ],
        "/desk/charters/path" => vec![
            ("area", code),
            ("path.name", "快办".to_owned()),
            ("source", "村民会议通过的《议事章程》".to_owned()),
            ("adopted_on", "2026-01-05".to_owned()),
        ],
        "/desk/charters/authorise" => vec![
            ("area", code),
            ("reserved_item", "planning".to_owned()),
            ("source", "村民会议授权村民代表会议决定".to_owned()),
            ("adopted_on", "2026-01-05".to_owned()),
            ("until_on", "2027-01-05".to_owned()),
        ],
        "/desk/charters/revoke" => vec![("area", code), ("authorisation_id", object.to_owned())],
        "/desk/matters/{id}/particulars" => {
            vec![("budget_fen", "1200".to_owned()), ("budget_source", "村集体收入".to_owned())]
        }
        "/desk/matters/{id}/invite" => {
            let due = clock::local_date(world.app.app.now() + TimeDelta::days(7)).to_string();
            vec![("body_ids", world.councils[&place].to_string()), ("due_on", due)]
        }
        "/matters/{id}/decline" => vec![("body_id", world.committees[&place].to_string()), reason],
        "/desk/matters/{id}/halt" => vec![("days", "1".to_owned()), reason],
        "/desk/matters/{id}/reserved" => vec![("item", "planning".to_owned()), reason],
        "/desk/forms/{id}/draw" => vec![("households", "3".to_owned())],
        "/desk/charters/end" => vec![("area", code), ("charter_id", object.to_owned())],
        "/desk/suspensions/lift" => vec![("area", code), ("suspension_id", object.to_owned()), reason],
        "/desk/requests/claim" | "/desk/requests/correction" => vec![("id", object.to_owned()), reason],
        "/desk/requests/office" => {
            vec![("area", code), ("number", "1".to_owned()), ("name", "某".to_owned()), ("phone", fresh_phone())]
        }
        "/desk/county/voices" => {
            vec![("number", "0".to_owned()), ("reason", "有人投诉，需要核实处理情况。".to_owned())]
        }
        "/streams/{id}/messages/{seq}/recall" | "/streams/{id}/messages/{seq}/reports" => vec![reason],
        "/streams/{id}/messages/{seq}/pin" => vec![("on", "1".to_owned())],
        "/streams/{id}/options" => vec![("mute", "messages".to_owned())],
        "/streams/{id}/members" => vec![("lead", world.fresh_person(place).await.to_string())],
        "/streams/{id}/members/remove" => vec![("person_id", world.chairs[&place].person.to_string())],
        "/streams/{id}/chains" => vec![("title", "谁去看桥".to_owned())],
        "/streams/{id}/chains/{seq}/row" => vec![("text", "我去".to_owned()), ("quantity", "1".to_owned())],
        "/groups/new" => vec![("body_id", world.committees[&place].to_string()), ("title", "小组".to_owned())],
        "/search" => vec![text()],
        "/desk/reports" => {
            vec![("area", code), ("report_id", object.to_owned()), ("remove", "false".to_owned()), reason]
        }
        "/desk/held" | "/held/{id}/decision" => {
            vec![("area", code), ("held_id", object.to_owned()), ("approve", "false".to_owned()), reason]
        }
        "/desk/held/media" => vec![("area", code), ("is_on", "0".to_owned())],
        "/streams/{id}/review" => vec![("is_on", "0".to_owned())],
        "/desk/guest" => vec![("area_code", code), ("kind", "help".to_owned()), text()],
        "/desk/password" => vec![("password", "dongheng2026".to_owned())],
        "/settings/telling" => vec![("by_sms", "1".to_owned()), ("own", "digest".to_owned())],
        "/privacy/mine/consent" => vec![("purpose", "sms_notices".to_owned()), ("is_given", "1".to_owned())],
        "/privacy/mine/correction" => vec![("field", "other".to_owned()), ("wanted", "改".to_owned())],
        "/privacy/mine/closing" => vec![("understood", "1".to_owned())],
        path if ["/desk/members/", "/desk/services/", "/desk/recommendations/", "/bodies/{id}/recommendations"]
            .iter()
            .any(|begin| path.starts_with(begin)) =>
        {
            of_bodies(world, path, (object, place)).await
        }
        path if ["/withdraw", "/cancel", "/lift"].iter().any(|end| path.ends_with(end)) => vec![reason],
        _ => vec![text()],
    };
    fields.push(("client_id", Uuid::now_v7().to_string()));
    fields
}

fn place_of(role: &str) -> usize {
    matrix::ROLES.iter().position(|one| *one == role).unwrap()
}
