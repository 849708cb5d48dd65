//! The one rule of all commands that write a file: what is there stays, unless `--force` says otherwise.

use std::path::Path;

use anyhow::bail;
use clap::Args;
use rekindle_formats::files;

#[derive(Debug, Clone, Copy, Args)]
pub struct ReplaceArgs {
    /// Replace the file if it is there.
    #[arg(long)]
    pub force: bool,
}

impl ReplaceArgs {
    /// Refuses to lose what is at the place of a file that is about to be made.
    pub fn allow(self, file: &Path) -> anyhow::Result<()> {
        let name = file.display();
        if file.is_dir() {
            bail!("`{name}` is a directory, and none is replaced; name another place");
        }
        // A device or a pipe would be gone, with a file in its place.
        if file.exists() && !file.is_file() {
            bail!("`{name}` is not a regular file; name another");
        }
        if files::exists(file) && !self.force {
            bail!("`{name}` is there already; --force replaces it");
        }
        Ok(())
    }

    /// The same for a file that is made out of others, none of which it may take the place of.
    pub fn allow_beside<'a>(
        self,
        file: &Path,
        sources: impl IntoIterator<Item = &'a Path>,
    ) -> anyhow::Result<()> {
        let place = file.canonicalize().ok();
        let is_there = |source: &Path| place.is_some() && source.canonicalize().ok() == place;
        if let Some(source) = sources.into_iter().find(|source| is_there(source)) {
            bail!("`{}` is read, and would be lost; name another file to write", source.display());
        }
        self.allow(file)
    }
}
