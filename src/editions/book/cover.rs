//! The cover: laid out here, described by the template `cover.svg`, drawn by `resvg` with faces that the program carries.

use resvg::usvg::{FontResolver, Options, Tree};
use resvg::{tiny_skia, tiny_skia::Pixmap, tiny_skia::Transform};
use serde::Serialize;

use super::faces::{self, Style};
use super::ink;
use super::typesetting::{Setting, fit, settable};
use crate::{
    editions::Error, editions::outline::Outline, picture::MediaType, publication::Colour,
    publication::Publication,
};

/// The size of a cover in pixels: 3:4, as Kobo asks.
const WIDTH: u16 = 1200;
const HEIGHT: u16 = 1600;
/// How many times smaller the thumbnail is.
const SMALLER: u16 = 4;
/// How many rows are drawn at a time.
const STRIP: u16 = 400;
/// The space at the sides.
const MARGIN: f32 = 100.0;
/// How wide lines may be.
const ROOM: f32 = 1000.0;
/// The most headlines on a cover.
const MOST_HEADLINES: usize = 6;
/// Where the headlines end.
const FLOOR: f32 = 1480.0;
/// What the lower part is printed on, and its rules.
const PAPER: Colour = Colour { channels: [0xfb, 0xfa, 0xf6] };
const GREY: Colour = Colour { channels: [0xd9, 0xd6, 0xcc] };

/// The cover of a book.
pub(in crate::editions) struct Cover {
    /// Its form in the book.
    pub media_type: MediaType,
    /// Its file in the book.
    pub bytes: Vec<u8>,
    /// How it was drawn, where it is ours.
    drawing: Option<Drawing>,
}

impl Cover {
    /// As PNG for lists on the web, and the same small.
    ///
    /// # Errors
    /// [`Error::Cover`] when the publisher's cannot be read.
    pub(in crate::editions) fn for_lists(&self) -> Result<(Vec<u8>, Vec<u8>), Error> {
        match &self.drawing {
            Some(drawing) => drawing.printed(SMALLER).map(|small| (self.bytes.clone(), small)),
            None => ink::smaller(&self.bytes).ok_or(Error::Cover),
        }
    }
}

/// The publisher's own cover where there is one, else ours.
///
/// # Errors
/// [`Error::Cover`] when it cannot be drawn, through a fault of this program.
pub(in crate::editions) fn cover(outline: &Outline, publication: &Publication) -> Result<Cover, Error> {
    if let Some(plate) = &publication.design.cover {
        let (media_type, bytes) = (plate.picture.media_type, plate.bytes.clone());
        return Ok(Cover { media_type, bytes, drawing: None });
    }
    let drawing = Drawing::of(outline, publication.colour())?;
    let bytes = drawing.printed(1)?;
    Ok(Cover { media_type: MediaType::Png, bytes, drawing: Some(drawing) })
}

/// A cover as lines and areas, of any size.
struct Drawing {
    tree: Tree,
    /// The colours of its areas, which stay as they are.
    areas: [Colour; 6],
}

impl Drawing {
    fn of(outline: &Outline, colour: Colour) -> Result<Self, Error> {
        let ink = ink_on(colour);
        let areas = [colour, colour.towards(ink, TINT), ink, PAPER, Colour::INK, GREY];
        let drawing = outline.theme.fill("book/cover.svg", Sheet::of(outline, colour))?;
        let options = Options {
            fontdb: faces::case(),
            font_resolver: FontResolver {
                select_font: Box::new(|font, _| {
                    let wide = font.families().iter().any(|family| family.to_string().contains("wide"));
                    faces::first(if wide { Style::Wide } else { Style::Narrow })
                }),
                select_fallback: Box::new(|c, tried, _| faces::other(c, tried)),
            },
            ..Options::default()
        };
        let tree = Tree::from_str(&drawing, &options).map_err(|_| Error::Cover)?;
        Ok(Self { tree, areas })
    }

