//! Sites: places of an organization, one inside the other. Who is assigned to a site belongs to all sites below it.

use super::time::Timestamp;

/// The maximum number of levels of sites, one inside the other.
pub const MOST_LEVELS: i16 = 8;
/// The maximum number of sites in an organization, which a page shows all together.
pub const MOST_SITES: i64 = 2_000;

/// The row id of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub i64);

/// A site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The row.
    pub id: SiteId,
    /// Its public id.
    pub public_id: String,
    /// Its name, which no other site in the same place has.
    pub name: String,
    /// The site that it is in.
    pub parent: Option<SiteId>,
    /// Its level, from 1 for a site that is in no other one.
    pub level: i16,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its version, incremented by each change of its name or place.
    pub version: i64,
}

/// How many people are assigned to a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Those who are assigned to the site itself.
    pub here: i64,
    /// Those who are assigned to it or to a site below it; each counts once.
    pub in_all: i64,
}

/// A site, and how many people are assigned to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedSite {
    /// The site.
    pub site: Site,
    /// The people.
    pub people: People,
}

/// Why a site cannot be in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// The place is the site itself, or below it.
    BelowItself,
    /// There would be more than [`MOST_LEVELS`] levels.
    TooDeep,
}

/// Checks whether a site, below which there are `levels_below` levels, can be in `parent`, and returns its level there.
///
/// # Errors
/// That there would be too many levels.
pub fn level_in(parent: Option<&Site>, levels_below: i16) -> Result<i16, Misplaced> {
    let level = parent.map_or(1, |parent| parent.level + 1);
    if level + levels_below <= MOST_LEVELS { Ok(level) } else { Err(Misplaced::TooDeep) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_levels_fit_and_no_ninth() {
        let at = |level| Site {
            id: SiteId(1),
            public_id: String::new(),
            name: String::new(),
            parent: None,
            level,
            created_at: Timestamp::from_seconds(0),
            version: 1,
        };
        assert_eq!((level_in(None, 0), level_in(None, 7)), (Ok(1), Ok(1)));
        assert_eq!((level_in(Some(&at(7)), 0), level_in(Some(&at(4)), 3)), (Ok(8), Ok(5)));
        for (parent, below) in [(8, 0), (7, 1), (5, 3), (1, 7)] {
            assert_eq!(level_in(Some(&at(parent)), below), Err(Misplaced::TooDeep), "{parent} {below}");
        }
        assert_eq!(level_in(None, 8), Err(Misplaced::TooDeep));
    }
}
