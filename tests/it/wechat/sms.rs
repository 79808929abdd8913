//! Both SMS providers, their receipts, spoken codes, and the loudspeaker.
use fake_providers::{Fake, Fault, world};
use liusheng::{
    config::{Config, SmsProvider},
    gateways::{Address, Letter, Outcome, sms::SmsNotice},
};
use serde_json::json;

use crate::support::{Somebody, TestApp, Village, answer, count, monday};

fn set_up(config: &mut Config, fake: &Fake, provider: SmsProvider) {
    config.sms_provider = provider;
    config.sms_api_base = fake.url();
    config.sms_voice_api_base = fake.url();
    config.sms_key_id = world::SMS_ID.to_owned();
    config.sms_key_secret = world::SECRET.to_owned();
    config.sms_sign_name = "东衡村".to_owned();
    config.sms_app_id = "1400006666".to_owned();
    config.sms_templates = "code SMS_1 code; notice SMS_2 title time; phone_bound SMS_3".to_owned();
    config.sms_voice_template = "TTS_1".to_owned();
    config.sms_receipt_key = "canary-receipt-key".to_owned();
    config.loudspeaker_url = format!("{}/loudspeaker", fake.url());
    config.loudspeaker_secret = "0123456789abcdef".to_owned();
}

fn notice() -> Letter {
    Letter {
        id: "0197a000-0000-7000-8000-000000000001".to_owned(),
        template: "notice".to_owned(),
        text: "各位村民：明天停水。详情 http://cun.example/1".to_owned(),
        blanks: vec![("title", "停水 http://cun.example/1".to_owned()), ("time", "明天9:00".to_owned())],
        ..Letter::default()
    }
}

#[tokio::test]
async fn both_providers_take_signed_messages_by_template() {
    for (provider, name, speaks) in [
        (SmsProvider::Aliyun, "aliyun SendSms", "aliyun SingleCallByTts"),
        (SmsProvider::Tencent, "tencent SendSms", "tencent SendCodeVoice"),
    ] {
        let fake = Fake::start().await.unwrap();
        let app = TestApp::start_with(monday(), |config| set_up(config, &fake, provider)).await;
        let _village = Village::found(&app).await;
        let (sms, phone) = (&app.app.gateways.sms, "19500000007".to_owned());
        sms.check().await.unwrap();
        // a log-in goes through it, written and spoken
        for (spoken, path) in [(false, name), (true, speaks)] {
            let asked = json!({ "phone": phone, "spoken": spoken });
            assert_eq!(answer(app.http.post(app.url("/v1/login/codes")).json(&asked)).await.status, 202);
            for _ in 0..200 {
                if !fake.world.sent(path).is_empty() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            assert_eq!(fake.world.sent(path).len(), 1, "{path}");
            app.pass(chrono::TimeDelta::minutes(2)).await;
        }
        let to = Address::Phone(phone.clone());
        let end = app.app.gateways.send(&to, &notice(), app.app.now()).await;
        assert_eq!(end.word(), "sent", "{end:?}");
        let told = fake.world.sent(name).last().unwrap().body.to_string();
        assert!(told.contains("SMS_2") && told.contains("停水") && !told.contains("cun.example"), "{told}");
        sms.send_notice(&phone, SmsNotice::PhoneBound).await.unwrap();
        assert!(sms.send_notice(&phone, SmsNotice::ClaimRefused).await.is_err(), "no template, no message");
        // what it says no to
        let bad = app.app.gateways.send(&Address::Phone("12".into()), &notice(), app.app.now()).await;
        assert_eq!(bad, Outcome::AddressOff { status: 0, why: "bad_address" });
        let (limit, hour) = if provider == SmsProvider::Aliyun {
            ("isv.BUSINESS_LIMIT_CONTROL", 3600)
        } else {
            ("LimitExceeded.PhoneNumberOneHourLimit", 3600)
        };
        fake.world.fail("/", Fault::Sms(limit.to_owned()), 1);
        let later = app.app.gateways.send(&to, &notice(), app.app.now()).await;
        assert_eq!(later, Outcome::TryAgain { status: 0, after_secs: Some(hour) });
        fake.world.fail("/", Fault::Html502, 1);
        assert_eq!(app.app.gateways.send(&to, &notice(), app.app.now()).await, Outcome::Unknown);
        // the loudspeaker hears spoken words
        let played = app.app.gateways.send(&Address::Village("330521103202".into()), &notice(), app.app.now()).await;
        assert_eq!(played.word(), "sent");
        let script = &fake.world.sent("/loudspeaker")[0].body;
        assert_eq!(script["text"], "各位村民：明天停水。详情");
        assert_eq!((&script["village_code"], &script["volume"]), (&json!("330521103202"), &json!(80)));
        assert!(script.get("audio_url").is_none(), "nobody has read it out");
        app.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_key_stops_the_channel_and_receipts_need_theirs() {
    let fake = Fake::start().await.unwrap();
    let app = TestApp::start_with(monday(), |config| {
        set_up(config, &fake, SmsProvider::Tencent);
        config.sms_key_secret = "another".to_owned();
    })
    .await;
    let to = Address::Phone("19500000007".to_owned());
    let end = app.app.gateways.send(&to, &notice(), app.app.now()).await;
    assert_eq!(end, Outcome::Broken { status: 0, why: "account", after_secs: 3600 });
    assert_eq!(app.app.gateways.sms.check().await, Err("refused"));
    // receipts
    let village = Village::found(&app).await;
    let hook = json!({ "url": format!("{}/loudspeaker", fake.url()) });
    village.chair.post(&format!("/v1/areas/{}/webhooks", village.area), hook).await.ok();
    let receipt = |id: &str| json!([{ "success": true, "out_id": id, "biz_id": "b1", "phone_number": "19500000007" }]);
    let post = async |key: &str, body: serde_json::Value| {
        answer(app.http.post(app.url(&format!("/sms/receipts/{key}"))).json(&body)).await
    };
    assert_eq!(post("wrong", receipt("x")).await.status, 403);
    assert_eq!(post("canary-receipt-key", json!({})).await.status, 400);
    let known = post("canary-receipt-key", receipt("x")).await.ok();
    assert_eq!(known["code"], 0);
    let unknown = receipt("0197a000-0000-7000-8000-000000000001");
    post("canary-receipt-key", unknown).await.ok();
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM attempts WHERE outcome = 'arrived'").await, 0);
    let _ = Somebody::signed_in(&app, village.chair.person).await;
    app.stop().await;
}
