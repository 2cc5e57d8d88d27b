//! How a stored sector is to be checked.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Only the sizes of large files are compared.
    pub quick: bool,
    pub json: bool,
}
