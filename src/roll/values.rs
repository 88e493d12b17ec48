//! What stands in a row, read and written.

use jiff::{Timestamp, civil, tz::TimeZone};

use super::{
    Assumed,
    columns::{Column, Columns, plain},
};
use crate::{
    ledger::Entry, prose::Language, subscriber::Address, subscriber::Consent, subscriber::Form,
    subscriber::Pace, subscriber::Preferences, subscriber::Sections, subscriber::Standing,
    subscriber::Subscriber, subscriber::Suppression, subscriber::SuppressionReason, subscriber::Wish,
};

/// The columns that we write.
pub const COLUMNS: [&str; 14] = [
    "address",
    "standing",
    "pace",
    "form",
    "sections",
    "language",
    "device",
    "consent_at",
    "consent_how",
    "consent_from",
    "confirmed_at",
    "suppression",
    "suppressed_at",
    "suppression_text",
];

/// A subscriber as the cells of [`COLUMNS`].
#[must_use]
pub fn row_of(subscriber: &Subscriber) -> [String; 14] {
    let Subscriber { address, standing, suppression, consent, preferences, .. } = subscriber;
    let Preferences { pace, wish, device } = preferences;
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let cells = [
        address.to_string(),
        standing.as_str().to_owned(),
        pace.as_str().to_owned(),
        wish.form.as_str().to_owned(),
        wish.sections.iter().collect::<Vec<_>>().join(" "),
        wish.language.as_ref().map(|language| language.as_str().to_owned()).unwrap_or_default(),
        device.as_ref().map(ToString::to_string).unwrap_or_default(),
        consent.at.to_string(),
        consent.how.clone(),
        consent.from.clone().unwrap_or_default(),
        time(consent.confirmed),
        suppression.as_ref().map(|why| why.reason.as_str().to_owned()).unwrap_or_default(),
        time(suppression.as_ref().map(|why| why.at)),
        suppression.as_ref().map(|why| why.text.clone()).unwrap_or_default(),
    ];
    cells.map(quoted_formula)
}

/// A cell with the mark that keeps a spreadsheet from reckoning with it, where it would.
#[must_use]
pub fn quoted_formula(cell: String) -> String {
    if is_formula(&cell) { format!("'{cell}") } else { cell }
}

/// Whether a spreadsheet would reckon with a cell instead of showing it.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A cell without the mark that keeps a spreadsheet from reckoning with it.
#[must_use]
pub fn unquoted_formula(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// What the words of other programs say of a standing, and why somebody is suppressed.
const STANDINGS: [(Standing, Option<SuppressionReason>, &[&str]); 6] = [
    (
        Standing::Confirmed,
        None,
        &[
            "confirmed",
            "active",
            "enabled",
            "subscribed",
            "yes",
            "true",
            "1",
            "已确认",
            "已订阅",
            "订阅",
            "正常",
            "有效",
        ],
    ),
    (Standing::Pending, None, &["pending", "unconfirmed", "待确认", "未确认"]),
    (
        Standing::Left,
        None,
        &[
            "left",
            "unsubscribed",
            "optedout",
            "disabled",
            "inactive",
            "no",
            "false",
            "0",
            "已退订",
            "退订",
            "未订阅",
        ],
    ),
    (
        Standing::Suppressed,
        Some(SuppressionReason::Bounced),
        &["bounced", "bounce", "hardbounce", "hardbounced", "cleaned", "dead", "invalid", "退信", "无效"],
    ),
    (
        Standing::Suppressed,
        Some(SuppressionReason::Complained),
        &["complained", "complaint", "spam", "spamcomplaint", "abuse", "投诉"],
    ),
    (
        Standing::Suppressed,
        Some(SuppressionReason::Operator),
        &["suppressed", "operator", "blocklisted", "blacklisted", "blocked", "banned", "黑名单", "已屏蔽"],
    ),
];

/// The most bytes of an old link.
const LONGEST_LINK: usize = 1024;

/// Somebody as a row has him or her, or what stands for the address and why the row cannot be taken.
pub(super) fn entry(
    columns: &Columns,
    cells: &[String],
    assumed: &Assumed,
) -> Result<Entry, (String, String)> {
    let cell = |column| columns.cell(cells, column);
    let written = cell(Column::Address);
    let shown = || written.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
    let refused = |reason: String| (shown(), reason);
    if cells.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty()) {
        return Err(refused(format!(
            "it has {} cells, and the first row has {}",
            cells.len(),
            columns.len()
        )));
    }
    if written.contains(char::REPLACEMENT_CHARACTER) {
        return Err(refused("a character of the address cannot be decoded".to_owned()));
    }
    if written.is_empty() {
        return Err(refused("it has no address".to_owned()));
    }
    let address = parse_address(written).map_err(refused)?;
    read(address, &cell, columns, assumed).map_err(refused)
}

