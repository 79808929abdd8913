//! How each operation is called so that nothing but authority can be wrong.
mod council;

use chrono::TimeDelta;
use liusheng::{
    board::sealing,
    bodies::{self, BodyKind},
    clock,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    matrix::{At, Out, ROLES, Row},
    objects::FIRST_MESSAGE,
    world::{CLIP, PHOTO, Place, World, id, roster},
};

/// A call, ready to be sent by anybody.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Body,
}

/// What is sent.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Nothing,
    Json(Value),
    Csv(String),
    Photo,
    /// The same as the first and only part of an upload.
    Bytes,
    Form(Vec<(&'static str, String)>),
    /// The same in parts, as a form with files sends it.
    Parts(Vec<(&'static str, String)>),
}

impl Call {
    /// As this role sends it.
    pub(super) fn request(&self, world: &World, role: &str) -> RequestBuilder {
        let request = match world.who.get(role) {
            Some(somebody) => somebody.request(self.method.clone(), &self.path),
            None => world.app.http.request(self.method.clone(), world.app.url(&self.path)),
        };
        // as our own pages send it; each role from a network of its own, so that nobody uses up another's tries
        let network = ROLES.iter().position(|one| *one == role).unwrap_or_default();
        let request =
            request.header("sec-fetch-site", "same-origin").header("x-forwarded-for", format!("10.0.0.{network}"));
        match &self.body {
            Body::Nothing => request,
            Body::Json(json) => request.json(json),
            Body::Csv(text) => request.header("content-type", "text/csv").body(text.clone()),
            Body::Photo => {
                let part = reqwest::multipart::Part::bytes(PHOTO).file_name("a.png");
                request.multipart(reqwest::multipart::Form::new().part("file", part))
            }
            Body::Bytes => {
                let request = request.header("upload-length", PHOTO.len()).header("upload-offset", 0);
                request.header("content-type", "application/offset+octet-stream").body(PHOTO)
            }
            Body::Form(fields) => {
                request.header("content-type", "application/x-www-form-urlencoded").body(encoded(fields))
            }
            Body::Parts(fields) => {
                let part = |form: reqwest::multipart::Form, (name, value): &(&'static str, String)| match *name {
                    "file" => {
                        let file = reqwest::multipart::Part::text(value.clone()).file_name("roster.csv");
                        form.part("file", file.mime_str("text/csv").unwrap())
                    }
                    name => form.text(name, value.clone()),
                };
                request.multipart(fields.iter().fold(reqwest::multipart::Form::new(), part))
            }
        }
    }

    /// The same about something that does not exist.
    pub(super) fn about_nothing(&self, known: &str) -> Self {
        let unknown = Uuid::now_v7().to_string();
        let body = match &self.body {
            Body::Form(fields) => {
                Body::Form(fields.iter().map(|(name, value)| (*name, value.replace(known, &unknown))).collect())
            }
            other => other.clone(),
        };
        Self { method: self.method.clone(), path: self.path.replace(known, &unknown), body }
    }
}

impl World {
    /// The call of an API operation about an object.
    pub(super) async fn call(
        &mut self,
        row: &Row,
        (role, at): (&'static str, At),
        object: &str,
        template: (&str, &str),
    ) -> Call {
        let place = Self::place(at, role);
        let (method, path) = template;
        let method: Method = method.to_uppercase().parse().unwrap();
        let code = place.code();
        let path = path.replace("{about}", row.object.trim_start_matches("spoken_")).replace("{category}", "road");
        let path = path.replace("{code}", code).replace("{stream_id}", object).replace("{id}", object);
        let leader = self.chairs[&place].person.to_string();
        let path = path.replace("{number}", "1").replace("{objection_id}", &Uuid::now_v7().to_string());
        let path = path.replace("{media_id}", &Uuid::now_v7().to_string());
        let path = path.replace("{challenge_id}", &Uuid::now_v7().to_string());
        let path = path.replace("{seq}", &FIRST_MESSAGE.to_string()).replace("{person_id}", &leader);
        let path = path + &self.query(row, object);
        let body = match row.operation.as_str() {
            "import_roster" => Body::Csv(roster(place)),
            "upload_media" => Body::Photo,
            "begin_upload" | "continue_upload" => Body::Bytes,
            _ if matches!(method, Method::GET | Method::DELETE) => Body::Nothing,
            _ => Body::Json(self.body(row, (role, at), place).await),
        };
        Call { method, path, body }
    }

    fn query(&self, row: &Row, object: &str) -> String {
        match row.operation.as_str() {
            "read_board_proof" => format!("?h={}", "0".repeat(64)),
            "read_board_consistency" => "?from=1&to=2".to_owned(),
            "find_household" => format!("?number={}", if object == Place::A.code() { "N110" } else { "N030" }),
            "list_forms" => format!("?subject_id={object}"),
            "list_tasks" => format!("?matter_id={object}"),
            "list_authorisations" | "list_charters" | "list_matters" | "list_meetings" | "list_notices" => {
                format!("?area={object}")
            }
            "get_wechat_js_config" => "?url=http://cun.example/".to_owned(),
            "list_suggestions" => format!("?scope={}", row.object),
            _ => String::new(),
        }
    }

    async fn body(&mut self, row: &Row, (role, at): (&'static str, At), place: Place) -> Value {
        let code = place.code();
        let soon = self.app.app.now() + TimeDelta::hours(1);
        match row.operation.as_str() {
            "found_body" => json!({ "kind": "federation", "name": "联谊会", "areas": [code] }),
            "open_term" => {
                // a day of its own: two terms of a body have none in common
                let number = 1 + Uuid::now_v7().as_u128() % 30_000;
                let day =
                    clock::local_date(self.app.app.now() + TimeDelta::days(10_000 + i64::try_from(number).unwrap()));
                json!({ "number": number, "starts_on": day, "ends_on": day })
            }
            "take_seat" => json!({ "person_id": self.fresh_person(place).await, "role": "member" }),
            "give_mandate" => json!({ "from_body_id": self.committees[&place], "to_body_id": self.councils[&place],
                "scope": "publish_notice", "source": "会议", "starts_at": self.app.app.now() + TimeDelta::days(9) }),
            "end_mandate" => json!({ "reason": "不再委托" }),
            "set_up_webhook" => json!({ "url": format!("http://127.0.0.1:9/{}", Uuid::now_v7()) }),
            "ask_code" => {
                json!({ "phone": format!("199888877{:02}", super::matrix::ROLES.iter().position(|one| *one == role).unwrap()) })
            }
            "wechat_mini_log_in" => json!({ "js_code": "rubbish" }),
            "wechat_mini_choose" => json!({ "ticket": "rubbish", "person_id": Uuid::now_v7() }),
            "wechat_mini_consent" => json!({ "accepted": ["T1"] }),
            "sign_in" => json!({ "login_id": Uuid::new_v4(), "phone": "19999999999", "code": "123456" }),
            "refresh" => json!({ "refresh_token": "rubbish" }),
            "ask_claim" => {
                json!({ "area_code": code, "name": "费海荣", "id_last_six": "123456", "phone": fresh_phone() })
            }
            "confirm_claim" => json!({ "area_code": code, "name": "费海荣", "id_last_six": "123456",
                "phone": fresh_phone(), "code": "123456" }),
            "claim_at_office" => json!({ "phone": fresh_phone() }),
            "decide_claim" => json!({ "approve": false, "reason": "不认识" }),
            "decide_correction" => json!({ "done": true }),
            "ask_guest_code" => json!({ "area_code": code, "phone": fresh_phone() }),
            "leave_guest_voice" => {
                json!({ "area_code": code, "phone": fresh_phone(), "code": "123456", "kind": "help", "text": "灯坏了" })
            }
            "read_guest_voice" | "withdraw_guest_voice" => json!({ "claim_code": "ABCD2345WXYZ" }),
            "reply_guest_voice" => {
                json!({ "claim_code": "ABCD2345WXYZ", "client_id": Uuid::now_v7(), "text": "还没修" })
            }
            "rate_guest_voice" => json!({ "claim_code": "ABCD2345WXYZ", "rating": 5 }),
            "take_down_voice" => json!({ "kind": "help", "text": "灯坏了" }),
            "record_guest_voice" => json!({ "area_code": code, "kind": "help", "text": "灯坏了" }),
            "choose_telling" => {
                json!({ "by_wechat": true, "by_sms": true, "topics": [{ "topic": "own", "mode": "digest" }] })
            }
            "follow_matter" => Value::Null,
            "change_consent" => json!({ "purpose": "sms_notices", "is_given": true }),
            "ask_correction" => json!({ "field": "other", "wanted": "改" }),
            "ask_closing" => json!({ "understood": true }),
            "sign_in_at_desk" => json!({ "phone": fresh_phone(), "password": "x", "code": "1" }),
            "set_desk_password" => json!({ "password": "dongheng2026" }),
            "confirm_desk_password" => json!({ "code": "000000" }),
            "suspend_speaking" => {
                json!({ "person_id": self.fresh_person(place).await, "reason": "在讨论中辱骂他人", "days": 3 })
            }
            "lift_suspension" | "withdraw_matter" | "withdraw_suggestion" | "cancel_meeting" | "withdraw_notice" => {
                json!({ "reason": "不办了" })
            }
            "submit_suggestion" => json!({ "kind": "praise", "visibility": row.object, "text": "真好" }),
            "assign_suggestion" => json!({ "person_id": self.chairs[&place].person }),
            "answer_suggestion" => json!({ "text": "好的" }),
            "rate_suggestion" | "call_back" => json!({ "rating": 5 }),
            "refer_suggestion" => {
                let db = self.app.app.store.read();
                let county = bodies::of_kind(db, BodyKind::CountyOffice, code).await.unwrap();
                let town = self.office_above(place).await;
                let to = if row.object == "voice_town" { county.unwrap() } else { town };
                json!({ "body_id": to, "reason": "该由上级办" })
            }
            "ask_assist" => {
                let db = self.app.app.store.read();
                let county = bodies::of_kind(db, BodyKind::CountyOffice, code).await.unwrap().unwrap();
                json!({ "body_id": county, "task": "请派人来看" })
            }
            "give_assist" => json!({ "text": "看过了" }),
            "set_suggestion_route" => json!({ "body_id": self.committees[&place] }),
            "ask_extension" | "make_ordinary" => json!({ "reason": "要等材料" }),
            "write_down_cosigns" => json!({ "roster_numbers": ["00021"], "source": "签名册" }),
            "hide_suggestion" => json!({ "is_on": true, "reason": "写了别人的住址" }),
            "appeal_hiding" => json!({ "text": "说的是事实" }),
            "decide_hiding" => json!({ "restore": true, "reason": "应当公开" }),
            "decide_extension" => json!({ "approve": true, "reason": "同意" }),
            "refuse_referral" => json!({ "next_body_id": self.committees[&place], "reason": "该由村里办" }),
            "cosign_suggestion" => json!({ "is_on": true }),
            "similar_suggestions" => json!({ "text": "路灯坏了" }),
            "raise_matter" => json!({ "area_code": code, "title": "种树", "summary": "溪边种树。" }),
            "advance_matter" | "sign_in_to_meeting" => json!({}),
            "return_matter" => json!({ "to": "raise", "reason": "再议" }),
            "skip_stage" => json!({ "stage": "raise", "authority": "镇政府", "reason": "急事" }),
            "answer_alternative" => json!({ "seq": 1, "is_taken": true, "text": "写进方案。" }),
            "note_legality" => json!({ "is_lawful": true, "text": "合法。" }),
            "adopt_charter" => json!({ "area_code": code, "template": "short", "adopted_on": "2026-01-05",
                "source": "村民会议通过的《小事简办章程》" }),
            "end_charter" | "end_authorisation" => Value::Null,
            "record_authorisation" => json!({ "area_code": code, "reserved_item": "planning",
                "adopted_on": "2026-01-05", "until_on": "2027-01-05", "source": "村民会议授权村民代表会议决定" }),
            "write_plan" => json!({ "version": 0, "text": "在溪边种五十棵树，村里出钱。" }),
            "describe_matter" => json!({ "budget_fen": 120_000, "budget_source": "村集体收入" }),
            "halt_matter" => json!({ "days": 1, "reason": "账目要先核对" }),
            "mark_reserved" => json!({ "item": "planning", "reason": "村里的规划" }),
            "lift_halt" => json!({ "reason": "核对清楚了" }),
            "draw_sample" => json!({ "form_id": Uuid::now_v7(), "households": 3 }),
            "enter_body_member" => json!({ "person_id": self.fresh_person(place).await }),
            "change_register" => {
                json!({ "is_entered": true, "roster_numbers": ["00001"], "reason": "出生", "since": "2026-01-01" })
            }
            "give_opinion" => json!({ "agree": true, "text": "同意。" }),
            "write_report" => json!({ "text": "已经全部完成，资料已归档，支出与预算相符。" }),
            "join_suggestion" => {
                let of = if place == Place::B { "neighbour" } else { role };
                let voice = self.fresh("voice_public", at, of).await;
                // what joins a matter stands in its record, which is public
                self.known.remove(&voice);
                self.secrets.pop_last();
                json!({ "suggestion_id": voice })
            }
            "open_form" => {
                let matter = self.object("matter", at, role).await;
                Self::form(place, &matter, "survey")
            }
            "answer_form" if row.object == "visit" => {
                json!({ "person_id": self.authors[&place].person, "answers": { "a": "修" } })
            }
            "answer_form" => json!({ "answers": { "a": "修" } }),
            "call_meeting" => {
                let mut meeting = self.meeting(place, "members");
                if let Some(body) = self.own_bodies.get(role) {
                    meeting["body_id"] = json!(body);
                }
                meeting
            }
            "take_minutes" => json!({ "minutes": "说了。", "resolutions": [{ "text": "同意。", "votes_for": 0 }] }),
            "change_meeting_list" => {
                json!({ "person_id": self.fresh_person(place).await, "is_entered": true, "reason": "新选进来的" })
            }
            "delay_task" => json!({ "due_on": clock::local_date(soon + TimeDelta::days(20)), "reason": "等材料" }),
            "note_money" => json!({ "kind": "spent", "fen": 1200, "label": "水泥" }),
            // refused in the end: there is no such line
            "reverse_money" => json!({ "line_id": Uuid::now_v7(), "reason": "记错了" }),
            "publish_notice" => json!({ "area_code": code, "title": "公示", "text": "全文" }),
            "revise_notice" => json!({ "version": 1, "title": "公示", "text": "新全文", "reason": "改字" }),
            "decide_held" | "decide_held_appeal" => json!({ "approve": false, "reason": "不合适" }),
            "appeal_held" => json!({ "text": "我说的是实话" }),
            "set_review" | "set_media_review" => json!({ "is_on": false }),
            "confirm_notice_for" => json!({ "person_id": self.authors[&place].person, "via": "door" }),
            "undo_confirmation" | "tell_confirmation" | "undo_told_at_door" => {
                json!({ "person_id": self.chairs[&place].person })
            }
            "tell_at_door" if row.object == "meeting" => json!({ "person_id": self.authors[&place].person }),
            "tell_at_door" => json!({ "person_id": Uuid::now_v7() }),
            "set_registration" => json!({ "registration": "浙德社备第12号" }),
            "set_room" => json!({ "place": "村委会一楼", "hours": "每天 8:30–17:00" }),
            "ask_contract_review" => {
                self.lawyer(place).await;
                let body = self.own_bodies.get(role).unwrap_or(&self.committees[&place]);
                json!({ "area_code": code, "body_id": body, "title": "承包合同", "text": "甲方、乙方。" })
            }
            "note_legal_hours" => {
                let day = clock::local_date(self.app.app.now());
                json!({ "area_code": code, "day": day, "work": "duty", "minutes": 90 })
            }
            "open_mediation" => {
                json!({ "area_code": code, "about": "宅基地界线", "parties": [{ "name": "甲" }, { "name": "乙" }] })
            }
            "end_mediation" => json!({ "state": "withdrawn" }),
            "follow_up_mediation" => json!({ "text": "已经履行。" }),
            "give_contract_opinion" => json!({ "outcome": "sound", "text": "可以签。" }),
            "set_legal_desk" => json!({ "place": "村委会二楼", "hours": "每周三 9:00–11:30", "villages": [code] }),
            "set_duty" => json!({}),
            "set_service_group" => json!({ "service_group": "公益事业组" }),
            "set_seat_groups" => json!({ "groups": [1, 2] }),
            "set_quiet_hours" => json!({ "from": "22:00", "to": "06:30" }),
            "object_to_notice" => json!({ "text": "太贵" }),
            "answer_objection" => json!({ "answer": "已降价。" }),
            "withdraw_objection" => json!({ "reason": "本人说不提了" }),
            "move_cursor" | "mark_received" => json!({ "seq": 0 }),
            "start_chain" => json!({ "client_id": Uuid::now_v7(), "title": "谁去看桥" }),
            "search_streams" => json!({ "text": "修桥" }),
            "report_message" => json!({ "reason": "骂人" }),
            "decide_report" => json!({ "remove": false, "reason": "没有骂人" }),
            "put_chain_row" => json!({ "text": "我去", "quantity": 2 }),
            "recall_message" => json!({ "reason": "说错了" }),
            "pin_message" => json!({ "is_pinned": true }),
            "set_stream_options" => json!({ "mute": "messages" }),
            "open_contact" => json!({}),
            "open_group" => json!({ "body_id": self.committees[&place], "title": "小组" }),
            "add_members" => json!({ "people": [self.fresh_person(place).await] }),
            "send_message" => json!({ "client_id": Uuid::now_v7(), "text": "各位好" }),
            "sync_streams" => json!({ "have": {} }),
            "give_task" => {
                let owner = self.chair_s_clerk(place).await.person;
                json!({ "area_code": code, "owner_id": owner, "title": "修桥", "working_days": 3 })
            }
            "record_clip" | "speak_answer" => {
                let clip = match self.who.get(role).filter(|_| row.expected(role, at) == Some(Out::Done)) {
                    Some(owner) => id(&owner.upload(CLIP.to_vec()).await.ok()),
                    None => Uuid::now_v7().to_string(),
                };
                json!({ "media_id": clip })
            }
            "finish_task" => {
                let photo = match self.who.get(role) {
                    Some(owner) => id(&owner.upload(PHOTO.to_vec()).await.ok()),
                    None => Uuid::now_v7().to_string(),
                };
                json!({ "proof": "好了", "photos": [photo] })
            }
            "open_vote" => {
                let matter = self.object("matter", at, role).await;
                json!({ "matter_id": matter, "question": "同意吗？", "preset": "village_assembly_person", "closes_at": soon })
            }
            "cast_envelope" => {
                let (cast_id, sealed) = blank_envelope();
                json!({ "cast_id": cast_id, "sealed": sealed })
            }
            "make_trustee_key" => json!({ "trustee": "committee", "public_key": "A".repeat(87) }),
            // too late: the one vote ends within three days
            "name_proxy" => json!({ "agent": { "name": "某" }, "relation": "other" }),
            "issue_sheet" => json!({ "number": 1 }),
            "end_sheet" => json!({ "outcome": "returned" }),
            "count_box" => json!({ "box": 1, "figures": { "votes": { "for": 1 } } }),
            "sign_paper" => json!({ "is_void": false }),
            "propose_replacement" | "confirm_replacement" => {
                json!({ "box": 1, "counter_id": Uuid::now_v7(), "reason": "不来了" })
            }
            "raise_challenge" => json!({ "reason": "数错了" }),
            "answer_challenge" => json!({ "upholds": false, "answer": "没有数错" }),
            "raise_roll_objection" => json!({ "kind": "missing", "reason": "不" }),
            "decide_roll_objection" | "confirm_roll_objection" => json!({ "upholds": false, "reason": "名册上有他" }),
            "name_household_agents" => json!({ "people": [self.person(place, Self::at_home(place)).await] }),
            // refused in the end: the one vote is asked about by everybody
            "annul_vote" => json!({ "authority": "镇政府", "reason": "不" }),
            "confirm_restored" => json!({ "fingerprint": "0".repeat(32) }),
            "open_ballot_box" => json!({ "keys": [] }),
            "cast_ballot" => json!({ "cast_id": Uuid::new_v4(), "choice": "for" }),
            _ => self.of_councils(row, (role, at), place).await,
        }
    }
}

/// What looks like a sealed ballot from outside.
pub(super) fn blank_envelope() -> (Uuid, String) {
    let cast_id = Uuid::new_v4();
    let mut envelope = [b"LSE1".as_slice(), cast_id.as_bytes()].concat();
    envelope.resize(sealing::ENVELOPE, 0);
    (cast_id, sealing::written(&envelope))
}

/// A number that no roster has.
pub(super) fn fresh_phone() -> String {
    format!("196{:08}", Uuid::new_v4().as_u128() % 100_000_000)
}

/// Fields as a form sends them.
pub(super) fn encoded(fields: &[(&'static str, String)]) -> String {
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect::<Vec<_>>().join("&")
}
