//! `doctor`: what this machine can do, and how fast it keeps things.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use rekindle::storage::{FileStorage, Storage};
use rekindle_compute::{KernelPath, rng};
use rekindle_formats::files;
use rekindle_train::{MachineMemory, bytes};
use serde::Serialize;

use crate::args::ThreadsArgs;
use crate::output;

/// Bytes that are written to measure the disk.
const WRITTEN: usize = 64 << 20;
/// Small files that are made durable one after the other.
const SYNCS: u32 = 8;

#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    processor: Option<String>,
    cores: usize,
    kernels: Vec<&'static str>,
    memory_bytes: Option<u64>,
    memory_available_bytes: Option<u64>,
    directory: String,
    disk_available_bytes: Option<u64>,
    write_bytes_per_second: f64,
    seconds_per_sync: f64,
}

/// Looks at this machine, and at the disk of a directory.
pub fn doctor(directory: &Path, json: bool) -> anyhow::Result<u8> {
    let memory = MachineMemory::read();
    let disk = measure(directory).with_context(|| format!("cannot write in `{}`", directory.display()))?;
    let findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        processor: processor(),
        cores: ThreadsArgs::default().count(),
        kernels: KernelPath::available().into_iter().map(KernelPath::name).collect(),
        memory_bytes: memory.map(|memory| memory.total),
        memory_available_bytes: memory.map(|memory| memory.available),
        directory: directory.display().to_string(),
        disk_available_bytes: FileStorage::new(directory).available(),
        write_bytes_per_second: disk.bytes_per_second,
        seconds_per_sync: disk.seconds_per_sync,
    };
    if json {
        output::print_json(&findings)?;
    } else {
        output::print(&table(&findings))?;
    }
    Ok(0)
}

fn table(found: &Findings) -> String {
    let unknown = || "unknown".to_owned();
    let of = |count: Option<u64>| count.map_or_else(unknown, bytes);
    let best = found.kernels.first().copied().unwrap_or_default();
    let rows = [
        ("rekindle", found.version.to_owned()),
        ("processor", found.processor.clone().unwrap_or_else(unknown)),
        ("cores", found.cores.to_string()),
        (
            "kernels",
            format!("{} ({best} is used; REKINDLE_KERNELS chooses another)", found.kernels.join(", ")),
        ),
        ("memory", format!("{}, {} free", of(found.memory_bytes), of(found.memory_available_bytes))),
        ("disk", format!("{} free at {}", of(found.disk_available_bytes), found.directory)),
        ("writing", format!("{} a second, made durable", bytes(found.write_bytes_per_second as u64))),
        ("a sync", format!("{:.1} ms", found.seconds_per_sync * 1e3)),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, what)| vec![name.to_owned(), what]).collect();
    output::table(&["what", "found"], &rows)
}

/// The processor's name, where the system tells it.
fn processor() -> Option<String> {
    const LIMIT: u64 = 4 << 20;
    let text = files::read_text("/proc/cpuinfo".as_ref(), LIMIT).ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

struct DiskSpeed {
    bytes_per_second: f64,
    seconds_per_sync: f64,
}

/// Writes a large file and some small ones, makes each durable, and takes them away again.
fn measure(directory: &Path) -> anyhow::Result<DiskSpeed> {
    // Bytes that no disk makes smaller.
    let mut stream = rng::stream(0, 0, 0);
    let noise: Vec<u8> =
        std::iter::repeat_with(|| stream.bits().to_le_bytes()).take(WRITTEN / 8).flatten().collect();
    let write = |bytes: &[u8]| -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(begun.elapsed().as_secs_f64())
    };
    let large = write(&noise)?;
    let mut small = 0.0;
    for _ in 0..SYNCS {
        small += write(&noise[..4096])?;
    }
    Ok(DiskSpeed { bytes_per_second: WRITTEN as f64 / large, seconds_per_sync: small / f64::from(SYNCS) })
}