/// An address, alone or as mail programs and lists write it: `Li Wei <li@example.org>`, `li@example.org (Li Wei)`.
pub(super) fn parse_address(text: &str) -> Result<Address, String> {
    let noted =
        text.strip_suffix(')').and_then(|text| text.split_once(" (")).map(|(address, _)| address.trim());
    let text = noted.filter(|text| text.contains('@')).unwrap_or(text);
    let inside = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map(|(_, inside)| inside);
    let text = inside.unwrap_or(text);
    let text = text.get(..7).filter(|head| head.eq_ignore_ascii_case("mailto:")).map_or(text, |_| &text[7..]);
    Address::parse(text).map_err(|error| error.to_string())
}

/// What a link leads to on its server, or the word that stands for it; without one, nothing.
fn link(text: &str) -> Option<String> {
    let there = url::Url::parse(text).ok().filter(url::Url::has_host);
    let link = there.map_or_else(
        || text.to_owned(),
        |url| url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
    );
    (2..=LONGEST_LINK).contains(&link.len()).then_some(link)
}

fn read<'c>(
    address: Address,
    cell: &impl Fn(Column) -> &'c str,
    columns: &Columns,
    assumed: &Assumed,
) -> Result<Entry, String> {
    let time = |column| when(cell(column), &assumed.time_zone);
    let (mut standing, mut reason) = standing_of(cell, columns)?;
    let left_at = time(Column::LeftAt)?;
    if left_at.is_some() && matches!(standing, Standing::Pending | Standing::Confirmed) {
        standing = Standing::Left;
    }
    if let Some(word) = Some(cell(Column::Suppression)).filter(|word| !word.is_empty()) {
        let said = STANDINGS
            .iter()
            .find(|(_, reason, words)| reason.is_some() && words.contains(&plain(word).as_str()));
        reason = said.and_then(|(_, reason, _)| *reason).or(Some(SuppressionReason::Operator));
        standing = if standing == Standing::Left { standing } else { Standing::Suppressed };
    }
    let suppressed_at = time(Column::SuppressedAt)?;
    if suppressed_at.is_some() && matches!(standing, Standing::Pending | Standing::Confirmed) {
        standing = Standing::Suppressed;
    }
    if is_said(cell(Column::Disabled)) && matches!(standing, Standing::Pending | Standing::Confirmed) {
        standing = Standing::Left;
    }
    let why = plain(cell(Column::LeftWhy));
    if why.contains("spam") || why.contains("abuse") {
        (standing, reason) = (Standing::Suppressed, Some(SuppressionReason::Complained));
    }
    for least in columns.stops.into_iter().chain([assumed.standing]) {
        standing = if weight(least) > weight(standing) { least } else { standing };
    }
    if standing == Standing::Suppressed && reason.is_none() {
        let bounced = suppressed_at.is_some() || columns.stops == Some(Standing::Suppressed);
        reason = Some(if bounced { SuppressionReason::Bounced } else { SuppressionReason::Operator });
    }
    let consent_at = time(Column::ConsentAt)?;
    let confirmed_at = time(Column::ConfirmedAt)?;
    let at = consent_at.or(confirmed_at).unwrap_or(assumed.now);
    let or_else = |column, other: &str| {
        let text = cell(column);
        if text.is_empty() { other.to_owned() } else { text.to_owned() }
    };
    let from = or_else(Column::ConsentFrom, assumed.from.as_deref().unwrap_or_default());
    let suppression = match (standing, reason) {
        (Standing::Suppressed, Some(reason)) => Some(Suppression {
            reason,
            at: suppressed_at.or(left_at).unwrap_or(assumed.now),
            text: or_else(Column::SuppressionText, "said so in an import"),
        }),
        _ => None,
    };
    Ok(Entry {
        address,
        standing,
        suppression,
        consent: Consent {
            at,
            how: or_else(Column::ConsentHow, assumed.how.as_deref().unwrap_or_default()),
            from: Some(from).filter(|from| !from.is_empty()),
            confirmed: confirmed_at.or((standing == Standing::Confirmed).then_some(at)),
        },
        preferences: preferences(cell, columns)?,
        anew: false,
        old_link: link(cell(Column::OldLink)),
    })
}

/// How much a standing keeps letters away.
fn weight(standing: Standing) -> u8 {
    match standing {
        Standing::Confirmed => 0,
        Standing::Pending => 1,
        Standing::Left => 2,
        Standing::Suppressed => 3,
    }
}

