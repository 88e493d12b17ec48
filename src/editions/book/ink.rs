//! Pictures of few colours as small files, quickly.

use image::{DynamicImage, ImageFormat, imageops::FilterType};
use resvg::tiny_skia::Pixmap;

use crate::publication::Colour;

/// A picture on its way to a PNG with a palette. Colours that hardly differ become one: the edges of letters have more shades
/// than anyone sees.
pub(super) struct Print {
    width: u32,
    palette: Palette,
    indexes: Vec<u8>,
    /// The last row, in four channels.
    above: Vec<u8>,
}

impl Print {
    /// An empty one; the colours `first` stay as they are.
    pub(super) fn new(width: u32, first: &[Colour]) -> Self {
        let mut palette = Palette::default();
        for colour in first {
            palette.take(colour.channels);
        }
        Self { width, palette, indexes: Vec::new(), above: Vec::new() }
    }

    /// Adds the first `height` rows of a strip.
    pub(super) fn add(&mut self, strip: &Pixmap, height: usize) {
        let Ok(width) = usize::try_from(self.width) else { return };
        for row in strip.data().chunks_exact(width * 4).take(height) {
            if row == self.above {
                self.indexes.extend_from_within(self.indexes.len() - width..);
            } else {
                self.palette.index_row(row, &mut self.indexes);
                self.above.clear();
                self.above.extend_from_slice(row);
            }
        }
    }

    /// The PNG, or `None` when it has no size.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        let height = self.indexes.len().checked_div(usize::try_from(self.width).ok()?)?;
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, u32::try_from(height).ok()?);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(self.palette.colours);
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::Filter::Sub);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.indexes).ok()?;
        writer.finish().ok()?;
        Some(bytes)
    }
}

/// The colours of a picture, at most 256.
#[derive(Debug)]
struct Palette {
    colours: Vec<u8>,
    /// Those that must stay as they are.
    exact: Vec<([u8; 3], u8)>,
    /// The colour that stands for all that share the upper halves of their channels.
    near: Box<[Option<u8>; 4096]>,
}

impl Default for Palette {
    fn default() -> Self {
        Self { colours: Vec::new(), exact: Vec::new(), near: Box::new([None; 4096]) }
    }
}

/// The place among the near ones of a colour.
fn place(colour: [u8; 3]) -> usize {
    colour.into_iter().fold(0, |place, channel| place << 4 | usize::from(channel >> 4))
}

impl Palette {
    /// A colour that must stay as it is.
    fn take(&mut self, colour: [u8; 3]) {
        if self.exact.iter().all(|(taken, _)| *taken != colour) {
            let index = self.add(colour);
            self.exact.push((colour, index));
        }
    }

    /// The indexes of a row of pixels with four channels.
    fn index_row(&mut self, row: &[u8], indexes: &mut Vec<u8>) {
        // Most pixels are like the one before.
        let mut pixels = row.as_chunks::<4>().0;
        while let Some(&pixel) = pixels.first() {
            let index = self.index([pixel[0], pixel[1], pixel[2]]);
            let (alike, others) = pixels.split_at(n_alike(pixels, pixel));
            indexes.resize(indexes.len() + alike.len(), index);
            pixels = others;
        }
    }

    fn index(&mut self, colour: [u8; 3]) -> u8 {
        if let Some((_, index)) = self.exact.iter().find(|(exact, _)| *exact == colour) {
            return *index;
        }
        self.near[place(colour)].unwrap_or_else(|| self.add(colour))
    }

    /// A new colour; the nearest there is once all 256 are taken.
    fn add(&mut self, colour: [u8; 3]) -> u8 {
        let index = u8::try_from(self.colours.len() / 3).unwrap_or_else(|_| self.nearest(colour));
        if self.colours.len() < 256 * 3 {
            self.colours.extend(colour);
        }
        self.near[place(colour)] = Some(index);
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

/// How many pixels at the beginning are `pixel`, looked at by eights as long as that can be.
fn n_alike(pixels: &[[u8; 4]], pixel: [u8; 4]) -> usize {
    let eights = pixels.as_chunks::<8>().0.iter().take_while(|eight| **eight == [pixel; 8]).count() * 8;
    eights + pixels[eights..].iter().take_while(|other| **other == pixel).count()
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
