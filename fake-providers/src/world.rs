//! What the fakes know and remember.
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde_json::{Value, json};

/// The one account of each kind.
pub const OFFICIAL: &str = "wx0000000000000001";
/// The Mini Program.
pub const MINI: &str = "wx0000000000000002";
/// The secret of both, and of the SMS key.
pub const SECRET: &str = "fake-secret";
/// The id of the SMS key.
pub const SMS_ID: &str = "fake-id";

/// How a call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This `errcode`.
    Code(i64),
    /// Waits so many milliseconds, then answers.
    Delay(u64),
    /// Never answers.
    Hang,
    /// Breaks off within the answer.
    Reset,
    /// A page of nginx.
    Html502,
    /// 200 and nothing.
    Empty,
    /// An answer in another encoding.
    Gbk,
    /// Half of an answer.
    Truncated,
    /// 500.
    Http500,
    /// Does it, then breaks off.
    DupAccept,
    /// A body that comes a byte at a time.
    Slow,
    /// An SMS provider's code.
    Sms(String),
}

impl Fault {
    /// Reads `busy`, `expired`, `badcred`, `quota`, `code:N`, `delay:ms`, `sms:Code`, `hang`, `reset`, ….
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.split_once(':') {
            Some(("code", number)) => Self::Code(number.parse().ok()?),
            Some(("delay", millis)) => Self::Delay(millis.parse().ok()?),
            Some(("sms", code)) => Self::Sms(code.to_owned()),
            Some(_) => return None,
            None => match text {
                "busy" => Self::Code(-1),
                "expired" => Self::Code(42001),
                "badcred" => Self::Code(40001),
                "quota" => Self::Code(45009),
                "hang" => Self::Hang,
                "reset" => Self::Reset,
                "html502" => Self::Html502,
                "empty200" => Self::Empty,
                "gbk" => Self::Gbk,
                "truncated_json" => Self::Truncated,
                "http500" => Self::Http500,
                "dup_accept" => Self::DupAccept,
                "slow" => Self::Slow,
                _ => return None,
            },
        })
    }
}

/// Somebody who may follow.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// Follows the account.
    pub follows: bool,
    /// Sends that were consented to.
    pub credits: HashMap<String, u64>,
    /// Consented for ever.
    pub long: HashSet<String>,
    /// Has switched messages off.
    pub refuses: bool,
    window_until: i64,
    window_left: u32,
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Which interface.
    pub path: String,
    /// To whom: an openid or a number.
    pub to: String,
    /// All of it.
    pub body: Value,
    /// What WeChat calls it; 0 for SMS.
    pub id: u64,
}

pub(crate) struct OneCode {
    pub(crate) openid: String,
    pub(crate) until: i64,
    pub(crate) is_used: bool,
    pub(crate) is_snapshot: bool,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) tokens: HashMap<String, (String, i64)>,
    pub(crate) newest: HashMap<String, String>,
    pub(crate) users: HashMap<String, User>,
    pub(crate) codes: HashMap<String, OneCode>,
    pub(crate) phones: HashMap<String, String>,
    pub(crate) media: HashMap<String, (Vec<u8>, i64)>,
    pub(crate) templates: HashMap<String, Vec<String>>,
    pub(crate) quota: HashMap<String, i64>,
    pub(crate) busy: HashSet<String>,
    pub(crate) named: HashMap<String, u64>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) menus: Vec<Value>,
    faults: Vec<(String, Fault, usize)>,
    calls: HashMap<String, usize>,
    passed: i64,
    next: u64,
    pub(crate) allows_ip: bool,
}

/// Everything, behind one lock that is never held over an await.
pub struct World {
    inner: Mutex<Inner>,
    began: Instant,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Nobody follows, nothing was sent.
    #[must_use]
    pub fn new() -> Self {
        Self { inner: Mutex::new(Inner { allows_ip: true, ..Inner::default() }), began: Instant::now() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds, as this world counts them.
    #[must_use]
    pub fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_secs()).unwrap_or(0) + self.lock().passed
    }

    /// Time goes by.
    pub fn pass(&self, secs: i64) {
        self.lock().passed += secs;
    }

    /// The next calls of a path fail like this.
    pub fn fail(&self, path: &str, fault: Fault, times: usize) {
        self.lock().faults.push((path.to_owned(), fault, times));
    }

