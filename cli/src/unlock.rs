//! Where the keys of encrypted runs come from: a file, the environment, or a question.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, bail};
use clap::Args;
use rekindle::storage::{FileStorage, Storage};
use rekindle::upkeep::{is_encrypted, wrapped_key};
use rekindle::{Access, DataKey, OpenError};
use rekindle_formats::{is_checkpoint_file, open_archive};
use rekindle_keys::{
    Identities, PassphraseSource, Recipient, Recipients, Unlock, needs_passphrase, read_file, unwrap_key,
};

/// The variable that names a file with an age identity.
const IDENTITY: &str = "REKINDLE_IDENTITY";
/// The variable that holds a passphrase.
const PASSPHRASE: &str = "REKINDLE_PASSPHRASE";

/// How encrypted runs are opened. Secrets never stand on the command line, where other users of
/// the machine can see them.
#[derive(Debug, Clone, Default, Args)]
pub struct UnlockArgs {
    /// Open encrypted runs with the age identity in this file [env: REKINDLE_IDENTITY].
    #[arg(long, global = true, value_name = "FILE", help_heading = "General options")]
    pub identity: Option<PathBuf>,
    /// Open encrypted runs with the passphrase in this file [env: REKINDLE_PASSPHRASE, which holds
    /// the passphrase itself; otherwise it is asked for].
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "identity",
        help_heading = "General options"
    )]
    pub passphrase_file: Option<PathBuf>,
}

/// The arguments of this process, for whatever run it opens.
static ARGS: OnceLock<UnlockArgs> = OnceLock::new();

/// Says how encrypted runs are opened from now on.
pub fn set(args: UnlockArgs) {
    // It is set once, when the arguments have been read.
    let _ = ARGS.set(args);
}

/// The arguments with which another process of this program opens the same runs.
pub fn arguments() -> Vec<OsString> {
    let UnlockArgs { identity, passphrase_file } = ARGS.get().cloned().unwrap_or_default();
    let named = [("--identity", identity), ("--passphrase-file", passphrase_file)];
    named.into_iter().filter_map(|(name, file)| Some([name.into(), file?.into()])).flatten().collect()
}

/// A run's directory or checkpoint file, with its key if it is encrypted.
pub fn access(path: &Path) -> anyhow::Result<Access> {
    let storage: Arc<dyn Storage> = match is_checkpoint_file(path) {
        true => Arc::new(open_archive(path)?),
        false => Arc::new(FileStorage::new(path)),
    };
    if !is_encrypted(&*storage)? {
        return Ok(storage.into());
    }
    let Some(wrapped) = wrapped_key(&*storage)? else {
        bail!("{} is encrypted, but its wrapped key `key.age` is missing", storage.location());
    };
    let key = unwrap(&wrapped, &storage.location())?;
    Ok(Access::new(storage, Some(key)))
}

/// True when an encrypted run cannot be opened by what was given, and nobody can be asked.
pub fn is_locked(error: &anyhow::Error) -> bool {
    error.downcast_ref::<OpenError>().is_some_and(|error| matches!(error, OpenError::Encrypted { .. }))
        || error.downcast_ref::<rekindle_keys::KeyError>().is_some()
}

fn unwrap(wrapped: &[u8], location: &str) -> anyhow::Result<DataKey> {
    let unlock = unlock(needs_passphrase(wrapped)?, location)?;
    unwrap_key(wrapped, &unlock).with_context(|| format!("cannot open {location}"))
}

fn unlock(by_passphrase: bool, location: &str) -> anyhow::Result<Unlock> {
    let args = ARGS.get().cloned().unwrap_or_default();
    if by_passphrase {
        let source = match args.passphrase_file {
            Some(path) => PassphraseSource::File(path),
            None if std::env::var_os(PASSPHRASE).is_some() => {
                PassphraseSource::Environment(PASSPHRASE.to_owned())
            }
            None => PassphraseSource::Prompt { confirm: false },
        };
        return Ok(Unlock::Passphrase(source.passphrase()?));
    }
    let path = args.identity.or_else(|| std::env::var_os(IDENTITY).map(PathBuf::from));
    let path = path.ok_or_else(|| OpenError::Encrypted { location: location.to_owned() })?;
    Ok(Unlock::Identities(read_file(&path, Identities::parse)?))
}

/// For whom a key is wrapped.
#[derive(Debug, Args)]
pub struct RecipientArgs {
    /// Whoever has the identity to this age recipient can open it; may be given several times.
    #[arg(long, value_name = "AGE1...")]
    pub recipient: Vec<String>,
    /// The same for every recipient in this file, one a line.
    #[arg(long, value_name = "FILE")]
    pub recipients_file: Option<PathBuf>,
    /// Whoever knows a passphrase can open it: asked for, or out of the file or variable that
    /// follows.
    #[arg(long, conflicts_with_all = ["recipient", "recipients_file"])]
    pub passphrase: bool,
    /// The new passphrase is in this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recipient", "recipients_file", "passphrase"])]
    pub new_passphrase_file: Option<PathBuf>,
}

impl RecipientArgs {
    /// Those that are named, or a passphrase.
    pub fn recipients(&self) -> anyhow::Result<Recipients> {
        if let Some(path) = &self.new_passphrase_file {
            return Ok(Recipients::Passphrase(PassphraseSource::File(path.clone()).passphrase()?));
        }
        if self.passphrase {
            return Ok(Recipients::Passphrase(PassphraseSource::Prompt { confirm: true }.passphrase()?));
        }
        let mut keys =
            self.recipient.iter().map(|text| text.parse()).collect::<Result<Vec<Recipient>, _>>()?;
        if let Some(path) = &self.recipients_file {
            keys.extend(read_file(path, Recipient::parse_list)?);
        }
        if keys.is_empty() {
            bail!(
                "say who may open it: --recipient AGE1..., --recipients-file FILE, --passphrase or \
                 --new-passphrase-file FILE (`rekindle keygen FILE` makes an identity and its recipient)"
            );
        }
        Ok(Recipients::Keys(keys))
    }
}
