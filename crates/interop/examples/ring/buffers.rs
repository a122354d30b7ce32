//! Buffers that the kernel chooses from when bytes arrive, so that a connection that waits needs none.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;

/// The number of the buffers, a power of 2.
const COUNT: u16 = 256;

/// The size of a buffer.
const SIZE: u32 = 2048;

/// The group that the buffers form.
pub(crate) const GROUP: u16 = 0;

pub(crate) struct Buffers {
    /// INVARIANT: a zeroed allocation of `LAYOUT`, in which the kernel reads the free buffers.
    entries: *mut BufRingEntry,
    /// INVARIANT: `COUNT` buffers. They do not move, because they are on the heap.
    bytes: Box<[u8]>,
    tail: u16,
    /// How many buffers have bytes.
    used: u16,
}

/// A page is the alignment that the kernel needs.
const LAYOUT: Layout =
    match Layout::from_size_align(COUNT as usize * size_of::<BufRingEntry>(), 4096) {
        Ok(layout) => layout,
        Err(_) => panic!("the alignment is a power of 2"),
    };

impl Buffers {
    /// Makes the buffers, and registers them with the ring.
    ///
    /// # Safety
    ///
    /// - The ring is dropped before the buffers, and has no requests then.
    pub(crate) unsafe fn new(ring: &IoUring) -> io::Result<Self> {
        // SAFETY: the layout has a size.
        let entries = unsafe { alloc_zeroed(LAYOUT) }.cast::<BufRingEntry>();
        if entries.is_null() {
            handle_alloc_error(LAYOUT);
        }
        let mut buffers = Self {
            entries,
            bytes: vec![0; COUNT as usize * SIZE as usize].into(),
            tail: 0,
            used: COUNT,
        };
        let submitter = ring.submitter();
        // SAFETY: the entries are valid until `buffers` is dropped, which is later than the ring.
        unsafe { submitter.register_buf_ring_with_flags(entries as u64, COUNT, GROUP, 0) }?;
        (0..COUNT).for_each(|buffer| buffers.give_back(buffer));
        Ok(buffers)
    }

    /// Returns the beginning of a buffer.
    pub(crate) fn start(&mut self, buffer: u16) -> *const u8 {
        let start = usize::from(buffer) * SIZE as usize;
        self.bytes[start..].as_ptr()
    }

    /// Returns how many buffers are free.
    pub(crate) fn free(&self) -> usize {
        usize::from(COUNT - self.used)
    }

    /// Notes that the kernel has chosen a buffer.
    pub(crate) fn take(&mut self) {
        self.used += 1;
    }

    /// Lets the kernel use a buffer again.
    pub(crate) fn give_back(&mut self, buffer: u16) {
        self.used -= 1;
        let place = usize::from(self.tail % COUNT);
        let start = self.start(buffer) as u64;
        // SAFETY: the place is below `COUNT`, so the entry is in the allocation. The kernel does not
        // use it before the tail is stored.
        let entry = unsafe { &mut *self.entries.wrapping_add(place) };
        entry.set_addr(start);
        entry.set_len(SIZE);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: this is the first entry, which is initialized.
        let tail = unsafe { BufRingEntry::tail(self.entries) };
        // SAFETY: the tail is two bytes of the allocation that the kernel only reads. This is their
        // only reference.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: `new` allocated it with this layout.
        unsafe { dealloc(self.entries.cast(), LAYOUT) };
    }
}
