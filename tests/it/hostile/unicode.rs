//! Letters that break systems: each is kept as it was sent and shown as text, or refused by the name of its field.
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Somebody, Village, answer, is_done_before};

const AREA: &str = "330521103202";

/// Must be taken everywhere where a text goes: people are called so, streets are, phones write so.
const MUST_WORK: &[&str] = &[
    "𠮷野家",
    "㛃㛂",
    "䶮大爷",
    "𨭎𨧀",
    "龘靐齉",
    "葛\u{E0100}城",
    "村委會",
    "Ǎ ǎ ǐ ö",
    "ё́",
    "नमस्ते",
    "ܐܒܓܕ",
    "שלום עולם",
    "مرحبا بالعالم",
    "👨‍👩‍👧‍👦 一家人",
    "👍🏽",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "１２３ＡＢＣ",
    "①②③㈠㊣℃",
    "“引号”‘单’《书》",
    "e\u{301}",
    "Ａ\u{3000}Ｂ",
    "\u{fb01}",
    "가나다",
    "สวัสดี",
    "ﷺ﷽",
    "<b>不是粗体</b>",
    "<script>alert('村')</script>",
    "'; DROP TABLE people; --",
    "\" onmouseover=\"alert(1)",
    "</title><svg/onload=alert(2)>",
    "{{ 7*7 }}",
    "${7*7}",
    "{% include \"x\" %}",
    "%s%n%x",
    "../../etc/passwd",
    "=cmd|'/c calc'!A1",
    "@SUM(1)",
    "javascript:alert(3)",
    "&lt;已转义&gt;",
    "&#x3C;",
    "\\u003cscript",
    "<!--",
    "]]>",
    "<img src=x onerror=alert(4)>",
    "NULL",
    "null",
    "undefined",
    "true",
    "NaN",
    "1/0",
    "0x0",
    "-1",
    "1e309",
    "$HOME",
    "`ls`",
    "$(ls)",
    "C:\\con\\con",
    "\\\\server",
    "第一行\n第二行",
    "制表\t符",
    "https://example.invalid/?a=1&b=2#c",
    "ｊａｖａｓｃｒｉｐｔ",
    "Ⅷ",
    "㍿",
    "ꓘ",
    "０",
    "村\u{FE0F}委",
    "a\u{308}b",
    "\u{e000}私用",
];

/// May be refused by name, and when taken must come back unchanged.
const MAY_BE_REFUSED: &[&str] = &[
    "\u{202e}txt.exe",
    "\u{202d}村委\u{202c}",
    "\u{2066}隔\u{2069}",
    "零\u{200b}宽",
    "\u{200b}\u{200c}\u{200d}",
    "\u{feff}",
    "\u{3164}",
    "\u{2800}",
    "\u{0}",
    "中\u{0}间",
    "\u{1}",
    "\u{1b}[31m红",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{fdd0}",
    "\u{10ffff}",
    "\r",
    "\r\n\r\nHTTP/1.1 200",
    "",
    " ",
    "\u{3000}",
    "\u{ad}",
    "\u{e0001}",
    "\u{61c}x",
    "\u{fff9}\u{fffb}",
];

/// A place where a text goes: how it is sent, and where it comes back.
struct Place<'a> {
    name: &'static str,
    who: &'a Somebody,
    path: String,
    body: Box<dyn Fn(&str) -> Value + Send + Sync>,
    /// Names in the body and in the answer.
    field: &'static str,
}

impl Place<'_> {
    /// What these texts are answered with, in their order; some are sent at a time.
    async fn answers(&self, texts: &[&str]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for some in texts.chunks(8) {
            let sent = some.iter().map(|text| self.who.post(&self.path, (self.body)(text)));
            answers.extend(join_all(sent).await);
        }
        answers
    }
}

