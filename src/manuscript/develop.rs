//! A picture as it came, made into one that every edition can carry: decoded within limits and encoded anew, or its packed pixels
//! taken out, so that nothing but its pixels goes out: no place where it was taken, no name, no thumbnail, nothing a program could run.

mod packed;

use std::io::Cursor;

use image::codecs::{gif::GifDecoder, jpeg::JpegEncoder, png::PngEncoder, webp::WebPDecoder};
use image::{AnimationDecoder as _, DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use crate::{picture::MediaType, picture::Plate};

/// The largest file of a picture that is read, in bytes.
pub(super) const MAX_BYTES: usize = 20_000_000;

/// The most pixels that are decoded: two full pages at 300 dots an inch and more.
const MAX_PIXELS: u64 = 40_000_000;

/// What a decoder may take, in bytes: the pixels at 16 bits a channel, and as much again.
const MAX_MEMORY: u64 = 640_000_000;

/// The longest side that readers get: beyond it files grow and nobody sees more.
const MAX_SIDE: u32 = 2400;

/// Of 100: above it JPEG files grow faster than what anyone can see in them.
const QUALITY: u8 = 85;

/// What became of a picture.
#[derive(Debug)]
pub(super) struct Developed {
    /// The picture as it goes out.
    pub(super) plate: Plate,
    /// Whether it moved, and only its first frame is there.
    pub(super) still: bool,
}

/// The picture in a file, or why it cannot be printed. The same bytes always give the same picture.
pub(super) fn develop(file_name: &str, bytes: &[u8]) -> Result<Developed, String> {
    if bytes.len() > MAX_BYTES {
        return Err(too_long(bytes.len() as u64));
    }
    // A decoder that fails by panicking must not stop the press.
    std::panic::catch_unwind(|| expose(file_name, bytes)).unwrap_or_else(|_| Err(damaged()))
}

/// What an editor is told of a file with too many bytes.
pub(super) fn too_long(length: u64) -> String {
    format!("it has {length} bytes, and at most {MAX_BYTES} are read; save it smaller")
}

/// What an editor is told of a file of another form.
pub(super) fn unknown() -> String {
    "it is no PNG, JPEG, GIF or WebP; save it as one of these".to_owned()
}

/// Whether a file claims to be a picture of a single pixel. Only its head is read.
pub(super) fn is_dot(bytes: &[u8]) -> bool {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    size == Some((1, 1))
}

fn damaged() -> String {
    "it is damaged; save it again as PNG or JPEG".to_owned()
}

fn expose(file_name: &str, bytes: &[u8]) -> Result<Developed, String> {
    let format = image::guess_format(bytes).map_err(|_| unknown())?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::WebP) {
        return Err(unknown());
    }
    if format == ImageFormat::Png
        && let Some(packed) = packed::packed(bytes)
    {
        let plate = Plate::new(file_name, MediaType::Png, packed.size, packed.bytes);
        return Ok(Developed { plate, still: false });
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| damaged())?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(format!(
            "it has {width} × {height} pixels, and at most {} million are printed; save it smaller",
            MAX_PIXELS / 1_000_000
        ));
    }
    if pixels == 0 {
        return Err(damaged());
    }
    let orientation = decoder.orientation().map_err(|_| damaged())?;
    let profile = decoder.icc_profile().unwrap_or_default();
    let mut picture = flat(DynamicImage::from_decoder(decoder).map_err(|_| damaged())?);
    if let Some(profile) = profile {
        to_srgb(&mut picture, &profile);
    }
    picture.apply_orientation(orientation);
    let picture = scaled(picture);
    let media_type = match format {
        ImageFormat::Jpeg => MediaType::Jpeg,
        // Only the lossy kind of WebP is meant for photographs; what had an alpha channel is a drawing.
        ImageFormat::WebP if bytes.get(12..16) == Some(b"VP8 ") => MediaType::Jpeg,
        _ => MediaType::Png,
    };
    let encoded = encode(&picture, media_type).ok_or_else(damaged)?;
    let plate = Plate::new(file_name, media_type, (picture.width(), picture.height()), encoded);
    Ok(Developed { plate, still: moves(bytes, format) })
}

