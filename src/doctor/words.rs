//! The English half of what is found; the Chinese half is in `web/text`.

/// By code; blanks stand in braces.
const ENGLISH: &[(&str, &str)] = &[
    ("folder_well", "the data directory {folder} can be written; {free} MiB are free"),
    ("folder_unwritable", "the data directory {folder} cannot be written: {error}; check its owner and mount"),
    ("folder_full", "only {free} MiB are free on the disk of {folder}: writes will be refused; free space now"),
    ("folder_tight", "only {free} MiB are free on the disk of {folder}: plan for more"),
    ("media_well", "the folder of photos and clips {folder} can be written"),
    ("media_unwritable", "the folder of photos and clips {folder} cannot be written: {error}"),
    (
        "bucket_well",
        "the bucket of photos and clips {bucket} keeps, lists, gives and takes away, and strangers are refused",
    ),
    ("bucket_public", "the bucket {bucket} gives its files to anybody: make it private at once"),
    ("bucket_plain", "the bucket {bucket} is asked over http://: networks on the way see requests and signatures"),
    ("bucket_bad", "the bucket of photos and clips {bucket} cannot be used: {error}"),
    ("keys_well", "the key file is there and private"),
    ("keys_missing", "there is no key file {file}: the first start makes one; after that, missing means lost"),
    ("keys_bad", "the key file cannot be used: {error}"),
    ("database_well", "the database answers, its schema is the newest, no damage was found"),
    ("database_missing", "there is no database yet: run `liusheng migrate` or start the server"),
    ("database_unreachable", "the database cannot be opened: {error}"),
    ("database_damaged", "the database is damaged: {error}; stop, keep the files, restore the newest backup"),
    ("schema_behind", "{count} steps of the schema are missing: run `liusheng migrate`"),
    ("schema_ahead", "the database was made by a newer program: install that one"),
    ("database_unsafe", "the database is set up unsafely, the server would not start: {doubt}"),
    ("events_ahead", "the newest event is {secs} s in the future: this machine's clock was set back"),
    ("relay_behind", "{count} events wait to be relayed: is a server with the role relay running?"),
    ("clock_well", "the clock is plausible: {time}"),
    ("clock_wrong", "the clock says {time}, which cannot be: set up time synchronisation"),
    ("keys_other", "the key file is not the one that this database was made with: it lacks {ids}"),
    ("keys_gone", "the database is full and its key file is gone: put it back before anything else"),
    ("calendar_bad", "the working-day calendar cannot be read, the server would not start: {error}"),
    ("calendar_short", "the working-day calendar does not know {year}: deadlines there miss the holidays"),
    ("redis_unused", "no Redis is set up: fine for one process, not for several"),
    ("redis_well", "Redis {version} answers"),
    ("redis_unreachable", "Redis cannot be reached: everything works, but more slowly"),
    ("redis_old", "Redis {version} is older than 7.0, which the doorbells need"),
    ("redis_evicts", "Redis forgets under memory pressure (maxmemory-policy {policy}): set noeviction"),
    ("sms_none", "no SMS provider: nobody can log in by phone"),
    ("sms_file", "one-time codes go to a file: for trials only"),
    ("sms_well", "the SMS provider knows the key"),
    (
        "sms_refused",
        "the SMS provider refuses the key or the signature: check sms_key_id, its secret and sms_sign_name",
    ),
    ("sms_unreachable", "the SMS provider does not answer: is the way out open?"),
    ("wechat_well", "WeChat knows the account"),
    (
        "wechat_refused",
        "WeChat refuses the account with {code}: 40013 and 40125 are id and secret, 40164 the IP whitelist",
    ),
    ("wechat_unreachable", "WeChat does not answer: is the way out open?"),
    ("wechat_no_callback", "wechat_token is not set: nothing that people send to the account arrives"),
    (
        "wechat_mini_no_callback",
        "wechat_mini_token is not set: consents are believed as the Mini Program tells them, one at a time",
    ),
    ("providers_bad", "a provider's setting cannot be used, the server would not start: {error}"),
    ("speech_well", "the speech command says a sentence"),
    ("speech_bad", "the speech command says nothing that can be heard: {error}; try it by hand"),
    ("ffmpeg_well", "ffmpeg makes AMR what every phone plays"),
    ("ffmpeg_bad", "ffmpeg does not make AMR what every phone plays: {error}; try it by hand"),
    ("public_url_none", "public_url is not set: links in messages and the secure cookie need it"),
    ("public_url_plain", "public_url is not https: passwords and voices travel in the open"),
    ("public_url_well", "{url} answers"),
    ("public_url_unreachable", "{url} does not answer: is the server started, are proxy and certificate right?"),
];

/// The sentence of a code.
pub(super) fn english(code: &str) -> &'static str {
    ENGLISH.iter().find(|(known, _)| *known == code).map_or("", |(_, sentence)| sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_said_in_both_languages_with_the_same_blanks() {
        let parts = include_str!("parts.rs");
        for (code, sentence) in ENGLISH {
            let key = format!("doctor-{}", code.replace('_', "-"));
            assert!(crate::text::knows(&key), "{key}");
            let blanks: Vec<_> = sentence.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            let filled: Vec<_> = blanks.iter().map(|name| (*name, "X".into())).collect();
            assert!(!crate::text::say_with(&key, &filled).contains("{$"), "{key}");
            assert!(parts.contains(&format!("\"{code}\"")), "{code} is found by nobody");
        }
    }
}
