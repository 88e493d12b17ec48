//! Which column of a table is what, by the names that programs and people give them.

use super::{origins::Origin, values::parse_address};
use crate::{subscriber::Standing, typography};

/// What a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Address,
    Standing,
    Subscribed,
    Pace,
    Form,
    Sections,
    Language,
    Device,
    ConsentAt,
    ConsentHow,
    ConsentFrom,
    ConfirmedAt,
    LeftAt,
    /// Why somebody left: a complaint may be among it.
    LeftWhy,
    /// That letters are turned off.
    Disabled,
    Suppression,
    SuppressedAt,
    SuppressionText,
    /// By what link he or she could leave so far.
    OldLink,
}

/// The names of columns, in small letters without spaces and marks. The first of each is ours.
const NAMES: [(Column, &[&str]); 17] = [
    (
        Column::Address,
        &[
            "address",
            "email",
            "emailaddress",
            "mail",
            "subscriber",
            "subscriberemail",
            "邮箱",
            "邮箱地址",
            "电子邮箱",
            "电子邮件",
            "电子邮件地址",
            "邮件地址",
            "邮件",
            "信箱",
            "電子郵件",
            "電子信箱",
            "郵箱",
        ],
    ),
    (Column::Standing, &["standing", "status", "state", "subscriberstatus", "状态", "订阅状态", "狀態"]),
    (Column::Subscribed, &["subscribed", "subscribedtoemails", "isactive", "active", "已订阅"]),
    (Column::Pace, &["pace", "frequency", "频率", "周期", "頻率"]),
    (Column::Form, &["form", "format", "emailtype", "格式", "形式"]),
    (Column::Sections, &["sections", "section", "topics", "interests", "栏目", "版面", "欄目"]),
    (Column::Language, &["language", "lang", "locale", "语言", "語言"]),
    (Column::Device, &["device", "kindle", "ereader", "kindleaddress", "设备", "阅读器", "設備"]),
    (
        Column::ConsentAt,
        &[
            "consentat",
            "consent",
            "consenttime",
            "optintime",
            "optinat",
            "subscribedat",
            "subscribeddate",
            "signupdate",
            "signupat",
            "joinedat",
            "joined",
            "dateadded",
            "createdat",
            "created",
            "订阅时间",
            "订阅日期",
            "同意时间",
            "加入时间",
            "注册时间",
            "创建时间",
            "訂閱時間",
        ],
    ),
    (Column::ConsentHow, &["consenthow", "how", "source", "signupsource", "订阅方式", "来源", "來源"]),
    (Column::ConsentFrom, &["consentfrom", "from", "optinip", "signupip", "ip", "ipaddress", "ip地址"]),
    (
        Column::ConfirmedAt,
        &["confirmedat", "confirmed", "confirmtime", "confirmationtime", "确认时间", "確認時間"],
    ),
    (Column::LeftAt, &["leftat", "unsubtime", "unsubscribedat", "unsubscribetime", "退订时间", "退訂時間"]),
    (Column::Suppression, &["suppression", "suppressionreason", "停发原因"]),
    (Column::SuppressedAt, &["suppressedat", "cleantime", "bouncedat", "停发时间"]),
    (Column::SuppressionText, &["suppressiontext", "reason", "cleancampaigntitle", "说明", "原因"]),
    (
        Column::OldLink,
        &["oldlink", "unsubscribelink", "unsubscribeurl", "unsubscribe", "退订链接", "退訂連結"],
    ),
];

/// Where a table has what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    kinds: Vec<Option<Column>>,
    /// The program that wrote it, where that is known.
    pub origin: Option<&'static Origin>,
    /// What everybody in it is at least, where it is a file of those who get nothing.
    pub(super) stops: Option<Standing>,
    /// The names of columns that are nothing to us.
    pub unknown: Vec<String>,
}

/// A file that is no table of subscribers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There is nothing in it.
    #[error("there is no row in it")]
    Empty,
    /// Its first row cannot be read.
    #[error("its first row cannot be read as names of columns")]
    NoHead,
    /// None of its columns has addresses.
    #[error("none of its columns has addresses; it has `{}`", .0.join("`, `"))]
    NoAddress(Vec<String>),
    /// Two columns have one name.
    #[error("two of its columns are `{0}`; take one of them out")]
    Twice(String),
}

impl Columns {
    /// The columns by the first row, and whether that is a head: a table without one has addresses in it at once.
    pub(super) fn of(first: &[String]) -> Result<(Self, bool), Unusable> {
        let names: Vec<String> = first.iter().map(|name| plain(name)).collect();
        let origin = Origin::of(&names);
        let column = |name: &String| origin.map_or_else(|| named(name), |origin| origin.column(name));
        let columns: Vec<Option<Column>> = names.iter().map(column).collect();
        if !columns.contains(&Some(Column::Address)) {
            let addresses: Vec<bool> = first.iter().map(|cell| parse_address(cell.trim()).is_ok()).collect();
            let Some(place) = addresses.iter().position(|is| *is) else {
                return Err(Unusable::NoAddress(first.iter().map(|name| shown(name)).collect()));
            };
            let mut columns = vec![None; first.len()];
            columns[place] = Some(Column::Address);
            return Ok((Self { kinds: columns, origin: None, stops: None, unknown: Vec::new() }, false));
        }
        for (place, column) in columns.iter().enumerate() {
            if column.is_some() && columns[..place].contains(column) {
                return Err(Unusable::Twice(shown(&first[place])));
            }
        }
        let unknown =
            first.iter().zip(&columns).filter(|(name, column)| column.is_none() && !name.trim().is_empty());
        let unknown = unknown.map(|(name, _)| shown(name)).collect();
        let stops = origin.and_then(|origin| origin.stops(&names));
        Ok((Self { kinds: columns, origin, stops, unknown }, true))
    }

    /// The cell of a column in a row, without the white space around it; empty where there is none.
    pub(super) fn cell<'c>(&self, cells: &'c [String], column: Column) -> &'c str {
        let place = self.kinds.iter().position(|known| *known == Some(column));
        place.and_then(|place| cells.get(place)).map_or("", |cell| super::unquoted_formula(cell.trim()))
    }

    /// How many columns there are.
    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }
}

/// A name in small letters, without spaces and marks.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn named(plain: &str) -> Option<Column> {
    NAMES.iter().find(|(_, names)| names.contains(&plain)).map(|(column, _)| *column)
}

fn shown(name: &str) -> String {
    typography::printable(name).trim().chars().take(40).collect()
}
