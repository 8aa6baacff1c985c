//! Scatter-gather lists as Windows hands them to a driver.

use fastrand::Rng;

/// An element of a list; the fields are those of `SCATTER_GATHER_ELEMENT`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Element {
    /// Address of the first byte, as the device sees it.
    pub address: u64,
    /// Bytes.
    pub length: u32,
    /// Not used.
    pub reserved: u64,
}

/// Bytes of a page, which are those of an element here.
pub const PAGE: u64 = 4096;

/// How the pages of a buffer lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scatter {
    /// No two neighbours follow each other: as many segments as elements.
    Apart,
    /// Runs of eight pages.
    Runs,
    /// Every other page follows its neighbour, in no pattern that a branch predictor could learn.
    Mixed,
    /// All in one run, as behind an IOMMU that hands out pages one by one: a single segment.
    Contiguous,
}

impl Scatter {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Apart, Self::Runs, Self::Mixed, Self::Contiguous];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apart => "apart",
            Self::Runs => "runs of 8",
            Self::Mixed => "mixed",
            Self::Contiguous => "contiguous",
        }
    }

    /// Whether a page follows the one before it in memory too.
    fn joins(self, page: u64, rng: &mut Rng) -> bool {
        match self {
            Self::Apart => false,
            Self::Runs => !page.is_multiple_of(8),
            Self::Mixed => rng.bool(),
            Self::Contiguous => true,
        }
    }

    /// The list of a buffer of `pages` pages.
    pub fn list(self, pages: u64) -> Vec<Element> {
        let mut rng = Rng::with_seed(pages);
        let mut next = 1 << 32;
        let element = |page: u64| {
            let address = if self.joins(page, &mut rng) { next } else { next + PAGE };
            next = address + PAGE;
            Element {
                address,
                length: PAGE as u32,
                reserved: 0,
            }
        };
        (0..pages).map(element).collect()
    }
}

/// Segments into which a list of pages can be joined.
pub fn segments(list: &[Element]) -> usize {
    let joined = |pair: &&[Element]| pair[0].address + PAGE == pair[1].address;
    list.len() - list.windows(2).filter(joined).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_follow_each_other_only_within_runs() {
        let counts = Scatter::ALL.map(|scatter| segments(&scatter.list(4096)));
        let [apart, runs, mixed, contiguous] = counts;
        assert_eq!((apart, runs, contiguous), (4096, 512, 1));
        assert!((1900..2200).contains(&mixed), "{mixed}");
    }

    #[test]
    fn an_element_is_as_large_as_in_windows() {
        assert_eq!(size_of::<Element>(), 24);
    }
}
