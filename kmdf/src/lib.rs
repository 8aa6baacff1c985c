//! A safe, typed layer over KMDF for drivers that do bus-master DMA