fn places<'a>(village: &'a Village, villager: &'a Somebody, (channel, matter): (&str, &str)) -> Vec<Place<'a>> {
    let matter = matter.to_owned();
    let messages = format!("/v1/streams/{channel}/messages");
    let committee = village.committee;
    let starts_at = "2026-12-01T10:00:00+08:00";
    let owner = village.chair.person;
    let place = |name, who, path: &str, field, body: Box<dyn Fn(&str) -> Value + Send + Sync>| Place {
        name,
        who,
        path: path.to_owned(),
        body,
        field,
    };
    vec![
        place(
            "voice",
            villager,
            "/v1/suggestions",
            "text",
            Box::new(|text| json!({ "kind": "help", "visibility": "public", "text": text, "place": "桥头" })),
        ),
        place(
            "place",
            villager,
            "/v1/suggestions",
            "place",
            Box::new(|text| json!({ "kind": "help", "visibility": "public", "text": "灯坏了", "place": text })),
        ),
        place(
            "message",
            &village.clerk,
            &messages,
            "text",
            Box::new(|text| json!({ "client_id": Uuid::now_v7(), "text": text })),
        ),
        place(
            "matter",
            &village.chair,
            "/v1/matters",
            "title",
            Box::new(|text| json!({ "area_code": AREA, "title": text, "summary": "村口的桥要修。" })),
        ),
        place(
            "summary",
            &village.chair,
            "/v1/matters",
            "summary",
            Box::new(|text| json!({ "area_code": AREA, "title": "修桥", "summary": text })),
        ),
        place(
            "notice",
            &village.clerk,
            "/v1/notices",
            "title",
            Box::new(|text| json!({ "area_code": AREA, "title": text, "text": "全文" })),
        ),
        place(
            "full text",
            &village.clerk,
            "/v1/notices",
            "text",
            Box::new(|text| json!({ "area_code": AREA, "title": "公示", "text": text })),
        ),
        place(
            "meeting",
            &village.clerk,
            "/v1/meetings",
            "title",
            Box::new(
                move |text| json!({ "area_code": AREA, "body_id": committee, "audience": "villagers", "title": text, "agenda": "修桥", "place": "礼堂", "starts_at": starts_at }),
            ),
        ),
        place(
            "agenda",
            &village.clerk,
            "/v1/meetings",
            "agenda",
            Box::new(
                move |text| json!({ "area_code": AREA, "body_id": committee, "audience": "villagers", "title": "会", "agenda": text, "place": "礼堂", "starts_at": starts_at }),
            ),
        ),
        place(
            "task",
            &village.clerk,
            "/v1/tasks",
            "title",
            Box::new(move |text| json!({ "area_code": AREA, "owner_id": owner, "title": text, "working_days": 3 })),
        ),
        place(
            "form",
            &village.clerk,
            "/v1/forms",
            "title",
            Box::new(move |text| {
                json!({ "subject_id": matter, "area_code": AREA, "purpose": "survey", "title": text,
            "questions": [{ "id": "a", "title": "修吗？", "kind": "choice", "options": ["修", "不修"], "required": true }] })
            }),
        ),
    ]
}

