//! The table of lanes. README.md says how a lane is added.

use sunpath_c_tests::c;
use sunpath_c_tests::lane::Lane;

/// The C lane comes first, because the other lanes are compared with it.
pub(crate) const LANES: &[Lane] = &[
    Lane {
        name: "C",
        folder: "c",
        letter: None,
        command: |name| vec![c::program(name)],
    },
    Lane {
        name: "raw",
        folder: "raw",
        letter: None,
        command: |name| vec![env!("CARGO_BIN_EXE_lane-raw").to_owned(), name.to_owned()],
    },
    Lane {
        name: "safe",
        folder: "safe",
        letter: Some('S'),
        command: |name| vec![env!("CARGO_BIN_EXE_lane-safe").to_owned(), name.to_owned()],
    },
];

/// Returns the lanes that a suite or another comparison has, C first.
pub(crate) fn lanes_of(name: &str) -> impl Iterator<Item = &'static Lane> {
    LANES.iter().filter(move |lane| lane.is_in(name))
}
