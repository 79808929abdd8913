//! Photos 照片: decoded within limits, turned upright, made small and written anew, so that only the picture remains.
use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};

use crate::error::{Code, Error, Result};

/// The longest file that is looked at: 10 MiB.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// The longest side that is decoded, in pixels.
const MAX_SIDE_IN: u32 = 12_000;
/// How much memory a decoded picture may take.
const MAX_DECODED_BYTES: u64 = 256 * 1024 * 1024;
/// The longest side that is kept.
const MAX_SIDE_OUT: u32 = 1_600;
/// The longest side of the thumbnail.
const MAX_SIDE_THUMBNAIL: u32 = 320;
const QUALITY: u8 = 80;

/// A photo that is fit to be kept and shown.
#[derive(Debug)]
pub struct Photo {
    /// JPEG without any metadata, upright, at most 1,600 px a side.
    pub jpeg: Vec<u8>,
    /// Width of `jpeg` in pixels.
    pub width: u32,
    /// Height of `jpeg` in pixels.
    pub height: u32,
    /// The same in small: JPEG, at most 320 px a side.
    pub thumbnail: Vec<u8>,
}

/// Whether the bytes begin like a picture that [`prepare`] takes.
pub(super) fn is_photo(bytes: &[u8]) -> bool {
    matches!(image::guess_format(bytes), Ok(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP))
}

/// Makes a sender's picture fit to be kept. Takes up to a second and hundreds of megabytes: for a blocking thread, few at once.
///
/// # Errors
/// `media_unsupported` when it is no JPEG, PNG or WebP, `media_too_large` over the limits, `media_unreadable` when broken.
pub fn prepare(bytes: &[u8]) -> Result<Photo> {
    let picture = flattened(upright_and_small(bytes)?);
    let thumbnail = if picture.width().max(picture.height()) > MAX_SIDE_THUMBNAIL {
        DynamicImage::from(picture.clone()).thumbnail(MAX_SIDE_THUMBNAIL, MAX_SIDE_THUMBNAIL).into_rgb8()
    } else {
        picture.clone()
    };
    Ok(Photo {
        jpeg: encoded(&picture)?,
        width: picture.width(),
        height: picture.height(),
        thumbnail: encoded(&thumbnail)?,
    })
}

fn upright_and_small(bytes: &[u8]) -> Result<DynamicImage> {
    if !is_photo(bytes) {
        return Err(Code::MediaUnsupported.into());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_IN);
    limits.max_image_height = Some(MAX_SIDE_IN);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    if reader.format() == Some(ImageFormat::WebP) && !chunks_end_within(bytes) {
        return Err(Code::MediaUnreadable.into());
    }
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    // the JPEG and WebP decoders check sides but not memory
    limits.reserve(decoder.total_bytes()).map_err(refusal)?;
    let orientation = decoder.orientation().map_err(refusal)?;
    let mut picture = scaled(DynamicImage::from_decoder(decoder).map_err(refusal)?);
    // after scaling: turning copies the picture
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Whether the parts of a WebP are as long as they promise: its decoder takes memory for the promise, 4 GiB if asked to.
fn chunks_end_within(webp: &[u8]) -> bool {
    let mut rest = webp.get(12..).unwrap_or_default();
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [_, _, _, _, length @ ..] = *head;
        let length = u32::from_le_bytes(length) as usize;
        let Some(next) = after.get(length..) else { return false };
        rest = next.get(length % 2..).unwrap_or_default();
    }
    true
}

fn scaled(picture: DynamicImage) -> DynamicImage {
    let longest = picture.width().max(picture.height());
    if longest <= MAX_SIDE_OUT {
        return picture;
    }
    // the good filter needs 16 bytes for each pixel of a row, so a very large picture is averaged down first
    let picture =
        if longest > 4 * MAX_SIDE_OUT { picture.thumbnail(2 * MAX_SIDE_OUT, 2 * MAX_SIDE_OUT) } else { picture };
    picture.resize(MAX_SIDE_OUT, MAX_SIDE_OUT, FilterType::Triangle)
}

/// Without transparency: on white, as it would look on paper (a plain conversion would show whatever colour lies beneath).
fn flattened(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        image::Rgb([red, green, blue].map(|colour| {
            let mixed = u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from(mixed / 255).unwrap_or(u8::MAX)
        }))
    })
}

fn encoded(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(picture).map_err(Error::broken)?;
    Ok(jpeg)
}

