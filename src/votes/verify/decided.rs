//! The end of an archive: what the law makes of the numbers, or why there are none; signed, on the board, of this vote; pure.
use serde_json::{Value, json};

use super::{
    Board, Checked,
    marks::{Votes, question},
    paper::{paper, turnout},
    require,
};
use crate::{
    board::{
        lsb1::{self, Signed, hex, jcs},
        tree,
    },
    votes::{
        queries::Annulled,
        rules::{self, Count, Preset, Question, Share, Unit},
    },
};

/// Annulled by hand: nobody was named, nothing was opened or counted, and the reason is signed and on the board.
pub(super) fn annulled(archive: &Value, board: &Board<'_>, closing_root: &str) -> Checked<Annulled> {
    let result = &archive["result"];
    require(board.of("named").next().is_none(), "named")?;
    require(board.of("settled").next().is_none(), "settled")?;
    // of a secret vote that waits for its keys the paper was told already: how many, never what
    let is_told = board.of("paper").chain(board.of("sheets")).next().is_some();
    require(!is_told || board.manifest["secrecy"] == "secret", "paper")?;
    paper(board, question(board)?.as_ref(), 0)?;
    require(archive["plaintexts"].is_null() && archive["envelopes"].is_null(), "plaintexts")?;
    let why: Annulled = serde_json::from_value(result["annulled"].clone()).map_err(|_| "result")?;
    let told = json!({
        "annulled": why, "binding": result["binding"].as_bool().ok_or("result")?, "manifest": board.manifest_hash,
        "poll": board.poll, "root": closing_root, "t": result["t"].as_str().ok_or("result")?,
    });
    require(*result == told, "result")?;
    bound(archive, board, closing_root)?;
    Ok(why)
}

/// The numbers are those of the result, the law was applied to them, the result is signed and on the board. The rule.
pub(super) fn decided(
    archive: &Value,
    board: &Board<'_>,
    closing_root: &str,
    (asked, count, votes): (Option<&Question>, Count, Votes),
) -> Checked<Preset> {
    let result = &archive["result"];
    // sheets that were handed out are on the board: a number of them that stands in the result alone could void any vote
    require(result["count"] == json!(count), "count")?;
    turnout(&result["turnout"], &count)?;
    let rule = rule(board.manifest)?;
    let (outcome, elected) = match asked {
        Some(asked) => {
            require(result["choice"]["votes"] == json!(votes), "count")?;
            let (outcome, elected) = rules::elect(&rule, asked, (&count, votes)).map_err(|_| "rule")?;
            (outcome, json!(elected))
        }
        None => (rules::decide(&rule, &count).map_err(|_| "rule")?, Value::Null),
    };
    require(result["outcome"] == json!(outcome) && result["choice"] == elected, "rule")?;
    bound(archive, board, closing_root)?;
    Ok(rule)
}

/// What of a rule is computed with; how it is called and who has a vote by it decide nothing here.
fn rule(manifest: &Value) -> Checked<Preset> {
    let rule = &manifest["rule"];
    require(rule.is_object() && rule["second_measure"].is_null(), "rule")?;
    let share = |name: &str| -> Checked<Option<Share>> {
        let share: Option<Share> = serde_json::from_value(rule[name].clone()).map_err(|_| "rule")?;
        // written in the one way in which everybody writes it
        require(json!(share) == rule[name], "rule")?;
        Ok(share)
    };
    Ok(Preset {
        zh: String::new(),
        law: String::new(),
        unit: Unit::Elector,
        quorum: share("quorum")?,
        passing: share("passing")?,
        notice_days: None,
        secret: false,
        paper_required: false,
        second_measure: None,
        proxy: None,
        roll: None,
        challenge_days: None,
    })
}

/// The result is that of this vote and of where its board ended; it is on the board, and signed.
fn bound(archive: &Value, board: &Board<'_>, closing_root: &str) -> Checked<()> {
    let result = &archive["result"];
    let is_bound = result["manifest"] == board.manifest_hash.as_str()
        && result["poll"] == board.poll.as_str()
        && result["root"] == closing_root;
    require(is_bound, "result")?;
    // what was called an opinion poll when ballots were asked for decides nothing afterwards
    let is_binding = result["binding"].as_bool().ok_or("result")?;
    require(!is_binding || board.manifest["binding"] == true, "result")?;
    let digest = hex(&tree::sha256(&[jcs(result).as_bytes()]));
    require(board.of("result").next() == Some(&lsb1::result_entry(&board.poll, &digest)), "result")?;
    let signature = archive["result_sig"].as_str().unwrap_or_default();
    require(lsb1::is_signed(&board.key, Signed::Result, result, signature), "signature")
}
