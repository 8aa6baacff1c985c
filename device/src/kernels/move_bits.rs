//! Operations that move bits, whatever they mean.

/// `dst[i] = if mask[i] != 0 { b[i] } else { c[i] }`
pub(crate) fn select<T: Copy>(dst: &mut [T], mask: &[u8], b: &[T], c: &[T]) {
    for (((to, &choice), &x), &y) in dst.iter_mut().zip(mask).zip(b).zip(c) {
        *to = if choice != 0 { x } else { y };
    }
}
