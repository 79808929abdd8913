//! Passwords of the desk: Argon2id, few at a time, because each takes 19 MiB and a fraction of a second.
use std::time::Duration;

use argon2::Argon2;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Semaphore;

use crate::{
    error::{Code, Error, Result},
    keys::same,
};

/// The memory is the process's, whoever signs in: hence a static.
static TURNS: Semaphore = Semaphore::const_new(2);
const TURN: Duration = Duration::from_secs(10);
const HASH: usize = 32;
const SALT: usize = 16;
/// Which parameters made a hash: Argon2id, version 19, m=19456, t=2, p=1.
const MADE_BY: &str = "argon2id-19456-2-1";

/// As it is kept: how it was made, salt, hash.
pub(super) async fn hash(password: &str) -> Result<String> {
    let mut salt = [0u8; SALT];
    SystemRandom::new().fill(&mut salt).map_err(|_| Error::broken("no randomness"))?;
    let hash = digest(password.to_owned(), salt.to_vec()).await?;
    Ok(format!("{MADE_BY}.{}.{hash}", URL_SAFE_NO_PAD.encode(salt)))
}

/// Is this the password? With nothing to compare it takes as long and is not.
pub(super) async fn fits(password: &str, kept: Option<&str>) -> Result<bool> {
    let parts: Vec<&str> = kept.unwrap_or_default().split('.').collect();
    let (salt, wanted) = match parts.as_slice() {
        [MADE_BY, salt, hash] => (URL_SAFE_NO_PAD.decode(salt).map_err(Error::broken)?, *hash),
        _ => (vec![0; SALT], ""),
    };
    Ok(same(wanted, &digest(password.to_owned(), salt).await?))
}

async fn digest(password: String, salt: Vec<u8>) -> Result<String> {
    let turn = tokio::time::timeout(TURN, TURNS.acquire()).await.map_err(|_| Code::Busy.after_secs(5))?;
    let turn = turn.map_err(Error::broken)?;
    let work = tokio::task::spawn_blocking(move || {
        // the turn ends with the work, not with the caller's patience
        let _turn = turn;
        let mut hash = [0u8; HASH];
        Argon2::default()
            .hash_password_into(password.as_bytes(), &salt, &mut hash)
            .map_err(|error| Error::broken(format!("argon2: {error}")))?;
        Ok(URL_SAFE_NO_PAD.encode(hash))
    });
    work.await.map_err(Error::broken)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let kept = hash("correct horse 1").await.unwrap();
        assert!(!kept.contains("horse"));
        assert!(fits("correct horse 1", Some(&kept)).await.unwrap());
        assert!(!fits("correct horse 2", Some(&kept)).await.unwrap());
        assert!(!fits("", None).await.unwrap());
        assert_ne!(kept, hash("correct horse 1").await.unwrap(), "each has its own salt");
    }
}
