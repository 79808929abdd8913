//! The fake providers, to be tried by hand: `cargo run -p fake-providers [ADDRESS]`.
use fake_providers::Fake;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let fake = Fake::start_at(&address).await?;
    let url = fake.url();
    println!(
        "fake providers at {url}\n\
         liusheng serve with:\n  LIUSHENG_WECHAT_API_BASE={url} LIUSHENG_WECHAT_OPEN_BASE={url}\n  \
         LIUSHENG_WECHAT_APPID=wx0000000000000001 LIUSHENG_WECHAT_SECRET=fake-secret LIUSHENG_WECHAT_TOKEN=fake-token\n  \
         LIUSHENG_WECHAT_CALLBACK_MODE=plain LIUSHENG_PUBLIC_URL=http://127.0.0.1:8080\n  \
         LIUSHENG_SMS_PROVIDER=aliyun LIUSHENG_SMS_API_BASE={url} LIUSHENG_SMS_KEY_ID=fake-id LIUSHENG_SMS_KEY_SECRET=fake-secret\n  \
         LIUSHENG_SMS_SIGN_NAME=fake LIUSHENG_SMS_TEMPLATES='code SMS_1 code'\n\
         log in as somebody: {url}/connect/oauth2/authorize?…&_openid=o1\n\
         what it knows: {url}/_ctl/state"
    );
    tokio::signal::ctrl_c().await
}
