//! Pictures of few colours as small files, quickly.

use std::collections::HashMap;

use image::{DynamicImage, ImageFormat, imageops::FilterType};
use resvg::tiny_skia::Pixmap;

use crate::publication::Colour;

/// A picture as PNG with a palette in which the colours `first` stay as they are, or `None` when it has no size. Colours that hardly differ become one: the edges of letters
/// have more shades than anyone sees.
pub(super) fn indexed(picture: &Pixmap, first: &[Colour]) -> Option<Vec<u8>> {
    let mut palette = Palette::default();
    for colour in first {
        palette.take(colour.channels);
    }
    let width = usize::try_from(picture.width()).ok()?;
    let mut indexes: Vec<u8> = Vec::with_capacity(picture.data().len() / 4);
    let mut above: &[u8] = &[];
    for row in picture.data().chunks_exact(width * 4) {
        if row == above {
            indexes.extend_from_within(indexes.len() - width..);
        } else {
            palette.index_row(row, &mut indexes);
        }
        above = row;
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.colours);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Sub);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&indexes).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

/// A picture so many times smaller each way, at most 16: every pixel is the mean of those it stands for.
pub(super) fn shrunk(picture: &Pixmap, times: usize) -> Option<Pixmap> {
    let width = usize::try_from(picture.width()).ok()? / times;
    let height = usize::try_from(picture.height()).ok()? / times;
    let mut small = Pixmap::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?)?;
    let row = usize::try_from(picture.width()).ok()? * 4;
    let n = u16::try_from(times * times).ok()?;
    let mut sums = vec![0_u16; row];
    let rows = picture.data().chunks_exact(row * times);
    for (rows, out) in rows.zip(small.data_mut().chunks_exact_mut(width * 4)) {
        // First what lies below each other: that is most of the work, and goes by many channels at once.
        sums.fill(0);
        for pixels in rows.chunks_exact(row) {
            for (sum, channel) in sums.iter_mut().zip(pixels) {
                *sum += u16::from(*channel);
            }
        }
        for (out, block) in out.chunks_exact_mut(4).zip(sums.chunks_exact(4 * times)) {
            for (channel, out) in out.iter_mut().enumerate() {
                let sum: u16 = block.iter().skip(channel).step_by(4).sum();
                *out = u8::try_from((sum + n / 2) / n).unwrap_or(u8::MAX);
            }
        }
    }
    Some(small)
}

/// The colours of a picture, at most 256.
#[derive(Debug, Default)]
struct Palette {
    colours: Vec<u8>,
    exact: HashMap<[u8; 3], u8>,
    near: HashMap<[u8; 3], u8>,
}

impl Palette {
    /// A colour that must stay as it is.
    fn take(&mut self, colour: [u8; 3]) {
        if !self.exact.contains_key(&colour) {
            let index = self.add(colour, colour.map(|channel| channel >> 4));
            self.exact.insert(colour, index);
        }
    }

    /// The indexes of a row of pixels with four channels.
    fn index_row(&mut self, row: &[u8], indexes: &mut Vec<u8>) {
        // Most pixels are like the one before.
        let (mut last, mut index) = (None, 0);
        for &pixel in row.as_chunks::<4>().0 {
            if last != Some(pixel) {
                index = self.index([pixel[0], pixel[1], pixel[2]]);
                last = Some(pixel);
            }
            indexes.push(index);
        }
    }

    fn index(&mut self, colour: [u8; 3]) -> u8 {
        if let Some(&index) = self.exact.get(&colour) {
            return index;
        }
        let near = colour.map(|channel| channel >> 4);
        let index = match self.near.get(&near) {
            Some(&index) => index,
            None => self.add(colour, near),
        };
        self.exact.insert(colour, index);
        index
    }

    /// A new colour; the nearest there is once all 256 are taken.
    fn add(&mut self, colour: [u8; 3], near: [u8; 3]) -> u8 {
        let index = u8::try_from(self.colours.len() / 3).unwrap_or_else(|_| self.nearest(colour));
        if self.colours.len() < 256 * 3 {
            self.colours.extend(colour);
        }
        self.near.insert(near, index);
        index
    }

    fn nearest(&self, colour: [u8; 3]) -> u8 {
        let distance = |other: &[u8]| {
            other.iter().zip(colour).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>()
        };
        let nearest = self.colours.chunks_exact(3).enumerate().min_by_key(|(_, other)| distance(other));
        nearest.and_then(|(n, _)| u8::try_from(n).ok()).unwrap_or(0)
    }
}

/// A picture as PNG at most 900 and at most 300 pixels wide, or `None` when it cannot be read.
pub(super) fn smaller(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let picture = image::load_from_memory(bytes).ok()?;
    let page = picture.resize(picture.width().min(900), 1200, FilterType::Triangle);
    let thumbnail = page.resize(page.width().min(300), 400, FilterType::Triangle);
    Some((encoded(&page)?, encoded(&thumbnail)?))
}

fn encoded(picture: &DynamicImage) -> Option<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(bytes.into_inner())
}
