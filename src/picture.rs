//! A picture of an issue: its name, its size and, apart from these, its bytes.

use serde::{Deserialize, Serialize};

use crate::typography;

/// The longest beginning of a picture's name that is taken from its file.
const MAX_STEM: usize = 40;

/// The file name of a picture, the same in every edition: `[a-z0-9-]+\.(png|jpg)`, with a hash of its bytes, so that another
/// picture never has the same address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PictureName(String);

impl PictureName {
    /// The name, if it has the form of one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (stem, extension) = name.rsplit_once('.')?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let formed = (1..=64).contains(&stem.len())
            && stem.bytes().all(plain)
            && MediaType::ALL.iter().any(|media_type| media_type.extension() == extension);
        formed.then(|| Self(name.to_owned()))
    }

    /// The name as written in paths.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PictureName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PictureName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        Self::parse(&name).ok_or_else(|| format!("`{name}` is no name of a picture"))
    }
}

impl From<PictureName> for String {
    fn from(name: PictureName) -> Self {
        name.0
    }
}

/// The forms in which pictures go out: those that every reading system shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaType {
    /// Drawings, and what has few colours.
    #[serde(rename = "image/png")]
    Png,
    /// Photographs.
    #[serde(rename = "image/jpeg")]
    Jpeg,
}

impl MediaType {
    const ALL: [Self; 2] = [Self::Png, Self::Jpeg];

    /// `image/png` or `image/jpeg`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// How names of such files end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

/// What editions know of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Its file name in every edition.
    pub name: PictureName,
    /// Its form.
    pub media_type: MediaType,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Its size in bytes.
    pub length: u64,
    /// The BLAKE3 hash of its bytes in hex digits, under which they are kept.
    pub hash: String,
}

/// A picture with its bytes, ready to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plate {
    /// What editions know of it.
    pub picture: Picture,
    /// Its file, whole.
    pub bytes: Vec<u8>,
}

impl Plate {
    /// The plate of an encoded picture, named after the file that it came from.
    #[must_use]
    pub fn new(file_name: &str, media_type: MediaType, (width, height): (u32, u32), bytes: Vec<u8>) -> Self {
        let hash = blake3::hash(&bytes).to_hex().to_string();
        let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
        let slug = typography::slug(stem);
        let stem = slug.get(..MAX_STEM).unwrap_or(&slug).trim_matches('-');
        let name = PictureName(format!("{stem}-{}.{}", &hash[..10], media_type.extension()));
        let length = bytes.len() as u64;
        Self { picture: Picture { name, media_type, width, height, length, hash }, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_picture_leads_anywhere_else() {
        for bad in
            ["", "a", ".png", "../a.png", "a/b.png", "a.svg", "a.png.exe", "A.png", "a b.png", "图.png"]
        {
            assert_eq!(PictureName::parse(bad), None, "{bad:?}");
        }
        for file in ["Bridge at Noon.PNG", "桥.jpeg", "…….gif", "a.b.c", &"长".repeat(400)] {
            let plate = Plate::new(file, MediaType::Jpeg, (1, 1), b"x".to_vec());
            let name = plate.picture.name.as_str();
            assert_eq!(PictureName::parse(name).as_ref(), Some(&plate.picture.name), "{name}");
        }
        let plate = Plate::new("桥.jpeg", MediaType::Jpeg, (1, 1), b"x".to_vec());
        assert!(plate.picture.name.as_str().starts_with("qiao-"), "{}", plate.picture.name);
    }
}
