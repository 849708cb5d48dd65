//! Files of pictures: what they are by their ending.

use std::path::Path;

use anyhow::Context;
use rekindle_formats::files;
use rekindle_pictures::Picture;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureKind {
    Svg,
    Png,
    Gif,
}

impl PictureKind {
    /// By the ending of the name, if it is one of these.
    pub fn of(file: &Path) -> Option<Self> {
        let is = |ending: &str| file.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
        let kinds = [("svg", Self::Svg), ("png", Self::Png), ("gif", Self::Gif)];
        kinds.into_iter().find(|(ending, _)| is(ending)).map(|(_, kind)| kind)
    }

    /// By the ending of the name, if it is one that a picture without motion can have.
    pub fn of_still(file: &Path) -> Option<Self> {
        Self::of(file).filter(|kind| *kind != Self::Gif)
    }
}

/// Writes a picture as SVG where its file is one, otherwise as PNG.
pub fn write_picture(file: &Path, picture: &Picture) -> anyhow::Result<()> {
    write(
        file,
        &match PictureKind::of(file) {
            Some(PictureKind::Svg) => picture.svg()?.into_bytes(),
            _ => picture.png()?,
        },
    )
}

/// Writes a file.
pub fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    files::write(file, bytes).with_context(|| format!("cannot write `{}`", file.display()))
}
