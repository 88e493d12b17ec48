//! A text that is the same for every reader but in a few places, made once and filled for each.

use crate::subscriber::{Address, LeaveKey, SubscriberId};

/// A place that each reader's letter fills with his or her own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// The address.
    To,
    /// The number.
    Subscriber,
    /// The last part of one of the reader's own addresses on the web.
    Own(Own),
    /// The same in Base64, on a line of its own, with the quotation mark that follows it, where one does.
    OwnInBase64(Own, Option<u8>),
    /// The last part of the mailbox for leaving.
    LeaveByMail,
}

/// Which of a reader's own addresses on the web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// That for leaving.
    Leave,
    /// That for changing what comes.
    Preferences,
}

/// Bytes with slots in them.
#[derive(Debug, Default)]
pub(super) struct Mould {
    bytes: Vec<u8>,
    /// Each slot with how many bytes stand before it, in their order.
    slots: Vec<(usize, Slot)>,
}

/// What one reader's slots are filled with.
pub(super) struct Reader<'a> {
    address: &'a str,
    subscriber: String,
    leave: String,
    preferences: String,
    leave_by_mail: String,
}

impl<'a> Reader<'a> {
    pub(super) fn of(address: &'a Address, id: SubscriberId, key: &LeaveKey) -> Self {
        Self {
            address: address.as_str(),
            subscriber: id.0.to_string(),
            leave: key.token(id),
            preferences: key.preferences(id),
            leave_by_mail: key.local_part("", id),
        }
    }

    fn own(&self, own: Own) -> &[u8] {
        match own {
            Own::Leave => self.leave.as_bytes(),
            Own::Preferences => self.preferences.as_bytes(),
        }
    }
}

impl Mould {
    /// Adds what is the same for everybody.
    pub(super) fn push(&mut self, text: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(text.as_ref());
    }

    /// Adds a place.
    pub(super) fn slot(&mut self, slot: Slot) {
        self.slots.push((self.bytes.len(), slot));
    }

    /// Adds all of another.
    pub(super) fn append(&mut self, other: &Self) {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.slots.extend(other.slots.iter().map(|(at, slot)| (before + at, *slot)));
    }

    /// How many bytes are the same for everybody.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds the text of one reader to `out`.
    pub(super) fn fill(&self, reader: &Reader<'_>, out: &mut Vec<u8>) {
        out.reserve(self.bytes.len() + self.slots.len() * 96);
        let mut done = 0;
        for &(at, slot) in &self.slots {
            out.extend_from_slice(&self.bytes[done..at]);
            done = at;
            match slot {
                Slot::To => out.extend_from_slice(reader.address.as_bytes()),
                Slot::Subscriber => out.extend_from_slice(reader.subscriber.as_bytes()),
                Slot::Own(own) => out.extend_from_slice(reader.own(own)),
                Slot::LeaveByMail => out.extend_from_slice(reader.leave_by_mail.as_bytes()),
                Slot::OwnInBase64(own, mark) => {
                    let (own, mut text) = (reader.own(own), [b' '; 57]);
                    let end = own.len().min(text.len() - 3);
                    text[..end].copy_from_slice(&own[..end]);
                    let end = match mark {
                        Some(mark) => {
                            text[end] = mark;
                            end + 1
                        }
                        None => end,
                    };
                    // Spaces up to whole groups of three bytes: what follows begins a group of its own.
                    super::body::base64_lines(&text[..end.next_multiple_of(3)], out);
                }
            }
        }
        out.extend_from_slice(&self.bytes[done..]);
    }
}
