"""Signs the players of the demo village in, makes some more of everything, and writes down what is there."""
import csv
import json
import os
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import requests
from codes import code_of

BASE = os.environ["LSTEST_BASE"]
AREA, TOWN = "330521103202", "330521103"
PHOTO = (Path(__file__).parent.parent / "data/media/clear.png").read_bytes()
PLAYERS = {"resident": "00022", "clerk": "00405", "chair": "00358", "town": "02160", "council": "02546",
           "branch": "00294", "supervision": "01163", "author": "00034", "representative": "00001"}

with open(os.environ["LSTEST_ROSTER"], encoding="utf-8-sig") as roster:
    ROWS = list(csv.DictReader(roster))
PHONES = {row["person_no"]: row["phone"] for row in ROWS}
SHARED = {phone for phone in PHONES.values() if list(PHONES.values()).count(phone) > 1}


def sign_in(phone):
    asked = requests.post(f"{BASE}/v1/login/codes", json={"phone": phone}, timeout=20).json()
    told = {"login_id": asked["login_id"], "phone": phone, "code": code_of(phone)}
    answer = requests.post(f"{BASE}/v1/login", json=told, timeout=20)
    if answer.status_code == 409:
        told["person_id"] = answer.json()["more"]["people"][0]["id"]
        answer = requests.post(f"{BASE}/v1/login", json=told, timeout=20)
    return answer.json()


class Player:
    def __init__(self, number):
        self.tokens = sign_in(PHONES[number])

    def call(self, method, path, body=None, **more):
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        answer = requests.request(method, BASE + path, json=body, headers=headers, timeout=20, **more)
        return answer.json() if answer.content else {}

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)


def later(**span):
    return (datetime.now(timezone.utc) + timedelta(**span)).isoformat()


def ids(answer):
    return [one["id"] for one in answer.get("items", answer if isinstance(answer, list) else [])]


def ready_matter(clerk, chair, voice, neighbours):
    clerk.post(f"/v1/suggestions/{voice}/accept")
    matter = chair.post("/v1/matters", {"area_code": AREA, "title": "修桥", "summary": "村口的桥要修一修。", "suggestion_ids": [voice]})["id"]
    form = clerk.post("/v1/forms", {"subject_id": matter, "area_code": AREA, "purpose": "survey", "title": "问卷", "questions": [
        {"id": "a", "title": "修吗？", "kind": "choice", "options": ["修", "不修"], "required": True}]})["id"]
    for one in neighbours:
        one.post(f"/v1/forms/{form}/answers", {"answers": {"a": "修"}})
    clerk.post(f"/v1/forms/{form}/close")
    return matter


def talk(world, players, matters, person):
    """Messages, lists, groups and reports; places are a stream and a seq."""
    talks = [players["chair"].get(f"/v1/matters/{matter}")["discussion"] for matter in matters[:3]]
    world["messages"], world["chains"] = {}, {}
    for name in ("resident", "clerk", "chair", "town", "author"):
        def put(path, body):
            sent = [(stream, players[name].post(f"/v1/streams/{stream}/{path}", body | {"client_id": str(uuid.uuid4())})) for stream in talks for _ in range(4)]
            return [[stream, answer["seq"]] for stream, answer in sent if "seq" in answer]
        world["messages"][name] = put("messages", {"text": "晒谷场的灯"})
        world["chains"][name] = put("chains", {"title": "谁去看桥"})
    world["reports"] = [players["resident"].post(f"/v1/streams/{stream}/messages/{seq}/reports", {"reason": "骂人"}).get("id")
                        for stream, seq in world["messages"]["author"]]
    group = {"body_id": world["bodies"]["village_committee"], "title": "小组", "people": [person["resident"], person["clerk"], *world["people"][20:50]]}
    world["groups"] = [players["chair"].post("/v1/groups", group)["stream_id"] for _ in range(3)]


