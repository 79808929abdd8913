//! One page of what lies in a bucket, as S3 lists it, and as those list it that are nearly S3: whatever they call the namespace.
use chrono::{DateTime, Utc};
use quick_xml::{Reader, events::Event};

use super::Lying;

/// A page, and how to ask for the next one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) files: Vec<Lying>,
    pub(super) next: Option<String>,
}

/// Reads one; `None` when it is none, or says that more comes and not how to get it.
pub(super) fn page(answer: &str) -> Option<Page> {
    let mut reader = Reader::from_str(answer);
    let (mut page, mut open, mut words) = (Page::default(), Vec::<String>::new(), String::new());
    let (mut key, mut changed, mut is_truncated, mut is_ended) = (None, None, false, false);
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                words.clear();
                open.push(tag.local_name().into_inner().to_owned());
            }
            Event::Text(text) => words.push_str(&text.xml10_content()),
            Event::GeneralRef(named) => words.push(match named.resolve_char_ref().ok()? {
                Some(c) => c,
                None => entity(named.xml10_content().as_ref())?,
            }),
            Event::End(_) => {
                let path: Vec<_> = open.iter().map(String::as_str).collect();
                match path[..] {
                    ["ListBucketResult"] => is_ended = true,
                    ["ListBucketResult", "IsTruncated"] => is_truncated = words == "true",
                    ["ListBucketResult", "NextContinuationToken"] => page.next = Some(words.clone()),
                    ["ListBucketResult", "Contents", "Key"] => key = Some(words.clone()),
                    ["ListBucketResult", "Contents", "LastModified"] => {
                        changed = DateTime::parse_from_rfc3339(&words).ok().map(|at| at.with_timezone(&Utc));
                    }
                    ["ListBucketResult", "Contents"] => {
                        page.files.push(Lying { name: key.take()?, changed: changed.take()? });
                    }
                    _ => {}
                }
                open.pop()?;
            }
            Event::Eof => break,
            Event::Empty(_) | Event::Decl(_) | Event::Comment(_) | Event::CData(_) => {}
            Event::DocType(_) | Event::PI(_) => return None,
        }
    }
    page.next = page.next.filter(|next| is_truncated && !next.is_empty());
    (is_ended && page.next.is_some() == is_truncated).then_some(page)
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Food, feed};

    fn answer(root: &str, truncated: &str, more: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<{root}><Name>b</Name><Prefix></Prefix><MaxKeys>2</MaxKeys>\
             <IsTruncated>{truncated}</IsTruncated>{more}<Contents><Key>m/a&amp;b</Key>\
             <LastModified>2026-12-01T01:34:06.000Z</LastModified><ETag>&quot;x&quot;</ETag><Owner><ID>1</ID></Owner>\
             </Contents></ListBucketResult>"
        )
    }

    #[test]
    fn a_page_is_read_whatever_its_namespace() {
        let file = Lying { name: "m/a&b".to_owned(), changed: "2026-12-01T01:34:06Z".parse().unwrap() };
        for root in [
            "ListBucketResult",
            "ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"",
            "ListBucketResult xmlns=\"http://doc.s3.amazonaws.com/2006-03-01/\"",
        ] {
            let last = page(&answer(root, "false", "")).unwrap();
            assert_eq!(last, Page { files: vec![file.clone()], next: None });
            let token = "<NextContinuationToken>1/+=&#65;</NextContinuationToken>";
            assert_eq!(page(&answer(root, "true", token)).unwrap().next.as_deref(), Some("1/+=A"));
        }
    }

    #[test]
    fn what_is_no_whole_page_is_not_taken_for_an_empty_one() {
        let good = answer("ListBucketResult", "false", "");
        for wrong in ["", "<html/>", "<Error><Code>x</Code></Error>", &good[..good.len() - 30], "<ListBucketResult>"] {
            assert_eq!(page(wrong), None, "{wrong}");
        }
        assert_eq!(page(&answer("ListBucketResult", "true", "")), None, "more comes, nobody knows how");
        assert_eq!(page("<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult></ListBucketResult>"), None);
        assert_eq!(page("<ListBucketResult></ListBucketResult>"), Some(Page::default()));
        let seeds = vec![good.into_bytes()];
        let words = ["<Contents>", "</Contents>", "<Key>", "</Key>", "&", "<![CDATA["];
        feed(&Food { name: "listing", seeds, words: &words, longest: 2_000 }, |bytes| {
            drop(page(&String::from_utf8_lossy(bytes)));
        });
    }
}