fn refusal(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Code::MediaTooLarge.into(),
        _ => Code::MediaUnreadable.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIDEWAYS: &[u8] = include_bytes!("../../tests/data/media/gps-sideways.jpg");
    const CLEAR: &[u8] = include_bytes!("../../tests/data/media/clear.png");
    const WEBP: &[u8] = include_bytes!("../../tests/data/media/lamp.webp");

    fn refused(bytes: &[u8]) -> Code {
        prepare(bytes).unwrap_err().code()
    }

    fn holds(bytes: &[u8], needle: &[u8]) -> bool {
        bytes.windows(needle.len()).any(|window| window == needle)
    }

    #[test]
    fn a_sideways_photo_becomes_upright_small_and_silent_about_its_place() {
        for secret in [&b"Exif\0\0"[..], b"GPSLatitude", b"Dongheng", b"8BIM", b"taken at home", b"Invented"] {
            assert!(holds(SIDEWAYS, secret), "the sample should hold it");
        }
        let photo = prepare(SIDEWAYS).unwrap();
        assert_eq!((photo.width, photo.height), (1_200, 1_600), "2,000 by 1,500 lying on its side");
        for made in [&photo.jpeg, &photo.thumbnail] {
            for secret in [&b"Exif"[..], b"GPS", b"adobe", b"Dongheng", b"8BIM", b"taken", b"Invented", b"ICC_PROFILE"]
            {
                assert!(!holds(made, secret), "{secret:?} is still in it");
            }
            let seen = image::load_from_memory(made).unwrap().into_rgb8();
            let (right, bottom) = (seen.width() - 10, seen.height() - 10);
            let corners = [(10, 10), (right, 10), (10, bottom), (right, bottom)].map(|(x, y)| seen.get_pixel(x, y).0);
            let expected = [[0, 0, 255], [255, 0, 0], [255, 255, 0], [0, 255, 0]];
            for (corner, expected) in corners.iter().zip(expected) {
                assert!(corner.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 12), "{corner:?} is not {expected:?}");
            }
        }
        let thumbnail = image::load_from_memory(&photo.thumbnail).unwrap();
        assert_eq!((thumbnail.width(), thumbnail.height()), (240, 320));
        assert!(photo.thumbnail.len() < 20_000);
    }

    #[test]
    fn what_can_be_seen_through_turns_white() {
        let photo = prepare(CLEAR).unwrap();
        assert_eq!((photo.width, photo.height), (400, 200));
        let seen = image::load_from_memory(&photo.jpeg).unwrap().into_rgb8();
        assert!(seen.get_pixel(5, 5).0.iter().all(|colour| *colour > 250));
        assert!(seen.get_pixel(200, 100).0[0] > 180 && seen.get_pixel(200, 100).0[1] < 40);
    }

    #[test]
    fn webp_is_turned_by_its_exif_and_needs_no_scaling() {
        let photo = prepare(WEBP).unwrap();
        assert_eq!((photo.width, photo.height), (480, 640));
        assert!(image::guess_format(&photo.jpeg).unwrap() == ImageFormat::Jpeg);
    }

    #[test]
    fn a_long_strip_keeps_a_pixel_of_height() {
        let mut png = Cursor::new(Vec::new());
        RgbImage::new(9_000, 1).write_to(&mut png, ImageFormat::Png).unwrap();
        let photo = prepare(png.get_ref()).unwrap();
        assert_eq!((photo.width, photo.height), (1_600, 1));
    }

    /// A PNG that promises a size and then ends.
    fn promised_png(width: u32, height: u32) -> Vec<u8> {
        let mut png = Cursor::new(Vec::new());
        RgbImage::new(1, 1).write_to(&mut png, ImageFormat::Png).unwrap();
        let mut bytes = png.into_inner();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = bytes[12..29].iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
        });
        bytes[29..33].copy_from_slice(&(!crc).to_be_bytes());
        bytes
    }

    #[test]
    fn a_picture_that_promises_a_huge_size_is_refused_before_memory_is_taken() {
        assert_eq!(refused(&promised_png(60_000, 60_000)), Code::MediaTooLarge);
        assert_eq!(refused(&promised_png(u32::MAX, u32::MAX)), Code::MediaTooLarge);
        assert_eq!(refused(&promised_png(12_001, 1)), Code::MediaTooLarge);
        assert_eq!(refused(&promised_png(11_000, 11_000)), Code::MediaTooLarge, "sides allowed, memory not");
        assert_eq!(refused(&promised_png(0, 5)), Code::MediaUnreadable);

        let mut jpeg = encoded(&RgbImage::new(8, 8)).unwrap();
        let sof = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
        for (side, code) in
            [(65_535_u16, Code::MediaTooLarge), (11_000, Code::MediaTooLarge), (0, Code::MediaUnreadable)]
        {
            jpeg[sof + 5..sof + 7].copy_from_slice(&side.to_be_bytes());
            jpeg[sof + 7..sof + 9].copy_from_slice(&side.to_be_bytes());
            assert_eq!(refused(&jpeg), code, "{side}");
        }
    }

    #[test]
    fn a_webp_that_promises_a_long_part_is_refused_before_memory_is_taken() {
        let mut webp = WEBP.to_vec();
        let exif = webp.windows(4).position(|name| name == b"EXIF").unwrap();
        webp[exif + 4..exif + 8].copy_from_slice(&0xFFFF_FFF0_u32.to_le_bytes());
        assert_eq!(refused(&webp), Code::MediaUnreadable);
        assert!(!chunks_end_within(&webp));
        assert!(chunks_end_within(WEBP));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(refused(b""), Code::MediaUnsupported);
        assert_eq!(refused(b"GIF89a\x01\x00\x01\x00"), Code::MediaUnsupported);
        assert_eq!(refused(include_bytes!("../../tests/data/media/lamp.m4a")), Code::MediaUnsupported);
        assert_eq!(refused(b"\xff\xd8\xff\xe0 and no more"), Code::MediaUnreadable);
    }

    #[test]
    fn a_cut_picture_is_shown_as_far_as_it_goes_or_refused() {
        let small = prepare(SIDEWAYS).unwrap().thumbnail;
        for whole in [&small[..], CLEAR, WEBP] {
            for cut in (0..whole.len()).step_by(97) {
                if let Err(error) = prepare(&whole[..cut]) {
                    assert!(matches!(error.code(), Code::MediaUnreadable | Code::MediaUnsupported), "{cut}: {error}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_bytes_bring_it_down(
            which in 0..3_usize,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        ) {
            let mut bytes = [&encoded(&RgbImage::new(64, 64)).unwrap(), CLEAR, WEBP][which].to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            drop(prepare(&bytes));
        }
    }
}