def main():
    players = {name: Player(number) for name, number in PLAYERS.items()}
    spare = [phone for row in ROWS if (phone := row["phone"]) and phone not in SHARED and row["person_no"] not in PLAYERS.values()]
    # the demo's own people are not enough: a log-out ends a log-in
    with ThreadPoolExecutor(4) as pool:
        throwaway = list(pool.map(sign_in, spare[-60:]))
    clerk, chair, resident, town = (players[name] for name in ("clerk", "chair", "resident", "town"))
    people = clerk.get(f"/v1/areas/{AREA}/people?limit=100")["items"]
    person = {name: player.tokens["person_id"] for name, player in players.items()}
    bodies = town.get(f"/v1/areas/{AREA}/bodies")
    bodies = bodies.get("items", bodies) if isinstance(bodies, dict) else bodies
    world = {"area": AREA, "town": TOWN, "person": person, "people": [one["id"] for one in people], "throwaway": throwaway,
             "tokens": {name: player.tokens for name, player in players.items()}}
    flat = [entry.get("body", entry) for entry in bodies]
    world["bodies"] = {one["kind"]: one["id"] for one in flat}
    world["seats"] = [seat["id"] for entry in bodies for seat in entry.get("seats", [])]
    photos = [clerk.post("/v1/media", files={"file": ("a.png", PHOTO)})["id"] for _ in range(20)]
    world["photos"] = {"clerk": photos}
    for name in ("resident", "chair", "town"):
        world["photos"][name] = [players[name].post("/v1/media", files={"file": ("a.png", PHOTO)})["id"] for _ in range(20)]
    voice = {"kind": "help", "visibility": "public", "text": "路灯坏了", "place": "桥头"}
    world["suggestions"] = [resident.post("/v1/suggestions", voice)["id"] for _ in range(40)]
    answered = []
    for suggestion in world["suggestions"][:12]:
        clerk.post(f"/v1/suggestions/{suggestion}/accept")
        clerk.post(f"/v1/suggestions/{suggestion}/answers", {"text": "已经安排人去修。"})
        answered.append(suggestion)
    world["answered"] = answered
    matters = clerk.get(f"/v1/matters?area={AREA}&limit=100")["items"]
    fresh = [chair.post("/v1/matters", {"area_code": AREA, "title": "修桥", "summary": "村口的桥要修一修。"})["id"] for _ in range(30)]
    world["matters"] = [one["id"] for one in matters]
    world["fresh_matters"] = fresh
    notice = {"area_code": AREA, "title": "公示", "text": "全文", "must_read": True}
    world["notices"] = [clerk.post("/v1/notices", notice)["id"] for _ in range(40)]
    world["all_notices"] = ids(clerk.get(f"/v1/notices?area={AREA}&limit=100"))
    world["objections"] = []
    for published in world["notices"][:30]:
        objection = resident.post(f"/v1/notices/{published}/objections", {"text": "太贵"})
        world["objections"] += [objection["id"]] if "id" in objection else []
    meeting = {"area_code": AREA, "body_id": world["bodies"]["village_committee"], "audience": "villagers", "title": "村民会议",
               "agenda": "修桥", "place": "礼堂", "starts_at": later(hours=1)}
    world["meetings"] = [clerk.post("/v1/meetings", meeting)["id"] for _ in range(30)]
    form = {"subject_id": fresh[0], "area_code": AREA, "purpose": "survey", "title": "问卷",
            "questions": [{"id": "a", "title": "修吗？", "kind": "choice", "options": ["修", "不修"], "required": True}]}
    world["forms"] = [one["id"] for _ in range(40) if "id" in (one := clerk.post("/v1/forms", form))]
    task = {"area_code": AREA, "title": "修桥", "working_days": 3}
    world["tasks"] = {name: [clerk.post("/v1/tasks", task | {"owner_id": person[name]}).get("id") for _ in range(15)] for name in ("clerk", "chair", "resident")}
    world["streams"] = {name: [one["id"] for one in players[name].get("/v1/sync")["streams"]] for name in players}
    world["hooks"] = [clerk.post(f"/v1/areas/{AREA}/webhooks", {"url": f"http://127.0.0.1:9/{n}"}).get("id") for n in range(20)]
    world["spare_phones"] = spare[:40]
    world["in_deliberation"] = [one["id"] for one in matters if one["stage"] == "deliberate"]
    soon = meeting | {"audience": "members", "starts_at": later(seconds=5)}
    world["begun_meetings"] = [chair.post("/v1/meetings", soon)["id"] for _ in range(6)]
    world["in_review"] = [one["id"] for one in matters if one["stage"] == "review"]
    # ready for the next stage: a voice, and a survey that is answered and closed
    world["ready"] = [ready_matter(clerk, chair, world["suggestions"][12 + n], [players[name] for name in ("resident", "author", "representative")]) for n in range(6)]
    world["suspensions"] = [chair.post(f"/v1/areas/{AREA}/suspensions", {"person_id": one, "reason": "骂人", "days": 3}).get("id") for one in world["people"][40:52]]
    # written down by one at the office, to be decided by another
    strangers = iter(f"1970000{n:04}" for n in range(100))
    world["claims"] = [chair.post(f"/v1/people/{one}/claims", {"phone": next(strangers)}).get("id") for one in world["people"][60:72]]
    voice = {"area_code": AREA, "name": "过路人", "kind": "consult", "text": "请问车站怎么走？"}
    world["claim_codes"] = [code for _ in range(10) if (code := clerk.post("/v1/guests/records", voice).get("claim_code"))]
    world["claimants"] = [{"area_code": AREA, "name": row["name"], "id_last_six": row["id_no"][-6:]} for row in ROWS[900:920]]
    world["people_without_phone"] = world["people"][72:92]
    talk(world, players, fresh, person)
    # a record names its votes among much else
    named = set()
    for matter in matters:
        record = requests.get(f"{BASE}/v1/matters/{matter['id']}/record", timeout=20).text
        named |= set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", record))
    world["votes"] = sorted(one for one in named if requests.get(f"{BASE}/v1/votes/{one}", timeout=20).status_code == 200)
    Path(os.environ["LSTEST_WORLD"]).write_text(json.dumps(world))
    print({name: len(value) for name, value in world.items() if isinstance(value, (list, dict))})


main()
