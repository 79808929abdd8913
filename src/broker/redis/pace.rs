//! How often all processes together may do something: one bucket for each thing, kept by Redis and filled by its clock.
use redis::RedisResult;

use super::{
    Redis,
    line::{ANSWER_WITHIN, Line},
};

/// Takes up to so many from the bucket of so many a second, and says how many; less than nothing is put back. One that is
/// forgotten, or wiped, is a full one.
const TAKE: &str = r"
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local wanted, full = tonumber(ARGV[1]), tonumber(ARGV[2])
local known = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(known[1] or full), tonumber(known[2] or now)
left = math.min(full, left + math.max(0, now - at) * full)
local taken = math.min(wanted, math.floor(left))
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left - taken), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], 60)
return taken
";

impl Redis {
    pub(super) async fn take_of_all(&self, what: &str, wanted: i64, a_second: u32) -> RedisResult<i64> {
        let key = format!("ls:pace:{what}");
        let asking = |mut line: Line| async move {
            redis::cmd("EVAL").arg(TAKE).arg(1).arg(key).arg(wanted).arg(a_second).query_async(&mut line).await
        };
        self.shared.ask(ANSWER_WITHIN, asking).await
    }
}
