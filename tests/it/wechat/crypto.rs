//! Ciphers and signatures: vectors of ours, vectors of others, and another implementation both ways.
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use liusheng::gateways::{
    sms::{acs3, tc3},
    wechat::crypto::{CallbackKey, is_signed, js_signature, open_mini, sha1_hex, signature},
    wechat::inbound::Envelope,
};
use serde_json::{Value, json};

/// Vectors of others, each with where it is from.
const CALLBACKS: &str = include_str!("../../data/wechat/callback_crypto_vectors.json");
const SIGNATURES: &str = include_str!("../../data/wechat/signature_vectors.json");
const SMS: &str = include_str!("../../data/wechat/sms_signature_vectors.json");
const MESSAGES: &str = include_str!("../../data/wechat/inbound_messages.json");

fn read(vectors: &str) -> Value {
    serde_json::from_str(vectors).unwrap()
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Invented for this test; the ciphertext was made by another implementation (Python `cryptography`).
#[test]
fn our_own_vectors_hold() {
    let ours = read(include_str!("../../data/wechat/callback.json"));
    for one in ours.as_array().unwrap() {
        let key = CallbackKey::read(word(one, "key"), word(one, "appid")).unwrap();
        assert_eq!(key.open(word(one, "encrypt")).as_deref(), Some(word(one, "message")));
        let random: [u8; 16] = word(one, "random").as_bytes().try_into().unwrap();
        assert_eq!(key.close(word(one, "message"), random), word(one, "encrypt"));
        let parts = [word(one, "token"), word(one, "timestamp"), word(one, "nonce"), word(one, "encrypt")];
        assert!(is_signed(&parts, word(one, "msg_signature")));
        assert!(!is_signed(&parts, &word(one, "msg_signature").replacen('a', "b", 1)));
    }
    let js = js_signature("ticket", "nonce", 1_600_000_000, "https://cun.example/speak?from=timeline");
    assert_eq!(
        js,
        sha1_hex(
            b"jsapi_ticket=ticket&noncestr=nonce&timestamp=1600000000&url=https://cun.example/speak?from=timeline"
        )
    );
}

#[test]
fn every_fault_of_a_ciphertext_is_refused_alike() {
    let key = CallbackKey::read(super::KEY, "wx1").unwrap();
    let good = key.close("<xml>路灯</xml>", *b"0123456789abcdef");
    assert_eq!(key.open(&good).as_deref(), Some("<xml>路灯</xml>"));
    let bytes = STANDARD.decode(&good).unwrap();
    let mut bad: Vec<String> =
        vec![String::new(), "!".to_owned(), "AAAA".to_owned(), STANDARD.encode(&bytes[..bytes.len() - 1])];
    bad.push(STANDARD.encode(&bytes[..16]));
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 0x80;
        let opened = key.open(&STANDARD.encode(&bent));
        // a bit within the sixteen random bytes or the words is for the signature to find
        assert!(opened.is_none_or(|text| text != "<xml>路灯</xml>" || at < 16), "{at}");
    }
    for sealed in bad {
        assert_eq!(key.open(&sealed), None, "{sealed}");
    }
    let other = CallbackKey::read(super::KEY, "wx2").unwrap();
    assert_eq!(other.open(&good), None, "for another account");
    for no_key in ["", "short", &"A".repeat(44), "abcdefghijklmnopqrstuvwxyz0123456789ABCDE!!"] {
        assert!(CallbackKey::read(no_key, "wx1").is_none(), "{no_key}");
    }
}

#[test]
fn vectors_of_others_hold() {
    let told = read(CALLBACKS);
    let mut opened = 0;
    for one in told["vectors"].as_array().unwrap() {
        let id = word(one, "id");
        let key =
            CallbackKey::read(word(one, "encoding_aes_key"), word(one, "app_id")).unwrap_or_else(|| panic!("{id}"));
        let parts = [word(one, "token"), word(one, "timestamp"), word(one, "nonce"), word(one, "encrypt")];
        let is_negative = one["checks"]["msg_sig_ok"] == false;
        if !word(one, "msg_signature").is_empty() {
            assert_eq!(is_signed(&parts, word(one, "msg_signature")), !is_negative, "{id}");
        }
        if is_negative {
            continue;
        }
        let text = key.open(word(one, "encrypt")).unwrap_or_else(|| panic!("{id}: not opened"));
        if !word(one, "plaintext").is_empty() {
            assert_eq!(text, word(one, "plaintext"), "{id}");
        }
        if let Ok(random) = word(one, "random16").as_bytes().try_into() {
            assert_eq!(key.close(&text, random), word(one, "encrypt"), "{id}");
        }
        opened += 1;
    }
    assert!(opened >= 5, "{opened}");
}

