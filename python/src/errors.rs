//! Errors of the engine as exceptions, with what helps in words of Python.

use pyo3::prelude::*;
use rekindle::records::TagError;
use rekindle::storage::StorageError;
use rekindle::upkeep::PruneError;
use rekindle::{
    AddressError, CaptureError, Hint, OpenError, ReadError, RestoreError, ResumeError, SaveError,
};

/// An error as an exception: its class in `rekindle`, and what helps.
pub trait Raised: std::fmt::Display {
    /// Name of the class.
    fn class(&self) -> &'static str;

    /// What helps, if something does.
    fn hint(&self) -> Option<&'static str> {
        None
    }
}

/// The exception for an error.
pub fn raise(error: &impl Raised) -> PyErr {
    exception(error.class(), &error.to_string(), error.hint())
}

/// An exception of the package.
pub fn exception(class: &str, message: &str, hint: Option<&str>) -> PyErr {
    Python::attach(|py| {
        let made =
            py.import("rekindle._errors").and_then(|errors| errors.getattr(class)?.call1((message, hint)));
        made.map_or_else(|error| error, PyErr::from_value)
    })
}

/// A value that cannot be saved.
pub fn refusal(path: &rekindle::EntryPath, what: &str) -> PyErr {
    exception("StateError", &format!("`{path}` cannot be saved: {what}"), None)
}

impl Raised for StorageError {
    fn class(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "RunLocked",
            Self::Truncated { .. } | Self::TooLarge { .. } => "Damaged",
            _ => "RekindleError",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        matches!(self, Self::Locked { .. }).then_some(
            "end the process that writes it; `rekindle.load` and `rekindle.checkpoints` read it all the same",
        )
    }
}

impl Raised for OpenError {
    fn class(&self) -> &'static str {
        match self {
            Self::NoRun { .. } => "RunNotFound",
            Self::NewerFormat { .. } => "DoesNotFit",
            Self::Storage(error) => error.class(),
            _ => "RekindleError",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Storage(error) => error.hint(),
            error => match error.hint()? {
                Hint::ResumeOrChooseAnotherPlace | Hint::ChooseAnotherPlace => Some("name another directory"),
                Hint::GiveKey => Some("the command `rekindle` opens encrypted runs; this package does not"),
                _ => None,
            },
        }
    }
}

impl Raised for ReadError {
    fn class(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "Damaged",
            Self::NoCheckpoint { .. } | Self::NoEntry { .. } => "NotThere",
            Self::NewerFormat { .. } => "DoesNotFit",
            Self::Storage(error) => error.class(),
            _ => "RekindleError",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        matches!(self, Self::Damaged(_))
            .then_some("`rekindle.verify` tells what is whole; `Run.resume` passes over damaged checkpoints")
    }
}

impl Raised for SaveError {
    fn class(&self) -> &'static str {
        match self {
            Self::StepTaken { .. } | Self::StepBehind { .. } => "StepTaken",
            Self::Read(error) => error.class(),
            Self::Storage(error) => error.class(),
            _ => "RekindleError",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::StepTaken { .. } | Self::StepBehind { .. } => Some(
                "call `resume` before the loop and count steps on from there, or write to another directory",
            ),
            Self::Read(error) => error.hint(),
            Self::Storage(error) => error.hint(),
            _ => None,
        }
    }
}

impl Raised for PruneError {
    fn class(&self) -> &'static str {
        match self {
            Self::Save(error) => error.class(),
            _ => "RekindleError",
        }
    }
}

impl Raised for CaptureError {
    fn class(&self) -> &'static str {
        match self {
            Self::Save(error) => error.class(),
            Self::Prune(error) => error.class(),
            _ => "RekindleError",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Save(error) => error.hint(),
            _ => None,
        }
    }
}

impl Raised for ResumeError {
    fn class(&self) -> &'static str {
        match self {
            Self::DoesNotFit { .. } | Self::Invalid { .. } | Self::Migration(_) => "DoesNotFit",
            Self::Restore(RestoreError::Refused { .. }) => "DoesNotFit",
            Self::NothingValid { .. } => "Damaged",
            Self::Restore(RestoreError::Read(error)) | Self::Read(error) => error.class(),
            Self::Capture(error) => error.class(),
            Self::Save(error) => error.class(),
            _ => "RekindleError",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::DoesNotFit { .. } => Some(
                "make the state as it was made for that run, or use another directory; `rekindle.load` gives it as it is",
            ),
            Self::Read(error) => error.hint(),
            Self::Save(error) => error.hint(),
            _ => None,
        }
    }
}

impl Raised for TagError {
    fn class(&self) -> &'static str {
        match self {
            Self::NoTag { .. } => "NotThere",
            Self::Read(error) => error.class(),
            Self::Save(error) => error.class(),
            _ => "RekindleError",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        self.hint().and_then(|hint| match hint {
            Hint::DeleteOrMoveTag => Some("delete it first with `untag`, or move it with force=True"),
            _ => None,
        })
    }
}

impl Raised for AddressError {
    fn class(&self) -> &'static str {
        match self {
            Self::NoCheckpoint { .. }
            | Self::TooFarBack { .. }
            | Self::NoBest { .. }
            | Self::NoMetric { .. } => "NotThere",
            Self::Tag(error) => error.class(),
            Self::Read(error) => error.class(),
            _ => "RekindleError",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Tag(error) => Raised::hint(error),
            Self::Read(error) => error.hint(),
            _ => None,
        }
    }
}
