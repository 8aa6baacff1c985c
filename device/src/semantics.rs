//! What programs compute. Device and [reference interpreter](mod@crate::reference) implement this independently.
//!
//! `docs/operations.md` states the result of every operation to the last bit: how integers wrap or saturate, how floats round, in which
//! order reductions add, which NaN is made. Beyond that:
//!
//! *Division by zero* of integers, by `div` or `rem`, faults the step and names operand 2 and the byte offset of the first zero divisor
//! within it. No other operation traps.
//!
//! *After a fault* the contents of every range that the program writes are unspecified: the device works in chunks of up to 64 KiB of each
//! operand, or in tiles of a matrix, and those before the fault have been written.
//!
//! *Overlap*: an operation that works element by element reads a chunk of all sources before it writes, so that the destination may be
//! exactly the range of a source. Any other overlap is refused by whoever checks programs, and the device's result for it is unspecified.
//!
//! *Alignment*: offsets are multiples of the size of the operand's elements within their binding or window. Where the bytes are in host
//! memory does not matter.
