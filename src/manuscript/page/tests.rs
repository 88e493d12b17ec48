//! Titles and names that a page's layout does not set apart.

use expect_test::expect;

use super::super::tests::{check, outline, proof};

#[test]
fn a_line_that_ends_with_a_name_below_a_title_is_asked_about() {
    check(
        "page.txt",
        "老渡船退役记\n\n本报记者 周文远\n\n江边的老渡船昨天最后一次靠岸。它在这条江上走了三十一年，载过学生、菜农和新娘。\n\n\
         请把路灯修一修\n\n南巷居民 赵德全\n\n南巷的路灯坏了三盏，晚上孩子们放学要摸黑走过去。请派人来看一看，修好它们。\n",
        &expect![[r"
            老渡船退役记 / 周文远 / 2¶ / h1 请把路灯修一修 / h1 南巷居民 赵德全
            ? 9 two-articles
            - 本报记者
        "]],
    );
}

#[test]
fn a_title_between_paragraphs_that_only_their_indents_part_is_no_part_of_them() {
    let above = "\u{3000}\u{3000}江边的老渡船昨天最后一次靠岸。它走了三十一年，\n载过学生、菜农和新娘。船工说，慢一点没有关系。\n";
    let below = "\u{3000}\u{3000}南巷的路灯坏了三盏，孩子们放学要摸黑走过去。\n请派人来看一看，修好它们。\n";
    for (title, shown) in [
        ("请把路灯修一修\n", "h1 请把路灯修一修"),
        ("请把路灯修一修\n南巷居民 赵德全\n", "h1 请把路灯修一修 / h1 南巷居民 赵德全"),
        ("", ""),
    ] {
        let read = outline(&proof("page.txt", &format!("老渡船退役记\n周文远\n{above}{title}{below}")));
        let blocks = if shown.is_empty() { "2¶".to_owned() } else { format!("2¶ / {shown}") };
        assert!(read.starts_with(&format!("老渡船退役记 / 周文远 / {blocks}\n")), "{read}");
    }
}
