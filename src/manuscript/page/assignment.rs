//! The best one-to-one assignment, by the method of Kuhn and Munkres with potentials (cubic in the smaller side).

/// Larger problems are no pages; see [`assign`].
const MAX_SIDE: usize = 120;

/// For each row the column that it gets, so that the sum of `score` over all pairs is the greatest; every column goes
/// to one row at most. Pairs with a score of `None` are never made. Rows may go without a column, which counts 0.
/// With more than [`MAX_SIDE`] rows or columns, each row takes its first free column in turn.
pub(super) fn assign(
    rows: usize,
    columns: usize,
    score: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<Option<usize>> {
    if rows > MAX_SIDE || columns > MAX_SIDE {
        return in_turn(rows, columns, score);
    }
    // One column more for each row that goes without.
    let width = columns + rows;
    let cost = |row: usize, column: usize| {
        if column < columns { score(row, column).map_or(1e6, |score| -score) } else { 0.0 }
    };
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; width + 1];
    let mut row_of = vec![0_usize; width + 1];
    let mut way = vec![0_usize; width + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut least = vec![f64::INFINITY; width + 1];
        let mut used = vec![false; width + 1];
        while row_of[column] != 0 {
            used[column] = true;
            let current = row_of[column];
            let mut step = f64::INFINITY;
            let mut next = 0;
            for other in 1..=width {
                if used[other] {
                    continue;
                }
                let reduced = cost(current - 1, other - 1) - row_potential[current] - column_potential[other];
                if reduced < least[other] {
                    least[other] = reduced;
                    way[other] = column;
                }
                if least[other] < step {
                    step = least[other];
                    next = other;
                }
            }
            for other in 0..=width {
                if used[other] {
                    row_potential[row_of[other]] += step;
                    column_potential[other] -= step;
                } else {
                    least[other] -= step;
                }
            }
            column = next;
        }
        while column != 0 {
            let previous = way[column];
            row_of[column] = row_of[previous];
            column = previous;
        }
    }
    let mut assigned = vec![None; rows];
    for (column, row) in row_of.iter().skip(1).take(columns).enumerate() {
        if let Some(row) = row.checked_sub(1) {
            assigned[row] = Some(column).filter(|&column| score(row, column).is_some());
        }
    }
    assigned
}

fn in_turn(rows: usize, columns: usize, score: impl Fn(usize, usize) -> Option<f64>) -> Vec<Option<usize>> {
    let mut first_free = 0;
    (0..rows)
        .map(|row| {
            // A window, so that a hundred thousand titles are read in linear time.
            let column = (first_free..columns.min(first_free + MAX_SIDE))
                .find(|&column| score(row, column).is_some())?;
            first_free = column + 1;
            Some(column)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scores: &[&[f64]], expected: &[Option<usize>]) {
        let columns = scores.first().map_or(0, |row| row.len());
        let found = assign(scores.len(), columns, |r, c| Some(scores[r][c]).filter(|s| *s >= 0.0));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_best_sum_wins_over_the_best_pair() {
        check(&[&[0.9, 0.8], &[0.8, 0.1]], &[Some(1), Some(0)]);
        check(&[&[0.9], &[0.95]], &[None, Some(0)]);
        check(&[&[0.1, 0.2, 0.9]], &[Some(2)]);
        check(&[&[-1.0, -1.0]], &[None]);
        check(&[], &[]);
    }
}
