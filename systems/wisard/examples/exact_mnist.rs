//! What a classifier does that learns and forgets exactly, on MNIST: `exact_mnist FOLDER [ORDERS] [SETTING...]`.
//!
//! It learns all 60,000 rows together; then five tasks of two digits each, one after the other; then all rows in
//! random orders and parts; and it forgets 1,000 of them. Each time the state is compared with that of training on
//! the same rows together. Rows are handed over as IDX files, which are read within the times that are told.

#![allow(clippy::disallowed_methods, reason = "an example makes its files")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rekindle::{Hash, hash_of};
use rekindle_compute::rng::{self, Stream};
use rekindle_formats::pictures::{Pictures, read_images, read_labels};
use rekindle_train::{ConfigOf, ConfigText, Family, Learnt, Resources, System};
use rekindle_wisard::exact::{State, WisardExact};
use rekindle_wisard::presets;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const THREADS: usize = 2;
const FORGOTTEN: usize = 1000;

/// Pictures and their labels, and a folder for files of them.
struct Data {
    pictures: Pictures,
    labels: Vec<u8>,
    source: PathBuf,
    folder: tempfile::TempDir,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let source = PathBuf::from(arguments.next().ok_or("the folder of MNIST is named first")?);
    let orders: u64 = arguments.next().map_or(Ok(100), |orders| orders.parse())?;
    let settings: Vec<String> = arguments.collect();
    let data = Data {
        pictures: read_images(&source.join("train-images-idx3-ubyte.gz"))?,
        labels: read_labels(&source.join("train-labels-idx1-ubyte.gz"))?,
        source,
        folder: tempfile::tempdir()?,
    };
    let all: Vec<usize> = (0..data.labels.len()).collect();
    let begun = Instant::now();
    let (config, together) = data.trained(&settings, &all)?;
    let expected = hash_of(&together)?;
    println!("together: {} rows in {:.2} s", together.rows(), begun.elapsed().as_secs_f64());
    println!("counters: {} KiB", together.counter_bytes() / 1024);
    println!("state {expected}");
    answering(&data, &config, &settings)?;
    by_class(&data, &settings, expected)?;
    in_orders(&data, &settings, orders, expected)?;
    forgetting(&data, &config, &settings, together)
}

/// Likelihoods and votes beside each other: 50,000 rows learnt, and the other 10,000 asked.
fn answering(data: &Data, config: &ConfigOf<WisardExact>, settings: &[String]) -> Result<()> {
    let (learnt, held) = (0..50_000, 50_000..data.labels.len());
    let (_, state) = data.trained(settings, &learnt.collect::<Vec<_>>())?;
    let held = data.files("held", &held.collect::<Vec<_>>())?;
    let mut config = config.clone();
    (config.training.data.test_images, config.training.data.test_labels) =
        (Some(held[0].clone()), Some(held[1].clone()));
    for bleaching in [None, Some(0), Some(1), Some(3), Some(10), Some(20), Some(40), Some(80)] {
        config.model.bleaching = bleaching;
        let mut system = WisardExact::attach(&config, &state, &Resources::new(THREADS))?;
        let begun = Instant::now();
        let accuracy = system.conclude(&state)?.metrics["test_accuracy"];
        let rate = 10_000.0 / begun.elapsed().as_secs_f64();
        let answer =
            bleaching.map_or("likelihoods".to_owned(), |bleaching| format!("votes above {bleaching}"));
        println!("{answer}: {accuracy:.4} of the held-out rows, {rate:.0} answers a second");
    }
    Ok(())
}

/// Five tasks of two digits each.
fn by_class(data: &Data, settings: &[String], expected: Hash) -> Result<()> {
    let task =
        |task: u8| (0..data.labels.len()).filter(|&row| data.labels[row] / 2 == task).collect::<Vec<_>>();
    let (config, mut state) = data.trained(settings, &task(0))?;
    for index in 1..5 {
        let learnt = data.learn(&config, &mut state, &task(index))?;
        println!("digits up to {}: test accuracy {:.4}", 2 * index + 1, learnt.metrics["test_accuracy"]);
    }
    println!("class by class: state is {}", equal(hash_of(&state)?, expected));
    Ok(())
}

