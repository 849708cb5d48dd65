//! Memory: what a training takes, and what the machine has.

use rekindle_formats::files;
use serde::Serialize;

use crate::numbers::bytes;

/// Bytes that a training takes: upper bounds, as far as they can be known before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct MemoryNeed {
    /// The state.
    pub state: u64,
    /// Beside it, for a step: the data, gradients, and what is kept on the way.
    pub training: u64,
    /// Beside both, for a measurement.
    pub evaluation: u64,
}

impl MemoryNeed {
    /// All of it. A save in the background holds the state once more.
    pub fn total(&self, saves_in_background: bool) -> u64 {
        let states = self.state.saturating_mul(1 + u64::from(saves_in_background));
        states.saturating_add(self.training).saturating_add(self.evaluation)
    }
}

/// Bytes that this process may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineMemory {
    /// Those that nobody uses at the moment.
    pub available: u64,
    /// All there are, swap included.
    pub total: u64,
}

/// A training takes more memory than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "about {} of memory is needed ({} for the state, {} to train, {} to measure), and there is {} in all",
    bytes(*needed), bytes(need.state), bytes(need.training), bytes(need.evaluation), bytes(*total)
)]
pub struct TooLittleMemory {
    /// What is needed for what.
    pub need: MemoryNeed,
    /// In all.
    pub needed: u64,
    /// What there is.
    pub total: u64,
}

/// Training takes more memory than is free at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "training takes about {} of memory, and only {} is free at the moment", bytes(*needed), bytes(*available)
)]
pub struct LowMemory {
    /// Bytes that it takes beside what it has already.
    pub needed: u64,
    /// Bytes that are free.
    pub available: u64,
}

/// Refuses what can never fit, and warns of what does not fit now. `held` is what this process has of it
/// already.
pub(crate) fn check(
    need: &MemoryNeed,
    saves_in_background: bool,
    held: u64,
    machine: Option<MachineMemory>,
) -> Result<Option<LowMemory>, TooLittleMemory> {
    let Some(MachineMemory { available, total }) = machine else { return Ok(None) };
    let needed = need.total(saves_in_background);
    if needed > total {
        return Err(TooLittleMemory { need: *need, needed, total });
    }
    let rest = needed.saturating_sub(held);
    Ok((rest > available).then_some(LowMemory { needed: rest, available }))
}

impl MachineMemory {
    /// That of this machine, or of the group of processes that this one is confined to. Absent where
    /// the system does not tell.
    pub fn read() -> Option<Self> {
        let machine = Self::of_meminfo(&text_of("/proc/meminfo")?)?;
        let groups = text_of("/proc/self/cgroup").unwrap_or_default();
        Some(limits(&groups, &|path| text_of(path)).fold(machine, |machine, limit| machine.within(&limit)))
    }

    fn of_meminfo(text: &str) -> Option<Self> {
        let value = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
        };
        let swap = |name| value(name).unwrap_or(0);
        Some(Self {
            available: value("MemAvailable")?.saturating_add(swap("SwapFree")),
            total: value("MemTotal")?.saturating_add(swap("SwapTotal")),
        })
    }

    fn within(self, limit: &Limit) -> Self {
        let free = limit.most.saturating_sub(limit.used);
        Self { available: self.available.min(free), total: self.total.min(limit.most) }
    }
}

/// What a group of processes may have, and has.
struct Limit {
    most: u64,
    used: u64,
}

