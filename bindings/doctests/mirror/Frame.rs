use core::ffi::c_void;
use kernel::hmm::mirror::Frame;

/// How a device reaches a page.
#[derive(PartialEq)]
enum Way {
    Own,
    Peer,
    Bus,
}

fn way(page: &Frame, owner: *const c_void) -> Way {
    if !page.is_private() && !page.is_coherent() {
        return Way::Bus;
    }
    match page.is_of(owner) {
        true => Way::Own,
        false => Way::Peer,
    }
}

/// The CPU can read it, and does not share it as zeros.
fn has_content(page: &Frame) -> bool {
    page.is_reachable() && !page.is_zero()
}
# let _ = (way, has_content);
