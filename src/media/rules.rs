//! What may be attached: the kind is decided by the bytes alone, never by a name or a header that the sender chose.
use super::{Media, photo, voice};
use crate::error::{Checks, Code, Result};

/// What an attachment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture; [`photo::prepare`] makes it fit to be kept.
    Photo,
    /// A recording; [`voice::measure`] says how it is played and for how long.
    Voice,
}

/// Says what the bytes are, cheaply: only their beginning and their number are looked at.
///
/// # Errors
/// `media_unreadable` when empty, `media_unsupported` when neither photo nor voice, `media_too_large` over the limit of the kind.
pub fn inspect(bytes: &[u8]) -> Result<Kind> {
    if bytes.is_empty() {
        return Err(Code::MediaUnreadable.into());
    }
    let (kind, limit) = if photo::is_photo(bytes) {
        (Kind::Photo, photo::MAX_BYTES)
    } else if voice::Form::of(bytes).is_some() {
        (Kind::Voice, voice::MAX_BYTES)
    } else {
        return Err(Code::MediaUnsupported.into());
    };
    if bytes.len() > limit {
        return Err(Code::MediaTooLarge.into());
    }
    Ok(kind)
}

/// Would this be taken as a voice clip? For a blocking thread: reads the whole of it.
///
/// # Errors
/// As [`inspect`] and [`voice::measure`]; `media_unsupported` for a photo.
pub fn check_clip(bytes: &[u8]) -> Result<()> {
    match inspect(bytes)? {
        Kind::Voice => voice::measure(bytes).map(drop),
        Kind::Photo => Err(Code::MediaUnsupported.into()),
    }
}

/// Refuses a clip that lasts longer than somebody speaks in a voice or in a message; what is said for an office may.
///
/// # Errors
/// `invalid_fields`.
pub fn check_said(attached: &[Media]) -> Result<()> {
    let is_long = |one: &Media| one.duration_ms.is_some_and(|lasts| lasts > voice::SAID_MS);
    let mut checks = Checks::default();
    checks.require(!attached.iter().any(is_long), "media", "clip_too_long");
    checks.done()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Food, feed};

    #[test]
    fn the_kind_follows_from_the_content() {
        for photo in [
            &include_bytes!("../../tests/data/media/gps-sideways.jpg")[..],
            include_bytes!("../../tests/data/media/clear.png"),
            include_bytes!("../../tests/data/media/lamp.webp"),
        ] {
            assert_eq!(inspect(photo).unwrap(), Kind::Photo);
        }
        for (name, clip) in voice::samples::CLIPS {
            assert_eq!(inspect(clip).unwrap(), Kind::Voice, "{name}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let refused = |bytes: &[u8]| inspect(bytes).unwrap_err().code();
        assert_eq!(refused(b""), Code::MediaUnreadable);
        for bytes in [
            &b"GIF89a\x01\x00\x01\x00"[..],
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"<!doctype html><script>alert(1)</script>",
            b"%PDF-1.7\n",
            b"PK\x03\x04 an office document",
            b"MZ\x90\x00",
            b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
            b"\x00",
        ] {
            assert_eq!(refused(bytes), Code::MediaUnsupported, "{bytes:?}");
        }
    }

    #[test]
    fn bent_photos_are_refused_or_made_fit() {
        let seeds: [&[u8]; 7] = [
            include_bytes!("../../tests/data/media/clear.png"),
            include_bytes!("../../tests/data/media/lamp.webp"),
            include_bytes!("../../tests/data/media/hostile/text-that-promises.png"),
            include_bytes!("../../tests/data/media/hostile/claims-memory.png"),
            include_bytes!("../../tests/data/media/hostile/two-billion-a-side.png"),
            b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9",
            b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x00\0\xff\x00\0",
        ];
        let seeds = seeds.map(<[u8]>::to_vec).to_vec();
        let words = ["IHDR", "IDAT", "zTXt", "iCCP", "VP8L", "VP8X", "EXIF", "Exif\0\0"];
        feed(&Food { name: "photo", seeds, words: &words, longest: 20_000 }, |bytes| {
            if !matches!(inspect(bytes), Ok(Kind::Photo)) {
                return;
            }
            match photo::prepare(bytes) {
                Ok(made) => {
                    assert!((1..=1_600).contains(&made.width) && (1..=1_600).contains(&made.height));
                    assert!(!made.jpeg.windows(4).any(|four| four == b"Exif"));
                }
                Err(error) => assert!(error.code().status().is_client_error(), "{error}"),
            }
        });
    }

    #[test]
    fn bent_clips_are_refused_or_have_a_length() {
        let seeds = voice::samples::CLIPS.iter().map(|(_, clip)| clip.to_vec()).collect();
        let words = ["moov", "trak", "mdia", "moof", "traf", "trun", "stts", "OggS", "data", "fmt ", "#!AMR\n"];
        feed(&Food { name: "clip", seeds, words: &words, longest: 50_000 }, |bytes| {
            if !matches!(inspect(bytes), Ok(Kind::Voice)) {
                return;
            }
            match voice::measure(bytes) {
                Ok(clip) => assert!((1..=120_500).contains(&clip.duration_ms) && clip.mime.starts_with("audio/")),
                Err(error) => assert!(error.code().status().is_client_error(), "{error}"),
            }
        });
    }

    #[test]
    fn each_kind_has_its_limit() {
        let of_length = |head: &[u8], length: usize| {
            let mut bytes = head.to_vec();
            bytes.resize(length, 0);
            inspect(&bytes)
        };
        assert!(of_length(b"\xff\xd8\xff\xe0", photo::MAX_BYTES).is_ok());
        assert_eq!(of_length(b"\xff\xd8\xff\xe0", photo::MAX_BYTES + 1).unwrap_err().code(), Code::MediaTooLarge);
        assert!(of_length(b"#!AMR\n", voice::MAX_BYTES).is_ok());
        assert_eq!(of_length(b"#!AMR\n", voice::MAX_BYTES + 1).unwrap_err().code(), Code::MediaTooLarge);
    }
}
