//! Tests of the frames: pieces of any size, every rule broken once, and rubbish.
use super::*;
use crate::fuzz::{Food, feed};

fn masked(first: u8, content: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match content.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(content.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// Everything that comes out of these bytes, handed in by pieces of a size.
fn read(bytes: &[u8], piece: usize, longest: usize) -> (Vec<Event>, Option<Broken>) {
    let (mut reader, mut events) = (Reader::new(longest), Vec::new());
    for mut input in bytes.chunks(piece) {
        loop {
            match reader.next(&mut input) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(broken) => return (events, Some(broken)),
            }
        }
        assert!(input.is_empty());
    }
    (events, None)
}

#[test]
fn messages_come_whole_from_pieces_of_any_size() {
    let long = "长".repeat(30_000);
    let bytes = [
        masked(0x81, "你好".as_bytes()),
        masked(0x81, b""),
        masked(0x01, &"你好".as_bytes()[..2]),
        masked(0x89, b"there?"),
        masked(0x00, &"你好".as_bytes()[2..4]),
        masked(0x8a, b"here"),
        masked(0x80, &"你好".as_bytes()[4..]),
        masked(0x82, &[0xff; 200]),
        masked(0x81, long.as_bytes()),
        masked(0x88, &[0x03, 0xe8, b'o', b'k']),
    ]
    .concat();
    for piece in [1, 2, 3, 5, 7, 64, 1000, 16_384, bytes.len()] {
        let (events, broken) = read(&bytes, piece, 100_000);
        assert_eq!(broken, None);
        let wanted = [
            Event::Text("你好".into()),
            Event::Text(String::new()),
            Event::Ping(b"there?".to_vec()),
            Event::Pong,
            Event::Text("你好".into()),
            Event::Binary(vec![0xff; 200]),
            Event::Text(long.clone()),
            Event::Close(Some(1000)),
        ];
        assert_eq!(events, wanted, "pieces of {piece}");
    }
}

#[test]
fn each_rule_that_is_broken_is_seen() {
    let unmasked = vec![0x81, 2, b'h', b'i'];
    let mut long_way = vec![0x81, 0x80 | 126, 0, 5, 0, 0, 0, 0];
    long_way.extend(b"hello");
    let text_in_text = [masked(0x01, b"a"), masked(0x81, b"b")].concat();
    let too_long = [masked(0x01, &[b'a'; 600]), masked(0x80, &[b'a'; 600])].concat();
    let half = [masked(0x01, &[0xe4, 0xbd]), masked(0x80, b"")].concat();
    let early = [masked(0x01, &[0xce, 0xba, 0xf4, 0x90]), masked(0x00, b"never")].concat();
    let cases = [
        (unmasked, Broken::Protocol),
        (masked(0xc1, b"x"), Broken::Protocol),
        (masked(0x83, b"x"), Broken::Protocol),
        (masked(0x8b, b"x"), Broken::Protocol),
        (masked(0x09, b"x"), Broken::Protocol),
        (masked(0x89, &[0; 126]), Broken::Protocol),
        (masked(0x80, b"x"), Broken::Protocol),
        (text_in_text, Broken::Protocol),
        (long_way, Broken::Protocol),
        (vec![0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Broken::Protocol),
        (masked(0x88, &[3]), Broken::Protocol),
        (masked(0x88, &[0x03, 0xed]), Broken::Protocol),
        (masked(0x88, &[0xff, 0xff]), Broken::Protocol),
        (masked(0x88, &[0x03, 0xe8, 0xff]), Broken::Text),
        (masked(0x81, &[0xc0, 0x80]), Broken::Text),
        (masked(0x81, &[0xed, 0xa0, 0x80]), Broken::Text),
        (half, Broken::Text),
        (early, Broken::Text),
        (masked(0x81, &[b'a'; 1001]), Broken::TooLong),
        (too_long, Broken::TooLong),
    ];
    for (number, (bytes, wanted)) in cases.iter().enumerate() {
        for piece in [1, bytes.len()] {
            let (events, broken) = read(bytes, piece, 1000);
            assert_eq!((broken, events.len()), (Some(*wanted), 0), "case {number}");
        }
    }
    // a length of gigabytes is refused by its head alone
    assert_eq!(read(&[0x81, 0xff, 0, 0, 0, 9, 0, 0, 0, 0, 1, 2, 3, 4], 14, 1000).1, Some(Broken::TooLong));
}

#[test]
fn what_is_written_is_read_the_same() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        let said = "x".repeat(length);
        let frame = text(&said);
        assert_eq!(content(&frame), said.as_bytes());
        let mut both = BytesMut::new();
        put_text(&mut both, &said);
        assert_eq!(both.freeze(), frame);
    }
    assert_eq!(&close(Some(3001), "shutdown")[..], [&[0x88, 10, 0x0b, 0xb9][..], b"shutdown"].concat());
    assert_eq!(&close(None, "ignored")[..], [0x88, 0]);
    assert_eq!(&pong(b"x")[..], [0x8a, 1, b'x']);
}

#[test]
fn rubbish_never_takes_more_than_it_may() {
    let seeds = [masked(0x81, b"{}"), masked(0x01, b"{"), masked(0x88, &[3, 232]), masked(0x89, b"x")];
    let food =
        Food { name: "websocket frame", seeds: seeds.to_vec(), words: &["\u{81}", "\u{80}", "\u{ff}"], longest: 400 };
    feed(&food, |bytes| {
        let whole = read(bytes, bytes.len().max(1), 100);
        let pieces = read(bytes, 1, 100);
        assert_eq!(whole, pieces, "the same, however it comes");
        for event in whole.0 {
            if let Event::Text(text) = event {
                assert!(text.len() <= 100);
            }
        }
    });
}
