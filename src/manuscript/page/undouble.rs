//! Lines that a text layer printed twice over, run by run: 主主办办：：.

/// Shorter lines are doubled by chance (谢谢), longer ones are no masthead.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=240;

/// The line printed once, if all of it is runs that stand twice: `XXYY…` gives `XY…`. White space does not count.
/// Quadratic in the worst case, which is why long lines are left alone.
pub(super) fn undouble(line: &str) -> Option<String> {
    let characters: Vec<char> = line.chars().filter(|c| !c.is_whitespace()).take(LENGTHS.end() + 1).collect();
    let n = characters.len();
    if !LENGTHS.contains(&n) || !n.is_multiple_of(2) {
        return None;
    }
    // from[i] is where the run that ends at i begins.
    let mut from: Vec<Option<usize>> = vec![None; n + 1];
    from[0] = Some(0);
    for start in 0..n {
        if from[start].is_none() {
            continue;
        }
        for length in 1..=(n - start) / 2 {
            let end = start + 2 * length;
            if from[end].is_none() && characters[start..start + length] == characters[start + length..end] {
                from[end] = Some(start);
            }
        }
    }
    let mut runs = Vec::new();
    let mut end = n;
    while end > 0 {
        let start = from[end]?;
        runs.push(start..start + (end - start) / 2);
        end = start;
    }
    Some(runs.into_iter().rev().flat_map(|run| characters[run].iter()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(undouble(line).unwrap_or_default(), expected, "{line}");
    }

    #[test]
    fn a_line_printed_twice_over_is_read_once() {
        check("主主办办：：河畔县河畔县", "主办：河畔县");
        check("电话电话：：0123012345674567", "电话：01234567");
        check("主办：河畔县", "");
        check("谢谢", "");
        check("aabbc", "");
        check("", "");
    }
}
