//! Fresh memory for large arrays.
//!
//! A gigabyte that is touched for the first time costs as much as reading it: the system clears it page
//! by page, at every first touch. Where it can be asked for large pages, it needs a five-hundredth of
//! the interruptions.

use bytemuck::Zeroable;

/// From this length on large pages are asked for: bytes.
#[cfg(target_os = "linux")]
const LARGE: usize = 4 << 20;

/// So many zeros; `None` when there is not as much memory.
pub fn zeroed<T: Zeroable>(count: usize) -> Option<Vec<T>> {
    let mut elements = bytemuck::allocation::try_zeroed_vec(count).ok()?;
    advise_large_pages(&mut elements);
    Some(elements)
}

#[cfg(target_os = "linux")]
fn advise_large_pages<T>(elements: &mut [T]) {
    use rustix::mm::{Advice, madvise};
    let len = size_of_val(elements);
    let page = rustix::param::page_size();
    let skipped = elements.as_ptr().cast::<u8>().align_offset(page);
    if len < LARGE || skipped >= len {
        return;
    }
    let whole_pages = (len - skipped) / page * page;
    // SAFETY: the range lies within `elements`, which is borrowed exclusively, and the advice changes
    // only how its memory is backed, not what is in it.
    unsafe {
        let start = elements.as_mut_ptr().cast::<u8>().add(skipped);
        // A system without large pages says so, and serves as well.
        let _ = madvise(start.cast(), whole_pages, Advice::LinuxHugepage);
    }
}

#[cfg(not(target_os = "linux"))]
fn advise_large_pages<T>(_: &mut [T]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_memory_is_zero_whatever_its_length() {
        for count in [0, 1, 1000, (4 << 20) - 1, (9 << 20) + 3] {
            let bytes: Vec<u8> = zeroed(count).unwrap();
            assert!(bytes.len() == count && bytes.iter().all(|&byte| byte == 0));
        }
        assert!(zeroed::<u64>(usize::MAX / 16).is_none());
    }
}