/// All rows in random orders, each in five parts.
fn in_orders(data: &Data, settings: &[String], orders: u64, expected: Hash) -> Result<()> {
    let mut different = 0;
    for order in 0..orders {
        let mut stream = rng::stream(1, 0, order);
        let mut rows: Vec<usize> = (0..data.labels.len()).collect();
        stream.shuffle(&mut rows);
        let parts = in_parts(&rows, &mut stream);
        let (config, mut state) = data.trained(settings, parts[0])?;
        for part in &parts[1..] {
            data.learn(&config, &mut state, part)?;
        }
        different += usize::from(hash_of(&state)? != expected);
    }
    println!("{orders} random orders in five parts: {different} other states");
    Ok(())
}

fn in_parts<'a>(rows: &'a [usize], stream: &mut Stream) -> Vec<&'a [usize]> {
    let mut cuts: Vec<usize> = (0..4).map(|_| 1 + stream.below(rows.len() as u64 - 1) as usize).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let begins = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([rows.len()]);
    begins.zip(ends).map(|(begin, end)| &rows[begin..end]).collect()
}

/// Random rows are forgotten.
fn forgetting(
    data: &Data,
    config: &ConfigOf<WisardExact>,
    settings: &[String],
    mut state: State,
) -> Result<()> {
    let mut rows: Vec<usize> = (0..data.labels.len()).collect();
    rng::stream(2, 0, 0).shuffle(&mut rows);
    let (gone, rest) = rows.split_at(FORGOTTEN);
    let files = data.files("gone", gone)?;
    let mut without_test = config.clone();
    (without_test.training.data.test_images, without_test.training.data.test_labels) = (None, None);
    let forgetting = WisardExact::capabilities().forget.ok_or("it forgets")?.forget;
    let begun = Instant::now();
    forgetting(&without_test, &mut state, &files, &Resources::new(THREADS))?;
    let seconds = begun.elapsed().as_secs_f64();
    let (_, without) = data.trained(settings, rest)?;
    println!("{FORGOTTEN} rows forgotten in {seconds:.3} s, {:.0} a second", FORGOTTEN as f64 / seconds);
    println!("without them: state is {}", equal(hash_of(&state)?, hash_of(&without)?));
    Ok(())
}

fn equal(found: Hash, expected: Hash) -> String {
    if found == expected { "the same".to_owned() } else { format!("ANOTHER: {found}") }
}

impl Data {
    /// A network that was trained on these rows.
    fn trained(&self, settings: &[String], rows: &[usize]) -> Result<(ConfigOf<WisardExact>, State)> {
        let test = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];
        let test = test.map(|name| text_of(&self.source.join(name)));
        let files = [self.files("first", rows)?, test.to_vec()].concat();
        let mut all = WisardExact::options()[0].settings(&files)?;
        all.extend_from_slice(settings);
        let text = ConfigText { origin: "preset".into(), yaml: presets::EXACT_MNIST.into() };
        let config: ConfigOf<WisardExact> = text.config(&all)?;
        let mut state = WisardExact::build(&config)?;
        let mut system = WisardExact::attach(&config, &state, &Resources::new(THREADS))?;
        while !system.progress(&state).finished {
            system.step(&mut state)?;
        }
        Ok((config, state))
    }

    fn learn(&self, config: &ConfigOf<WisardExact>, state: &mut State, rows: &[usize]) -> Result<Learnt> {
        let learn = WisardExact::capabilities().learn.ok_or("it learns")?;
        Ok(learn(config, state, &self.files("more", rows)?, &Resources::new(THREADS))?)
    }

    /// IDX files of these rows.
    fn files(&self, name: &str, rows: &[usize]) -> Result<Vec<String>> {
        let Pictures { width, height, pixels } = &self.pictures;
        let size = width * height;
        let of_row = |&row: &usize| pixels[row * size..(row + 1) * size].iter().copied();
        let labels: Vec<u8> = rows.iter().map(|&row| self.labels[row]).collect();
        let files = [
            ("images", idx(&[rows.len(), *height, *width], rows.iter().flat_map(of_row).collect())),
            ("labels", idx(&[rows.len()], labels)),
        ];
        let mut names = Vec::new();
        for (kind, bytes) in files {
            let path = self.folder.path().join(format!("{name}-{kind}"));
            std::fs::write(&path, bytes)?;
            names.push(text_of(&path));
        }
        Ok(names)
    }
}

fn idx(sizes: &[usize], values: Vec<u8>) -> Vec<u8> {
    let head = [0, 0, 8, sizes.len() as u8];
    let sizes = sizes.iter().flat_map(|&size| (size as u32).to_be_bytes());
    head.into_iter().chain(sizes).chain(values).collect()
}

fn text_of(path: &Path) -> String {
    path.display().to_string()
}
