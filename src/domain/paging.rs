//! Pages of lists that are too long for one page.

use super::text;

/// Where a page begins, in the order of its list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageFrom<P> {
    /// With the first row.
    #[default]
    Start,
    /// With the rows after this position.
    After(P),
    /// With the rows before this position; they are read in the opposite order, the nearest first.
    Before(P),
}

/// A position in the order of names: it stays the same when what it was taken from is renamed or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByName {
    /// The name as lists sort it.
    pub search: String,
    /// The row, among those with the same name.
    pub id: i64,
}

impl ByName {
    /// Returns the position of something with this name.
    pub fn of(name: &str, id: i64) -> Self {
        Self { search: text::searchable(name), id }
    }
}

impl<P> PageFrom<P> {
    /// Returns the position after or before which the page begins.
    pub const fn place(&self) -> Option<&P> {
        match self {
            Self::Start => None,
            Self::After(place) | Self::Before(place) => Some(place),
        }
    }

    /// Leaves the rows of the page, of which one more was read, in the order of the list. Returns whether there are
    /// pages before and after it.
    pub fn arrange<T>(&self, rows: &mut Vec<T>, size: usize) -> (bool, bool) {
        let is_cut = rows.len() > size;
        rows.truncate(size);
        match self {
            Self::Start => (false, is_cut),
            Self::After(_) => (true, is_cut),
            Self::Before(_) => {
                rows.reverse();
                (is_cut, true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_others_are_around_it() {
        let arranged = |from: PageFrom<i32>, mut rows: Vec<i32>| {
            let around = from.arrange(&mut rows, 2);
            (rows, around)
        };
        assert_eq!(arranged(PageFrom::Start, vec![1, 2]), (vec![1, 2], (false, false)));
        assert_eq!(arranged(PageFrom::Start, vec![1, 2, 3]), (vec![1, 2], (false, true)));
        assert_eq!(arranged(PageFrom::After(2), vec![3]), (vec![3], (true, false)));
        assert_eq!(arranged(PageFrom::Before(4), vec![3, 2, 1]), (vec![2, 3], (true, true)));
        assert_eq!(arranged(PageFrom::Before(3), vec![2, 1]), (vec![1, 2], (false, true)));
    }
}
