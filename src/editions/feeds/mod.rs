//! The feeds: the lists that readers follow.

mod rss;

pub(super) use self::rss::{rss, stylesheet};
