//! Messages as WeChat sends them, bent ones, and what must not be read at all.
use super::*;
use crate::fuzz::{Food, feed};

fn message(body: &str) -> Inbound {
    Envelope::read(body).unwrap().message().unwrap()
}

fn xml_of(inner: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o-A_1]]></FromUserName>\
         <CreateTime>1700000000</CreateTime>{inner}</xml>"
    )
}

#[test]
fn messages_are_read_from_both_formats() {
    let text = xml_of(
        "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[路灯 <b> ]]></Content><MsgId>23489723489723489</MsgId>",
    );
    let read = message(&text);
    assert_eq!(read.said, Said::Text { text: "路灯 <b>".to_owned() });
    let json = r#"{"FromUserName":"o-A_1","CreateTime":1700000009,"MsgType":"text","Content":"路灯 <b>","MsgId":23489723489723489}"#;
    assert_eq!(message(json).key, read.key, "one id, whatever the format, beyond what a float can hold");
    let other = text.replace("23489723489723489", "23489723489723490");
    assert_ne!(message(&other).key, read.key, "neighbouring ids are two messages");
    let voice = message(&xml_of("<MsgType>voice</MsgType><MediaId>m1</MediaId><Format>amr</Format><MsgID>1</MsgID>"));
    assert_eq!(voice.said, Said::Voice { media_id: "m1".to_owned(), heard: String::new() });
    let place = message(&xml_of(
        "<MsgType>location</MsgType><Location_X>30.5</Location_X><Location_Y>120.1</Location_Y><Label>村口&amp;桥</Label><MsgId>2</MsgId>",
    ));
    assert_eq!(place.said, Said::Place { label: "村口&桥".to_owned(), at: "30.5,120.1".to_owned() });
    let link = message(&xml_of(
        "<MsgType>link</MsgType><Title>停水</Title><Description></Description><Url>https://x.example/1</Url><MsgId>3</MsgId>",
    ));
    assert_eq!(link.said, Said::Text { text: "停水\nhttps://x.example/1".to_owned() });
    for film in ["video", "shortvideo"] {
        let inner =
            format!("<MsgType>{film}</MsgType><MediaId>m2</MediaId><ThumbMediaId>t</ThumbMediaId><MsgId>4</MsgId>");
        assert_eq!(message(&xml_of(&inner)).said, Said::Film);
    }
}

#[test]
fn events_are_known_whatever_their_case() {
    let event = |inner: &str| message(&xml_of(&format!("<MsgType>event</MsgType>{inner}"))).said;
    let scene = Some("v:330521103202".to_owned());
    assert_eq!(event("<Event>subscribe</Event><EventKey>qrscene_v:330521103202</EventKey>"), Said::Subscribe { scene });
    assert_eq!(event("<Event>subscribe</Event><EventKey></EventKey>"), Said::Subscribe { scene: None });
    assert_eq!(event("<Event>SCAN</Event><EventKey>v:1</EventKey>"), Said::Scan { scene: "v:1".to_owned() });
    assert_eq!(event("<Event>UnSubscribe</Event>"), Said::Unsubscribe);
    assert_eq!(event("<Event>card_pass_check</Event>"), Said::Other { name: "card_pass_check".to_owned() });
    let popup = |items: &str| {
        event(&format!(
            "<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent>{items}</SubscribeMsgPopupEvent>"
        ))
    };
    let item = |id: &str, told: &str| {
        format!("<List><TemplateId>{id}</TemplateId><SubscribeStatusString>{told}</SubscribeStatusString></List>")
    };
    let one = Said::Consent { templates: vec![("T1".to_owned(), true)], is_change: false };
    assert_eq!(popup(&item("T1", "accept")), one);
    let two = Said::Consent { templates: vec![("T1".to_owned(), true), ("T2".to_owned(), false)], is_change: false };
    assert_eq!(popup(&(item("T1", "accept") + &item("T2", "reject"))), two);
    let json = |list: &str| {
        let body = format!(
            r#"{{"FromUserName":"o1","CreateTime":"1","MsgType":"event","Event":"subscribe_msg_popup_event","List":{list}}}"#
        );
        message(&body).said
    };
    let listed = r#"{"TemplateId":"T1","SubscribeStatusString":"accept"}"#;
    assert_eq!(json(listed), one, "a list of one may come as the one");
    assert_eq!(json(&format!("[{listed}]")), one);
    let sent = event("<Event>TEMPLATESENDJOBFINISH</Event><MsgID>200163836</MsgID><Status>failed:user block</Status>");
    assert_eq!(sent, Said::Result { msgid: "200163836".to_owned(), status: "failed:user block".to_owned() });
}

#[test]
fn an_event_is_told_from_another_by_who_when_and_what() {
    let event = |at: &str, key: &str| {
        message(
            &xml_of(&format!("<MsgType>event</MsgType><Event>SCAN</Event><EventKey>{key}</EventKey>"))
                .replace("1700000000", at),
        )
        .key
    };
    assert_eq!(event("1", "a"), event("1", "a"));
    assert_ne!(event("1", "a"), event("2", "a"));
    assert_ne!(event("1", "a"), event("1", "b"));
    assert!(!event("1", "a").contains("o-A_1"));
}

#[test]
fn what_could_harm_is_not_read() {
    let doctype =
        "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><FromUserName>o1</FromUserName></xml>";
    let entity = "<xml><FromUserName>&x;</FromUserName></xml>";
    let deep = format!("{}{}", "<a>".repeat(50), "</a>".repeat(50));
    let many = format!("<xml>{}</xml>", "<a/>".repeat(5000));
    let pi = "<?php x ?><xml><FromUserName>o1</FromUserName></xml>";
    let deep_json = format!("{{\"a\":{}{}}}", "[".repeat(60), "]".repeat(60));
    for body in [doctype, entity, &deep, &many, pi, &deep_json, "", "x", "<xml>", "[]", "<xml></xml><xml></xml>"] {
        assert!(Envelope::read(body).and_then(|read| read.message()).is_none(), "{body:.60}");
    }
    let strange = xml_of("<MsgType>text</MsgType>").replace("o-A_1", "o 1<x>");
    assert!(Envelope::read(&strange).is_none_or(|read| read.message().is_none()), "an openid is letters and digits");
}

#[test]
fn bent_bodies_never_break_the_reader() {
    let seeds = vec![
        xml_of("<MsgType><![CDATA[text]]></MsgType><Content>&#36335;&lt;</Content><MsgId>1</MsgId>").into_bytes(),
        br#"{"FromUserName":"o1","MsgType":"event","Event":"subscribe_msg_popup_event","List":[{"TemplateId":"T"}]}"#
            .to_vec(),
    ];
    let words =
        ["<![CDATA[", "]]>", "&#x0;", "&#1114112;", "&amp;", "<!DOCTYPE", "<?xml?>", "\"List\":", "null", "</xml>"];
    feed(&Food { name: "wechat_inbound", seeds, words: &words, longest: 2000 }, |bytes| {
        if let Some(read) = Envelope::read(&String::from_utf8_lossy(bytes))
            && let Some(message) = read.message()
        {
            assert_eq!(message.key.len(), 40);
        }
    });
}