    /// As PNG, so many times smaller each way. It is drawn in strips, for the whole would be 8 MB that nothing else needs.
    fn printed(&self, times: u16) -> Result<Vec<u8>, Error> {
        let scale = 1.0 / f32::from(times);
        let (width, height) = (WIDTH / times, HEIGHT / times);
        let mut print = ink::Print::new(width.into(), &self.areas);
        let mut strip = Pixmap::new(width.into(), STRIP.into()).ok_or(Error::Cover)?;
        for top in (0..height).step_by(STRIP.into()) {
            let place = Transform::from_translate(0.0, -f32::from(top)).pre_scale(scale, scale);
            strip.fill(tiny_skia::Color::TRANSPARENT);
            resvg::render(&self.tree, place, &mut strip.as_mut());
            print.add(&strip, (height - top).min(STRIP).into());
        }
        print.finish().ok_or(Error::Cover)
    }
}

/// What can be read on a colour.
fn ink_on(colour: Colour) -> Colour {
    let white = colour.contrast(Colour::WHITE) >= colour.contrast(Colour::INK);
    if white { Colour::WHITE } else { Colour::INK }
}

/// How far the colour of the large numeral is from that behind it, of 100.
const TINT: u16 = 9;

/// What the template is filled with.
#[derive(Debug, Serialize)]
struct Sheet {
    width: u16,
    height: u16,
    colour: String,
    /// The colour of the large numeral, hardly lighter than `colour`.
    tint: String,
    paper: String,
    /// How far down the coloured part goes.
    band: f32,
    numeral: Option<Line>,
    rules: Vec<Rule>,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    x: f32,
    y: f32,
    size: f32,
    style: Style,
    anchor: &'static str,
    fill: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Rule {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    fill: String,
}

/// At which side of the sheet a line stands, as readers of its language see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
}

impl Sheet {
    fn of(outline: &Outline, colour: Colour) -> Self {
        let ink = ink_on(colour);
        let accent = if colour.contrast(PAPER) >= 4.5 { colour } else { Colour::INK };
        let mut layout = Layout { rtl: outline.dir == "rtl", rules: Vec::new(), lines: Vec::new() };
        let masthead = layout.masthead(outline, ink);
        let (headlines, high) = headlines(outline, FLOOR - HEAD - BELOW - masthead);
        let band = (FLOOR - HEAD - high).clamp(masthead + BELOW, 1080.0_f32.max(masthead + BELOW));
        layout.list(&headlines, band + HEAD, accent);
        layout.foot(outline, accent);
        let numeral = layout.numeral(outline, band);
        Self {
            width: WIDTH,
            height: HEIGHT,
            colour: colour.to_string(),
            tint: colour.towards(ink, TINT).to_string(),
            paper: PAPER.to_string(),
            band,
            numeral,
            rules: layout.rules,
            lines: layout.lines,
        }
    }
}

/// The headlines in the order of the issue, as many as a cover has room for, and how high they stand together.
fn headlines(outline: &Outline, room: f32) -> (Vec<Setting>, f32) {
    let titles = outline.cover_lines(MOST_HEADLINES);
    let large = match titles.len() {
        0..=2 => 74.0,
        3 => 62.0,
        _ => 52.0,
    };
    let set = titles
        .iter()
        .filter_map(|title| settable(title))
        .map(|title| fit(&title, ROOM, 2, large, large * 0.84));
    let mut headlines: Vec<Setting> = Vec::new();
    let mut high = 0.0;
    for setting in set {
        let more = height(&setting) + if headlines.is_empty() { 0.0 } else { GAP };
        if high + more > room.min(640.0) {
            break;
        }
        high += more;
        headlines.push(setting);
    }
    (headlines, high)
}

/// Between the edge of the coloured part and the first headline.
const HEAD: f32 = 84.0;
/// At least so much of the coloured part is below what stands in it.
const BELOW: f32 = 96.0;
/// Between two headlines, with a rule in its middle.
const GAP: f32 = 52.0;

/// How far apart the lines of a text are, in ems.
fn leading(style: Style) -> f32 {
    if style == Style::Wide { 1.3 } else { 1.18 }
}

