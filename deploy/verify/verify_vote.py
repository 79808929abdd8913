#!/usr/bin/env python3
"""Checks the archive of a Liusheng vote, offline, with nothing but Python's standard library.

usage: verify_vote.py FILE [--fingerprint XXXX-XXXX-…] [--ballot DIGEST-ON-THE-RECEIPT]

It shares no code with Liusheng: hashes by hashlib, Ed25519 (RFC 8032), the Merkle tree (RFC 6962) and the count are
written out below. Exit codes: 0 all is well, 1 something is wrong (it says what), 2 wrong usage or not a file of this kind.
"""
import base64
import datetime
import hashlib
import json
import re
import sys


class Wrong(Exception):
    """The archive is not what it says; the word names the check."""


def require(holds, word):
    if not holds:
        raise Wrong(word)


# --- bytes -----------------------------------------------------------------------------------------------------------

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def ordered(value):
    """Keys in the order of RFC 8785: by their UTF-16 units."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [ordered(one) for one in value] if isinstance(value, list) else value


def jcs(value):
    return json.dumps(ordered(value), separators=(",", ":"), ensure_ascii=False).encode()


def same(one, other):
    """Equal as JSON: True is not 1."""
    return jcs(one) == jcs(other)


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


LARGEST = 2**53 - 1
DEPTH = 32
BLANKS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[ \t\r\n]+')


def plain(value, left):
    if isinstance(value, (dict, list)):
        return left > 0 and all(plain(one, left - 1) for one in (value.values() if isinstance(value, dict) else value))
    return value is None or isinstance(value, (bool, str)) or whole(value) and value <= LARGEST


def read(text):
    """The archive of a text; a ValueError where that could be read in two ways: it is canonical JSON but for blanks."""
    archive = json.loads(text)
    without_blanks = BLANKS.sub(lambda part: part[0] if part[0][0] == '"' else "", text)
    if not plain(archive, DEPTH) or jcs(archive) != without_blanks.encode():
        raise ValueError("not canonical")
    return archive


# --- Ed25519 ---------------------------------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def recover(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign else x


def decode(raw):
    number = int.from_bytes(raw, "little")
    y = number & ((1 << 255) - 1)
    x = recover(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover(BASE_Y, 0), BASE_Y, 1, recover(BASE_Y, 0) * BASE_Y % P)


def is_signed(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = decode(key), decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    if times(8, a)[0] % P == 0:
        # a point of small order: everybody can sign by it
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def unhex(text, length):
    require(isinstance(text, str) and len(text) == 2 * length and text == text.lower(), "signature")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Wrong("signature") from None


# --- Merkle tree -----------------------------------------------------------------------------------------------------

def root(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    cut = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha(b"\x01", root(leaves[:cut]), root(leaves[cut:]))


def roots(leaves):
    """The root over the first leaf, over the first two, and so on."""
    edge = []
    for size, one in enumerate(leaves, 1):
        top = one
        while size % 2 == 0:
            top, size = sha(b"\x01", edge.pop(), top), size // 2
        edge.append(top)
        top = edge[-1]
        for left in reversed(edge[:-1]):
            top = sha(b"\x01", left, top)
        yield top


def leaf(value):
    return sha(b"\x00", jcs(value))


def fingerprint(top):
    text = top.hex()[:32].upper()
    return "-".join(text[at:at + 4] for at in range(0, 32, 4))


def published(wanted):
    """The digits of a fingerprint as they stand in a root: 32, or the 12 that were printed before."""
    digits = wanted.strip().replace("-", "").replace(" ", "").lower()
    require(len(digits) >= 12, "fingerprint")
    return digits


# --- the checks ------------------------------------------------------------------------------------------------------

RANKS = {"manifest": 0, "roll": 1, "ballot": 2, "amend": 2, "void": 3, "named": 3, "paper": 3, "sheets": 3, "close": 4,
         "result": 5, "settled": 6}
MOST = 1_000_000_000
ENVELOPE = 759


def verify(archive, wanted=None):
    """Says what was checked; raises Wrong."""
    told = []
    require(isinstance(archive, dict) and archive.get("format") == "LSB1-archive" and same(archive.get("v"), 1), "format")
    manifest, entries, electors = archive.get("manifest"), archive.get("entries"), archive.get("roll")
    require(isinstance(manifest, dict) and manifest.get("format") == "LSB1" and same(manifest.get("v"), 1)
            and manifest.get("alg") == "sha256-ed25519", "format")
    require(isinstance(entries, list) and all(isinstance(one, dict) for one in entries), "format")
    poll, digest = manifest.get("poll"), sha(jcs(manifest)).hex()
    require(isinstance(poll, str), "format")
    key = unhex(manifest.get("board_key"), 32)
    told.append("✓ 表决事项和规则齐全：%s" % manifest.get("question"))

    require(isinstance(electors, list), "roll")
    for number, one in enumerate(electors, 1):
        # one vote each: nothing here weighs
        require(isinstance(one, dict) and isinstance(one.get("tag"), str) and isinstance(one.get("u"), str)
                and same(one, {"k": "elector", "n": number, "tag": one["tag"], "u": one["u"], "w": 1}), "roll")
    require(len({one["tag"] for one in electors}) == len(electors), "roll")
    on_roll, top = len(electors), root([leaf(one) for one in electors]).hex()
    require(same(manifest.get("roll"), {"n": on_roll, "root": top}), "roll")
    told.append("✓ 名册共 %d 人，和冻结时公布的一致" % on_roll)

    ranks = [RANKS.get(one.get("k")) if isinstance(one.get("k"), str) else None for one in entries]
    require(None not in ranks, "entry")
    require(ranks == sorted(ranks) and all(ranks.count(rank) == 1 for rank in (0, 1, 4, 5)) and ranks.count(6) <= 1, "order")
    close = ranks.index(4)
    require(same(entries[0], {"k": "manifest", "poll": poll, "sha256": digest, "v": 1}), "manifest")
    require(all(one.get("poll") == poll and same(one.get("v"), 1) for one in entries), "entry")
    require(same(entries[1], {"k": "roll", "n": on_roll, "poll": poll, "root": top, "v": 1}), "roll")

    def of(kind):
        return [one for one in entries if one["k"] == kind]

    tags, on = {one["tag"] for one in electors}, set(range(1, on_roll + 1))
    if amended(of("amend"), tags, on, on_roll):
        told.append("✓ 名册冻结以后的更正都在公示板上，更正以后共 %d 人" % len(on))
    on_roll = len(on)
    for one in of("ballot") + of("void"):
        # the digest and nothing else: more could be somebody's sign
        hexed(one.get("h"), "entry")
        require(same(one, {"h": one["h"], "k": one["k"], "poll": poll, "v": 1}), "entry")
    counted = {one["h"] for one in of("ballot")}
    everything = len(of("ballot"))
    require(len(counted) == everything, "twice")
    for one in of("void"):
        require(manifest.get("revote") is True and one["h"] in counted, "void")
        counted.remove(one["h"])
    require(same(entries[close], {"k": "close", "n": everything, "poll": poll, "v": 1}), "close")
    told.append("✓ 公示板共 %d 条，其中票 %d 张，没有重复" % (len(entries), everything))

    leaves, sizes, tops = [leaf(one) for one in entries], [], []
    require(isinstance(archive.get("heads"), list), "heads")
    for signed in archive["heads"]:
        require(isinstance(signed, dict) and isinstance(signed.get("head"), dict), "heads")
        head = signed["head"]
        size = head.get("n")
        require(whole(size) and size <= len(leaves) and (not sizes or sizes[-1] < size)
                and isinstance(head.get("t"), str), "heads")
        own = root(leaves[:size])
        require(same(head, {"n": size, "poll": poll, "root": own.hex(), "t": head["t"]}), "root")
        require(is_signed(key, b"LSB1-head\0" + jcs(head), unhex(signed.get("sig"), 64)), "signature")
        sizes.append(size)
        tops.append(own)
    last = list(range(close + 1, len(leaves) + 1))
    require(sizes[-len(last):] == last, "heads")
    told.append("✓ %d 个签名都对，没有改过、删过；最后的指纹 %s" % (len(tops), fingerprint(tops[-1])))
    if wanted is not None:
        # the archive keeps few heads; the last one signs all that came before
        digits = published(wanted)
        require(any(top.hex().startswith(digits) for top in roots(leaves)), "fingerprint")
        told.append("✓ 和公布的指纹 %s 一致" % wanted.strip().upper())

    end = tops[sizes.index(close + 1)]
    if isinstance(archive.get("result"), dict) and archive["result"].get("annulled") is not None:
        why = annulled(archive, manifest, (of("named"), (of("paper"), of("sheets")), of("settled")), (digest, end.hex(), key))
        told.append("这次表决作废：%s（批准：%s）。没有计票，也没有公布谁投了什么。" % (why["reason"], why["authority"]))
        told.append("公示板的公钥：%s 。请和村里公布的核对。" % key.hex())
        return told
    asked = question(manifest)
    # what became of every sheet stands there, be it that none was handed out
    require(manifest.get("sheets") is not True or len(of("sheets")) == 1, "paper")
    on_paper, issued = paper(manifest, asked, (of("paper"), of("sheets")), len(counted))
    secret = manifest.get("secrecy") == "secret"
    if issued is not None:
        told.append("✓ 票箱里的纸票 %d 张；手机票和没有退回、作废、遗失的纸票最多 %d 张" % (sum(n for _, n in on_paper), issued))
    if isinstance(archive.get("plaintexts"), list):
        chosen = opened(archive, manifest, of("named"), (counted, asked, sum(n for _, n in on_paper) if secret else 0), end)
    else:
        require(archive.get("plaintexts") is None and archive.get("envelopes") is None, "plaintexts")
        chosen = named(manifest, of("named"), (counted, asked), (poll, on))
    count = {"on_roll": on_roll, "present": 0, "yes": 0, "no": 0, "abstain": 0, "invalid": 0}
    votes = None if asked is None else {option: 0 for option in asked["options"]}
    names = {"for": "yes", "against": "no", "abstain": "abstain"}
    for marks, ballots in [(marks, 1) for marks in chosen] + ([] if secret else on_paper):
        count["present"] += ballots
        if marks is None:
            count["invalid"] += ballots
        elif asked is None:
            count[names[marks[0]]] += ballots
        else:
            count["yes" if marks else "abstain"] += ballots
            for mark in marks:
                votes[mark] += ballots
    decided(archive, manifest, (count, votes, asked, issued), (digest, end.hex(), key))
    standing = settled(manifest, archive["result"], of("settled"))
    told.append("✓ 重新数过：名册 %(on_roll)d，参加 %(present)d，同意 %(yes)d，不同意 %(no)d，弃权 %(abstain)d，无效 %(invalid)d" % count)
    for option, text in zip(asked["options"], asked["texts"]) if asked else ():
        told.append("✓ %s：%d 票" % (text, votes[option]))
    # the law is what the manifest calls it: whoever reads on sees what was asked for
    told.append("✓ 按规则重新算过，结论一致。要参加的人%s，同意或者得票%s。依据：%s" % (
        in_words(manifest["rule"].get("quorum")), in_words(manifest["rule"].get("passing")), manifest.get("law")))
    told += standing
    told.append("公示板的公钥：%s 。请和村里公布的核对。" % key.hex())
    return told


def ballot(archive, wanted):
    """What became of the ballot with this digest, in an archive that was found good; raises Wrong where it is not on the board."""
    wanted = wanted.strip().lower()
    kinds = {one["k"] for one in archive["entries"] if one.get("h") == wanted}
    require("ballot" in kinds, "ballot")
    if "void" in kinds:
        return "void"
    return "counts" if archive["result"].get("annulled") is None else "uncounted"


def question(manifest):
    """What may be chosen; None for a motion."""
    if manifest.get("kind") is None:
        return None
    options, most, seats = manifest.get("options"), manifest.get("max_choices"), manifest.get("seats")
    require(manifest["kind"] == "choice" and isinstance(options, list) and all(isinstance(one, str) for one in options)
            and len(set(options)) == len(options) and whole(most) and most > 0 and whole(seats) and seats > 0, "format")
    texts = manifest.get("option_texts")
    is_told = isinstance(texts, list) and len(texts) == len(options) and all(isinstance(one, str) for one in texts)
    return {"options": options, "most": most, "seats": seats, "texts": texts if is_told else options}


def valid(asked, marks):
    if asked is None:
        return len(marks) == 1 and marks[0] in ("for", "against", "abstain")
    return len(marks) <= asked["most"] and len(set(marks)) == len(marks) and set(marks) <= set(asked["options"])


def in_order(asked, marks):
    return marks == [option for option in asked["options"] if option in marks]


def written(asked, marks):
    """The marks of a valid ballot that names somebody, as everybody would write them."""
    return bool(marks) and valid(asked, marks) and in_order(asked, marks)


def amended(entries, tags, on, last):
    """Changes of the frozen roll: numbers go on, nobody joins twice, only who is on it is struck, only who was is restored."""
    for one in entries:
        number, op = one.get("n"), one.get("op")
        require(whole(number), "amend")
        hexed(one.get("sha256"), "amend")
        if op == "add":
            require(set(one) == {"k", "n", "op", "poll", "sha256", "tag", "u", "v", "w"} and isinstance(one["tag"], str)
                    and isinstance(one["u"], str) and same(one["w"], 1) and number == last + 1 and one["tag"] not in tags,
                    "amend")
            tags.add(one["tag"])
            on.add(number)
            last = number
        else:
            require(op in ("strike", "restore") and set(one) == {"k", "n", "op", "poll", "sha256", "v"}, "amend")
            require(number in on if op == "strike" else 1 <= number <= last and number not in on, "amend")
            (on.remove if op == "strike" else on.add)(number)
    return bool(entries)


def hexed(text, word):
    require(isinstance(text, str) and len(text) == 64 and all(one in "0123456789abcdef" for one in text), word)


def paper(manifest, asked, told, by_phone):
    """Boxes of paper, and every sheet that was handed out: (marks, ballots) each, and the most that can have been cast."""
    boxes, sheets = told
    if not boxes and not sheets:
        return [], None
    require(manifest.get("paper") is True and len(sheets) == 1, "paper")
    poll, found, names = manifest["poll"], [], set()

    def number(value):
        require(whole(value) and value <= MOST, "paper")
        return value

    for one in boxes:
        require(isinstance(one.get("box"), str) and one["box"] not in names, "paper")
        hexed(one.get("sheet"), "paper")
        names.add(one["box"])
        wanted = {"box": one["box"], "k": "paper", "poll": poll, "sheet": one["sheet"], "v": 1}
        if manifest.get("secrecy") == "secret":
            wanted["n"] = number(one.get("n"))
            found.append((None, wanted["n"]))
        elif asked is not None:
            require(isinstance(one.get("votes"), dict), "paper")
            wanted["abstain"], wanted["invalid"] = number(one.get("abstain")), number(one.get("invalid"))
            # a number for each option where one may be named; else for each set of options that occurs
            told = asked["options"] if asked["most"] == 1 else one["votes"]
            wanted["votes"] = {keys: number(one["votes"].get(keys)) for keys in told}
            if asked["most"] > 1:
                require(all(written(asked, keys.split(",")) and n > 0 for keys, n in wanted["votes"].items()), "paper")
            found += [([keys] if asked["most"] == 1 else keys.split(","), n) for keys, n in wanted["votes"].items()]
            found += [([], wanted["abstain"]), (None, wanted["invalid"])]
        else:
            for name, marks in (("yes", ["for"]), ("no", ["against"]), ("abstain", ["abstain"]), ("invalid", None)):
                wanted[name] = number(one.get(name))
                found.append((marks, wanted[name]))
        require(same(one, wanted), "paper")
    issued, returned, spoilt, lost = (number(sheets[0].get(name)) for name in ("issued", "returned", "spoilt", "lost"))
    require(same(sheets[0], {"issued": issued, "k": "sheets", "lost": lost, "poll": poll, "returned": returned,
                             "spoilt": spoilt, "v": 1}), "paper")
    out = issued - returned - spoilt - lost
    require(0 <= out <= sum(ballots for _, ballots in found), "paper")
    return found, by_phone + out


def named(manifest, entries, ballots, about):
    """Open ballots: each digest is among the ballots, each elector is told once."""
    (counted, asked), (poll, on) = ballots, about
    secrecy = manifest.get("secrecy")
    require(secrecy == "open" or secrecy == "paper" and not counted, "plaintexts")
    hashes, electors, chosen = set(), set(), []
    for one in entries:
        choices, cast_id, elector = one.get("c"), one.get("cast_id"), one.get("e")
        require(isinstance(choices, list) and all(isinstance(choice, str) for choice in choices)
                and isinstance(cast_id, str) and whole(elector), "named")
        own = sha(b"LSB1-ballot\0", jcs({"c": choices, "cast_id": cast_id, "poll": poll})).hex()
        require(same(one, {"c": choices, "cast_id": cast_id, "e": elector, "h": own, "k": "named", "poll": poll, "v": 1}),
                "named")
        require(own in counted and own not in hashes and elector in on and elector not in electors, "named")
        hashes.add(own)
        electors.add(elector)
        chosen.append(choices if valid(asked, choices) else None)
    require(len(hashes) == len(counted), "named")
    return chosen


def opened(archive, manifest, told_names, ballots, end):
    """Sealed ballots: those of the board, in the order that nobody chose; what was on them sorted by content."""
    counted, asked, on_paper = ballots
    require(manifest.get("secrecy") == "secret" and not told_names, "plaintexts")
    require(isinstance(archive.get("envelopes"), list), "envelopes")
    hashes, ids, last = set(), set(), None
    for one in archive["envelopes"]:
        require(isinstance(one, str), "envelopes")
        try:
            raw = base64.b64decode(one + "=" * (-len(one) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise Wrong("envelopes") from None
        require(base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == one, "envelopes")
        # one ballot, copied and bent where nobody looks, would count twice: it bears the same id
        require(len(raw) == ENVELOPE and raw[:4] == b"LSE1" and raw[4:20] not in ids, "envelopes")
        ids.add(raw[4:20])
        digest = sha(raw)
        require(digest.hex() in counted and digest.hex() not in hashes, "envelopes")
        hashes.add(digest.hex())
        place = sha(digest, end)
        require(last is None or last < place, "envelope_order")
        last = place
    require(len(hashes) == len(counted), "envelopes")
    plaintexts = archive["plaintexts"]
    require(len(plaintexts) == len(hashes) + on_paper and plaintexts == sorted(plaintexts, key=jcs), "plaintexts")
    chosen = []
    for one in plaintexts:
        require(one is None or isinstance(one, list) and all(isinstance(c, str) for c in one) and valid(asked, one)
                and (asked is None or in_order(asked, one)),
                "plaintexts")
        chosen.append(one)
    require(isinstance(archive.get("result"), dict)
            and archive["result"].get("plaintexts") == sha(jcs(plaintexts)).hex(), "plaintexts")
    return chosen


def computable(rule):
    """Of a rule that with which is computed, written as everybody writes it."""
    require(isinstance(rule, dict) and rule.get("second_measure") is None, "rule")
    for share in (rule.get("quorum"), rule.get("passing")):
        require(share is None or isinstance(share, dict) and set(share) == {"num", "den", "strict", "basis"}
                and whole(share["num"]) and whole(share["den"]) and isinstance(share["strict"], bool)
                and share["basis"] in ("E", "P"), "rule")
    return rule


def in_words(share):
    if share is None:
        return "不论多少"
    least, basis = "超过" if share["strict"] else "达到", "名册" if share["basis"] == "E" else "参加"
    return "%s%s人数的 %d/%d" % (least, basis, share["num"], share["den"])


def judged(rule, count):
    """What the law makes of the count: whole numbers, cross-multiplied."""
    require(count["present"] == count["yes"] + count["no"] + count["abstain"] + count["invalid"], "rule")
    if count["issued"] is not None and count["present"] > count["issued"]:
        return {"valid": False, "passed": False, "reason": "more_ballots_than_issued", "comparisons": []}
    require(count["present"] <= count["on_roll"], "rule")
    comparisons = []

    def compare(step, share, part):
        total = count["on_roll"] if share["basis"] == "E" else count["present"]
        left, right = part * share["den"], total * share["num"]
        holds = total > 0 and (left > right if share["strict"] else left >= right)
        comparisons.append({"step": step, "measure": "heads", "part": part, "whole": total, "share": share, "holds": holds})
        return holds

    if rule.get("quorum") is not None and not compare("quorum", rule["quorum"], count["present"]):
        return {"valid": False, "passed": False, "reason": "quorum", "comparisons": comparisons}
    if rule.get("passing") is None:
        return {"valid": True, "passed": None, "reason": "ranked_by_votes", "comparisons": comparisons}
    passed = compare("passing", rule["passing"], count["yes"])
    return {"valid": True, "passed": passed, "reason": "passed" if passed else "threshold", "comparisons": comparisons}


def elected(rule, count, votes, asked):
    """Who is chosen: who reached the majority, by the order of votes; a tie at the cut is left to another vote."""
    outcome = judged(dict(rule, passing=None), count)
    told = {"votes": votes, "elected": [], "tied": [], "seats_open": asked["seats"]}
    if not outcome["valid"]:
        return outcome, told
    share = rule.get("passing")

    def reaches(option):
        if share is None:
            return votes[option] > 0
        total = count["on_roll"] if share["basis"] == "E" else count["present"]
        left, right = votes[option] * share["den"], total * share["num"]
        return votes[option] > 0 and total > 0 and (left > right if share["strict"] else left >= right)

    order = sorted((one for one in asked["options"] if reaches(one)), key=lambda one: -votes[one])
    chosen, tied, seats = order[:asked["seats"]], [], asked["seats"]
    if len(order) > seats and votes[order[seats - 1]] == votes[order[seats]]:
        cut = votes[order[seats]]
        chosen = [one for one in chosen if votes[one] > cut]
        tied = [one for one in order if votes[one] == cut]
    told = {"votes": votes, "elected": chosen, "tied": tied, "seats_open": seats - len(chosen)}
    reason = "tie" if tied else "elected" if len(chosen) == seats else "seats_open"
    return dict(outcome, passed=reason == "elected", reason=reason), told


def decided(archive, manifest, counts, about):
    """The numbers are those of the result, the law was applied to them, the result is signed and on the board."""
    (count, votes, asked, issued), result = counts, archive.get("result")
    # sheets that were handed out are on the board: a number of them that stands in the result alone could void any vote
    full = dict(count, issued=issued, weights=None)
    require(isinstance(result, dict) and same(result.get("count"), full), "count")
    turnout(result.get("turnout"), full)
    rule = computable(manifest.get("rule"))
    if asked is None:
        outcome, told = judged(rule, full), None
    else:
        require(isinstance(result.get("choice"), dict) and same(result["choice"].get("votes"), votes), "count")
        outcome, told = elected(rule, full, votes, asked)
    require(same(result.get("outcome"), outcome) and same(result.get("choice"), told), "rule")
    bound(archive, manifest, about)


def turnout(told, count):
    """Turnout by channel, where it is told: never more than took part, and all of them where no few are left out."""
    if told is None:
        return
    require(isinstance(told, dict), "count")
    known = [one for one in told.values() if one is not None]
    require(all(whole(one) and one <= MOST for one in known), "count")
    void = count["issued"] is not None and count["present"] > count["issued"]
    require(sum(known) <= count["present"]
            and (len(known) < len(told) or void or sum(known) == count["present"]), "count")


def annulled(archive, manifest, told_names, about):
    """Annulled by hand: nobody named, nothing opened or counted, the reason signed and on the board."""
    digest, end, _ = about
    result = archive["result"]
    require(not told_names[0], "named")
    require(not told_names[2], "settled")
    # of a secret vote that waits for its keys the paper was told already: how many, never what
    require(not any(told_names[1]) or manifest.get("secrecy") == "secret", "paper")
    paper(manifest, question(manifest), told_names[1], 0)
    require(archive.get("plaintexts") is None and archive.get("envelopes") is None, "plaintexts")
    why = result["annulled"]
    require(isinstance(why, dict) and set(why) == {"reason", "authority"}
            and all(isinstance(one, str) for one in why.values()), "result")
    require(isinstance(result.get("binding"), bool) and isinstance(result.get("t"), str), "result")
    require(same(result, {"annulled": why, "binding": result["binding"], "manifest": digest, "poll": manifest["poll"],
                          "root": end, "t": result["t"]}), "result")
    bound(archive, manifest, about)
    return why


def bound(archive, manifest, about):
    """The result is that of this vote and of where its board ended; it is on the board, and signed."""
    digest, end, key = about
    result = archive["result"]
    require(result.get("manifest") == digest and result.get("poll") == manifest["poll"] and result.get("root") == end, "result")
    # what was called an opinion poll when ballots were asked for decides nothing afterwards
    require(result.get("binding") is False or result.get("binding") is True and manifest.get("binding") is True, "result")
    own = sha(jcs(result)).hex()
    leaf_of_it = next(one for one in archive["entries"] if one["k"] == "result")
    require(same(leaf_of_it, {"k": "result", "poll": manifest["poll"], "sha256": own, "v": 1}), "result")
    require(is_signed(key, b"LSB1-result\0" + jcs(result), unhex(archive.get("result_sig"), 64)), "signature")


def moment(text):
    """A moment as it is written, and no other way; in seconds."""
    require(isinstance(text, str), "settled")
    try:
        at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
        require(at.year >= 2000 and at.strftime("%Y-%m-%dT%H:%M:%SZ") == text, "settled")
        return at
    except ValueError:
        raise Wrong("settled") from None


def days(manifest, result):
    """The days are those that the vote said before anybody cast, the first one not counted; they end at 24:00 in China."""
    number = manifest["challenge_days"]
    require(whole(number) and number <= 1000, "settled")
    china = datetime.timedelta(hours=8)
    try:
        first = (moment(result.get("t")) + china).replace(hour=0, minute=0, second=0)
        wanted = (first + datetime.timedelta(days=number + 1) - china).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        raise Wrong("settled") from None
    require(result.get("challenge_until") == (wanted if number else None), "settled")


def settled(manifest, result, entries):
    """Whether it stands: one that may be challenged says until when, and a leaf after it what became of it."""
    until, is_told = result.get("challenge_until"), manifest.get("challenge_days") is not None
    require(until is None or isinstance(until, str), "settled")
    if is_told:
        days(manifest, result)
    if not entries:
        return [] if until is None else ["结果公示到 %s，还可以质疑，不是定论。" % until]
    one, poll = entries[0], manifest["poll"]
    require(isinstance(one.get("s"), str) and isinstance(one.get("t"), str) and until is not None, "settled")
    hexed(one.get("sha256"), "settled")
    require(same(one, {"k": "settled", "poll": poll, "s": one["s"], "sha256": one["sha256"], "t": one["t"], "v": 1}), "settled")
    require(one["s"] in ("final", "overturned"), "settled")
    # a challenge that is right overturns it at once; it stands when its days are over
    if is_told:
        require(moment(one["t"]) >= moment(until if one["s"] == "final" else result.get("t")), "settled")
    return [("✓ 结果公示期满，%s 成为定论" if one["s"] == "final" else "质疑成立，%s 起这个结果不算。") % one["t"]]


WORDS = {
    "format": "不是这种档案，或者缺了内容", "manifest": "表决事项或规则被改过", "roll": "名册和冻结时公布的不一致",
    "entry": "公示板上有不认识的条目", "order": "公示板的条目缺了、多了，或者顺序不对", "twice": "同一张票在公示板上出现两次",
    "void": "作废的票不在公示板上，或者这次表决不许再投", "paper": "纸票对不上：这次表决没有纸票，或者发出的票和票箱里的票合不拢",
    "amend": "名册的更正不成立：补了已经在册的，或者划了不在册的", "close": "截止时的票数和公示板不一致", "heads": "公示板的签名缺了或者不连续",
    "root": "公示板被改过：和签名时的指纹对不上", "signature": "签名不对",
    "fingerprint": "从头到尾没有过公布的这个指纹：这不是当时公布的公示板", "named": "公布的记名票和公示板上的票对不上",
    "ballot": "公示板上没有这张票：凭证号抄错了，或者收下的票没有上板",
    "envelopes": "封好的票和公示板上的票对不上", "envelope_order": "封好的票没有按规定打乱",
    "plaintexts": "公布的票面内容缺了、多了，或者被改过", "count": "重新数出来的和公布的数字不一样",
    "rule": "按规则重新算，和公布的结论不一样", "result": "公布的结果和公示板对不上",
    "settled": "结果算不算定论，公示板上写得不对",
}

OWN = {
    "counts": "✓ 您的票在公示板上，计入了结果", "void": "您的票在公示板上，已经作废，没有计入：后来又投过，或者换了纸票",
    "uncounted": "您的票在公示板上；这次表决作废，没有计票",
}


def main(arguments):
    options = {"--fingerprint": None, "--ballot": None}
    while len(arguments) > 2 and arguments[-2] in options:
        options[arguments[-2]] = arguments[-1]
        del arguments[-2:]
    if len(arguments) != 1:
        print(__doc__.strip().splitlines()[2])
        return 2
    try:
        with open(arguments[0], encoding="utf-8", newline="") as file:
            archive = read(file.read())
    except (OSError, ValueError, RecursionError):
        print("文件读不出来，不是表决档案。")
        return 2
    try:
        told = verify(archive, options["--fingerprint"])
        if options["--ballot"] is not None:
            told.append(OWN[ballot(archive, options["--ballot"])])
        for line in told:
            # what an archive says moves no cursor and hides no line
            print("".join(letter if letter.isprintable() else " " for letter in line))
    except Wrong as wrong:
        print("✗ %s (%s)" % (WORDS[str(wrong)], wrong))
        print("这份档案有问题，不能相信。")
        return 1
    print("这份档案经得起核对。")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