/// Taken and the same, or refused by the field's name.
fn judge(place: &Place<'_>, text: &str, answer: &Answer, must_work: bool) -> Result<(), String> {
    let fault = |why: &str| Err(format!("{} {text:?}: {why}: {} {}", place.name, answer.status, answer.body));
    // a line break in a title is one too many for some, and short titles are too short
    let is_short = text.trim().chars().count() < 2;
    match answer.status {
        201 => {
            let kept = &answer.body[place.field];
            let is_same = kept.as_str().is_none_or(|kept| kept == text || kept == text.trim());
            if is_same { Ok(()) } else { fault("changed") }
        }
        422 if answer.body["errors"][0]["field"] == place.field => {
            if must_work && !is_short {
                fault("refused")
            } else {
                Ok(())
            }
        }
        // the character 0 does not come as far as a field
        400 if text.contains('\0') => Ok(()),
        _ => fault("neither taken nor refused by its name"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_letter_is_kept_or_refused_by_name_and_none_becomes_a_page() {
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00007").await;
    let matter = json!({ "area_code": AREA, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok()["id"].as_str().unwrap().to_owned();
    app.settle().await;
    let list = village.clerk.get("/v1/sync").await.ok();
    let channel = list["streams"].as_array().unwrap().iter().find(|one| one["kind"] == "channel").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (mut wrong, mut tried, mut pages) = (Vec::new(), 0, vec![format!("/streams/{channel}")]);
    let both: Vec<(&str, bool)> =
        MUST_WORK.iter().map(|text| (*text, true)).chain(MAY_BE_REFUSED.iter().map(|text| (*text, false))).collect();
    // accents heaped up, and a text longer than long
    let too_much =
        ["a".to_owned() + &"\u{301}".repeat(100), "长".repeat(6000), "𠮷".repeat(6000), "\u{200b}".repeat(6000)];
    let too_much: Vec<&str> = too_much.iter().map(String::as_str).collect();
    let is_second = is_done_before("two thirds of the letters in each field but that of a message, and the pages");
    for (number, place) in places(&village, &villager, (&channel, &matter)).into_iter().enumerate() {
        let is_sent = |at: usize| !is_second || place.name == "message" || (at + number) % 3 == 0;
        let sent: Vec<_> = both.iter().enumerate().filter(|(at, _)| is_sent(*at)).map(|(_, one)| *one).collect();
        let texts: Vec<&str> = sent.iter().map(|(text, _)| *text).collect();
        for ((text, must_work), answer) in sent.iter().zip(place.answers(&texts).await) {
            tried += 1;
            wrong.extend(judge(&place, text, &answer, *must_work).err());
            let is_markup = text.contains('<') || text.contains("onmouseover");
            if let (true, Some(id)) = (is_markup && answer.status == 201, answer.body["id"].as_str()) {
                let page = place.path.trim_start_matches("/v1");
                pages.extend((page != "/tasks" && page != "/forms").then(|| format!("{page}/{id}")));
            }
        }
        for (text, answer) in too_much.iter().zip(place.answers(&too_much).await) {
            tried += 1;
            if answer.status != 422 || answer.body["errors"][0]["field"] != place.field {
                wrong.push(format!("{}: {} of {:?}", place.name, answer.status, text.chars().next()));
            }
        }
    }
    // what the channel keeps is what was said
    let (mut kept, mut after) = (Vec::new(), 0);
    loop {
        let page = village.clerk.get(&format!("/v1/streams/{channel}/entries?after={after}&limit=100")).await.ok();
        let entries = page["entries"].as_array().unwrap().clone();
        let Some(last) = entries.last() else { break };
        after = last["seq"].as_i64().unwrap();
        kept.extend(entries.iter().filter_map(|entry| Some(entry["body"]["text"].as_str()?.to_owned())));
    }
    for text in MUST_WORK {
        assert!(kept.iter().any(|kept| kept == *text), "{text:?}");
    }
    if !is_second {
        wrong.extend(markup_on(&pages, &village.clerk, &villager).await);
    }
    println!("{tried} texts, {} pages", pages.len());
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    app.stop().await;
}

/// Pages show it as text; those that list such things as well.
async fn markup_on(pages: &[String], clerk: &Somebody, villager: &Somebody) -> Vec<String> {
    let lists = ["/", "/matters", "/notices", "/meetings", "/suggestions", "/desk", "/desk/suggestions"];
    let mut wrong = Vec::new();
    for page in pages.iter().map(String::as_str).chain(lists) {
        let who = if page.starts_with("/desk") { clerk } else { villager };
        let shown = who.request(reqwest::Method::GET, page).header("accept", "text/html").send().await.unwrap();
        if shown.status().as_u16() >= 500 {
            wrong.push(format!("{page}: {}", shown.status()));
        }
        let html = shown.text().await.unwrap();
        for markup in ["<script>alert", "<svg/onload", "<img src=x", "<b>不是", "\" onmouseover=\"alert"] {
            if html.contains(markup) {
                wrong.push(format!("{page} holds {markup}"));
            }
        }
    }
    wrong
}

/// JSON that is none, or nearly: an answer, never a fault.
#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_none_is_refused() {
    let (app, village) = Village::start().await;
    let who = village.villager(&app, "00007").await;
    let voice = |text: &str| format!("{{\"kind\":\"help\",\"visibility\":\"public\",\"text\":{text},\"place\":\"\"}}");
    let deep = |open: &str, close: &str| format!("{{\"text\":{}{}}}", open.repeat(5000), close.repeat(5000));
    let bodies: Vec<(Vec<u8>, &[u16])> = vec![
        (voice("\"\\ud800\"").into_bytes(), &[400]),
        (voice("\"\\udc00\\ud800\"").into_bytes(), &[400]),
        (voice("\"\\ud842\\udfb7\"").into_bytes(), &[201]),
        (voice("\"\\u0000\"").into_bytes(), &[400]),
        (voice("\"\\\\u0000\"").into_bytes(), &[201]),
        ([voice("\"").into_bytes(), vec![0xff, 0xfe], b"\"}".to_vec()].concat(), &[400]),
        (voice("\"\u{1}\"").into_bytes(), &[400]),
        (voice("1e400").into_bytes(), &[400, 422]),
        (voice("[]").into_bytes(), &[422]),
        (voice("null").into_bytes(), &[422]),
        (voice("\"一\",\"text\":\"二\"").into_bytes(), &[400, 422]),
        (deep("[", "]").into_bytes(), &[400, 422]),
        (deep("{\"a\":", "}").into_bytes(), &[400, 422]),
        (b"\xef\xbb\xbf{}".to_vec(), &[400]),
        (b"".to_vec(), &[400]),
        (b"[]".to_vec(), &[422]),
        (b"null".to_vec(), &[422]),
        (b"{\"kind\":\"help\"".to_vec(), &[400]),
        (vec![b' '; 70_000], &[413]),
        (voice(&format!("\"{}\"", "x".repeat(70_000))).into_bytes(), &[413]),
    ];
    for (body, expected) in bodies {
        let text = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let request = who.request(reqwest::Method::POST, "/v1/suggestions").header("content-type", "application/json");
        let answer = answer(request.body(body)).await;
        assert!(expected.contains(&answer.status), "{text:?}: {} {}", answer.status, answer.body);
    }
    // JSON under another name is not JSON: a form of another site could send that
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "text/html"] {
        let request = who.request(reqwest::Method::POST, "/v1/suggestions").header("content-type", kind);
        assert_eq!(answer(request.body(voice("\"好\""))).await.status, 415, "{kind}");
    }
    for path in ["/v1/areas/%00", "/v1/areas/33%0052", "/matters/%00"] {
        assert_eq!(who.get(path).await.status, 404, "{path}");
    }
    assert_eq!(who.get("/v1/matters?area=%00").await.status, 400);
    assert_eq!(who.get("/v1/areas/%ff%fe").await.status, 404);
    app.stop().await;
}