/// Whether a cell says yes.
fn is_said(word: &str) -> bool {
    !matches!(plain(word).as_str(), "" | "false" | "no" | "0" | "f" | "n")
}

fn standing_of<'c>(
    cell: &impl Fn(Column) -> &'c str,
    columns: &Columns,
) -> Result<(Standing, Option<SuppressionReason>), String> {
    for column in [Column::Standing, Column::Subscribed] {
        let word = cell(column);
        if word.is_empty() {
            continue;
        }
        let said = plain(word);
        let said = columns.origin.map_or(said.as_str(), |origin| origin.word(&said));
        let known = STANDINGS.iter().find(|(_, _, words)| words.contains(&said));
        let Some((standing, reason, _)) = known else {
            return Err(format!(
                "`{word}` is no standing that is known: say confirmed, pending, left or suppressed"
            ));
        };
        // A program says who is subscribed beside what has become of the mailbox; what stops letters counts.
        if *standing != Standing::Confirmed
            || column == Column::Subscribed
            || cell(Column::Subscribed).is_empty()
        {
            return Ok((*standing, *reason));
        }
    }
    Ok((Standing::Confirmed, None))
}

fn preferences<'c>(cell: &impl Fn(Column) -> &'c str, columns: &Columns) -> Result<Preferences, String> {
    let word = |column| Some(cell(column)).filter(|word| !word.is_empty());
    let pace = word(Column::Pace).map_or(Ok(Pace::default()), |word| {
        Pace::parse(&word.to_lowercase())
            .ok_or_else(|| format!("`{word}` is no pace: say each, daily, weekly or monthly"))
    })?;
    let form = word(Column::Form).map_or(Ok(Form::default()), |word| {
        // Another program's forms are no wishes of ours.
        Form::parse(&word.to_lowercase())
            .or(columns.origin.map(|_| Form::default()))
            .ok_or_else(|| format!("`{word}` is no form: say html, text, book or kindle"))
    })?;
    let language = word(Column::Language)
        .map(|word| {
            Language::parse(&word.replace('_', "-"))
                .ok_or_else(|| format!("`{word}` is not a language tag such as `zh-Hans` or `en`"))
        })
        .transpose()?;
    let device = word(Column::Device).map(parse_address).transpose()?;
    // Our own slugs have no spaces; the names that people write may, and are parted by marks then.
    let sections = cell(Column::Sections);
    let marks = [',', ';', '|', '，', '；', '、'];
    let sections = if sections.contains(marks) {
        Sections::of(sections.split(marks))
    } else {
        Sections::of(sections.split_whitespace())
    };
    Ok(Preferences { pace, wish: Wish { form, sections, language }, device })
}

/// A time as programs and people write it; none where nothing stands. One without a zone is told in `zone`.
fn when(text: &str, zone: &TimeZone) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some(time));
    }
    let in_zone = |time: civil::DateTime| time.to_zoned(zone.clone()).ok().map(|time| time.timestamp());
    let plain = text.replace(['年', '月', '/'], "-").replace('日', " ");
    let plain = plain.trim();
    let read = plain
        .parse::<civil::DateTime>()
        .ok()
        .or_else(|| {
            ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"].iter().find_map(|form| {
                civil::DateTime::strptime(form, plain)
                    .or_else(|_| {
                        civil::Date::strptime(form, plain).map(|date: civil::Date| date.at(0, 0, 0, 0))
                    })
                    .ok()
            })
        })
        .and_then(in_zone);
    // Others write `2024-05-01 08:00:00.123456+00`, and Go `2024-05-01 08:00:00.123456 +0000 UTC`.
    let without_zone = match plain.split(' ').collect::<Vec<_>>()[..] {
        [date, time, offset, _zone] => Some(format!("{date} {time}{offset}")),
        _ => None,
    };
    let plain = without_zone.as_deref().unwrap_or(plain);
    let with_offset = || {
        let (time, offset) = plain.rsplit_once(['+', '-']).filter(|(time, _)| time.contains(':'))?;
        let sign = if plain.as_bytes().get(time.len()) == Some(&b'-') { '-' } else { '+' };
        let offset = match (offset.len(), offset.split_at_checked(2)) {
            (2, _) => format!("{offset}:00"),
            (4, Some((hours, minutes))) => format!("{hours}:{minutes}"),
            _ => offset.to_owned(),
        };
        format!("{}{sign}{offset}", time.trim()).replacen(' ', "T", 1).parse::<Timestamp>().ok()
    };
    with_offset().or(read).map(Some).ok_or_else(|| {
        format!("`{text}` is no time that can be read: write it like `2026-07-08T06:00:00Z` or `2026-07-08`")
    })
}