/// The picture on white, where it was on nothing, with 8 bits a channel: what is black on nothing cannot be seen at night.
fn flat(picture: DynamicImage) -> DynamicImage {
    let color = picture.color();
    if !color.has_alpha() {
        return if color.has_color() {
            DynamicImage::ImageRgb8(picture.into_rgb8())
        } else {
            DynamicImage::ImageLuma8(picture.into_luma8())
        };
    }
    let pixels = picture.into_rgba8();
    let (width, height) = pixels.dimensions();
    let mut out = Vec::with_capacity(pixels.len() / 4 * 3);
    for pixel in pixels.pixels() {
        let [red, green, blue, alpha] = pixel.0.map(u32::from);
        let over =
            |channel: u32| u8::try_from((channel * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(255);
        out.extend([over(red), over(green), over(blue)]);
    }
    image::RgbImage::from_raw(width, height, out).map_or_else(|| DynamicImage::new_rgb8(1, 1), Into::into)
}

/// The colours as every screen understands them (IEC 61966-2-1); cameras of today record more. A profile that cannot be read
/// changes nothing.
fn to_srgb(picture: &mut DynamicImage, profile: &[u8]) {
    let DynamicImage::ImageRgb8(pixels) = picture else { return };
    let Ok(profile) = moxcms::ColorProfile::new_from_slice(profile) else { return };
    if profile.color_space != moxcms::DataColorSpace::Rgb {
        return;
    }
    let (srgb, rgb) = (moxcms::ColorProfile::new_srgb(), moxcms::Layout::Rgb);
    let options = moxcms::TransformOptions::default();
    let Ok(transform) = profile.create_transform_8bit(rgb, &srgb, rgb, options) else { return };
    let mut out = vec![0; pixels.len()];
    if transform.transform(pixels, &mut out).is_ok()
        && let Some(converted) = image::RgbImage::from_raw(pixels.width(), pixels.height(), out)
    {
        *pixels = converted;
    }
}

/// At most [`MAX_SIDE`] pixels a side. A large picture is first made smaller by whole pixels, which takes no memory.
fn scaled(mut picture: DynamicImage) -> DynamicImage {
    let side = picture.width().max(picture.height());
    if side <= MAX_SIDE {
        return picture;
    }
    if side > 2 * MAX_SIDE {
        picture = picture.thumbnail(2 * MAX_SIDE, 2 * MAX_SIDE);
    }
    picture.resize(MAX_SIDE, MAX_SIDE, image::imageops::FilterType::CatmullRom)
}

fn encode(picture: &DynamicImage, media_type: MediaType) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match media_type {
        MediaType::Png => picture.write_with_encoder(PngEncoder::new(&mut bytes)),
        MediaType::Jpeg => picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY)),
    }
    .ok()?;
    Some(bytes)
}

fn moves(bytes: &[u8], format: ImageFormat) -> bool {
    match format {
        ImageFormat::Gif => GifDecoder::new(Cursor::new(bytes))
            .is_ok_and(|decoder| decoder.into_frames().take(2).flatten().count() > 1),
        ImageFormat::WebP => {
            WebPDecoder::new(Cursor::new(bytes)).is_ok_and(|decoder| decoder.has_animation())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(format: ImageFormat) -> Vec<u8> {
        let pixels =
            image::RgbImage::from_fn(24, 16, |x, y| image::Rgb([if x < y { 9 } else { 240 }, 70, 99]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, format).expect("encoded");
        bytes.into_inner()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn a_damaged_picture_is_developed_or_refused(which in 0_usize..4, cut in 0_usize..2000, at in 0_usize..2000, to: u8) {
            let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP][which];
            let mut bytes = file(format);
            let (cut, at) = (bytes.len().saturating_sub(cut % 64), at % bytes.len());
            bytes[at] = to;
            bytes.truncate(cut);
            if let Ok(developed) = develop("a.png", &bytes) {
                let picture = &developed.plate.picture;
                prop_assert!(u64::from(picture.width) * u64::from(picture.height) <= MAX_PIXELS);
                prop_assert!(image::load_from_memory(&developed.plate.bytes).is_ok());
            }
        }
    }

    #[test]
    fn colours_of_another_space_are_converted_and_a_strange_profile_is_ignored() {
        let mut picture =
            DynamicImage::ImageRgb8(image::RgbImage::from_pixel(1, 1, image::Rgb([200, 100, 50])));
        to_srgb(&mut picture, b"no profile");
        assert_eq!(picture.to_rgb8().get_pixel(0, 0).0, [200, 100, 50]);
        let wide = moxcms::ColorProfile::new_display_p3().encode().expect("a profile");
        to_srgb(&mut picture, &wide);
        let [red, green, blue] = picture.to_rgb8().get_pixel(0, 0).0;
        assert!(red > 205 && green < 100 && blue < 50, "{red} {green} {blue}");
    }
}
