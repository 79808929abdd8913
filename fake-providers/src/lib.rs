//! Providers that are not there: WeChat (token, log-in, messages, media, callbacks) and two SMS providers, with every way in
//! which the real ones fail. State in memory; a control plane under `/_ctl`. Shares no code with the product: what both
//! compute, they compute on their own.
mod faults;
mod messages;
mod push;
mod sms;
mod wechat;
pub mod world;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    middleware,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::{
    push::{Answered, Call, Mode, seal},
    world::{Fault, World},
};

/// What every handler has.
pub type Shared = Arc<World>;

/// A running fake; ends with this value.
pub struct Fake {
    /// What it knows and remembers.
    pub world: Shared,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Fake {
    /// Starts on a free port of this machine.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_at("127.0.0.1:0").await
    }

    /// Starts at this address.
    ///
    /// # Errors
    /// When it is taken.
    pub async fn start_at(address: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let world = Arc::new(World::new());
        let router = router(Arc::clone(&world));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("fake providers: {error}");
            }
        });
        Ok(Self { world, address, serving })
    }

    /// Base address of all of them.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn router(world: Shared) -> Router {
    Router::new()
        .merge(wechat::routes())
        .merge(messages::routes())
        .merge(sms::routes())
        .layer(middleware::from_fn_with_state(Arc::clone(&world), faults::inject))
        .route("/_ctl/fault", post(fault))
        .route("/_ctl/pass", post(pass))
        .route("/_ctl/user", post(user))
        .route("/_ctl/deliver", post(push::deliver))
        .route("/_ctl/state", get(state))
        .with_state(world)
}

/// `{"path","mode","times"}`: see [`Fault`].
async fn fault(State(world): State<Shared>, Json(told): Json<Value>) -> Json<Value> {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let times = told["times"].as_u64().and_then(|times| usize::try_from(times).ok()).unwrap_or(1);
    let known = Fault::parse(&text("mode")).map(|mode| world.fail(&text("path"), mode, times)).is_some();
    Json(json!({ "ok": known }))
}

/// `{"secs"}`: time goes by for tokens, codes, media and windows.
async fn pass(State(world): State<Shared>, Json(told): Json<Value>) -> Json<Value> {
    world.pass(told["secs"].as_i64().unwrap_or(0));
    Json(json!({ "ok": true }))
}

/// `{"openid","follows","credits":{"T":1},"said":true}`.
async fn user(State(world): State<Shared>, Json(told): Json<Value>) -> Json<Value> {
    let openid = told["openid"].as_str().unwrap_or_default();
    world.user(openid, |user| {
        user.follows = told["follows"].as_bool().unwrap_or(user.follows);
        for (template, count) in told["credits"].as_object().into_iter().flatten() {
            user.credits.insert(template.clone(), count.as_u64().unwrap_or(0));
        }
    });
    if told["said"] == true {
        world.said(openid);
    }
    Json(json!({ "ok": true }))
}

async fn state(State(world): State<Shared>) -> Json<Value> {
    Json(world.report())
}
