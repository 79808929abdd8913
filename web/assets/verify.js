/* Checks the archive of a vote in the browser, with nothing from the server but the archive: SHA-256 and SHA-512 by
   WebCrypto, Ed25519, the Merkle tree and the count written out here. Loaded on the board page only. ES2020 (BigInt). */
(function (root) {
  'use strict';
  var subtle = (root.crypto || {}).subtle, utf8 = new TextEncoder();

  function Wrong(word) { this.word = word; }
  function need(holds, word) { if (!holds) throw new Wrong(word); }

  /* bytes */
  function bytes(text) { return utf8.encode(text); }
  function join(parts) {
    var size = parts.reduce(function (n, part) { return n + part.length; }, 0), all = new Uint8Array(size), at = 0;
    parts.forEach(function (part) { all.set(part, at); at += part.length; });
    return all;
  }
  function hex(raw) { return Array.prototype.map.call(raw, function (byte) { return (byte + 256).toString(16).slice(1); }).join(''); }
  function unhex(text, length) {
    need(typeof text === 'string' && text.length === 2 * length && /^[0-9a-f]*$/.test(text), 'signature');
    return Uint8Array.from(text.match(/../g) || [], function (pair) { return parseInt(pair, 16); });
  }
  async function sha(parts) { return new Uint8Array(await subtle.digest('SHA-256', join(parts))); }
  async function sha512(parts) { return new Uint8Array(await subtle.digest('SHA-512', join(parts))); }
  /* Bits that stand for nothing are none: each byte is written in one way only. */
  function unbase64(text) {
    if (typeof text !== 'string' || !/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
    var plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    if (btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '') !== text) return null;
    return Uint8Array.from(plain, function (letter) { return letter.charCodeAt(0); });
  }
  function jcs(value) {
    if (Array.isArray(value)) return '[' + value.map(jcs).join(',') + ']';
    if (value && typeof value === 'object') {
      return '{' + Object.keys(value).sort().map(function (key) { return JSON.stringify(key) + ':' + jcs(value[key]); }).join(',') + '}';
    }
    return JSON.stringify(value === undefined ? null : value);
  }
  function same(one, other) { return jcs(one) === jcs(other); }
  function isWhole(value) { return Number.isSafeInteger(value) && value >= 0; }
  function isMap(value) { return !!value && typeof value === 'object' && !Array.isArray(value); }
  function before(one, other) { return hex(one) < hex(other); }

  /* The archive of a text that cannot be read in two ways: canonical JSON but for blanks, whole numbers, whole characters. */
  function read(text) {
    var archive;
    try { archive = JSON.parse(text); } catch (e) { need(false, 'format'); }
    need(isPlain(archive, 32) && jcs(archive) === text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|[ \t\r\n]+/g, function (part) {
      return part[0] === '"' ? part : '';
    }), 'format');
    return archive;
  }
  function isPlain(value, left) {
    if (Array.isArray(value)) return left > 0 && value.every(function (one) { return isPlain(one, left - 1); });
    if (isMap(value)) {
      return left > 0 && Object.keys(value).every(function (key) { return isPlain(key, 0) && isPlain(value[key], left - 1); });
    }
    if (typeof value === 'string') return !/[\ud800-\udfff]/u.test(value);
    return value === null || typeof value === 'boolean' || isWhole(value);
  }

  /* Ed25519, RFC 8032 */
  var P = 2n ** 255n - 19n, L = 2n ** 252n + 27742317777372353535851937790883648493n;
  function mod(a) { var r = a % P; return r < 0n ? r + P : r; }
  function power(base, by) {
    var result = 1n;
    for (base = mod(base); by > 0n; by >>= 1n) {
      if (by & 1n) result = result * base % P;
      base = base * base % P;
    }
    return result;
  }
  var D = mod(-121665n * power(121666n, P - 2n)), ROOT = power(2n, (P - 1n) / 4n);
  function recover(y, sign) {
    if (y >= P) return null;
    var x2 = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n)), x;
    if (x2 === 0n) return sign ? null : 0n;
    x = power(x2, (P + 3n) / 8n);
    if (mod(x * x - x2) !== 0n) x = x * ROOT % P;
    if (mod(x * x - x2) !== 0n) return null;
    return (x & 1n) === sign ? x : P - x;
  }
  function little(raw) { return BigInt('0x' + (hex(Uint8Array.from(raw).reverse()) || '0')); }
  function decode(raw) {
    var number = little(raw), y = number & ((1n << 255n) - 1n), x = recover(y, number >> 255n);
    return x === null ? null : [x, y, 1n, mod(x * y)];
  }
  function add(p, q) {
    var a = mod((p[1] - p[0]) * (q[1] - q[0])), b = mod((p[1] + p[0]) * (q[1] + q[0]));
    var c = mod(2n * p[3] * q[3] * D), d = mod(2n * p[2] * q[2]), e = b - a, f = d - c, g = d + c, h = b + a;
    return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
  }
  function times(scalar, point) {
    var result = [0n, 1n, 1n, 0n];
    for (; scalar > 0n; scalar >>= 1n) {
      if (scalar & 1n) result = add(result, point);
      point = add(point, point);
    }
    return result;
  }
  var BY = mod(4n * power(5n, P - 2n)), BX = recover(BY, 0n), BASE = [BX, BY, 1n, mod(BX * BY)];
  async function isSigned(key, word, value, signature) {
    var told = join([bytes('LSB1-' + word + '\0'), bytes(jcs(value))]), sig = unhex(signature, 64);
    var a = decode(key), r = decode(sig.slice(0, 32)), s = little(sig.slice(32));
    /* by a point of small order everybody can sign */
    if (!a || !r || s >= L || mod(times(8n, a)[0]) === 0n) return false;
    var h = little(await sha512([sig.slice(0, 32), key, told])) % L, left = times(s, BASE), right = add(r, times(h, a));
    return mod(left[0] * right[2] - right[0] * left[2]) === 0n && mod(left[1] * right[2] - right[1] * left[2]) === 0n;
  }

  /* Merkle tree, RFC 6962 */
  var ZERO = Uint8Array.of(0), ONE = Uint8Array.of(1);
  async function top(leaves) {
    if (!leaves.length) return sha([]);
    if (leaves.length === 1) return leaves[0];
    var cut = 1;
    while (cut * 2 < leaves.length) cut *= 2;
    return sha([ONE, await top(leaves.slice(0, cut)), await top(leaves.slice(cut))]);
  }
  /* The root over the first leaf, over the first two, and so on: is one of them this fingerprint's? It has 32 digits, and had 12. */
  async function everShowed(leaves, wanted) {
    var edge = [], digits = wanted.trim().replace(/[- ]/g, '').toLowerCase();
    if (digits.length < 12) return false;
    for (var at = 0; at < leaves.length; at++) {
      var own = leaves[at];
      for (var size = at + 1; size % 2 === 0; size /= 2) own = await sha([ONE, edge.pop(), own]);
      edge.push(own);
      for (var place = edge.length - 2; place >= 0; place--) own = await sha([ONE, edge[place], own]);
      if (hex(own).slice(0, digits.length) === digits) return true;
    }
    return false;
  }
  function leaf(value) { return sha([ZERO, bytes(jcs(value))]); }
  function fingerprint(raw) { return hex(raw).slice(0, 32).toUpperCase().match(/..../g).join('-'); }

  /* the checks */
  var RANKS = { manifest: 0, roll: 1, ballot: 2, amend: 2, 'void': 3, named: 3, paper: 3, sheets: 3, close: 4, result: 5, settled: 6 };
  var MOST = 1000000000, ENVELOPE = 759;
  var NAMES = { 'for': 'yes', against: 'no', abstain: 'abstain' };

  /* What may be chosen; null for a motion. */
  function question(manifest) {
    if (manifest.kind === null || manifest.kind === undefined) return null;
    var options = manifest.options;
    need(manifest.kind === 'choice' && areTexts(options) && new Set(options).size === options.length
      && isWhole(manifest.max_choices) && manifest.max_choices > 0 && isWhole(manifest.seats) && manifest.seats > 0, 'format');
    return { options: options, most: manifest.max_choices, seats: manifest.seats };
  }
  function isValid(asked, marks) {
    if (!asked) return marks.length === 1 && Object.prototype.hasOwnProperty.call(NAMES, marks[0]);
    return marks.length <= asked.most && new Set(marks).size === marks.length
      && marks.every(function (mark) { return asked.options.indexOf(mark) >= 0; });
  }
  /* In the order of the ballot: another could be a sign. */
  function isInOrder(asked, marks) {
    return !asked || jcs(asked.options.filter(function (one) { return marks.indexOf(one) >= 0; })) === jcs(marks);
  }
  /* The marks of a valid ballot that names somebody, as everybody would write them. */
  function isWritten(asked, marks) { return marks.length > 0 && isValid(asked, marks) && isInOrder(asked, marks); }
  function areTexts(value) { return Array.isArray(value) && value.every(function (one) { return typeof one === 'string'; }); }

  /* `wanted`: a fingerprint that was published; `vote`: whose archive it must be. Either may be missing. */
  async function verify(archive, wanted, vote) {
    need(isMap(archive) && archive.format === 'LSB1-archive' && archive.v === 1, 'format');
    var manifest = archive.manifest, entries = archive.entries, electors = archive.roll, found = {};
    need(isMap(manifest) && manifest.format === 'LSB1' && manifest.v === 1 && manifest.alg === 'sha256-ed25519', 'format');
    need(Array.isArray(entries) && entries.every(isMap) && typeof manifest.poll === 'string', 'format');
    /* that of another vote may be as good as it likes */
    need(isNone(vote) || manifest.poll === vote, 'manifest');
    var poll = manifest.poll, digest = hex(await sha([bytes(jcs(manifest))])), key = unhex(manifest.board_key, 32);

    need(Array.isArray(electors), 'roll');
    var tags = new Set(), rollLeaves = [];
    for (var number = 1; number <= electors.length; number++) {
      var one = electors[number - 1];
      /* one vote each: nothing here weighs */
      need(isMap(one) && typeof one.tag === 'string' && typeof one.u === 'string'
        && same(one, { k: 'elector', n: number, tag: one.tag, u: one.u, w: 1 }) && !tags.has(one.tag), 'roll');
      tags.add(one.tag);
      rollLeaves.push(await leaf(one));
    }
    var onRoll = electors.length, rollRoot = hex(await top(rollLeaves));
    need(same(manifest.roll, { n: onRoll, root: rollRoot }), 'roll');

    var ranks = entries.map(function (entry) {
      return typeof entry.k === 'string' && Object.prototype.hasOwnProperty.call(RANKS, entry.k) ? RANKS[entry.k] : -1;
    });
    need(ranks.indexOf(-1) < 0, 'entry');
    function times_(rank) { return ranks.filter(function (own) { return own === rank; }).length; }
    need([0, 1, 4, 5].every(function (rank) { return times_(rank) === 1; }) && times_(6) <= 1
      && ranks.every(function (rank, at) { return !at || ranks[at - 1] <= rank; }), 'order');
    need(same(entries[0], { k: 'manifest', poll: poll, sha256: digest, v: 1 }), 'manifest');
    need(entries.every(function (entry) { return entry.poll === poll && entry.v === 1; }), 'entry');
    need(same(entries[1], { k: 'roll', n: onRoll, poll: poll, root: rollRoot, v: 1 }), 'roll');
    function of(kind) { return entries.filter(function (entry) { return entry.k === kind; }); }
    var on = new Set();
    for (var seat = 1; seat <= onRoll; seat++) on.add(seat);
    amended(of('amend'), tags, on, onRoll);
    onRoll = on.size;
    /* the digest and nothing else: more could be somebody's sign */
    need(of('ballot').concat(of('void')).every(function (entry) {
      return isHash(entry.h) && same(entry, { h: entry.h, k: entry.k, poll: poll, v: 1 });
    }), 'entry');
    var all = of('ballot').length, counted = new Set(of('ballot').map(function (entry) { return entry.h; }));
    need(counted.size === all, 'twice');
    of('void').forEach(function (entry) { need(manifest.revote === true && counted.delete(entry.h), 'void'); });
    var close = ranks.indexOf(4);
    need(same(entries[close], { k: 'close', n: all, poll: poll, v: 1 }), 'close');

    var leaves = [], sizes = [], tops = [];
    for (var entry of entries) leaves.push(await leaf(entry));
    need(Array.isArray(archive.heads), 'heads');
    for (var signed of archive.heads) {
      need(isMap(signed) && isMap(signed.head), 'heads');
      var head = signed.head, size = head.n;
      need(isWhole(size) && size <= leaves.length && (!sizes.length || sizes[sizes.length - 1] < size) && typeof head.t === 'string', 'heads');
      var own = await top(leaves.slice(0, size));
      need(same(head, { n: size, poll: poll, root: hex(own), t: head.t }), 'root');
      need(await isSigned(key, 'head', head, signed.sig), 'signature');
      sizes.push(size);
      tops.push(own);
    }
    var last = [];
    for (var size_ = close + 1; size_ <= leaves.length; size_++) last.push(size_);
    need(same(sizes.slice(-last.length), last), 'heads');
    /* the archive keeps few heads; the last one signs all that came before */
    if (wanted) need(await everShowed(leaves, wanted), 'fingerprint');

    var end = tops[sizes.indexOf(close + 1)];
    found.question = manifest.question;
    found.entries = entries.length;
    found.heads = tops.length;
    found.fingerprint = fingerprint(tops[tops.length - 1]);
    found.key = hex(key);
    if (isMap(archive.result) && archive.result.annulled !== null && archive.result.annulled !== undefined) {
      found.annulled = await annulled(archive, [of('named'), [of('paper'), of('sheets')], of('settled')], digest, hex(end), key);
      return found;
    }
    /* what became of every sheet stands there, be it that none was handed out */
    need(manifest.sheets !== true || of('sheets').length === 1, 'paper');
    var asked = question(manifest), votes = null, isSecret = manifest.secrecy === 'secret';
    var onPaper = paper(manifest, asked, [of('paper'), of('sheets')], counted.size), inBoxes = 0;
    onPaper.told.forEach(function (told) { inBoxes += told[1]; });
    need(Array.isArray(archive.plaintexts) || (isNone(archive.plaintexts) && isNone(archive.envelopes)), 'plaintexts');
    var chosen = Array.isArray(archive.plaintexts)
      ? await opened(archive, of('named'), [counted, asked, isSecret ? inBoxes : 0], end) : await named(manifest, of('named'), [counted, asked], on);
    var count = { on_roll: onRoll, present: 0, yes: 0, no: 0, abstain: 0, invalid: 0 };
    if (asked) {
      votes = Object.create(null);
      asked.options.forEach(function (option) { votes[option] = 0; });
    }
    chosen.map(function (marks) { return [marks, 1]; }).concat(isSecret ? [] : onPaper.told).forEach(function (told) {
      var marks = told[0], ballots = told[1];
      count.present += ballots;
      if (marks === null) count.invalid += ballots;
      else if (!asked) count[NAMES[marks[0]]] += ballots;
      else {
        count[marks.length ? 'yes' : 'abstain'] += ballots;
        marks.forEach(function (mark) { votes[mark] += ballots; });
      }
    });
    await decided(archive, [count, votes, asked, onPaper.issued], digest, hex(end), key);
    found.standing = settled(manifest, archive.result, of('settled'));
    if (asked) found.votes = votes;
    found.law = manifest.law;
    found.count = count;
    found.ballots = all;
    return found;
  }

  function isHash(value) { return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value); }

  /* Changes of the frozen roll: numbers go on, nobody joins twice, only who is on it is struck, only who was is restored. */
  function amended(entries, tags, on, last) {
    entries.forEach(function (one) {
      need(isWhole(one.n) && isHash(one.sha256), 'amend');
      var fields = Object.keys(one).length;
      if (one.op === 'add') {
        need(fields === 9 && typeof one.tag === 'string' && typeof one.u === 'string' && one.w === 1
          && one.n === last + 1 && !tags.has(one.tag), 'amend');
        tags.add(one.tag);
        on.add(one.n);
        last = one.n;
      } else if (one.op === 'strike') need(fields === 6 && on.delete(one.n), 'amend');
      else {
        need(one.op === 'restore' && fields === 6 && one.n >= 1 && one.n <= last && !on.has(one.n), 'amend');
        on.add(one.n);
      }
    });
  }

  /* Boxes of paper, and every sheet that was handed out: [marks, ballots] each, and the most that can have been cast. */
  function paper(manifest, asked, entries, byPhone) {
    var boxes = entries[0], sheets = entries[1], told = [], names = new Set(), inBoxes = 0;
    if (!boxes.length && !sheets.length) return { told: told, issued: null };
    need(manifest.paper === true && sheets.length === 1, 'paper');
    function number(value) {
      need(isWhole(value) && value <= MOST, 'paper');
      return value;
    }
    boxes.forEach(function (one) {
      need(typeof one.box === 'string' && !names.has(one.box) && isHash(one.sheet), 'paper');
      names.add(one.box);
      var wanted = { box: one.box, k: 'paper', poll: manifest.poll, sheet: one.sheet, v: 1 };
      if (manifest.secrecy === 'secret') {
        wanted.n = number(one.n);
        told.push([null, wanted.n]);
      } else if (asked) {
        need(isMap(one.votes), 'paper');
        wanted.abstain = number(one.abstain);
        wanted.invalid = number(one.invalid);
        wanted.votes = Object.create(null);
        /* a number for each option where one may be named; else for each set of options that occurs */
        (asked.most === 1 ? asked.options : Object.keys(one.votes)).forEach(function (keys) {
          var marks = asked.most === 1 ? [keys] : keys.split(','), ballots = number(one.votes[keys]);
          need(asked.most === 1 || (isWritten(asked, marks) && ballots > 0), 'paper');
          wanted.votes[keys] = ballots;
          told.push([marks, ballots]);
        });
        told.push([[], wanted.abstain], [null, wanted.invalid]);
      } else {
        [['yes', ['for']], ['no', ['against']], ['abstain', ['abstain']], ['invalid', null]].forEach(function (pair) {
          wanted[pair[0]] = number(one[pair[0]]);
          told.push([pair[1], wanted[pair[0]]]);
        });
      }
      need(same(one, wanted), 'paper');
    });
    var log = sheets[0], out = number(log.issued) - number(log.returned) - number(log.spoilt) - number(log.lost);
    need(same(log, { issued: log.issued, k: 'sheets', lost: log.lost, poll: manifest.poll, returned: log.returned,
      spoilt: log.spoilt, v: 1 }), 'paper');
    told.forEach(function (pair) { inBoxes += pair[1]; });
    need(out >= 0 && out <= inBoxes, 'paper');
    return { told: told, issued: byPhone + out };
  }

  /* Open ballots: each digest is among the ballots, each elector is told once. */
  async function named(manifest, entries, ballots, on) {
    var counted = ballots[0];
    need(manifest.secrecy === 'open' || (manifest.secrecy === 'paper' && !counted.size), 'plaintexts');
    var hashes = new Set(), electors = new Set(), chosen = [];
    for (var one of entries) {
      need(areTexts(one.c) && typeof one.cast_id === 'string' && isWhole(one.e), 'named');
      var own = hex(await sha([bytes('LSB1-ballot\0'), bytes(jcs({ c: one.c, cast_id: one.cast_id, poll: manifest.poll }))]));
      need(same(one, { c: one.c, cast_id: one.cast_id, e: one.e, h: own, k: 'named', poll: manifest.poll, v: 1 }), 'named');
      need(counted.has(own) && !hashes.has(own) && on.has(one.e) && !electors.has(one.e), 'named');
      hashes.add(own);
      electors.add(one.e);
      chosen.push(isValid(ballots[1], one.c) ? one.c : null);
    }
    need(hashes.size === counted.size, 'named');
    return chosen;
  }

  /* Sealed ballots: those of the board, in the order that nobody chose; what was on them sorted by content. */
  async function opened(archive, toldNames, ballots, end) {
    var counted = ballots[0];
    need(archive.manifest.secrecy === 'secret' && !toldNames.length, 'plaintexts');
    need(Array.isArray(archive.envelopes), 'envelopes');
    var hashes = new Set(), ids = new Set(), last = null;
    for (var one of archive.envelopes) {
      var raw = unbase64(one);
      need(raw !== null && raw.length === ENVELOPE && hex(raw.slice(0, 4)) === '4c534531', 'envelopes');
      /* one ballot, copied and bent where nobody looks, would count twice: it bears the same id */
      var id = hex(raw.slice(4, 20));
      need(!ids.has(id), 'envelopes');
      ids.add(id);
      var digest = await sha([raw]), place = await sha([digest, end]);
      need(counted.has(hex(digest)) && !hashes.has(hex(digest)), 'envelopes');
      hashes.add(hex(digest));
      need(!last || before(last, place), 'envelope_order');
      last = place;
    }
    need(hashes.size === counted.size, 'envelopes');
    var plaintexts = archive.plaintexts;
    need(plaintexts.length === hashes.size + ballots[2]
      && plaintexts.every(function (own, at) { return !at || hex(bytes(jcs(plaintexts[at - 1]))) <= hex(bytes(jcs(own))); }), 'plaintexts');
    plaintexts.forEach(function (own) { need(own === null || (areTexts(own) && isValid(ballots[1], own) && isInOrder(ballots[1], own)), 'plaintexts'); });
    need(isMap(archive.result) && archive.result.plaintexts === hex(await sha([bytes(jcs(plaintexts))])), 'plaintexts');
    return plaintexts;
  }

  /* Nothing else than nothing means that there is none: false or 0 is a share that nobody can read. */
  function isNone(value) { return value === null || value === undefined; }
  function isThere(share) { return !isNone(share); }

  /* Of a rule that with which is computed, written as everybody writes it. */
  function computable(rule) {
    need(isMap(rule) && isNone(rule.second_measure), 'rule');
    [rule.quorum, rule.passing].filter(isThere).forEach(function (share) {
      need(isMap(share) && Object.keys(share).length === 4 && isWhole(share.num) && isWhole(share.den)
        && typeof share.strict === 'boolean' && (share.basis === 'E' || share.basis === 'P'), 'rule');
    });
    return rule;
  }

  /* What the law makes of the count: whole numbers, cross-multiplied. */
  function judged(quorum, passing, count) {
    if (count.issued !== null && count.present > count.issued) {
      return { valid: false, passed: false, reason: 'more_ballots_than_issued', comparisons: [] };
    }
    need(count.present <= count.on_roll, 'rule');
    var comparisons = [];
    function compare(step, share, part) {
      var all = share.basis === 'E' ? count.on_roll : count.present;
      var left = BigInt(part) * BigInt(share.den), right = BigInt(all) * BigInt(share.num);
      var holds = all > 0 && (share.strict ? left > right : left >= right);
      comparisons.push({ step: step, measure: 'heads', part: part, whole: all, share: share, holds: holds });
      return holds;
    }
    if (isThere(quorum) && !compare('quorum', quorum, count.present)) {
      return { valid: false, passed: false, reason: 'quorum', comparisons: comparisons };
    }
    if (!isThere(passing)) return { valid: true, passed: null, reason: 'ranked_by_votes', comparisons: comparisons };
    var passed = compare('passing', passing, count.yes);
    return { valid: true, passed: passed, reason: passed ? 'passed' : 'threshold', comparisons: comparisons };
  }

  /* Who is chosen: who reached the majority, by the order of votes; a tie at the cut is left to another vote. */
  function elected(rule, count, votes, asked) {
    var outcome = judged(rule.quorum, null, count), share = rule.passing, seats = asked.seats;
    if (!outcome.valid) return [outcome, { votes: votes, elected: [], tied: [], seats_open: seats }];
    function reaches(option) {
      if (!votes[option] || !isThere(share)) return votes[option] > 0;
      var all = share.basis === 'E' ? count.on_roll : count.present;
      var left = BigInt(votes[option]) * BigInt(share.den), right = BigInt(all) * BigInt(share.num);
      return all > 0 && (share.strict ? left > right : left >= right);
    }
    /* sorting is stable: of as many votes, in the order of the ballot */
    var order = asked.options.filter(reaches).sort(function (one, other) { return votes[other] - votes[one]; });
    var chosen = order.slice(0, seats), tied = [];
    if (order.length > seats && votes[order[seats - 1]] === votes[order[seats]]) {
      var cut = votes[order[seats]];
      chosen = chosen.filter(function (option) { return votes[option] > cut; });
      tied = order.filter(function (option) { return votes[option] === cut; });
    }
    outcome.reason = tied.length ? 'tie' : chosen.length === seats ? 'elected' : 'seats_open';
    outcome.passed = outcome.reason === 'elected';
    return [outcome, { votes: votes, elected: chosen, tied: tied, seats_open: seats - chosen.length }];
  }

  /* The numbers are those of the result, the law was applied to them, the result is signed and on the board. */
  async function decided(archive, counts, digest, end, key) {
    var result = archive.result, votes = counts[1], asked = counts[2], told = null;
    /* sheets that were handed out are on the board: a number of them that stands in the result alone could void any vote */
    var full = Object.assign({}, counts[0], { issued: counts[3], weights: null });
    need(isMap(result) && same(result.count, full), 'count');
    turnout(result.turnout, full);
    var rule = computable(archive.manifest.rule);
    if (asked) {
      need(isMap(result.choice) && same(result.choice.votes, votes), 'count');
      told = elected(rule, full, votes, asked);
    } else told = [judged(rule.quorum, rule.passing, full), null];
    need(same(result.outcome, told[0]) && same(result.choice, told[1]), 'rule');
    await bound(archive, digest, end, key);
  }

  /* Turnout by channel, where it is told: never more than took part, and all of them where no few are left out. */
  function turnout(told, count) {
    if (told === null || told === undefined) return;
    need(isMap(told), 'count');
    var sum = 0, isComplete = true;
    Object.keys(told).forEach(function (channel) {
      if (told[channel] === null) { isComplete = false; return; }
      need(isWhole(told[channel]) && told[channel] <= MOST, 'count');
      sum += told[channel];
    });
    var isVoid = count.issued !== null && count.present > count.issued;
    need(sum <= count.present && (!isComplete || isVoid || sum === count.present), 'count');
  }

  /* Annulled by hand: nobody named, nothing opened or counted, the reason signed and on the board. */
  async function annulled(archive, toldNames, digest, end, key) {
    var result = archive.result, why = result.annulled;
    need(!toldNames[0].length, 'named');
    need(!toldNames[2].length, 'settled');
    /* of a secret vote that waits for its keys the paper was told already: how many, never what */
    need((!toldNames[1][0].length && !toldNames[1][1].length) || archive.manifest.secrecy === 'secret', 'paper');
    paper(archive.manifest, question(archive.manifest), toldNames[1], 0);
    need(isNone(archive.plaintexts) && isNone(archive.envelopes), 'plaintexts');
    need(isMap(why) && typeof why.reason === 'string' && typeof why.authority === 'string' && Object.keys(why).length === 2, 'result');
    need(typeof result.binding === 'boolean' && typeof result.t === 'string', 'result');
    need(same(result, { annulled: why, binding: result.binding, manifest: digest, poll: archive.manifest.poll, root: end, t: result.t }), 'result');
    await bound(archive, digest, end, key);
    return why;
  }

  /* The result is that of this vote and of where its board ended; it is on the board, and signed. */
  async function bound(archive, digest, end, key) {
    var result = archive.result, poll = archive.manifest.poll;
    need(result.manifest === digest && result.poll === poll && result.root === end, 'result');
    /* what was called an opinion poll when ballots were asked for decides nothing afterwards */
    need(result.binding === false || (result.binding === true && archive.manifest.binding === true), 'result');
    var own = hex(await sha([bytes(jcs(result))]));
    var leafOfIt = archive.entries.find(function (one) { return one.k === 'result'; });
    need(same(leafOfIt, { k: 'result', poll: poll, sha256: own, v: 1 }), 'result');
    need(await isSigned(key, 'result', result, archive.result_sig), 'signature');
  }

  /* A moment as it is written, and no other way; in milliseconds. */
  function moment(text) {
    var at = typeof text === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? Date.parse(text) : NaN;
    need(at === at && written(at) === text && text > '2000', 'settled');
    return at;
  }
  function written(at) { return new Date(at).toISOString().replace('.000Z', 'Z'); }

  /* The days are those that the vote said before anybody cast, the first one not counted; they end at 24:00 in China. */
  function days(manifest, result) {
    var number = manifest.challenge_days, day = 86400000, china = 28800000, until = result.challenge_until;
    need(isWhole(number) && number <= 1000, 'settled');
    var first = Math.floor((moment(result.t) + china) / day) * day;
    var wanted = number ? written(first + (number + 1) * day - china) : null;
    need((until === undefined ? null : until) === wanted, 'settled');
    /* after the year 9999 there are several ways to write it */
    if (wanted !== null) moment(wanted);
  }

  /* Whether it stands: one that may be challenged says until when, and a leaf after it what became of it. */
  function settled(manifest, result, entries) {
    var until = result.challenge_until, one = entries[0], isTold = manifest.challenge_days !== null && manifest.challenge_days !== undefined;
    if (until === null || until === undefined) until = null;
    need(until === null || typeof until === 'string', 'settled');
    if (isTold) days(manifest, result);
    if (!one) return until === null ? null : 'provisional';
    need(typeof one.s === 'string' && typeof one.t === 'string' && until !== null && isHash(one.sha256), 'settled');
    need(same(one, { k: 'settled', poll: manifest.poll, s: one.s, sha256: one.sha256, t: one.t, v: 1 }), 'settled');
    need(one.s === 'final' || one.s === 'overturned', 'settled');
    /* a challenge that is right overturns it at once; it stands when its days are over */
    if (isTold) need(moment(one.t) >= moment(one.s === 'final' ? until : result.t), 'settled');
    return one.s;
  }

  /* What became of the ballot with this digest, in an archive that was found good. */
  function own(archive, wanted) {
    var hash = wanted.trim().toLowerCase();
    function isTold(kind) { return archive.entries.some(function (one) { return one.k === kind && one.h === hash; }); }
    need(isTold('ballot'), 'ballot');
    return isTold('void') ? 'void' : isNone(archive.result.annulled) ? 'counts' : 'uncounted';
  }

  root.liushengVerify = { read: read, verify: verify, own: own, Wrong: Wrong };

  if (typeof document === 'undefined') return;
  /* <form data-verify="/v1/votes/…/archive" data-poll="the vote's id">: a button, fields for the published fingerprint
     and for the digest on a receipt, sentences to show. */
  document.addEventListener('submit', function (event) {
    var form = event.target, out = form.querySelector('[data-out]');
    if (!form.hasAttribute('data-verify')) return;
    event.preventDefault();
    function say(good, words) {
      out.textContent = words;
      out.className = 'notice' + (good ? '' : ' warn');
      out.hidden = false;
    }
    say(true, form.getAttribute('data-working'));
    fetch(form.getAttribute('data-verify')).then(function (answer) { return answer.arrayBuffer(); }).then(function (raw) {
      var text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
      var archive = read(text), ballot = form.elements.ballot.value.trim();
      return verify(archive, form.elements.fingerprint.value, form.getAttribute('data-poll')).then(function (found) {
        if (ballot) found.own = own(archive, ballot);
        return found;
      });
    }).then(function (found) {
      var count = found.count, why = found.annulled, mine = found.own ? form.getAttribute('data-own-' + found.own) : '';
      if (why) {
        say(false, form.getAttribute('data-good') + mine + form.getAttribute('data-annulled') + why.reason + ' · ' + why.authority + ' · ' + found.fingerprint);
        return;
      }
      var standing = found.standing ? form.getAttribute('data-' + found.standing) || '' : '';
      say(found.standing !== 'overturned' && found.own !== 'void', form.getAttribute('data-good') + mine + standing + form.getAttribute('data-counts')
        .replace('%E', count.on_roll).replace('%P', count.present).replace('%Y', count.yes).replace('%N', count.no)
        .replace('%A', count.abstain).replace('%I', count.invalid).replace('%F', found.fingerprint));
    }).catch(function (error) {
      var told = error instanceof Wrong && form.querySelector('[data-word="' + error.word + '"]');
      say(false, told ? told.textContent : form.getAttribute('data-broken'));
    });
  });
})(typeof self === 'undefined' ? globalThis : self);