/// The limits of all groups that this process is in: its own, and those around it.
fn limits<'a>(groups: &'a str, read: &'a dyn Fn(&str) -> Option<String>) -> impl Iterator<Item = Limit> + 'a {
    groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':')).flat_map(move |(kind, path)| {
        let is_memory = kind.split(',').any(|kind| kind == "memory");
        // Version 2 has one hierarchy for everything.
        let (root, names) = match (kind, is_memory) {
            ("", _) => ("/sys/fs/cgroup", ["memory.max", "memory.current", "inactive_file "]),
            (_, true) => (
                "/sys/fs/cgroup/memory",
                ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "],
            ),
            (_, false) => ("", [""; 3]),
        };
        let ends = path.match_indices('/').map(|(place, _)| place).chain([path.len()]);
        let groups: Vec<&str> = ends.filter(|_| !root.is_empty()).map(|end| &path[..end]).collect();
        groups.into_iter().filter_map(move |group| {
            let [most, used, cache] = names;
            let number = |name: &str| read(&format!("{root}{group}/{name}"))?.trim().parse::<u64>().ok();
            let statistics = read(&format!("{root}{group}/memory.stat")).unwrap_or_default();
            // Pages of files that nobody uses are given back when they are needed.
            let cached = statistics.lines().find_map(|line| line.strip_prefix(cache)?.parse::<u64>().ok());
            Some(Limit { most: number(most)?, used: number(used)?.saturating_sub(cached.unwrap_or(0)) })
        })
    })
}

fn text_of(path: &str) -> Option<String> {
    const LIMIT: u64 = 1 << 20;
    files::read_text(path.as_ref(), LIMIT).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;
    const MEMINFO: &str = "MemTotal:       16777216 kB\nMemFree:          1048576 kB\n\
                           MemAvailable:    8388608 kB\nSwapTotal:       1048576 kB\nSwapFree:         524288 kB\n";

    #[test]
    fn what_the_machine_has_counts_swap() {
        let machine = MachineMemory::of_meminfo(MEMINFO).unwrap();
        assert_eq!(machine, MachineMemory { available: 8 * GIB + GIB / 2, total: 17 * GIB });
        assert_eq!(MachineMemory::of_meminfo("MemTotal: 5 kB\n"), None);
    }

    #[test]
    fn a_group_of_processes_has_no_more_than_its_limit() {
        let machine = MachineMemory::of_meminfo(MEMINFO).unwrap();
        let within = |groups: &str, files: &[(&str, &str)]| {
            let read =
                |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
            limits(groups, &read).fold(machine, |machine, limit| machine.within(&limit))
        };
        let second = [
            ("/sys/fs/cgroup/job/memory.max", "4294967296\n"),
            ("/sys/fs/cgroup/job/memory.current", "3221225472\n"),
            ("/sys/fs/cgroup/job/memory.stat", "anon 1\ninactive_file 1073741824\n"),
            ("/sys/fs/cgroup/job/step/memory.max", "max\n"),
            ("/sys/fs/cgroup/job/step/memory.current", "1073741824\n"),
        ];
        let limited = MachineMemory { available: 2 * GIB, total: 4 * GIB };
        assert_eq!(within("0::/job/step\n", &second), limited, "a limit of a group around it");
        assert_eq!(within("0::/other\n", &second), machine);
        let first = [
            ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2147483648\n"),
            ("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "1073741824\n"),
        ];
        let limited = MachineMemory { available: GIB, total: 2 * GIB };
        assert_eq!(within("3:cpu,cpuacct:/a\n7:memory:/a\n", &first), limited);
    }

    #[test]
    fn too_much_is_refused_and_much_is_told() {
        let machine = Some(MachineMemory { available: 4 * GIB, total: 8 * GIB });
        let need = |state, training| MemoryNeed { state, training, evaluation: 0 };
        assert_eq!(check(&need(GIB, 2 * GIB), false, 0, machine), Ok(None));
        let warning = check(&need(GIB, 5 * GIB), false, GIB, machine).unwrap().unwrap().to_string();
        assert!(warning.contains("5.0 GiB") && warning.contains("4.0 GiB"), "{warning}");
        let refused = check(&need(GIB, 7 * GIB), true, GIB, machine).unwrap_err();
        assert!(refused.to_string().contains("about 9.0 GiB"), "{refused}");
        assert_eq!(check(&need(u64::MAX, u64::MAX), true, 0, None), Ok(None), "nobody knows");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_tells() {
        let machine = MachineMemory::read().unwrap();
        assert!(machine.total > 1 << 24 && machine.available <= machine.total, "{machine:?}");
    }
}
