//! A population of an architecture search, against the original's gzipped JSON.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::Settings;
use crate::measure::{Contender, Turns, time_of};
use crate::place;
use crate::population::{CLASSES, Genome, Population};
use crate::subject;
use crate::table::{Table, bytes, times};

/// Genomes of the whole figure.
const COUNT: f64 = 40.0;
/// Generations behind the evolved population.
const GENERATIONS: u64 = 20;
/// gzip takes long enough to need no more rounds.
const ROUNDS: usize = 3;

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let count = settings.genomes.unwrap_or(((COUNT * settings.scale) as usize).max(2));
    let about = format!(
        "{count} genomes x {CLASSES} classes through serde: `Run::save` and `Run::resume` against the same structs as \
         the original's JSON, gzip -6, both synced. The first save of a run also proves that the state comes back. \
         `bound` is the entropy of the random draws. Aims: at most 1/20 of the time; random: at most 1.03 x the \
         bound; evolved over {GENERATIONS} generations: at most 1/5 of the size."
    );
    let columns = ["population", "what", "ours", "JSON, gzip", "ours / JSON"];
    let mut table = Table::begin("Genomes", &about, columns);
    let random = Population::random(count);
    let bound = random.entropy();
    let size = measure(settings, &mut table, "random", &random)?;
    let over_bound = format!("{:.3} x", size as f64 / bound);
    table.row([&"random", &"size against the bound", &bytes(size), &bytes(bound as u64), &over_bound]);
    measure(settings, &mut table, "evolved", &random.evolved(GENERATIONS))?;
    Ok(())
}

/// Prints the rows of one population; gives the size of ours.
fn measure(
    settings: &Settings,
    table: &mut Table,
    name: &str,
    population: &Population,
) -> anyhow::Result<u64> {
    let scratch = settings.places().remove(0).scratch()?;
    let (run, file) = (scratch.path().join("run"), scratch.path().join("population.json.gz"));
    let first: Contender<'_> = Box::new(|| {
        place::clear(&run)?;
        let mut made = subject::create_run(&run)?;
        time_of(|| Ok(made.save(1, population)?))
    });
    let later: Contender<'_> = Box::new(|| {
        place::clear(&run)?;
        let mut made = subject::create_run(&run)?;
        made.save(0, &Population::default())?;
        time_of(|| Ok(made.save(1, population)?))
    });
    let json: Contender<'_> = Box::new(|| time_of(|| write_json(&population.genomes, &file)));
    let turns = Turns { rounds: settings.rounds.min(ROUNDS), warm: false };
    let [first, later, json] = turns.take([first, later, json])?;
    table.row([&name, &"first save", &first.text(), &json.text(), &times(first.ratio_to(&json))]);
    table.row([&name, &"later save", &later.text(), &json.text(), &times(later.ratio_to(&json))]);

    place::clear(&run)?;
    subject::create_run(&run)?.save(1, population)?;
    let (size, json_size) = (place::size(&run)?, fs::metadata(&file)?.len());
    let ours: Contender<'_> = Box::new(|| {
        let mut restored = Population::default();
        let elapsed = time_of(|| Ok(subject::open_run(&run)?.resume(&mut restored)?))?;
        anyhow::ensure!(restored == *population, "another population came back");
        Ok(elapsed)
    });
    let json: Contender<'_> = Box::new(|| time_of(|| read_json(&file)));
    let [ours, json] = turns.take([ours, json])?;
    table.row([&name, &"load", &ours.text(), &json.text(), &times(ours.ratio_to(&json))]);

    let share = times(size as f64 / json_size as f64);
    table.row([&name, &"size", &bytes(size), &bytes(json_size), &share]);
    let payload = population.payload() as u64;
    let of_payload = times(size as f64 / payload as f64);
    table.row([&name, &"size against one byte per number", &bytes(size), &bytes(payload), &of_payload]);
    Ok(size)
}

fn write_json(genomes: &[Genome], path: &Path) -> anyhow::Result<()> {
    let encoder = GzEncoder::new(File::create(path)?, Compression::new(6));
    let mut writer = BufWriter::with_capacity(1 << 20, encoder);
    serde_json::to_writer(&mut writer, genomes)?;
    writer.flush()?;
    writer.into_inner()?.finish()?;
    Ok(place::sync_new(path)?)
}

fn read_json(path: &Path) -> anyhow::Result<Vec<Genome>> {
    let mut text = Vec::new();
    GzDecoder::new(fs::read(path)?.as_slice()).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
