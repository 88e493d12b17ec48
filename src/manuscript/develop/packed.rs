//! The pixels of a PNG as they came packed, without anything else: whoever saved it had more time for packing than we have.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::MAX_SIDE;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Chunks that change what the pixels look like (PNG, third edition, section 11.3): their pixels are made anew.
const COLOURED: [[u8; 4]; 4] = [*b"tRNS", *b"iCCP", *b"cICP", *b"eXIf"];

/// So many bytes are few however they are packed.
const SMALL: usize = 1024;

/// The filters of a line (PNG, section 9.2).
const FILTERS: u8 = 5;

/// A PNG that readers can have as it is.
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    /// Width and height, in pixels.
    pub(super) size: (u32, u32),
}

/// The picture, if it is grey or in colours with 8 bits a channel, from top to bottom, on no other ground and of no other colour space, small
/// enough, packed by a third at least, and whole: every line is there, and nothing behind the last one.
pub(super) fn packed(file: &[u8]) -> Option<Packed> {
    let mut rest = file.strip_prefix(SIGNATURE)?;
    let (head, behind) = chunk(rest, *b"IHDR")?;
    rest = behind;
    let (width, height) = (number(head)?, number(head.get(4..)?)?);
    let channels: usize = match head.get(8..)? {
        [8, 0, 0, 0, 0] => 1,
        [8, 2, 0, 0, 0] => 3,
        _ => return None,
    };
    if width == 0 || height == 0 || width.max(height) > MAX_SIDE {
        return None;
    }
    let mut pixels = Vec::with_capacity(rest.len());
    while let Some((name, data, behind)) = any_chunk(rest) {
        if name == *b"IDAT" {
            pixels.extend_from_slice(data);
        } else if name == *b"IEND" {
            break;
        } else if COLOURED.contains(&name) {
            return None;
        }
        rest = behind;
    }
    let line = 1 + channels * usize::try_from(width).ok()?;
    let lines = usize::try_from(height).ok()?;
    if pixels.len() > line * lines / 3 * 2 + SMALL {
        return None;
    }
    are_whole(&pixels, line, lines)?;
    let mut bytes = Vec::with_capacity(pixels.len() + 64);
    bytes.extend_from_slice(SIGNATURE);
    write(&mut bytes, *b"IHDR", head)?;
    write(&mut bytes, *b"IDAT", &pixels)?;
    write(&mut bytes, *b"IEND", b"")?;
    Some(Packed { bytes, size: (width, height) })
}

/// Whether that is a stream of so many lines of so many bytes (RFC 1950, with its sum), and nothing more.
fn are_whole(pixels: &[u8], line: usize, lines: usize) -> Option<()> {
    // One byte more than is wanted, to see one that is too many.
    let mut room = vec![0; line * lines + 1];
    let mut stream = Decompress::new(true);
    let status = stream.decompress(pixels, &mut room, FlushDecompress::Finish).ok()?;
    let whole = status == Status::StreamEnd
        && stream.total_in() == pixels.len() as u64
        && stream.total_out() == (line * lines) as u64
        && room.chunks_exact(line).all(|line| line.first().is_some_and(|filter| *filter < FILTERS));
    whole.then_some(())
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// The next chunk's name and bytes, and what is behind it.
fn any_chunk(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let length = usize::try_from(number(bytes)?).ok()?;
    let name = *bytes.get(4..)?.first_chunk()?;
    let data = bytes.get(8..)?.get(..length)?;
    Some((name, data, bytes.get(8 + length + 4..)?))
}

/// The next chunk's bytes, and what is behind it, if that is its name.
fn chunk(bytes: &[u8], wanted: [u8; 4]) -> Option<(&[u8], &[u8])> {
    any_chunk(bytes).filter(|(name, ..)| *name == wanted).map(|(_, data, behind)| (data, behind))
}

fn write(out: &mut Vec<u8>, name: [u8; 4], data: &[u8]) -> Option<()> {
    out.extend_from_slice(&u32::try_from(data.len()).ok()?.to_be_bytes());
    out.extend_from_slice(&name);
    out.extend_from_slice(data);
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(data);
    out.extend_from_slice(&sum.sum().to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG of 3 × 2 pixels in colours, with what cameras and programs add.
    fn file(added: &[([u8; 4], &[u8])], behind: &[u8]) -> Vec<u8> {
        let lines = [[0_u8, 1, 2, 3, 4, 5, 6, 7, 8, 9], [2, 1, 1, 1, 1, 1, 1, 1, 1, 1]].concat();
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packer, &lines).expect("packed");
        let mut pixels = packer.finish().expect("packed");
        pixels.extend_from_slice(behind);
        let mut bytes = SIGNATURE.to_vec();
        write(&mut bytes, *b"IHDR", &[0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0]).expect("short");
        for (name, data) in added {
            write(&mut bytes, *name, data).expect("short");
        }
        for part in pixels.chunks(9) {
            write(&mut bytes, *b"IDAT", part).expect("short");
        }
        write(&mut bytes, *b"IEND", b"").expect("short");
        bytes.extend_from_slice(b"<script>what nobody sees</script>");
        bytes
    }

    #[test]
    fn pixels_are_kept_as_they_were_packed_and_nothing_else_is() {
        let place = (*b"tEXt", &b"Place: 52 N 13 E"[..]);
        let packed = packed(&file(&[place, (*b"gAMA", &[0, 0, 0xb1, 0x8f])], b"")).expect("whole");
        assert_eq!(packed.size, (3, 2));
        for secret in [&b"Place"[..], b"gAMA", b"script"] {
            assert!(!packed.bytes.windows(secret.len()).any(|part| part == secret));
        }
        let (ours, theirs) =
            (image::load_from_memory(&packed.bytes), image::load_from_memory(&file(&[], b"")));
        assert_eq!(ours.expect("a picture"), theirs.expect("a picture"));
    }

    #[test]
    fn what_was_hardly_packed_is_packed_anew() {
        let mut hardly = Vec::new();
        let pixels = image::RgbImage::from_pixel(60, 60, image::Rgb([9, 99, 200]));
        let lazy = image::codecs::png::PngEncoder::new_with_quality(
            &mut hardly,
            image::codecs::png::CompressionType::Uncompressed,
            image::codecs::png::FilterType::NoFilter,
        );
        pixels.write_with_encoder(lazy).expect("a picture");
        assert!(hardly.len() > 60 * 60 * 3 && packed(&hardly).is_none());
    }

    #[test]
    fn what_is_behind_the_pixels_or_looks_otherwise_is_made_anew() {
        assert!(packed(&file(&[], b"hidden")).is_none(), "behind the pixels");
        for name in COLOURED {
            assert!(packed(&file(&[(name, b"\0\0\0\0\0\0")], b"")).is_none(), "{name:?}");
        }
        let whole = file(&[], b"");
        for (at, to) in [(0, 0), (19, 4), (23, 3), (24, 16), (25, 3), (28, 1), (46, 0xff)] {
            let mut other = whole.clone();
            other[at] = to;
            assert!(packed(&other).is_none(), "{at}");
        }
        for length in 0..whole.len() - 60 {
            assert!(packed(&whole[..length]).is_none(), "{length}");
        }
    }
}
