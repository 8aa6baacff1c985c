//! What programs compute. Device and [reference interpreter](mod@crate::reference) implement this independently.
//!
//! Element-wise operations compute `dst[i]` for `i` in `0..count`; a source that is the immediate is the same for every `i`.
//!
//! | operation | result | i32, u32, i64 | f32, f64 |
//! |---|---|---|---|
//! | copy | `a` | bits unchanged | bits unchanged, NaN payloads included |
//! | fill | `a`, which is the immediate | bits unchanged | bits unchanged |
//! | add, sub, mul | `a + b`, `a - b`, `a * b` | modulo 2^bits (two's complement) | rounded once, to nearest, ties to even |
//! | div | `a / b` | truncated towards zero; smallest / -1 is the smallest; a zero divisor faults | rounded once; x/0 is an infinity, 0/0 a NaN |
//! | min, max | smaller, larger | order of the integers | IEEE 754-2019 `minimum`, `maximum`: a NaN wins, -0 is below +0 |
//! | fma | `a * b + c` | modulo 2^bits | rounded once, after the addition |
//! | sum | `a[0] + a[1] + ...` of `count` elements, to `dst[0]` | modulo 2^bits | each addition rounded, from the first element to the last, starting with the first |
//!
//! Every NaN that an operation other than copy and fill produces is the canonical quiet NaN: `0x7FC00000`, `0x7FF8000000000000`. That
//! includes the sum of one element that is a NaN. Subnormal numbers are kept. No operation traps but integer division.
//!
//! *Division by zero* faults the step and names operand 2 and the byte offset of the first zero divisor within it.
//!
//! *After a fault* the contents of every range that the program writes are unspecified: the device works in chunks of 64 KiB of each
//! operand, and those before the fault have been written.
//!
//! *Overlap*: the destination may be exactly the range of a source; any other overlap is refused by whoever checks programs, and the
//! device's result for it is unspecified. The destination of a sum overlaps its source in no case.
//!
//! *Alignment*: offsets are multiples of the element size within their binding or window. Where the bytes are in host memory does not matter.
