//! Compares `sunpath-sys` and `sunpath` with C on the running kernel. `README.md` explains suites and
//! lanes, and how to add a case.

pub mod catalogue;
pub mod compare;
pub mod differences;
pub mod lane;
pub mod notation;
pub mod python;
pub mod suite;
pub mod table;

/// The C programs.
pub mod c {
    /// The compiler that made them and its arguments, separated by the byte 0x1F.
    pub const COMPILER: &str = env!("C_COMPILER");

    /// Returns the path of a program: the C lane of a suite or of another comparison, or a partner.
    #[must_use]
    pub fn program(name: &str) -> String {
        format!("{}/{name}", env!("C_PROGRAMS"))
    }
}
