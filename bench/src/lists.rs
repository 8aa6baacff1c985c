//! Scatter-gather lists as Windows hands them to a driver.

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
    /// All in one run, as behind an IOMMU that hands out pages one by one: a single segment.
    Contiguous,
}

impl Scatter {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Apart, Self::Runs, Self::Contiguous];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apart => "apart",
            Self::Runs => "runs of 8",
            Self::Contiguous => "contiguous",
        }
    }

    /// Pages that follow each other.
    const fn run(self) -> u64 {
        match self {
            Self::Apart => 1,
            Self::Runs => 8,
            Self::Contiguous => u64::MAX,
        }
    }

    /// The list of a buffer of `pages` pages.
    pub fn list(self, pages: u64) -> Vec<Element> {
        let element = |page: u64| Element {
            address: (1 << 32) + (page + page / self.run()) * PAGE,
            length: PAGE as u32,
            reserved: 0,
        };
        (0..pages).map(element).collect()
    }

    /// Segments into which the list of `pages` pages can be joined.
    pub fn segments(self, pages: u64) -> u64 {
        pages.div_ceil(self.run())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_follow_each_other_only_within_runs() {
        for scatter in Scatter::ALL {
            let list = scatter.list(40);
            let breaks = list
                .windows(2)
                .filter(|pair| pair[0].address + PAGE != pair[1].address)
                .count();
            assert_eq!(breaks as u64 + 1, scatter.segments(40), "{}", scatter.name());
        }
        assert_eq!(Scatter::ALL.map(|scatter| scatter.segments(40)), [40, 5, 1]);
    }

    #[test]
    fn an_element_is_as_large_as_in_windows() {
        assert_eq!(size_of::<Element>(), 24);
    }
}