#[expect(clippy::cast_precision_loss, reason = "a cover has few lines")]
fn height(setting: &Setting) -> f32 {
    setting.size * (1.0 + leading(setting.style) * setting.lines.len().saturating_sub(1) as f32)
}

/// Where the sheet is put together.
struct Layout {
    rtl: bool,
    rules: Vec<Rule>,
    lines: Vec<Line>,
}

impl Layout {
    fn place(&self, side: Side) -> (f32, &'static str) {
        if (side == Side::Start) == self.rtl { (f32::from(WIDTH) - MARGIN, "end") } else { (MARGIN, "start") }
    }

    /// Sets lines with the top of the first at `top`; gives where the last one ends.
    fn set(&mut self, setting: &Setting, side: Side, top: f32, fill: Colour) -> f32 {
        let (x, anchor) = self.place(side);
        let mut y = top + setting.size * 0.86;
        for text in &setting.lines {
            let (size, style, fill) = (setting.size, setting.style, fill.to_string());
            self.lines.push(Line { x, y, size, style, anchor, fill, text: text.clone() });
            y += setting.size * leading(setting.style);
        }
        top + height(setting)
    }

    fn rule(&mut self, y: f32, height: f32, width: f32, fill: Colour) {
        let x = if self.rtl { f32::from(WIDTH) - MARGIN - width } else { MARGIN };
        self.rules.push(Rule { x, y, width, height, fill: fill.to_string() });
    }

    /// Number and date, the periodical's name, the issue's own; gives where they end.
    fn masthead(&mut self, outline: &Outline, ink: Colour) -> f32 {
        let small = |text: &str| settable(text).map(|text| fit(&text, ROOM * 0.48, 1, 40.0, 24.0));
        let place = outline.number.as_deref().or(outline.place.as_deref());
        if let Some(number) = place.and_then(small) {
            self.set(&number, Side::Start, 92.0, ink);
        }
        if let Some(date) = small(&outline.day.text) {
            let side = if place.is_some() { Side::End } else { Side::Start };
            self.set(&date, side, 92.0, ink);
        }
        self.rule(156.0, 8.0, ROOM, ink);
        self.rule(170.0, 2.0, ROOM, ink);
        let mut end = 236.0;
        let paper = settable(&outline.paper).unwrap_or_default();
        let size = if Style::of(&paper) == Style::Wide { 250.0 } else { 200.0 };
        if !paper.is_empty() {
            end = self.set(&fit(&paper, ROOM, 3, size, 76.0), Side::Start, end, ink);
        }
        if let Some(title) = outline.title.as_deref().and_then(settable) {
            end = self.set(&fit(&title, ROOM, 3, 84.0, 46.0), Side::Start, end + 62.0, ink);
        }
        end
    }

    fn list(&mut self, headlines: &[Setting], top: f32, accent: Colour) {
        let mut top = top;
        for (n, headline) in headlines.iter().enumerate() {
            if n > 0 {
                self.rule(top - GAP / 2.0 - 1.0, 2.0, ROOM, GREY);
            }
            let fill = if n == 0 { accent } else { Colour::INK };
            top = self.set(headline, Side::Start, top, fill) + GAP;
        }
    }

    fn foot(&mut self, outline: &Outline, accent: Colour) {
        let small = |text: &str| settable(text).map(|text| fit(&text, ROOM * 0.48, 1, 32.0, 22.0));
        if let Some(publisher) = outline.publisher.as_deref().and_then(small) {
            self.set(&publisher, Side::Start, 1518.0, accent);
        }
        if let Some(count) = small(&outline.n_articles) {
            self.set(&count, Side::End, 1518.0, accent);
        }
    }

    /// The number of the issue or its day, very large, behind all else; only what is made of few digits.
    fn numeral(&self, outline: &Outline, band: f32) -> Option<Line> {
        let digits = outline.numeral();
        let (x, anchor) = self.place(Side::End);
        let size = match digits.len() {
            1..=3 => 520.0,
            4 => 430.0,
            5 => 360.0,
            _ => return None,
        };
        let (style, fill) = (Style::Narrow, String::new());
        Some(Line { x, y: band + size * 0.1, size, style, anchor, fill, text: digits })
    }
}
