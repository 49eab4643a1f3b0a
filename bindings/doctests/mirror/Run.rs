use kernel::hmm::{
    PfnFlags,
    Run, //
};

/// How many pages of a run the device can write to, and the largest page that its table can have there.
fn writable(run: &Run<'_>) -> (usize, u32) {
    let flags = run.flags();

    match flags.contains(PfnFlags::VALID) && flags.contains(PfnFlags::WRITE) {
        true => (run.span().pages(), run.map_order()),
        false => (0, 0),
    }
}

/// The largest page that the device can map for the run's first.
fn largest(run: &Run<'_>) -> usize {
    1 << run.order().min(run.map_order())
}

/// The number for which the device keeps the run's first page; its entry is cleared in `invalidate`.
fn entry(run: &Run<'_>) -> usize {
    // SAFETY: The device uses it under the update lock only, and forgets it when it is invalidated.
    unsafe { run.pfn().into_raw() }
}
# let _ = (writable, largest, entry);
