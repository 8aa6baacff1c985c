//! Large steps move in bulk: few pieces of work and few accesses, whatever a clock says.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::queue::CompletionStatus;
use hawser_abi::registers::control;
use hawser_device::{Activity, Faultless};

use crate::rig::{Command, NONE, Rig, segment, status_of, step};

#[test]
fn sixty_four_mebibytes_move_in_chunks_of_contiguous_memory() {
    const SIZE: u64 = 64 << 20;
    let mut rig = Rig::with(Box::new(Faultless), (2 * SIZE) as usize);
    rig.bring_up(1, 16, control::MSIX);
    let data = rig.alloc(SIZE as usize, 4096);
    // Pages that follow each other, as the host's allocator often gives them.
    let pages = (0..SIZE / 4096).map(|page| segment(data + page * 4096, 4096)).collect();
    let half = SIZE / 2;
    let double = step(
        Opcode::Add,
        ElementType::F32,
        half / 4,
        [(0, half), (0, 0), (0, 0), NONE],
    );
    let placed = rig.place(&Command::on(pages, vec![double]));
    rig.bus.at(data, half as usize).fill(0x3F);
    rig.submit(0, 1, placed);
    let mut pieces = 0u64;
    while rig.step() == Activity::Busy {
        pieces += 1;
    }
    assert_eq!(
        status_of(&rig.take(0).expect("a completion")),
        CompletionStatus::Success
    );
    let chunks = half / (64 << 10);
    assert!(pieces <= chunks + 16, "{pieces} pieces for {chunks} chunks");
    assert!(
        rig.bus.accesses() as u64 <= 3 * chunks + 16,
        "{} accesses",
        rig.bus.accesses()
    );
    let value = f32::from_bits(0x3F3F_3F3F) * 2.0;
    let results = rig.bus.at(data + half, half as usize);
    assert!(results.chunks(4).all(|bytes| bytes == value.to_le_bytes()));
}
