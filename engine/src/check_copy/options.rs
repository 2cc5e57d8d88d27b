//! The options of `check-copy`.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Compare only the sizes of large files, without reading them.
    pub quick: bool,
    /// Print JSON.
    pub json: bool,
}