    /// What was to fail there fails no more.
    pub fn heal(&self, path: &str) {
        self.lock().faults.retain(|(known, ..)| known != path);
    }

    pub(crate) fn called(&self, path: &str) -> Option<Fault> {
        let mut inner = self.lock();
        *inner.calls.entry(path.to_owned()).or_default() += 1;
        let found = inner.faults.iter_mut().find(|(known, _, left)| known == path && *left > 0)?;
        found.2 -= 1;
        Some(found.1.clone())
    }

    /// How often a path was called.
    #[must_use]
    pub fn calls(&self, path: &str) -> usize {
        self.lock().calls.get(path).copied().unwrap_or(0)
    }

    /// What arrived by a path, in order.
    #[must_use]
    pub fn sent(&self, path: &str) -> Vec<Sent> {
        self.lock().sent.iter().filter(|one| one.path == path).cloned().collect()
    }

    /// Changes what is known of somebody.
    pub fn user(&self, openid: &str, change: impl FnOnce(&mut User)) {
        change(self.lock().users.entry(openid.to_owned()).or_default());
    }

    /// Somebody said something: the window is open, with all its messages.
    pub fn said(&self, openid: &str) {
        let until = self.now() + 48 * 3600;
        self.user(openid, |user| {
            user.follows = true;
            user.window_until = until;
            user.window_left = 5;
        });
    }

    pub(crate) fn take_window(&self, openid: &str) -> Result<(), i64> {
        let now = self.now();
        let mut inner = self.lock();
        let user = inner.users.entry(openid.to_owned()).or_default();
        if user.refuses {
            return Err(48002);
        }
        if user.window_until <= now {
            return Err(45015);
        }
        if user.window_left == 0 {
            return Err(45047);
        }
        user.window_left -= 1;
        Ok(())
    }

    /// A template that exists, with its fields.
    pub fn template(&self, id: &str, fields: &[&str]) {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        self.lock().templates.insert(id.to_owned(), fields);
    }

    /// A file that somebody sent.
    pub fn put_media(&self, id: &str, bytes: &[u8]) {
        let until = self.now() + 3 * 86_400;
        self.lock().media.insert(id.to_owned(), (bytes.to_vec(), until));
    }

    /// Calls of an interface that are left today.
    pub fn quota(&self, path: &str, left: i64) {
        self.lock().quota.insert(path.to_owned(), left);
    }

    /// Is our address in the account's whitelist?
    pub fn allow_ip(&self, allow: bool) {
        self.lock().allows_ip = allow;
    }

    /// A code with which somebody comes back from the log-in; good once, for five minutes.
    #[must_use]
    pub fn code(&self, openid: &str, is_snapshot: bool) -> String {
        let (code, until) = (self.name("code"), self.now() + 300);
        let one = OneCode { openid: openid.to_owned(), until, is_used: false, is_snapshot };
        self.lock().codes.insert(code.clone(), one);
        code
    }

    /// A code for somebody's number; good once.
    #[must_use]
    pub fn phone_code(&self, phone: &str) -> String {
        let code = self.name("phone");
        self.lock().phones.insert(code.clone(), phone.to_owned());
        code
    }

    pub(crate) fn name(&self, what: &str) -> String {
        let mut inner = self.lock();
        inner.next += 1;
        format!("{what}{:06}", inner.next)
    }

    /// A number that no other message has.
    pub(crate) fn number(&self) -> u64 {
        let mut inner = self.lock();
        inner.next += 1;
        200_000_000 + inner.next
    }

    /// Menus that were put up.
    #[must_use]
    pub fn menus(&self) -> Vec<Value> {
        self.lock().menus.clone()
    }

    pub(crate) fn report(&self) -> Value {
        let inner = self.lock();
        let sent = inner.sent.iter().map(|one| json!({ "path": one.path, "to": one.to, "body": one.body }));
        json!({
            "calls": inner.calls,
            "sent": sent.collect::<Vec<_>>(),
            "users": inner.users.iter().map(|(openid, user)| (openid.clone(), json!({
                "follows": user.follows, "credits": user.credits, "window_left": user.window_left,
            }))).collect::<serde_json::Map<_, _>>(),
        })
    }
}