#[test]
fn signatures_of_others_hold() {
    let told = read(SIGNATURES);
    for one in told.as_array().unwrap() {
        let (id, wanted) = (word(one, "id"), word(one, "expected"));
        match word(one, "kind") {
            "callback_signature" => {
                assert_eq!(
                    signature(&[word(one, "token"), word(one, "timestamp"), word(one, "nonce")]),
                    wanted,
                    "{id}"
                );
            }
            "jsapi_signature" => {
                let at = one["timestamp"].as_i64().unwrap();
                assert_eq!(
                    js_signature(word(one, "ticket"), word(one, "noncestr"), at, word(one, "url")),
                    wanted,
                    "{id}"
                );
            }
            kind if kind.starts_with("wxa_rawdata") => {
                let both = format!("{}{}", word(one, "raw_data"), word(one, "session_key"));
                assert_eq!(sha1_hex(both.as_bytes()), wanted, "{id}");
            }
            _ => {
                let (key, iv, sealed) = (word(one, "session_key"), word(one, "iv"), word(one, "encrypted_data"));
                let opened = open_mini(key, iv, sealed, wanted).unwrap();
                assert_eq!(opened, serde_json::from_str::<Value>(word(one, "plaintext")).unwrap(), "{id}");
                assert!(open_mini(key, iv, sealed, "wx0000000000000000").is_none(), "for another account");
            }
        }
    }
    let sms = read(SMS);
    let (aliyun, tencent) = (&sms[0], &sms[1]);
    let signed: Vec<_> = aliyun["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let key = (word(aliyun, "access_key_id"), word(aliyun, "access_key_secret"));
    let by_us = acs3(key, ("POST", "/", word(aliyun, "query")), &signed, "");
    assert!(by_us.ends_with(&format!("Signature={}", word(aliyun, "signature"))), "{by_us}");
    let at = chrono::DateTime::from_timestamp(tencent["timestamp"].as_i64().unwrap(), 0).unwrap();
    let key = (word(tencent, "secret_id"), word(tencent, "secret_key"));
    let by_us = tc3(key, (word(tencent, "host"), word(tencent, "service")), at, word(tencent, "payload"));
    assert!(by_us.ends_with(&format!("Signature={}", word(tencent, "signature"))), "{by_us}");
}

#[test]
fn messages_of_others_are_read() {
    let told = read(MESSAGES);
    for one in told.as_array().unwrap() {
        let body = one["body"].as_str().map_or_else(|| one["body"].to_string(), str::to_owned);
        let envelope = Envelope::read(&body).unwrap_or_else(|| panic!("{}", word(one, "name")));
        let message = envelope.message();
        assert!(message.is_some() || envelope.encrypted.is_some(), "{}", word(one, "name"));
    }
}

/// A small generator, so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn text(&mut self, length: usize) -> String {
        const ALL: [char; 12] = ['a', 'Z', '0', '村', '路', '灯', '🙂', '\n', '<', '&', '"', '𠮷'];
        (0..length).map(|_| ALL[self.below(ALL.len())]).collect()
    }

    fn letters(&mut self, length: usize) -> String {
        const ALL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(ALL[self.below(ALL.len())])).collect()
    }
}

#[test]
fn another_implementation_opens_what_we_seal_and_we_what_it_seals() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let python = folder.join(".venv/bin/python");
    let has_peer =
        || Command::new(&python).args(["-c", "import wechatpy"]).output().is_ok_and(|it| it.status.success());
    if !python.exists() || !has_peer() {
        eprintln!("skipped: tests/run.sh makes tests/clients/.venv with wechatpy");
        return;
    }
    let mut peer = Command::new(&python)
        .arg(folder.join("wechat_peer.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to, mut from) = (peer.stdin.take().unwrap(), BufReader::new(peer.stdout.take().unwrap()).lines());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for turn in 0..200_usize {
        let (token, appid, encoding_key) = (dice.letters(12), format!("wx{}", dice.letters(16)), dice.letters(43));
        let key = CallbackKey::read(&encoding_key, &appid).unwrap();
        let length = [0, 1, 15, 16, 17, 31, 32, 33, 500, 6000][turn % 10] + dice.below(20);
        let (message, answer) = (dice.text(length), dice.text(dice.0 as usize % 300));
        let (timestamp, nonce) = (format!("{}", 1_700_000_000 + turn), dice.letters(10));
        let random: [u8; 16] = dice.letters(16).into_bytes().try_into().unwrap();
        let encrypt = key.close(&message, random);
        let told = json!({
            "token": token, "key": encoding_key, "appid": appid, "encrypt": encrypt, "answer": answer,
            "timestamp": timestamp, "nonce": nonce,
            "msg_signature": signature(&[&token, &timestamp, &nonce, &encrypt]),
            "signature": signature(&[&token, &timestamp, &nonce]),
        });
        writeln!(to, "{told}").unwrap();
        let said: Value = serde_json::from_str(&from.next().unwrap().unwrap()).unwrap();
        assert_eq!(said["opened"].as_str().unwrap(), message, "turn {turn}");
        let sealed = word(&said, "sealed");
        let part = |name: &str| {
            let rest = sealed.split(&format!("<{name}><![CDATA[")).nth(1).unwrap_or_else(|| panic!("{sealed}"));
            rest.split("]]>").next().unwrap().to_owned()
        };
        let (by_peer, its_signature) = (part("Encrypt"), part("MsgSignature"));
        assert!(is_signed(&[&token, &timestamp, &nonce, &by_peer], &its_signature), "turn {turn}");
        assert_eq!(key.open(&by_peer).unwrap(), answer, "turn {turn}");
    }
    drop(to);
    peer.wait().unwrap();
    println!("200 of 200 both ways");
}
